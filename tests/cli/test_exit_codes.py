"""Exit codes, where errors go, and what stdout holds (CONTRACT §7)."""

import itertools
import json
import os
import socket
import subprocess

import pytest

import cli_fake
from cli_fake import DROP, JOB, RUN

ODD_BODY = b'{"items" : [ {"key":"a","name":"n\\u001b[31m"} ],\r\n  "x":1.50}'


@pytest.mark.parametrize("args", [
    [], ["nonsense"], ["run"], ["run", "nonsense"], ["run", "get"], ["run", "get", "a", "b"], ["run", "get", "a", "--nonsense"],
    ["run", "start", "j", "--param", "novalue"], ["run", "start", "j", "--param", "=v"], ["-o", "xml", "job", "list"],
    ["run", "list", "--limit", "0"], ["run", "list", "--limit", "ten"], ["run", "list", "--limit"],
    ["run", "logs", "@latest", "--stream", "both2"],
    ["rerun", "j", "--from", "1", "--to", "2", "--where", "last"], ["rerun", "j", "--from", "1", "--to", "2", "--version", "7"],
    ["user", "add", "eva", "--role", "king"],
    ["run", "repair", RUN, "--with-downstream"], ["job", "create"], ["job", "create", "-f", "/nonexistent"],
])
def test_bad_usage_is_2_and_nothing_is_asked(cli, fake, args):
    result = cli(*args)
    assert result.returncode == 2
    assert result.stdout == b""
    assert result.stderr.strip()
    assert not fake.requests


@pytest.mark.parametrize("asked, meant", [("run satrt", "run start"), ("jobs list", "job list"), ("strat", "run start"),
                                          ("run repare", "run repair"), ("versoin", "version"), ("jobs", "job"), ("runs", "run")])
def test_unknown_verb_suggests_the_nearest(cli, asked, meant):
    result = cli(*asked.split())
    assert result.returncode == 2
    assert f"`reprise {meant}`" in result.stderr.decode()


@pytest.mark.parametrize("asked, meant", [
    ("job run", "run start JOB"), ("job start", "run start JOB"), ("job pause", "schedule pause JOB"), ("job logs", "run logs JOB@latest"),
    ("run retry", "run repair RUN"), ("run skip", "run repair RUN --mark-success TASK"), ("run status", "run get RUN"), ("run stop", "run cancel RUN"),
    ("task cancel", "run cancel RUN"), ("task logs", "run logs RUN --task TASK"), ("user token", "token create NAME"), ("jobs run", "run start JOB"),
    ("schedule list", "job list"), ("secret add", "secret set NAME"), ("start nightly", "run start"), ("pause nightly", "schedule pause JOB"),
    ("campaign list", "rerun list"), ("cancle @latest", "run cancel")])
def test_a_verb_of_another_name_suggests_what_does_it(cli, asked, meant):
    result = cli(*asked.split())
    assert result.returncode == 2
    assert result.stderr.decode() == f'reprise: "{asked}" is no verb; did you mean `reprise {meant}`?\n'
    words = itertools.takewhile(lambda word: word.islower() and not word.startswith("--"), meant.split())
    assert cli("help", *words).returncode == 0, "it is there"


def test_what_is_near_no_verb_of_its_group_lists_them(cli):
    result = cli("task", "frobnicate")
    assert (result.returncode, result.stderr) == (2, b'reprise: "task frobnicate" is no verb; those of `reprise task` are get, output\n')
    assert cli("frobnicate", "all").stderr == b'reprise: "frobnicate all" is no verb; `reprise help` lists them\n'


def test_help_of_every_verb_has_an_example():
    overview = cli_fake.run("help").stdout.decode()
    verbs = [line.split("  ")[1].split() for line in overview.split("Its client:")[1].splitlines() if line.startswith("  ")]
    verbs = [[word for word in verb if word.islower()] for verb in verbs]
    calls = {" ".join(verb) for verb in verbs} - {"help", "reprise help run repair", "help "}
    assert {"job create", "run start", "run repair", "run watch", "run logs", "run why", "task get", "version"} <= calls
    for call in calls:
        for words in (["help", *call.split()], [*call.split(), "--help"]):
            result = cli_fake.run(*words)
            assert result.returncode == 0 and result.stderr == b"", words
            assert f"Usage: reprise {call}" in result.stdout.decode()
            if call != "version":
                assert f"\n  reprise {call.split()[0]}" in result.stdout.decode(), call
                # A line that is broken to fit would be run by who pastes it, without the options behind.
                examples = result.stdout.decode().rstrip("\n").rsplit("\n\n", 1)[1]
                assert all(line.startswith("  ") for line in examples.splitlines()), examples


def test_help_of_the_servers_verbs():
    for verb in ("serve", "config", "doctor", "backup", "selftest", "openapi"):
        result = cli_fake.run("help", verb)
        assert result.returncode == 0 and result.stdout.startswith(b"Usage: reprise " + verb.encode()) and result.stderr == b"", verb
        assert verb == "openapi" or cli_fake.run(verb, "--help").stdout == result.stdout
    settings = cli_fake.run("help", "serve").stdout
    assert b"--http.public-metrics\n" in settings and b"--http.threads VALUE\n" in settings, "what is on or off takes no value"


def test_a_server_has_no_form_of_output():
    result = cli_fake.run("serve", "-o", "json")
    assert result.returncode == 2 and b"serve takes no -o" in result.stderr


def test_options_may_stand_anywhere(fake):
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run())
    data = str(fake.folder)
    for args in (["--data", data, "-o", "name", "run", "get", RUN], ["run", "-o", "name", "get", RUN, "--data", data],
                 ["run", "get", "--data=" + data, "-oname", RUN], ["run", "get", RUN, "--output=name", "--data", data]):
        result = cli_fake.run(*args)
        assert (result.returncode, result.stdout.decode()) == (0, RUN + "\n"), args


def test_options_of_the_server_may_stand_before_its_verb():
    for args in (["config", "--exec.grace", "7"], ["--exec.grace", "7", "config"], ["--exec.grace=7", "config"],
                 ["--insecure-listen", "--exec.grace", "7", "config"]):
        result = cli_fake.run(*args)
        assert result.returncode == 0 and b"grace = 7" in result.stdout, (args, result.stderr)
    assert cli_fake.run("--exec.grace", "7", "run", "list").returncode == 2


def test_an_option_called_version_stands_with_those_of_its_verb():
    own, common = cli_fake.run("help", "rerun").stdout.decode().split("For every command:")
    assert "\n      --version=V            original (default) or current" in own and "--version" not in common
    assert b"--version: \"neither\" is none of original, current" in cli_fake.run("rerun", "x", "--version", "neither").stderr


COMPLETED = [
    ("reprise ru", "run"), ("reprise run re", "recent repair"), ("reprise job st", ""), ("reprise -o json run st", "start"),
    ("reprise --url http://host:1/ run st", "start"), ("reprise run --param=a:b st", "start"), ("reprise -o ", ""),
    ("reprise rerun p", "pause"), ("reprise run repair --with", "--with-downstream --with-upstream"),
    ("reprise run start --wa", "--wait --watch"), ("reprise serve --http.max-b", "--http.max-body"),
    ("reprise --exec.grace 3 config --lis", "--listen"), ("reprise completion ", "bash fish zsh"),
    ("reprise help ru", "run"), ("reprise help run st", "start"), ("reprise help rerun --no-c", "--no-color"),
    ("reprise openapi --", "")]


def completed(*shell):
    env = cli_fake.environment(PATH=f"{os.path.dirname(cli_fake.BINARY)}:{os.environ['PATH']}")
    done = subprocess.run(shell, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env=env, timeout=60)
    assert done.returncode == 0, done.stdout
    return " ".join(sorted(done.stdout.split()))


def words_of(line):
    return line.split() + [""] * line.endswith(" ")


@pytest.mark.parametrize("line, wanted", COMPLETED)
def test_bash_completes_verbs_and_options(line, wanted):
    assert completed("bash", "-c", "source <(reprise completion bash); COMP_LINE=$1; COMP_POINT=${#1}; _reprise;"
                     " printf '%s\\n' \"${COMPREPLY[@]}\"", "bash", line) == wanted


@pytest.mark.parametrize("line, wanted", COMPLETED)
def test_zsh_completes_verbs_and_options(line, wanted):
    assert completed("zsh", "-fc", "compdef() { }; _files() { }; _describe() { print -l -- ${${(P)2}%%:*} };"
                     " source <(reprise completion zsh); words=(\"$@\"); CURRENT=$#; _reprise", "zsh", *words_of(line)) == wanted


@pytest.mark.parametrize("line, wanted", COMPLETED)
def test_fish_completes_verbs_and_options(line, wanted, tmp_path):
    assert completed("fish", "--no-config", "-c", "cd $argv[2]; reprise completion fish | source; complete -C $argv[1] | cut -f 1",
                     line, str(tmp_path)) == wanted


def test_completion_knows_its_shells(cli):
    result = cli("completion", "csh")
    assert result.returncode == 2 and b"bash, zsh, fish" in result.stderr


def test_verbs_of_the_host_take_the_options_that_all_take(tmp_path):
    read = lambda *args: json.loads(cli_fake.run(*args, REPRISE_SERVE_LISTEN="127.0.0.1:1").stdout)["items"]
    settings = read("--no-color", "-o", "json", "config", "--url", "http://unused")
    listen = next(one for one in settings if one["name"] == "serve.listen")
    assert listen["value"] == "127.0.0.1:1" and listen["source"] == "environment" and listen["description"]
    assert read("config", "-ojson", "--data", str(tmp_path))[0] == {
        "name": "serve.data", "value": str(tmp_path), "source": "command line", "description": settings[0]["description"]}
    assert b"listen = 127.0.0.1:8787" in cli_fake.run("config", "--output=table").stdout
    assert cli_fake.run("config", "-o", "name").stdout.split()[:2] == [b"serve.data", b"serve.listen"]
    assert {"supervisor", "python"} <= {one["name"] for one in read("doctor", "-o", "json") if one["status"] == "ok"}
    version = cli_fake.run("version", "-o", "name").stdout.decode().strip()
    assert json.loads(cli_fake.run("version", "-o", "json").stdout) == {"version": version}
    assert cli_fake.run("--version").stdout == cli_fake.run("version").stdout == f"reprise {version}\n".encode()
    for words in (["-o", "xml"], ["-o"], ["--no-colour"]):
        result = cli_fake.run("config", *words)
        assert result.returncode == 2 and result.stderr and not result.stdout


def test_doctor_names_the_interpreter_that_is_missing_and_its_setting():
    result = cli_fake.run("doctor", "--exec.python", "/nonexistent/python3", "-o", "json")
    python, = (one for one in json.loads(result.stdout)["items"] if one["name"] == "python")
    assert result.returncode == 1 and python["status"] == "missing"
    assert "no interpreter /nonexistent/python3, which the setting exec.python names" in python.values()


def doctor(*options, **env):
    """Exit status, and what it tells of each thing."""
    result = cli_fake.run("doctor", *options, "-o", "json", **env)
    return result.returncode, {one["name"]: one for one in json.loads(result.stdout)["items"]}


def test_a_folder_is_no_program(tmp_path):
    (tmp_path / "git").mkdir()
    status, told = doctor("--exec.supervise", str(tmp_path), "--exec.python", str(tmp_path), PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert status == 1 and told["supervisor"]["status"] == told["python"]["status"] == "missing"
    assert not told["git"]["detail"].startswith(str(tmp_path))


def test_doctor_hears_a_program_to_its_end_and_no_longer(tmp_path):
    """cli_fake.run waits no longer than doctor would for a pipe that nobody closes."""
    program, fifo = tmp_path / "python3", tmp_path / "fifo"
    os.mkfifo(fifo)

    def notebooks(script):
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return doctor("--exec.python", str(program))[1]["notebooks"]

    assert notebooks("head -c 1000000 /dev/zero || exit 1")["status"] == "ok"
    told = notebooks("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo the reason; exit 1")
    assert told["status"] == "missing" and told["detail"].startswith("the reason;")
    assert notebooks(f"cat {fifo} & exit 0")["status"] == "ok", "its output is held by what it left behind"
    fifo.write_bytes(b"")  # which ends with this


def test_options_of_a_verb_may_stand_before_it(cli, fake):
    fake.on("POST", "/jobRuns", (201, cli_fake.job_run("PENDING")))
    result = cli("--param", "run=get", "run", "-o", "name", "start", JOB)
    assert result.returncode == 0, result.stderr
    assert fake.sent("POST", "/jobRuns")[-1].json()["parameters"] == [{"name": "run", "value": "get"}]


def test_refusal_is_3_with_code_message_and_request_id(cli, fake):
    fake.on("GET", f"/jobRuns/{RUN}", (404, {"code": "NotAuthorizedOrNotFound", "message": "no run \x1b[2J\nforged"}))
    for output in ("table", "json", "name"):
        result = cli("run", "get", RUN, "-o", output)
        assert result.returncode == 3
        assert result.stdout == b""
        assert result.stderr.decode() == (
            "reprise: NotAuthorizedOrNotFound: no run \\x1b[2J\\nforged (opc-request-id req-1)\n")


def test_unreachable_server_is_4(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening
        url = f"http://127.0.0.1:{taken.getsockname()[1]}{cli_fake.ROOT}"
        result = cli_fake.run("--url", url, "run", "list", REPRISE_TOKEN="t")
    assert result.returncode == 4
    assert result.stdout == b""
    assert result.stderr.decode().startswith("reprise: cannot reach http://127.0.0.1:")


def test_no_server_on_the_data_folder_is_4(tmp_path):
    result = cli_fake.run("--data", str(tmp_path), "run", "list")
    assert result.returncode == 4
    assert "reprise serve" in result.stderr.decode()


def test_who_listens_where_a_killed_server_did_is_sent_nothing(cli, fake):
    fake.on("GET", "/jobs", {"items": []})
    fake.lock.close()
    result = cli("job", "list")
    assert result.returncode == 4 and "no server runs on the data folder" in result.stderr.decode()
    (fake.folder.parent / "reprise").symlink_to(fake.folder)  # the client's own folder
    result = cli_fake.run("--url", fake.url + cli_fake.ROOT, "job", "list", XDG_STATE_HOME=str(fake.folder.parent))
    assert result.returncode == 2 and "no token" in result.stderr.decode()
    result = cli_fake.run("--url", fake.url, "job", "list", XDG_STATE_HOME=str(fake.folder.parent))
    assert result.returncode == 4 and "no server runs on the data folder" in result.stderr.decode(), "its own address"
    assert not fake.requests
    assert cli("--url", fake.url, "job", "list").returncode == 0, "who names the address means it"


def test_a_server_that_is_killed_meanwhile_is_sent_nothing_more(cli, fake):
    def killed(_):
        fake.lock.close()
        return {"items": [{"key": JOB, "name": "nightly"}]}

    fake.on("GET", "/jobs", killed)
    fake.on("GET", f"/jobs/{JOB}", {"key": JOB})
    result = cli("job", "get", "nightly")
    assert result.returncode == 4 and "runs no more" in result.stderr.decode()
    assert [one.path for one in fake.requests] == ["/jobs"]


def test_an_answer_that_is_no_json_is_not_shown(cli, fake):
    fake.on("GET", "/jobs", (200, b"<html>\x1b[31m", {"content-type": "text/html"}))
    result = cli("job", "list")
    assert result.returncode == 4
    assert result.stdout == b"" and b"\x1b" not in result.stderr


def test_a_proxy_in_the_environment_is_not_used_for_this_machine(cli, fake):
    fake.on("GET", "/jobs", {"items": []})
    assert cli("job", "list", http_proxy="http://127.0.0.1:1", all_proxy="http://127.0.0.1:1").returncode == 0


@pytest.mark.parametrize("args, method, path", [
    (["job", "list"], "GET", "/jobs"), (["job", "get", JOB], "GET", f"/jobs/{JOB}"),
    (["run", "list"], "GET", "/jobRuns"), (["run", "get", RUN], "GET", f"/jobRuns/{RUN}"),
    (["run", "recent", JOB], "GET", "/recentJobRuns"), (["run", "start", JOB], "POST", "/jobRuns"),
    (["run", "repair", RUN], "POST", f"/jobRuns/{RUN}/actions/repair"),
    (["run", "repair", RUN, "--plan"], "POST", f"/jobRuns/{RUN}/actions/planRepair"),
    (["run", "cancel", RUN], "POST", f"/jobRuns/{RUN}/actions/cancel"),
    (["run", "why", RUN], "GET", f"/jobRuns/{RUN}/explanation"), (["task", "get", RUN], "GET", f"/taskRuns/{RUN}"),
    (["run", "history", RUN], "GET", f"/jobRuns/{RUN}/repairHistory"),
    (["run", "diff", RUN], "GET", f"/jobRuns/{RUN}/diff"), (["job", "simulate", JOB], "POST", "/jobs/actions/simulate"),
])
def test_json_is_exactly_the_body(cli, fake, args, method, path):
    fake.on(method, path, ODD_BODY)
    result = cli(*args, "-o", "json")
    assert (result.returncode, result.stdout, result.stderr) == (0, ODD_BODY, b"")
    plan = f"/jobRuns/{RUN}/actions/planRepair"  # is asked for before a repair, too
    assert [(r.method, r.path) for r in fake.requests if r.path != plan or path == plan] == [(method, path)]


def test_json_of_a_wait_is_the_last_body_and_nothing_else(cli, fake):
    last = json.dumps(cli_fake.job_run("FAILED"), indent=1).encode()
    fake.on("POST", "/jobRuns", (201, cli_fake.job_run("PENDING")))
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("RUNNING"), last)
    result = cli("run", "start", JOB, "--wait", "-o", "json")
    assert (result.returncode, result.stdout, result.stderr) == (1, last, b"")


@pytest.mark.parametrize("status, code", [("SUCCESS", 0), ("FAILED", 1), ("CANCELED", 1), ("TIMED_OUT", 1),
                                          ("INTERNAL_ERROR", 1), ("SKIPPED", 1)])
@pytest.mark.parametrize("flag", ["--wait", "--watch"])
def test_wait_and_watch_tell_how_it_ended(cli, fake, status, code, flag):
    fake.on("POST", "/jobRuns", (201, cli_fake.job_run("PENDING")))
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("RUNNING"), cli_fake.job_run(status))
    assert cli("run", "start", JOB, flag).returncode == code


def test_without_wait_a_started_run_is_done(cli, fake):
    fake.on("POST", "/jobRuns", (201, cli_fake.job_run("SKIPPED")))
    assert cli("run", "start", JOB).returncode == 0


def test_a_deleted_run_prints_nothing_with_json(cli, fake):
    fake.on("DELETE", f"/jobRuns/{RUN}", (204, b""))
    result = cli("run", "delete", RUN, "-o", "json")
    assert (result.returncode, result.stdout) == (0, b"")


@pytest.mark.parametrize("words", ["job list -o json", "config", "config --help", "doctor", "help", "help run list", "run list --help", "help run",
                                   "openapi", "help openapi", "completion zsh", "version", "schedule next * --help", "backup --help"])
def test_full_standard_output_is_noticed(fake, words):
    fake.on("GET", "/jobs", {"items": []})
    env = cli_fake.environment(XDG_STATE_HOME=str(fake.folder.parent), REPRISE_URL=fake.url + cli_fake.ROOT, REPRISE_TOKEN=cli_fake.TOKEN)
    with open("/dev/full", "wb") as full:
        result = subprocess.run([cli_fake.BINARY, *words.split()], stdout=full, stderr=subprocess.PIPE, env=env, timeout=60)
    assert (result.returncode, result.stderr) == (2, b"reprise: cannot write to standard output\n")


def test_lost_answer_of_a_create_is_asked_again_with_the_same_token(cli, fake):
    fake.on("POST", "/jobRuns", DROP, (503, {"code": "ServiceUnavailable", "message": "starting"}),
            (201, cli_fake.job_run("PENDING")))
    result = cli("run", "start", JOB, "-o", "name")
    assert (result.returncode, result.stdout.decode()) == (0, RUN + "\n"), result.stderr
    tokens = [r.headers["opc-retry-token"] for r in fake.requests]
    assert len(tokens) == 3 and len(set(tokens)) == 1 and 1 <= len(tokens[0]) <= 64
    assert len({r.body for r in fake.requests}) == 1


def test_two_creates_have_two_tokens(cli, fake):
    fake.on("POST", "/jobRuns", (201, cli_fake.job_run("PENDING")))
    cli("run", "start", JOB)
    cli("run", "start", JOB)
    assert len({r.headers["opc-retry-token"] for r in fake.requests}) == 2


def test_repeating_is_bounded(cli, fake):
    fake.on("POST", "/jobRuns", (503, {"code": "ServiceUnavailable", "message": "busy"}))
    result = cli("run", "start", JOB)
    assert result.returncode == 3 and b"ServiceUnavailable: busy" in result.stderr
    assert 2 <= len(fake.requests) <= 10


def test_what_is_not_safe_to_repeat_is_not_repeated(cli, fake):
    fake.on("DELETE", f"/jobs/{JOB}", DROP, (204, b""))
    assert cli("job", "delete", JOB).returncode == 4
    # libcurl itself may send a request again on a kept connection that was closed before its first byte
    assert len(fake.requests) == 1


def test_a_refusal_is_not_repeated(cli, fake):
    fake.on("POST", "/jobRuns", (409, {"code": "IncorrectState", "message": "no"}))
    assert cli("run", "start", JOB).returncode == 3
    assert len(fake.requests) == 1


def test_waiting_outlives_a_server_that_is_away_for_a_while(cli, fake):
    fake.on("POST", "/jobRuns", (201, cli_fake.job_run("PENDING")))
    running = (200, cli_fake.job_run("RUNNING"), {"etag": "1-a"})
    fake.on("GET", f"/jobRuns/{RUN}", running, DROP, DROP, (503, {"code": "ServiceUnavailable", "message": "starting"}),
            cli_fake.job_run("SUCCESS"))
    result = cli("run", "start", JOB, "--wait")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("words, meant", [
    (["run", "list", "--statsu", "FAILED"], "--status"), (["run", "list", "--statuss=FAILED"], "--status"), (["--no-colour", "run", "list"], "--no-color"),
    (["run", "start", JOB, "--params", "a=b"], "--param"), (["job", "apply", "--dryrun", "x"], "--dry-run"), (["run", "repair", RUN, "--with-donwstream"], "--with-downstream")])
def test_a_mistyped_option_is_told_what_it_may_be(cli, fake, words, meant):
    result = cli(*words)
    assert result.returncode == 2 and f"; did you mean {meant}?\n" in result.stderr.decode(), result.stderr
    assert not fake.requests


@pytest.mark.parametrize("words", [["run", "get", RUN, "--wait"], ["run", "list", "--nonsense"], ["run", "list", "--x"], ["run", "logs", RUN, "--limit=3"]])
def test_an_option_that_is_far_from_all_is_only_refused(cli, fake, words):
    result = cli(*words)
    assert result.returncode == 2 and b"unrecognized option" in result.stderr and b"did you mean" not in result.stderr
