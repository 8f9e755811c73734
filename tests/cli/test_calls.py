"""What the verbs ask of the server, and how JOB, RUN, server and token are found."""

import datetime
import json
import zoneinfo

import pytest

import cli_fake
from cli_fake import JOB, ROOT, RUN, TOKEN, key


def job_list(*names):
    return {"items": [{"key": key(n + 1), "name": name} for n, name in enumerate(names)]}


def test_a_name_that_one_job_has_stands_for_its_key(cli, fake):
    fake.on("GET", "/jobs", job_list("nightly etl"))
    fake.on("POST", "/jobRuns", (201, cli_fake.job_run("PENDING")))
    assert cli("run", "start", "nightly etl").returncode == 0
    assert fake.requests[0].query["displayName"] == ["nightly etl"]
    assert fake.requests[1].json() == {"jobKey": key(1)}


def test_a_name_that_several_jobs_have_lists_their_keys(cli, fake):
    fake.on("GET", "/jobs", job_list("twin", "twin"))
    result = cli("run", "start", "twin")
    assert result.returncode == 2 and result.stdout == b""
    assert key(1) in result.stderr.decode() and key(2) in result.stderr.decode()
    assert not fake.sent("POST", "/jobRuns")


def test_a_name_that_no_job_has(cli, fake):
    fake.on("GET", "/jobs", job_list())
    result = cli("job", "get", "no\x1bbody")
    assert result.returncode == 2
    assert 'no job is named "no\\x1bbody"' in result.stderr.decode()


def test_a_key_is_not_looked_up(cli, fake):
    fake.on("GET", f"/jobs/{JOB}", {"key": JOB, "name": "x"})
    assert cli("job", "get", JOB).returncode == 0
    assert len(fake.requests) == 1


def test_latest_is_the_newest_run_that_no_other_started(cli, fake):
    child = {"key": key(9), "parentJobRunKey": RUN}
    fake.on("GET", "/jobRuns", (200, {"items": [child, child]}, {"opc-next-page": "more"}),
            {"items": [child, {"key": RUN, "parentJobRunKey": None}, {"key": key(8)}]})
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run())
    assert cli("run", "get", "@latest").returncode == 0
    order = {"limit": ["25"], "sortBy": ["timeCreated"], "sortOrder": ["DESC"]}
    assert [r.query for r in fake.requests[:2]] == [order, {**order, "page": ["more"]}]


def test_another_word_with_an_at_sign_is_no_run(cli, fake):
    result = cli("run", "get", "@lastest")
    assert result.returncode == 2 and b'reprise: "@lastest" is no run: give a key, ' in result.stderr
    assert not fake.requests


def test_a_part_of_a_key_stands_for_one_of_the_newest_runs(cli, fake):
    keys = ["0199aaaa-0000-7000-8000-00008359c275", "0199aaab-0000-7000-8000-00008359C276", "0199bbbb-0000-7000-8000-0000aaaaaaaa"]
    fake.on("GET", "/jobRuns", {"items": [{"key": one, "jobName": "nightly", "state": {"status": "FAILED"}} for one in keys]})
    for one in keys:
        fake.on("GET", f"/jobRuns/{one}", cli_fake.job_run("SUCCESS", run=one))
    for part, one in (("8359c275", 0), ("59c275", 0), ("0199AAAA", 0), ("8359c276", 1), ("0199bb", 2), (keys[2][1:], 2)):
        assert cli("run", "get", part, "-o", "name").stdout.decode() == keys[one] + "\n", part
    assert fake.requests[0].query == {"limit": ["1000"], "sortBy": ["timeCreated"], "sortOrder": ["DESC"]}
    result = cli("run", "get", "0199aaa")
    assert result.returncode == 2
    assert f'the keys of 2 runs begin or end with "0199aaa": {keys[0]} (nightly, FAILED), {keys[1]} (nightly, FAILED)\n' in result.stderr.decode()
    assert cli("run", "get", keys[0].replace("-", ""), "-o", "name").stdout.decode() == keys[0] + "\n"
    for word in ("0199a", "000000", "0199cccc"):
        result = cli("run", "get", word)
        assert result.returncode == 2 and f'"{word}" is no run'.encode() in result.stderr
    assert not fake.sent("GET", "/jobRuns/0199a")


def test_the_name_of_a_job_is_no_run_but_has_a_newest(cli, fake):
    result = cli("run", "get", "nightly")
    assert result.returncode == 2 and b'"nightly" is no run' in result.stderr and b"`reprise run list --job nightly`" in result.stderr
    assert b"`reprise run list --job JOB`" in cli("run", "get", "two words").stderr
    fake.on("GET", "/jobs", job_list("nightly"))
    fake.on("GET", "/jobRuns", {"items": [{"key": RUN, "parentJobRunKey": key(9)}]}, {"items": []})
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run())
    assert cli("run", "get", "nightly@latest", "-o", "name").stdout.decode() == RUN + "\n"
    assert fake.sent("GET", "/jobRuns")[0].query == {"jobKey": [key(1)], "limit": ["1"], "sortBy": ["timeCreated"], "sortOrder": ["DESC"]}
    result = cli("run", "get", "nightly@latest")
    assert (result.returncode, result.stderr) == (2, b"reprise: job nightly has no run yet\n")
    assert cli("run", "get", "nobody@latest").returncode == 2


def test_latest_without_any_run(cli, fake):
    fake.on("GET", "/jobRuns", {"items": []})
    assert cli("run", "get", "@latest").returncode == 2


def test_a_run_that_is_skipped_is_not_said_to_have_started(cli, fake):
    fake.on("POST", "/jobRuns", (201, cli_fake.job_run("SKIPPED", state={"status": "SKIPPED", "stateMessage": "Skipped: no slot"})))
    result = cli("run", "start", JOB)
    assert (result.returncode, result.stdout.decode()) == (0, f"Skipped run {RUN}  Skipped: no slot\n")


def test_keys_are_encoded_in_paths(cli, fake):
    result = cli("task", "get", "../a b?c#d")
    assert result.returncode == 3
    assert fake.requests[0].target == f"{ROOT}/taskRuns/..%2Fa%20b%3Fc%23d"


def test_parameters_are_sent_as_given(cli, fake):
    fake.on("POST", "/jobRuns", (201, cli_fake.job_run("PENDING")))
    value = 'a "quoted" \\ value\n= ünï'
    assert cli("run", "start", JOB, "--param", "x=" + value, "--param", "empty=").returncode == 0
    start, = fake.sent("POST", "/jobRuns")
    assert start.json() == {
        "jobKey": JOB, "parameters": [{"name": "x", "value": value}, {"name": "empty", "value": ""}]}
    assert start.headers["content-type"] == "application/json"


def test_parameters_that_the_job_does_not_name_are_told(cli, fake):
    fake.on("POST", "/jobRuns", (201, cli_fake.job_run("PENDING")))
    fake.on("GET", f"/jobs/{JOB}", {"key": JOB, "name": "n", "parameters": [{"name": "day"}], "tasks": [{"parameters": [{"name": "Top_N"}]}]})
    start = ["run", "start", JOB, "-o", "name", "--param", "day=1", "--param", "Top_N=2"]
    result = cli(*start)
    assert (result.returncode, result.stderr) == (0, b"")
    result = cli(*start, "--param", "days=x=y", "--param", "nothing=")
    assert (result.returncode, result.stdout.decode()) == (0, RUN + "\n")
    assert result.stderr.decode() == (f'reprise: job {JOB} names no parameter "days", which the run was given; did you mean day?\n'
                                      f'reprise: job {JOB} names no parameter "nothing", which the run was given\n')


def test_parameters_of_a_repair_that_the_run_does_not_know_are_told(cli, fake):
    run = cli_fake.job_run("FAILED", [("a", "FAILED")], unifiedJobAndJobRunParameters=[{"name": "region"}])
    run["tasks"][0]["parameters"] = [{"name": "table"}]
    fake.on("GET", f"/jobRuns/{RUN}", run)
    fake.on("GET", f"/jobs/{JOB}", {"key": JOB, "parameters": [{"name": "zone"}]})
    fake.on("POST", f"/jobRuns/{RUN}/actions/planRepair", {"tasks": [], "etag": "e"})
    fake.on("POST", f"/jobRuns/{RUN}/actions/repair", (202, run))
    for more in (["--plan"], [], ["-o", "json"]):
        result = cli("run", "repair", RUN, "--param", "regio=x", "--param", "table=t", *more)
        assert (result.returncode, result.stderr.decode()) == (
            0, f'reprise: run {RUN} names no parameter "regio", which the repair was given; did you mean region?\n')
    assert fake.sent("POST", f"/jobRuns/{RUN}/actions/repair")[0].json()["parameters"][0] == {"name": "regio", "value": "x"}
    assert cli("run", "repair", RUN, "--param", "zone=x", "--plan").stderr != b""
    assert cli("run", "repair", RUN, "--param", "zone=x", "--plan", "--definition", "current").stderr == b""


def test_a_state_may_be_written_small(cli, fake):
    fake.on("GET", "/jobRuns", {"items": []})
    fake.on("GET", "/campaigns", {"items": []})
    assert cli("run", "list", "--status", "failed", "--status", "Timed_Out").returncode == 0
    assert fake.requests[-1].query["status"] == ["FAILED", "TIMED_OUT"]
    cli("rerun", "list", "--status", "running")
    assert fake.requests[-1].query["status"] == ["RUNNING"]


def test_token_of_the_data_folder_is_sent(cli, fake):
    fake.on("GET", "/jobs", {"items": []})
    cli("job", "list")
    assert fake.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_environment_names_server_and_token(fake):
    fake.on("GET", "/jobs", {"items": []})
    result = cli_fake.run("job", "list", REPRISE_URL=fake.url + ROOT, REPRISE_TOKEN="other")
    assert result.returncode == 0, result.stderr
    assert fake.requests[0].headers["authorization"] == "Bearer other"


def test_default_data_folder(fake, tmp_path):
    fake.on("GET", "/jobs", {"items": []})
    (tmp_path / "state").mkdir()
    (tmp_path / "state/reprise").symlink_to(fake.folder)
    assert cli_fake.run("job", "list", XDG_STATE_HOME=str(tmp_path / "state")).returncode == 0
    (tmp_path / "home/.local").mkdir(parents=True)
    (tmp_path / "home/.local/state").symlink_to(tmp_path / "state")
    assert cli_fake.run("job", "list", HOME=str(tmp_path / "home")).returncode == 0
    assert len(fake.requests) == 2
    # What is relative would be another folder wherever one stands.
    assert cli_fake.run("job", "list", XDG_STATE_HOME="state", HOME=str(tmp_path / "home")).returncode == 0
    assert len(fake.requests) == 3


def test_a_variable_names_the_data_folder(fake, tmp_path):
    fake.on("GET", "/jobs", {"items": []})
    named = {"REPRISE_DATA": str(fake.folder), "XDG_STATE_HOME": str(tmp_path / "state")}
    assert cli_fake.run("job", "list", **named).returncode == 0
    assert fake.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert cli_fake.run("job", "list", REPRISE_TOKEN="other", **named).returncode == 0
    assert fake.requests[1].headers["authorization"] == "Bearer other"
    other = cli_fake.Fake(tmp_path / "other")
    other.on("GET", "/jobs", {"items": []})
    assert cli_fake.run("--data", str(other.folder), "job", "list", **named).returncode == 0
    assert cli_fake.run("job", "list", REPRISE_URL=other.url + ROOT, REPRISE_TOKEN="its", **named).returncode == 0
    other.close()
    assert [r.headers["authorization"] for r in other.requests] == [f"Bearer {TOKEN}", "Bearer its"] and len(fake.requests) == 2
    result = cli_fake.run("job", "list", **{**named, "REPRISE_DATA": str(tmp_path / "none")})
    assert result.returncode == 4 and f"the data folder {tmp_path}/none;" in result.stderr.decode()


def test_token_of_this_machine_is_not_sent_to_another_server(fake, tmp_path):
    other = cli_fake.Fake(tmp_path / "other")
    (tmp_path / "reprise").symlink_to(fake.folder)
    result = cli_fake.run("--url", other.url + ROOT, "job", "list", XDG_STATE_HOME=str(tmp_path))
    other.close()
    assert result.returncode == 2 and b"--token-file" in result.stderr
    assert not other.requests


def test_url_of_the_local_server_finds_its_workspace_and_token(fake, tmp_path):
    fake.on("GET", "/jobs", {"items": []})
    (tmp_path / "reprise").symlink_to(fake.folder)
    result = cli_fake.run("--url", fake.url, "job", "list", XDG_STATE_HOME=str(tmp_path))
    assert result.returncode == 0, result.stderr


PLACE = {"aiDataPlatformId": cli_fake.PLATFORM, "version": "1", "user": "admin", "workspaces": [
    {"key": key(9), "displayName": "other"}, {"key": cli_fake.WORKSPACE, "displayName": "default"}]}


def at(url, *args, **environment):
    return cli_fake.run(*args, REPRISE_URL=url, REPRISE_TOKEN="other", **environment)


@pytest.mark.parametrize("tail", ["", "/", f"/20260430/aiDataPlatforms/{cli_fake.PLATFORM}"])
def test_an_address_that_is_a_server_and_no_more_is_asked_for_its_workspace(fake, tail):
    fake.on("GET", "/reprise/v1", PLACE)
    fake.on("GET", "/jobs", {"items": []})
    result = at(fake.url + tail, "job", "list")
    assert result.returncode == 0, result.stderr
    assert [r.target.partition("?")[0] for r in fake.requests] == ["/reprise/v1", ROOT + "/jobs"]
    assert {r.headers["authorization"] for r in fake.requests} == {"Bearer other"}


def test_a_server_whose_workspace_cannot_be_told(fake):
    fake.on("GET", "/reprise/v1", PLACE | {"workspaces": [
        {"key": key(8), "displayName": "a"}, {"key": key(9), "displayName": "b"}]})
    result = at(fake.url, "job", "list")
    assert result.returncode == 2 and b"which workspace" in result.stderr
    fake.on("GET", "/reprise/v1", PLACE | {"workspaces": [{"key": cli_fake.WORKSPACE, "displayName": "a"}]})
    fake.on("GET", "/jobs", {"items": []})
    assert at(fake.url, "job", "list").returncode == 0


def test_a_server_that_is_away_or_says_no_has_its_exit_code_without_a_workspace_too(fake):
    fake.on("GET", "/reprise/v1", (401, {"code": "NotAuthenticated", "message": "no"}))
    result = at(fake.url, "job", "list")
    assert result.returncode == 3 and b"NotAuthenticated" in result.stderr
    assert at("http://127.0.0.1:1", "job", "list").returncode == 4


def test_token_file(fake, tmp_path):
    fake.on("GET", "/jobs", {"items": []})
    (tmp_path / "token").write_text("from-file\n")
    cli_fake.run("--data", str(fake.folder), "--token-file", str(tmp_path / "token"), "job", "list")
    assert fake.requests[0].headers["authorization"] == "Bearer from-file"
    result = cli_fake.run("--data", str(fake.folder), "--token-file", str(tmp_path / "none"), "job", "list")
    assert result.returncode == 2


@pytest.mark.parametrize("text", ["", "\n", "\nsecond line\n"])
def test_token_file_without_a_token(fake, tmp_path, text):
    (tmp_path / "token").write_text(text)
    result = cli_fake.run("--data", str(fake.folder), "--token-file", str(tmp_path / "token"), "job", "list")
    assert result.returncode == 2 and b"holds no token" in result.stderr
    assert not fake.requests


YAML = """
# a comment
name: nightly
description: |
  two
  lines
maxConcurrentRuns: 3
queue: {isEnabled: true}
parameters:
  - {name: day, value: 010}
  - name: flag
    value: true
  - name: nothing
    value:
  - name: quoted
    value: "null"
tasks: &tasks
  - taskKey: a
    type: PYTHON_TASK
    filePath: a.py
    isRetryOnTimeout: false
    timeoutSeconds: 90
    commandLineArguments: 0x10 no yes
    dependsOn: [{taskKey: d, outcome: true}]
"""


def test_yaml_becomes_json_and_parameter_values_stay_text(cli, fake):
    fake.on("POST", "/jobs", (201, {"key": JOB, "name": "nightly"}))
    result = cli("job", "create", "-f", "-", input=YAML.encode())
    assert result.returncode == 0, result.stderr
    assert result.stdout.decode() == f"Created job nightly  {JOB}\n"
    assert fake.requests[0].json() == {
        "name": "nightly", "description": "two\nlines\n", "maxConcurrentRuns": 3, "queue": {"isEnabled": True},
        "parameters": [{"name": "day", "value": "010"}, {"name": "flag", "value": "true"},
                       {"name": "nothing", "value": None}, {"name": "quoted", "value": "null"}],
        "tasks": [{"taskKey": "a", "type": "PYTHON_TASK", "filePath": "a.py", "isRetryOnTimeout": False, "timeoutSeconds": 90,
                   "commandLineArguments": "0x10 no yes", "dependsOn": [{"taskKey": "d", "outcome": "true"}]}]}


def test_what_is_missing_is_an_error_of_strict(cli, fake):
    fake.on("GET", "/jobs", {"items": []})
    fake.on("POST", "/jobs", (201, {"key": JOB, "name": "x"}))
    fake.on("POST", "/jobs/actions/validate", {"isValid": True, "errors": [], "definition": {"name": "x"}, "warnings": [
        {"code": "NotAuthorizedOrNotFound", "message": "tasks[0].secrets[0] names no secret"}]})
    for verb in ("validate", "apply"):
        for strict, code in (([], 0), (["--strict"], 3)):
            result = cli("job", verb, "-f", "-", *strict, input=b"name: x\n")
            assert result.returncode == code and b"missing: tasks[0].secrets[0] names no secret" in result.stderr
    assert len(fake.sent("POST", "/jobs")) == 1


def doubts(cli, job, *verb):
    result = cli("job", *(verb or ["validate"]), "-f", "-", input=json.dumps(job).encode())
    assert result.returncode == 0, result.stderr
    return result.stderr.decode().splitlines()


def test_expressions_of_another_language_are_told(cli, fake):
    fake.on("POST", "/jobs/actions/validate", {"isValid": True, "errors": [], "warnings": []})
    fake.on("POST", "/jobs", (201, {"key": JOB, "name": "x"}))
    job = {"name": "x", "parameters": [{"name": "day", "value": "{{ macros.ds_add(ds, 1) }}"}, {"name": "el", "value": "#{Job.planTime}"}], "tasks": [
        {"taskKey": "a", "script": "load {{ ds }} {{params.x}}"}, {"taskKey": "b", "environment": [{"value": "x #{DateUtil.now()}"}]},
        {"taskKey": "c", "x-expressionLanguage": "EL", "script": "#{Job.name}"},
        {"taskKey": "d", "script": "{{job.parameters.day}} {{tasks.a.values.n}} ${#list} '{{.State}}' #{ab} {{dsx}}", "dependsOn": [{"taskKey": "a", "x-condition": "#{Job.name == 'x'}"}]}]}
    for verb in (["validate"], ["create"], ["create", "--strict"]):
        told = doubts(cli, job, *verb)
        assert [line.split(", which")[0] for line in told] == [
            "reprise: warning: parameters[0].value has {{ macros.ds_add(ds, 1) }}", "reprise: warning: parameters[1].value has #{Job.planTime}",
            'reprise: warning: task "a": tasks[0].script has {{ ds }}', 'reprise: warning: task "b": tasks[1].environment[0].value has #{DateUtil.now()}']
    assert doubts(cli, {**job, "tasks": [], "parameters": job["parameters"][1:], "x-expressionLanguage": "EL"}) == []
    long = "#{Job.getPlanTime('" + "é" * 46 + "')}"
    for text in (long, "a" + long, "{{{ ds }}}"):
        assert len(doubts(cli, {"name": "x", "tasks": [{"taskKey": "a", "script": text}]})) == 1, text


def test_parameters_that_the_job_of_a_task_does_not_name_are_told(cli, fake):
    fake.on("POST", "/jobs/actions/validate", {"isValid": True, "errors": [], "warnings": []})
    fake.on("GET", f"/jobs/{JOB}", {"key": JOB, "name": "child", "parameters": [{"name": "day"}], "tasks": [{"parameters": [{"name": "top"}]}]})
    task = {"taskKey": "a", "type": "JOB_TASK", "jobKey": JOB, "parameters": [{"name": name, "value": ""} for name in ("day", "top", "days", "region")]}
    where = 'reprise: warning: task "a": tasks[0].parameters'
    assert doubts(cli, {"name": "x", "tasks": [task]}) == [where + '[2] gives "days", which job child does not name; did you mean day?',
                                                          where + '[3] gives "region", which job child does not name']
    assert doubts(cli, {"name": "x", "tasks": [{**task, "jobKey": key(9)}]}) == []
    asked = len(fake.sent("GET", f"/jobs/{JOB}"))
    assert len(doubts(cli, {"name": "x", "tasks": [{**task, "taskKey": f"a{i}"} for i in range(20)]})) == 40
    assert len(fake.sent("GET", f"/jobs/{JOB}")) == asked + 1


def test_files_in_folders_below_are_told_of(cli, fake, tmp_path):
    fake.on("GET", "/jobs", {"items": []})
    fake.on("POST", "/jobs/actions/validate", {"isValid": True, "errors": [], "warnings": [], "definition": {"name": "n", "tasks": []}})
    folder = tmp_path / "jobs"
    (folder / "more/deep").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / "n.yaml").write_text("name: n\n")
    (folder / ".git/x.yaml").write_text("name: x\n")
    (folder / "more/readme.txt").write_text("x")
    assert cli("job", "apply", "-f", str(folder), "--dry-run").stderr == b""
    (folder / "more/deep/x.json").write_text("{}")
    result = cli("job", "apply", "-f", str(folder), "--dry-run")
    assert result.returncode == 0 and result.stderr.decode() == f"reprise: {folder}: files in folders below it are not taken: name those folders, too\n"


def test_json_files_are_sent_as_they_are(cli, fake, tmp_path):
    fake.on("PUT", f"/jobs/{JOB}", (202, {"key": JOB, "name": "n"}))
    text = b'\n {"name": "n",   "unknown": 1e2}\n'
    (tmp_path / "job.json").write_bytes(text)
    result = cli("job", "update", JOB, "-f", str(tmp_path / "job.json"), "--strict", "--if-match", "7")
    assert result.returncode == 0, result.stderr
    assert fake.requests[0].body == text
    assert fake.requests[0].query == {"strict": ["true"]} and fake.requests[0].headers["if-match"] == "7"


@pytest.mark.parametrize("text, says", [
    ("", "empty"), ("- a\n- b\n", "mapping"), ("just words", "mapping"), ("a: 1\na: 2\n", "line 2"), ("a: [1\n", "line"),
    ("a: 1\n---\nb: 2\n", "more than one document"), ("a: &x [*x]\n", "nested"), ("a: *nobody\n", ""),
    ("a: !!str 123\n", "tags"), ("a: !!int '5'\n", "tags"), ("a: !!map {b: 1}\n", "tags"), ("a: ! 5\n", "tags"), ("!x {a: 1}\n", "tags"), ("!!str a: 1\n", "tags"),
    ("base: &b {x: 1}\nc:\n  <<: *b\n", "merge"), ("? [a]\n: b\n", "key"), ('{"a": 1,}', "line 1"),
    ("a: \"\\0\"\n", "NUL"), ("x: " + "[" * 100 + "]" * 100, ""),
    ("a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(9)), "too long"),
])
def test_bad_job_files_are_refused_before_anything_is_asked(cli, fake, text, says):
    result = cli("job", "create", "-f", "-", input=text.encode())
    assert result.returncode == 2
    assert says in result.stderr.decode()
    assert not fake.requests


def test_validate_tells_everything_that_is_wrong(cli, fake):
    fake.on("POST", "/jobs/actions/validate", {"isValid": True, "errors": []})
    result = cli("job", "validate", "-f", "-", input=b"name: x\n")
    assert result.returncode == 0 and b"valid" in result.stdout
    assert fake.requests[0].json() == {"name": "x"}
    fake.on("POST", "/jobs/actions/validate", {"isValid": False, "errors": [
        {"code": "InvalidParameter", "message": "tasks[0].type: no"}, {"code": "MissingParameter", "message": "b\u001b[31m"}]})
    result = cli("job", "validate", "--strict", "-f", "-", input=b"name: x\n")
    assert (result.returncode, result.stdout) == (3, b"")
    assert result.stderr == b"reprise: InvalidParameter: tasks[0].type: no\nreprise: MissingParameter: b\\x1b[31m\n"
    assert fake.requests[1].query == {"strict": ["true"]}
    result = cli("job", "validate", "-f", "-", "-o", "json", input=b"name: x\n")
    assert result.returncode == 3 and json.loads(result.stdout)["isValid"] is False
    fake.on("POST", "/jobs/actions/validate", (413, {"code": "PayloadTooLarge", "message": "too large"}))
    result = cli("job", "validate", "-f", "-", input=b"name: x\n")
    assert result.returncode == 3 and b"too large" in result.stderr


def test_what_saving_ignored_is_told_and_decides_nothing(cli, fake):
    fake.on("POST", "/jobs", (201, {"key": JOB, "name": "n"}), (400, {"code": "MissingParameter", "message": "tasks[0].filePath is required"}))
    fake.on("POST", "/jobs/actions/validate", {"isValid": True, "errors": [], "warnings": [
        {"code": "InvalidParameter", "message": "tasks[0].filepath is not a field\u001b"}]})
    body = b"name: n\ntasks: [{taskKey: 'a b', filepath: x}]\n"
    told = b'reprise: ignored: task "a b": tasks[0].filepath is not a field\\x1b\n'
    result = cli("job", "create", "-f", "-", "-o", "name", input=body)
    assert (result.returncode, result.stdout, result.stderr) == (0, JOB.encode() + b"\n", told)
    result = cli("job", "create", "-f", "-", input=body)
    assert result.returncode == 3 and result.stderr.endswith(told), "it may be why it was refused"
    fake.on("POST", "/jobs", (201, {"key": JOB, "name": "n"}))
    for answer in ((404, {"code": "NotFound", "message": "no"}), (200, b"what?"), cli_fake.DROP):
        fake.on("POST", "/jobs/actions/validate", answer)
        result = cli("job", "create", "-f", "-", input=body)
        assert (result.returncode, result.stderr) == (0, b""), "a server that cannot tell"


def test_apply_replaces_what_it_has_read(cli, fake):
    fake.on("POST", "/jobs/actions/validate", {"isValid": True, "errors": [], "warnings": [], "definition": {"name": "n", "tasks": []}})
    fake.on("GET", "/jobs", {"items": [{"key": JOB, "name": "n"}]})
    fake.on("GET", f"/jobs/{JOB}", (200, {"key": JOB, "name": "n", "definitionVersion": 7}, {"etag": "e7"}))
    fake.on("GET", f"/jobs/{JOB}/versions/7", {"version": 7, "definition": {"name": "n", "tasks": [], "path": "x"}})
    fake.on("PUT", f"/jobs/{JOB}", (412, {"code": "NoEtagMatch", "message": "it has changed"}))
    result = cli("job", "apply", "-f", "-", input=b"name: n\n")
    assert result.returncode == 3 and b"NoEtagMatch" in result.stderr
    put, = fake.sent("PUT", f"/jobs/{JOB}")
    assert put.headers["if-match"] == "e7" and put.json() == {"name": "n"}, "the file, as it is"


SIMULATION = {"attempts": [
    {"key": 0, "status": "FAILED", "reason": "Failed; 1 task failed: load", "startOffsetMillis": 0, "endOffsetMillis": 61000,
     "plan": [], "tasks": [
         {"taskKey": "note", "status": "UPSTREAM_FAILED", "reason": "Not run", "order": None, "startOffsetMillis": None,
          "endOffsetMillis": None, "attempts": 0, "outcome": None},
         {"taskKey": "late", "status": "SUCCESS", "reason": "Succeeded", "order": 2, "startOffsetMillis": 1000,
          "endOffsetMillis": 2000, "attempts": 1, "outcome": None},
         {"taskKey": "load", "status": "FAILED", "reason": "Assumed: FAILED", "order": 1, "startOffsetMillis": 0,
          "endOffsetMillis": 61000, "attempts": 2, "outcome": None}]},
    {"key": 1, "status": "SUCCESS", "reason": "Succeeded", "startOffsetMillis": 61000, "endOffsetMillis": 62000, "tasks": [],
     "plan": [{"taskKey": "load", "verdict": "RUN", "reason": "It is FAILED", "willStart": True, "hazards": []}]}]}


def test_simulate_asks_and_shows(cli, fake):
    fake.on("POST", "/jobs/actions/simulate", SIMULATION)
    result = cli("job", "simulate", "-f", "-", "--assume", "load=failed*2", "--assume", "big=true", "--param", "p=1",
                 "--repair", "--task", "load", "--with-downstream", "--mode", "rerun", "--mark-success", "late", "--then", "a=b=timed_out",
                 input=b"name: x\n")
    assert result.returncode == 0, result.stderr
    assert fake.requests[0].json() == {
        "definition": {"name": "x"}, "parameters": [{"name": "p", "value": "1"}],
        "assumptions": [{"taskKey": "load", "outcome": "FAILED", "times": 2}, {"taskKey": "big", "outcome": "true"}],
        "repairs": [{"repairTasks": [{"taskKey": "load", "shouldIncludeDownstream": True, "shouldIncludeUpstream": False}],
                     "markSuccess": ["late"], "repairMode": "RERUN", "assumptions": [{"taskKey": "a=b", "outcome": "TIMED_OUT"}]}]}
    text = result.stdout.decode()
    assert "The run would end ✗ FAILED after 1 min 01 s: Failed; 1 task failed: load" in text
    assert "Assumed: FAILED (2 attempts)" in text
    assert text.index(" load ") < text.index(" late ") < text.index(" note "), "in the order in which they start"
    assert "Repair 1: will run 1, re-evaluate 0, keep 0" in text and "The repair would end ✓ SUCCESS" in text
    assert cli("job", "simulate", "-f", "-", "-o", "json", input=b"{}").stdout == json.dumps(SIMULATION).encode()


def test_simulate_of_a_job_that_is_there(cli, fake):
    fake.on("POST", "/jobs/actions/simulate", SIMULATION)
    assert cli("job", "simulate", key(3), "--repair").returncode == 0
    assert fake.requests[-1].json() == {"jobKey": key(3), "repairs": [{}]}


def test_simulate_takes_values(cli, fake):
    fake.on("POST", "/jobs/actions/simulate", SIMULATION)
    result = cli("job", "simulate", "-f", "-", "--assume", "load.values.rows=a=b", "--assume", "use=failed", "--assume", "load=success*2",
                 "--assume", "load.values.day=", input=b"name: x\n")
    assert result.returncode == 0, result.stderr
    assert fake.requests[0].json()["assumptions"] == [
        {"taskKey": "load", "values": [{"name": "rows", "value": "a=b"}, {"name": "day", "value": ""}], "outcome": "SUCCESS", "times": 2},
        {"taskKey": "use", "outcome": "FAILED"}]


@pytest.mark.parametrize("args,says", [
    ([], "-f FILE"), (["-f", "-", "x"], "-f FILE"), (["-f", "-", "--assume", "load"], "TASK=STATE"),
    (["-f", "-", "--assume", "load=FAILED*x"], "*"), (["-f", "-", "--task", "a"], "--repair"),
    (["-f", "-", "--then", "a=FAILED"], "--repair"), (["-f", "-", "--mark-success", "a"], "--repair"), (["-f", "-", "--repair", "--with-upstream"], "--task"),
])
def test_simulate_that_is_asked_badly(cli, fake, args, says):
    result = cli("job", "simulate", *args, input=b"name: x\n")
    assert result.returncode == 2 and says in result.stderr.decode()
    assert not fake.requests


def test_diff_shows_what_changed(cli, fake):
    side = {"taskRunKey": key(9), "status": "FAILED", "stateMessage": "Exited with code 1", "attempts": 1,
            "executionDuration": 1500}
    fake.on("GET", f"/jobRuns/{RUN}/diff", {
        "from": {"key": 0, "status": "FAILED", "stateMessage": "Failed", "executionDuration": 2000, "definitionVersion": 1},
        "to": {"key": 2, "status": "RUNNING", "stateMessage": "Running", "executionDuration": None, "definitionVersion": 3},
        "tasks": [{"taskKey": "load", "from": side, "to": {**side, "status": "SUCCESS", "stateMessage": "Succeeded"}},
                  {"taskKey": "gone", "from": side, "to": None}, {"taskKey": "new", "from": None, "to": side}],
        "keptTasks": 1, "parameters": [{"name": "p", "old": "1", "new": None}],
        "definition": {"fromVersion": 1, "toVersion": 3, "added": ["new"], "removed": ["gone"], "fields": ["queue"],
                       "rewired": [{"taskKey": "load", "gained": ["a (true)", "b"], "lost": ["c"]}],
                       "changed": [{"taskKey": "load", "fields": ["filePath", "maxRetries"]}], "parameters": []}})
    result = cli("run", "diff", RUN, "--from", "0", "--to", "2")
    assert result.returncode == 0, result.stderr
    assert fake.requests[0].query == {"from": ["0"], "to": ["2"]}
    lines = [" ".join(line.split()) for line in result.stdout.decode().splitlines()]
    for line in ("Original ✗ FAILED 2.00 s Failed", "Repair 2 ▶ RUNNING - Running", "1 task kept",
                 "load ✗ FAILED 1.50 s ✓ SUCCESS 1.50 s Succeeded", "gone ✗ FAILED 1.50 s - - removed",
                 "new - - ✗ FAILED 1.50 s Exited with code 1", "Definition: version 1 → 3", "added: new", "removed: gone",
                 "rewired: load, now after a (true), b, no more after c", "changed: load (filePath, maxRetries)",
                 "of the job: queue", 'p: "1" → (none)'):
        assert line in lines, line
    assert cli("run", "diff", RUN, "-o", "name").stdout == b"load\ngone\nnew\n"
    assert fake.requests[-1].query == {}
    assert cli("run", "diff", RUN, "--from", "-1").returncode == 2


def test_lists_follow_pages_up_to_the_limit(cli, fake):
    def page(request):
        first = int(request.query.get("page", ["0"])[0])
        count = min(int(request.query["limit"][0]), 40)
        items = [{"key": key(n), "name": f"j{n}"} for n in range(first, first + count)]
        return 200, {"items": items}, {"opc-next-page": str(first + count)}

    fake.on("GET", "/jobs", page)
    result = cli("job", "list", "--limit", "90", "-o", "name")
    assert result.stdout.decode().splitlines() == [key(n) for n in range(90)]
    assert b"--page 90" in result.stderr
    assert [r.query["limit"][0] for r in fake.requests] == ["90", "50", "10"]
    result = cli("job", "list", "--limit", "50", "--page", "7", "-o", "json")
    assert json.loads(result.stdout)["items"][0]["key"] == key(7)


def test_run_list_filters(cli, fake):
    fake.on("GET", "/jobRuns", {"items": []})
    assert cli("run", "list", "--job", JOB, "--status", "FAILED", "--status", "TIMED_OUT", "--limit", "3").returncode == 0
    assert fake.requests[0].query == {"jobKey": [JOB], "status": ["FAILED", "TIMED_OUT"], "limit": ["3"]}


def test_recent_without_a_job_is_of_every_job(cli, fake):
    fake.on("GET", "/jobs", job_list("a", "b"))
    fake.on("GET", "/recentJobRuns", {"items": [{"key": RUN, "jobName": "a", "state": {"status": "SUCCESS"}}]})
    result = cli("run", "recent", "--count", "2")
    assert RUN in result.stdout.decode()
    assert fake.requests[1].query == {"jobKey": [key(1), key(2)], "recordCount": ["2"], "limit": ["25"]}


def test_recent_of_more_jobs_than_a_call_takes_is_one_list(cli, fake):
    """Asked for by hundreds; the newest first, whichever answer they came in; all pages of each."""
    jobs = [f"j{n}" for n in range(250)]
    fake.on("GET", "/jobs", (200, job_list(*jobs[:150]), {"opc-next-page": "more"}),
            {"items": [{"key": key(n + 1), "name": jobs[n]} for n in range(150, 250)]})

    def newest(request):
        page = int(request.query.get("page", ["0"])[0])
        keys = request.query["jobKey"]
        items = [{"key": one, "jobName": "j", "timeCreated": f"2026-01-01T00:00:00.{int(one[-4:], 16):03}Z",
                  "state": {"status": "SUCCESS"}} for one in keys[::-1][page:page + 25]]
        return 200, {"items": items}, {"opc-next-page": str(page + 25)} if page + 25 < len(keys) else {}

    fake.on("GET", "/recentJobRuns", newest)
    result = cli("run", "recent", "-o", "name")
    assert result.stdout.decode().split() == [key(n) for n in range(250, 0, -1)] and result.stderr == b""
    assert {len(one.query["jobKey"]) for one in fake.sent("GET", "/recentJobRuns")} == {100, 50}
    fake.on("GET", "/jobs", job_list(*jobs))
    asked = len(fake.sent("GET", "/recentJobRuns"))
    assert cli("run", "recent", "-o", "name", "--limit", "2").stdout.decode().split() == [key(250), key(249)]
    assert len(fake.sent("GET", "/recentJobRuns")) == asked + 3, "no page that could not be shown"
    result = cli("run", "recent", "-o", "json")
    assert len(json.loads(result.stdout)["items"]) == 25 and b"there is more" in result.stderr and b"--page" not in result.stderr


def test_a_job_tells_for_what_it_waits_and_what_becomes_of_too_many_runs(cli, fake):
    job = {"key": JOB, "name": "report", "maxConcurrentRuns": 2, "queue": {"isEnabled": True}, "timeoutSeconds": 7200, "dependsOnPreviousRun": True,
           "dependencies": [{"jobKey": key(5), "period": "SAME_PERIOD", "failPolicy": "FAIL"}, {"jobKey": key(6), "period": "PRE_PERIOD", "failPolicy": "SUSPEND"}]}
    fake.on("GET", f"/jobs/{JOB}", job)
    fake.on("GET", f"/jobs/{key(5)}", {"key": key(5), "name": "load"})
    lines = cli("job", "get", JOB).stdout.decode().splitlines()
    assert lines[2:] == ["Waits for    load", f"             {key(6)} (PRE_PERIOD, SUSPEND)", "             its own run before",
                         "Runs         2 at once, others wait in line", "Timeout      2 h 00 min"]
    fake.on("GET", f"/jobs/{JOB}", {"key": JOB, "name": "plain", "queue": None, "timeoutSeconds": 0, "dependencies": []})
    assert cli("job", "get", JOB).stdout.decode().splitlines()[2:] == ["Runs         1 at once, others are SKIPPED"]


def test_the_history_tells_who_asked_for_a_repair(cli, fake):
    fake.on("GET", f"/jobRuns/{RUN}/repairHistory", {"items": [{"key": 0, "type": "ORIGINAL", "createdByName": "ada"}, {"key": 1, "type": "REPAIR", "createdByName": "e\x1bva"}]})
    lines = [line.split()[:3] for line in cli("run", "history", RUN).stdout.decode().splitlines()]
    assert lines == [["REPAIR", "TYPE", "BY"], ["0", "ORIGINAL", "ada"], ["1", "REPAIR", "e\\x1bva"]]


def planned(n, time, zone, **more):
    return {"jobRunKey": key(n), "plannedTime": time, "schedule": {"timezoneId": zone}, **more}


def run_row(n, status="SUCCESS", time=None, **more):
    return {"key": key(n), "jobName": "ingest", "launched": "SCHEDULED" if time else "MANUAL", "plannedTime": time, "startTime": 1700000000000,
            "endTime": 1700000001000, "timeCreated": "2026-02-01T10:00:00.123Z", "state": {"status": status, "stateMessage": "why"}, **more}


def test_runs_are_listed_with_the_times_that_they_stand_for(cli, fake):
    times = {11: "2026-01-30T23:00:00.000Z", 12: "2026-01-31T23:00:00.000Z", 13: "2026-01-31T02:00:30.000Z"}
    rows = [run_row(10), *(run_row(n, time=time) for n, time in times.items()), run_row(14, "SKIPPED", startTime=None, endTime=None)]
    fake.on("GET", "/jobRuns", {"items": rows})
    fake.on("GET", "/plannedRuns", {"items": [planned(11, times[11], "Europe/Berlin"), planned(12, times[12], "Europe/Berlin"),
                                              planned(13, times[13], "UTC")]})
    fake.on("GET", "/recentJobRuns", {"items": rows})
    fake.on("GET", "/jobs", job_list("ingest"))
    for words in (["run", "list"], ["run", "recent", "ingest"]):
        lines = [line.split() for line in cli(*words).stdout.decode().splitlines()]
        assert lines[0] == ["RUN", "JOB", "PLANNED", "STATE", "STARTED", "TOOK", "REASON"]
        by_run = {line[0]: line[2:4] for line in lines}
        assert by_run[key(10)][0] == "-" and by_run[key(12)] == ["2026-02-01", "00:00+01:00"]
        assert by_run[key(11)] == ["2026-01-31", "00:00+01:00"] and by_run[key(13)] == ["2026-01-31", "02:00:30Z"]
        assert lines[5][-4:] == ["(2026-02-01", "10:00:00Z)", "-", "why"], "when it was made, of one that never started"
    assert fake.sent("GET", "/plannedRuns")[0].query["jobRunKey"] == [key(11), key(12), key(13)]
    assert cli("run", "list", "--planned", "2026-01-31", "-o", "name").stdout.decode().split() == [key(11), key(13)], "a day of the schedule's clock"
    assert cli("run", "list", "--planned", "2026-01-31..2026-02-01", "-o", "name").stdout.decode().split() == [key(11), key(12), key(13)]
    limited = cli("run", "list", "--planned", "2026-01-01..2026-03-01", "-o", "name", "--limit", "2")
    assert limited.stdout.decode().split() == [key(11), key(12)] and b"1 more: --limit 3" in limited.stderr
    fake.on("GET", "/plannedRuns", (404, {"code": "NotFound", "message": "x"}))
    assert cli("run", "list", "--planned", "2026-01-31").returncode == 3, "nobody knows"
    plain = cli("run", "list")
    assert (plain.returncode, plain.stderr) == (0, b"") and b"PLANNED" not in plain.stdout, "of a server of before"
    cli("run", "list", "--since", "2026-01-31")
    assert fake.sent("GET", "/jobRuns")[-1].query["timeCreatedGreaterThanOrEqualTo"] == ["2026-01-31T00:00:00.000Z"]
    for args, says in ((["--since", "tomorrow"], "--since"), (["--planned", "2026-01"], "--planned"), (["--planned", "2026-01-31", "-o", "json"], "-o json"),
                       (["--planned", "20260131"], "--planned"), (["--since", "20260131"], "--since"), (["--planned", "2026-02-01..2026-01-31"], "ends before")):
        result = cli("run", "list", *args)
        assert result.returncode == 2 and says in result.stderr.decode()


@pytest.mark.parametrize("text, since", [
    ("2026-01-31", "2026-01-30T23:00:00.000Z"), ("2026-07-31T08:30", "2026-07-31T06:30:00.000Z"), ("2026-01-31 08:30:15", "2026-01-31T07:30:15.000Z"),
    ("2026-01-31 08:30:15Z", "2026-01-31T08:30:15.000Z"), ("2026-01-31 08:30+05:00", "2026-01-31T03:30:00.000Z"), ("0", "1970-01-01T00:00:00.000Z")])
def test_since_is_on_the_clock_of_this_machine(fake, text, since):
    fake.on("GET", "/jobRuns", {"items": []})
    assert cli_fake.run("--data", str(fake.folder), "run", "list", "--since", text, TZ="Europe/Berlin").returncode == 0
    assert fake.requests[-1].query["timeCreatedGreaterThanOrEqualTo"] == [since]


@pytest.mark.parametrize("text", ["30m", "12h", "3d", "2w", "today", "yesterday"])
def test_since_is_so_long_ago(fake, text):
    fake.on("GET", "/jobRuns", {"items": []})
    zone, minutes = zoneinfo.ZoneInfo("Pacific/Auckland"), {"30m": 30, "12h": 720, "3d": 4320, "2w": 20160}

    def expected():
        now = datetime.datetime.now(datetime.timezone.utc)
        if text in minutes:
            return now - datetime.timedelta(minutes=minutes[text], milliseconds=1)
        day = now.astimezone(zone).date() - datetime.timedelta(days=text == "yesterday")
        return datetime.datetime(day.year, day.month, day.day, tzinfo=zone)

    before = expected()
    assert cli_fake.run("--data", str(fake.folder), "run", "list", "--since", text, TZ="Pacific/Auckland").returncode == 0
    asked, = fake.requests[-1].query["timeCreatedGreaterThanOrEqualTo"]
    assert before <= datetime.datetime.fromisoformat(asked.replace("Z", "+00:00")) <= expected()


def test_since_of_a_clock_that_nobody_knows(fake):
    result = cli_fake.run("--data", str(fake.folder), "run", "list", "--since", "today", TZ="Mars/Base")
    assert result.returncode == 2 and b'the clock of this machine: "Mars/Base" is no known time zone' in result.stderr and not fake.requests


def test_unsuccessful_is_every_end_but_success(cli, fake):
    fake.on("GET", "/jobRuns", {"items": []})
    assert cli("run", "list", "--unsuccessful", "--status", "running").returncode == 0
    assert fake.requests[-1].query["status"] == ["RUNNING", "FAILED", "TIMED_OUT", "INTERNAL_ERROR", "CANCELED", "SKIPPED"]


def test_planned_times_that_nobody_tells_are_no_empty_list(cli, fake):
    row = run_row(11, time="2026-01-31T02:00:00.000Z")
    fake.on("GET", "/jobRuns", {"items": [row]}, {"items": [{name: row[name] for name in row if name != "plannedTime"}]})
    fake.on("GET", "/plannedRuns", {"items": [planned(11, row["plannedTime"], "Mars/Base")]})
    for says, code in (("is no known time zone", 2), ("does not tell their planned times", 3)):
        result = cli("run", "list", "--planned", "2026-01-31")
        assert (result.returncode, result.stdout) == (code, b"") and says in result.stderr.decode()


@pytest.mark.parametrize("more, item, lines", [
    ({"launched": "MANUAL"}, None, ["Made        2026-02-01 10:00:00Z by eva"]),
    ({"launched": "SCHEDULED"}, {}, ["Planned     2026-01-31 00:00+01:00 (Europe/Berlin)", "Made        2026-02-01 10:00:00Z by the schedule, in the name of eva"]),
    ({"launched": "SCHEDULED"}, {"campaignKey": key(7)}, ["Planned     2026-01-31 00:00+01:00 (Europe/Berlin)", f"Campaign    {key(7)} asked for it, or for a repair of it", "Made        2026-02-01 10:00:00Z in the name of eva"]),
    ({"launched": "SCHEDULED"}, None, ["Made        2026-02-01 10:00:00Z by itself, in the name of eva"]),
    ({"launched": "MANUAL", "parentJobRunKey": key(9)}, None, [f"Made        2026-02-01 10:00:00Z by a task of run {key(9)}, in the name of eva"])])
def test_a_run_tells_what_made_it_and_for_when(cli, fake, more, item, lines):
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run(timeCreated="2026-02-01T10:00:00.000Z", createdByName="eva", **more))
    found = [] if item is None else [planned(2, "2026-01-30T23:00:00.000Z", "Europe/Berlin", **item)]
    fake.on("GET", "/plannedRuns", {"items": found})
    text = cli("run", "get", RUN).stdout.decode()
    assert text.split("\n\n")[1].rstrip("\n").split("\n") == lines
    asked = fake.sent("GET", "/plannedRuns")
    assert not asked if more["launched"] == "MANUAL" else asked[0].query == {"jobRunKey": [RUN], "withCampaign": ["true"]}


def test_the_attempts_of_a_run_have_numbers_and_pages(cli, fake):
    fake.on("GET", f"/jobRuns/{RUN}/repairHistory", (200, {"items": [{"key": 0}, {"key": 1}, {"key": 2}]}, {"opc-next-page": "p3"}))
    result = cli("run", "history", RUN, "-o", "name", "--limit", "3", "--page", "p0")
    assert (result.stdout, result.stderr) == (b"0\n1\n2\n", b"reprise: there is more: --page p3, or --all\n")
    assert fake.requests[0].query == {"limit": ["3"], "page": ["p0"]}


@pytest.mark.parametrize("words, path, most", [
    (["job", "list"], "/jobs", "1000"), (["run", "list", "--status", "failed"], "/jobRuns", "1000"), (["rerun", "list"], "/rerunCampaigns", "1000"),
    (["run", "history", RUN], f"/jobRuns/{RUN}/repairHistory", "100"), (["cluster", "list"], "/clusters", "1000")])
def test_all_walks_all_pages(cli, fake, words, path, most):
    def on():
        fake.on("GET", path, (200, {"items": [{"key": key(1)}, {"key": key(2)}]}, {"opc-next-page": "p 2"}), (200, {"items": [{"key": key(3)}]}, {}))

    on()
    result = cli(*words, "--all", "-o", "name")
    assert (result.stdout.decode().split(), result.stderr) == ([key(1), key(2), key(3)], b"")
    assert [(r.query["limit"], r.query.get("page")) for r in fake.sent("GET", path)] == [([most], None), ([most], ["p 2"])]
    on()
    assert json.loads(cli(*words, "--all", "-o", "json").stdout) == {"items": [{"key": key(1)}, {"key": key(2)}, {"key": key(3)}]}
    on()
    assert cli(*words, "--all", "-o", "name", "--page", "p1").stdout.decode().split() == [key(1), key(2), key(3)]
    assert fake.sent("GET", path)[-2].query["page"] == ["p1"]
    both = cli(*words, "--all", "--limit", "7")
    assert both.returncode == 2 and b"--all and --limit" in both.stderr


@pytest.mark.parametrize("words", [["run", "start", JOB, "--watch"], ["run", "watch", RUN]])
def test_a_watched_run_is_no_tree_where_the_body_is_wanted(terminal, fake, words):
    fake.on("POST", "/jobRuns", (201, cli_fake.job_run("PENDING")))
    for output, wanted in (("name", RUN), ("json", json.dumps(cli_fake.job_run("SUCCESS")))):
        fake.on("GET", f"/jobRuns/{RUN}", (200, cli_fake.job_run("RUNNING"), {"etag": "1"}), cli_fake.job_run("SUCCESS"))
        assert terminal(*words, "-o", output) == (0, wanted + "\n")


PLAN = {"tasks": [
    {"taskKey": "a", "verdict": "KEEP", "reason": "It is SUCCESS and is kept as it is", "willStart": False, "hazards": []},
    {"taskKey": "b", "verdict": "RUN", "reason": "It is FAILED", "willStart": True, "hazards": []},
    {"taskKey": "m", "verdict": "MARK", "reason": "It is FAILED; it is marked as successful, and nothing runs", "willStart": True, "hazards": []},
    {"taskKey": "c", "verdict": "REEVALUATE", "reason": "Downstream of b", "willStart": True, "hazards": []},
    {"taskKey": "d", "verdict": "KEEP", "reason": "kept", "willStart": False, "hazards": ["b runs again; this may be stale"]}],
    "parameters": [{"name": "p", "old": "1 MiB", "new": "1024"}, {"name": "q", "old": None, "new": "\x1b[31m"}],
    "definition": {}, "etag": "9-f"}


def test_plan_is_shown_and_nothing_is_changed(cli, fake):
    fake.on("POST", f"/jobRuns/{RUN}/actions/planRepair", PLAN)
    result = cli("run", "repair", RUN, "--plan", "--param", "p=1024", "--task", "b", "--definition", "current")
    text = result.stdout.decode()
    assert result.returncode == 0, result.stderr
    assert "will run 1, re-evaluate 1, mark 1 as successful, keep 2" in text
    for part in ("It is FAILED", "Downstream of b", "It is SUCCESS and is kept as it is", "b runs again; this may be stale",
                 'p: "1 MiB" → "1024"', 'q: (none) → "\\x1b[31m"'):
        assert part in text
    sent = [r for r in fake.requests if r.method != "GET"]
    assert [(r.method, r.path) for r in sent] == [("POST", f"/jobRuns/{RUN}/actions/planRepair")]
    assert sent[0].json() == {"taskKeys": ["b"], "parameters": [{"name": "p", "value": "1024"}], "definition": "CURRENT"}
    assert "opc-retry-token" not in sent[0].headers


def test_repair_holds_the_server_to_the_plan_that_was_shown(cli, fake):
    fake.on("POST", f"/jobRuns/{RUN}/actions/planRepair", PLAN)
    fake.on("POST", f"/jobRuns/{RUN}/actions/repair", (201, cli_fake.job_run("PENDING")))
    result = cli("run", "repair", RUN)
    assert result.returncode == 0, result.stderr
    assert "will run 1, re-evaluate 1, mark 1 as successful, keep 2" in result.stdout.decode()
    assert fake.requests[1].headers["if-match"] == "9-f"
    assert fake.requests[1].json() == {}
    assert fake.requests[1].headers["opc-retry-token"]


def test_repair_without_a_plan_shown_sends_no_etag(cli, fake):
    fake.on("POST", f"/jobRuns/{RUN}/actions/repair", (201, cli_fake.job_run("PENDING")))
    assert cli("run", "repair", RUN, "-o", "name").stdout.decode() == RUN + "\n"
    asked, done = fake.requests
    assert asked.path.endswith("/planRepair") and done.path.endswith("/repair") and "if-match" not in done.headers


VAIN = {"taskKey": "b", "verdict": "RUN", "reason": "Will not start: a stays FAILED; select it too", "willStart": False, "hazards": []}
BEHIND = {"taskKey": "c", "verdict": "REEVALUATE", "reason": "Will not start: b will not start either", "willStart": False, "hazards": []}
KEPT = {"taskKey": "a", "verdict": "KEEP", "reason": "It is FAILED and was not selected", "willStart": False, "hazards": []}


@pytest.mark.parametrize("output", ["table", "name", "json"])
def test_a_repair_of_which_nothing_would_start_is_refused(cli, fake, output):
    fake.on("POST", f"/jobRuns/{RUN}/actions/planRepair", {**PLAN, "tasks": [KEPT, VAIN, BEHIND]})
    fake.on("POST", f"/jobRuns/{RUN}/actions/repair", (201, cli_fake.job_run("PENDING")))
    result = cli("run", "repair", RUN, "--task", "b", "-o", output)
    assert (result.returncode, result.stderr.decode()) == (
        3, "reprise: nothing of it would start, so it was not repaired: b: Will not start: a stays FAILED; select it too\n")
    assert not fake.sent("POST", f"/jobRuns/{RUN}/actions/repair")
    assert cli("run", "repair", RUN, "--task", "b", "--plan", "-o", output).returncode == 0, "that was only asked"


@pytest.mark.parametrize("more", [
    {"taskKey": "d", "verdict": "RUN", "reason": "It is FAILED", "willStart": True},
    {"taskKey": "m", "verdict": "MARK", "reason": "It is FAILED; it is marked as successful, and nothing runs", "willStart": True}])
def test_a_repair_that_may_come_to_something_is_made(cli, fake, more):
    excluded = {**VAIN, "reason": "Will not start: decide stays false, this branch needs true; select it too"}
    for tasks in ([KEPT, VAIN, BEHIND, more], [KEPT, excluded]):
        fake.on("POST", f"/jobRuns/{RUN}/actions/planRepair", {**PLAN, "tasks": tasks})
        fake.on("POST", f"/jobRuns/{RUN}/actions/repair", (201, cli_fake.job_run("PENDING")))
        assert cli("run", "repair", RUN).returncode == 0


def test_the_plan_tells_that_a_commit_stays(cli, fake):
    commits = [{"repositoryUrl": "https://h/r", "branch": branch, "from": "a" * 40, "to": "a" * 40} for branch in ("main", "b" * 40)]
    fake.on("POST", f"/jobRuns/{RUN}/actions/planRepair", {**PLAN, "gitCommits": commits})
    lines = cli("run", "repair", RUN, "--plan").stdout.decode().splitlines()
    assert f"  https://h/r main: {'a' * 12}, as before; --definition current looks it up again" in lines
    assert f"  https://h/r {'b' * 40}: {'a' * 12}, as before" in lines


def test_the_plan_tells_for_what_a_run_was_cancelled(cli, fake):
    run = cli_fake.job_run("CANCELED", schedule={"timezoneId": "Europe/Berlin"})
    run["state"]["stateMessage"] = "Canceled: it depends on job load of 2026-01-03T23:30:00.000Z, which ended FAILED"
    canceled = {"taskKey": "a", "verdict": "RUN", "reason": "It is CANCELED", "willStart": True, "hazards": []}
    fake.on("POST", f"/jobRuns/{RUN}/actions/planRepair", {**PLAN, "tasks": [canceled]})
    fake.on("GET", f"/jobRuns/{RUN}", run)
    told = ("\nTake care:\n  It was cancelled since it depends on job load of 2026-01-04 00:30+01:00, which ended FAILED\n"
            "  A repair does not wait for that one: see that it has succeeded first\n")
    assert told in cli("run", "repair", RUN, "--plan").stdout.decode()
    run["state"]["stateMessage"] = "Canceled by admin"
    fake.on("GET", f"/jobRuns/{RUN}", run)
    assert "Take care" not in cli("run", "repair", RUN, "--plan").stdout.decode()


def test_repair_that_came_too_late_is_refused(cli, fake):
    fake.on("POST", f"/jobRuns/{RUN}/actions/planRepair", PLAN)
    fake.on("POST", f"/jobRuns/{RUN}/actions/repair", (412, {"code": "NoEtagMatch", "message": "the run has changed"}))
    result = cli("run", "repair", RUN)
    assert result.returncode == 3 and b"NoEtagMatch" in result.stderr


def test_the_plan_shows_another_definition(cli, fake):
    definition = {"fromVersion": 1, "toVersion": 2, "added": ["x"], "removed": [], "rewired": [], "changed": [], "fields": []}
    fake.on("POST", f"/jobRuns/{RUN}/actions/planRepair", {**PLAN, "definition": definition})
    text = cli("run", "repair", RUN, "--plan", "--definition", "2").stdout.decode()
    assert "\nDefinition: version 1 → 2\n  added: x\n" in text
    assert "add --also d\n" in text, "nothing was named, so there is nothing to take downstream along"
    assert "add --also d, or --with-downstream" in cli("run", "repair", RUN, "--plan", "--task", "b").stdout.decode()


def test_also_adds_to_what_is_selected(cli, fake):
    fake.on("POST", f"/jobRuns/{RUN}/actions/planRepair", PLAN)
    fake.on("POST", f"/jobRuns/{RUN}/actions/repair", (201, cli_fake.job_run("PENDING")))
    ran = [task["taskKey"] for task in PLAN["tasks"] if task["verdict"] == "RUN"]
    assert cli("run", "repair", RUN, "--also", "d", "--param", "p=1").returncode == 0
    asked, shown, done = (request.json() for request in fake.requests if request.method == "POST")
    given = {"parameters": [{"name": "p", "value": "1"}]}
    assert asked == given and shown == done == {"taskKeys": [*ran, "d"], **given}
    assert fake.requests[-1].headers["if-match"] == "9-f"
    assert cli("run", "repair", RUN, "--also", "d", "--mode", "resume").returncode == 2
    assert cli("run", "repair", RUN, "--also", "d", "--mark-success", "a", "--mark-success", "x y").returncode == 0
    assert fake.requests[-1].json() == {"taskKeys": ["b", "d"], "markSuccess": ["a", "x y"]}


def test_with_downstream_is_passed_through(cli, fake):
    fake.on("POST", f"/jobRuns/{RUN}/actions/repair", (400, {"code": "InvalidParameter", "message": "repairTasks: no"}))
    result = cli("run", "repair", RUN, "--task", "b", "--with-downstream", "-o", "json", "--definition", "3", "--mode", "rerun")
    assert result.returncode == 3 and b"repairTasks: no" in result.stderr
    assert fake.requests[0].json() == {
        "repairTasks": [{"taskKey": "b", "shouldIncludeDownstream": True, "shouldIncludeUpstream": False}],
        "definition": 3, "repairMode": "RERUN"}


def test_cancel_and_wait_for_its_end(cli, fake):
    fake.on("POST", f"/jobRuns/{RUN}/actions/cancel", cli_fake.job_run("CANCELING"))
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("CANCELING"), cli_fake.job_run("CANCELED"))
    assert cli("run", "cancel", RUN, "--wait").returncode == 0


def test_update_is_of_the_job_that_was_looked_at(cli, fake):
    schedule = {"quartzCronExpression": "0 0 3 * * ?", "timezoneId": "UTC"}
    fake.on("GET", f"/jobs/{key(3)}", (200, {"key": key(3), "name": "n", "schedule": {**schedule, "pauseStatus": "PAUSED"}}, {"etag": "7"}))
    fake.on("PUT", f"/jobs/{key(3)}", (202, {"key": key(3), "name": "n"}))
    given = json.dumps({"name": "n", "schedule": schedule, "tasks": []}).encode()
    assert cli("job", "update", key(3), "-f", "-", input=given).returncode == 0
    put = fake.sent("PUT", f"/jobs/{key(3)}")[0]
    assert put.headers["if-match"] == "7" and put.json()["schedule"]["pauseStatus"] == "PAUSED"


def test_cancel_of_tasks_alone(cli, fake):
    fake.on("POST", f"/jobRuns/{RUN}/actions/cancelTasks", cli_fake.job_run("RUNNING"))
    assert cli("run", "cancel", RUN, "--task", "a b", "--task", "c").stdout.decode() == f"Asked to cancel a b, c of run {RUN}  RUNNING\n"
    assert fake.requests[-1].json() == {"taskKeys": ["a b", "c"]}
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("RUNNING"))
    fake.on("POST", f"/jobRuns/{RUN}/actions/cancelTasks", cli_fake.job_run("FAILED"))
    assert cli("run", "cancel", RUN, "--task", "c").stdout.decode() == f"Asked to cancel c of run {RUN}  FAILED\n", "it was the last"


def test_cancel_of_a_run_that_had_ended(cli, fake):
    fake.on("POST", f"/jobRuns/{RUN}/actions/cancel", cli_fake.job_run("SUCCESS"))
    assert cli("run", "cancel", RUN).stdout.decode() == f"Had ended already: run {RUN}  SUCCESS\n"
    fake.on("POST", f"/jobRuns/{RUN}/actions/cancel", (202, cli_fake.job_run("CANCELED")))
    assert cli("run", "cancel", RUN).stdout.decode() == f"Asked to cancel run {RUN}  CANCELED\n", "a queued one is at once"
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("CANCELED"))
    result = cli("run", "cancel", RUN, "--wait")
    assert result.returncode == 0 and result.stdout.decode().startswith(f"Had ended already: run {RUN}  CANCELED\n")
    assert b"exit 0 whichever way" in cli("run", "cancel", "--help").stdout


def test_tasks_of_a_skipped_run_never_began(cli, fake):
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("SKIPPED", [("a", "BLOCKED")]) | {"taskToTaskRunMap": {}, "taskRunSummaryMap": {}})
    for words in (["run", "logs", RUN], ["task", "get", RUN], ["task", "output", RUN]):
        for task, says in (("a", f'run {RUN} is SKIPPED: its tasks, "a" too, never began'), ("b", f'run {RUN} has no task "b"')):
            result = cli(*words, "--task", task)
            assert (result.returncode, result.stderr.decode()) == (2, f"reprise: {says}\n")


def test_task_of_a_run(cli, fake):
    run = cli_fake.job_run("FAILED", [("a", "SUCCESS"), ("b", "FAILED", ["a"])])
    fake.on("GET", f"/jobRuns/{RUN}", run)
    fake.on("GET", f"/taskRuns/{key(1001)}", b'{"key": "x"}')
    result = cli("task", "get", RUN, "--task", "b", "-o", "json")
    assert result.stdout == b'{"key": "x"}'
    assert cli("task", "get", RUN, "--task", "z").returncode == 2


def test_a_task_run_shows_what_it_published(cli, fake):
    fake.on("GET", f"/taskRuns/{RUN}", {"taskKey": "a", "key": RUN, "state": {"status": "SUCCESS"}, "values": {"rows": "12", "d\x1b": "x\ny"}})
    assert "\nValues       rows = 12\n             d\\x1b = x\\ny\n" in cli("task", "get", RUN).stdout.decode()
    fake.on("GET", f"/taskRuns/{RUN}", {"taskKey": "a", "key": RUN, "state": {"status": "SUCCESS"}, "values": None})
    assert "Values" not in cli("task", "get", RUN).stdout.decode()


@pytest.mark.parametrize("verb", ["get", "output"])
def test_a_run_in_place_of_a_task_run(cli, fake, verb):
    done = cli("task", verb, "@latest")
    assert done.returncode == 2 and b"with --task K" in done.stderr and not fake.requests


def test_output_of_a_task(cli, fake):
    run = cli_fake.job_run("SUCCESS", [("a", "SUCCESS")])
    fake.on("GET", f"/jobRuns/{RUN}", run)
    task_run = run["taskToTaskRunMap"]["a"]
    body = {"key": f"{task_run}.0", "taskType": "PYTHON_TASK", "isTruncated": True, "errorTrace": None,
            "data": [{"type": "TEXT_PLAIN", "length": "3", "value": "a\u001b[31mb\n"}], "outputParameters": [], "version": 1}
    fake.on("POST", f"/taskRuns/{task_run}/actions/fetchOutput", body)
    result = cli("task", "output", RUN, "--task", "a")
    assert (result.returncode, result.stdout) == (0, b"a\x1b[31mb\n") and b"only the end" in result.stderr
    assert fake.requests[-1].json() == {}
    assert cli("task", "output", task_run, "--attempt", "2", "-o", "json").stdout == json.dumps(body).encode()
    assert fake.requests[-1].json() == {"outputKey": f"{task_run}.2"}
