"""What a task is given: arguments, environment, current folder, files (RULES §5, §6)."""

import ctypes
import json
import os
import stat
import subprocess
import threading

import pytest
from harness import BINARY, eventually, named, node, refused, statuses, task
from seeds import TASK_RUN, check

pytestmark = pytest.mark.sanitize

TELL = '''
import json, os, sys
path = os.environ.get("REPRISE_PARAMS_FILE")
json.dump({"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd(), "file": __file__, "pid": os.getpid(),
           "params": open(path).read() if path else None, "fds": sorted(os.listdir("/proc/self/fd")),
           "stdin": os.path.realpath("/proc/self/fd/0"), "pgid": os.getpgid(0), "sid": os.getsid(0)}, sys.stdout)
'''


def told(server, line=None, run_fields=None, file="tell.py", **fields):
    """What tell.py saw, run with `line` as its commandLineArguments."""
    api = server.api
    server.script("tell.py", TELL)
    tasks = [task("tell", file, **({"commandLineArguments": line} if line is not None else {}))]
    run = api.go(tasks, "SUCCESS", run_fields=run_fields, **fields)
    seen = json.loads(api.get(f"/taskRuns/{run['taskToTaskRunMap']['tell']}/logs").text)
    return {**seen, "run": run, "task_run": run["taskToTaskRunMap"]["tell"]}


def state_of(server, file, **fields):
    run = server.api.go([task("a", file, **fields)])
    return server.api.task_run(run, "a")["state"]


# --- arguments --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("line,argv", [
    (None, []), ("", []), ("  ", []), ("a b  c", ["a", "b", "c"]), ("'a b' c", ["a b", "c"]), ('"a b"c d', ["a bc", "d"]),
    ("a\\ b", ["a b"]), ("'a\\b'", ["a\\b"]), ('"a\\"b"', ['a"b']), ("'' \"\"", ["", ""]), ("\"it's\"", ["it's"]),
    ("$HOME `id` *.py a;b a|b >x #c ~", ["$HOME", "`id`", "*.py", "a;b", "a|b", ">x", "#c", "~"]),
    ("a\tb\nc", ["a", "b", "c"]), ("--x=\u20ac", ["--x=\u20ac"]), ('"a\\$b"', ["a$b"]), ("-c 'print(1)'", ["-c", "print(1)"]),
])
def test_a_line_is_split_like_a_shell_splits(server, line, argv):
    assert told(server, line)["argv"] == argv


@pytest.mark.parametrize("value", ["one", "two words", "", "'", '"', "a\\b", "$(id)", "{{job.name}}", "a\nb", "*", "-x",
                                   "\u20ac \u202e", " lead", "trail ", "'; rm -rf /; '", "{{", "}}"])
def test_one_value_never_becomes_two_arguments(server, value):
    line = "{{job.parameters.v}} x{{job.parameters.v}}y '{{job.parameters.v}}' \"<{{ job.parameters.v }}>\""
    if value == "{{job.name}}":
        resolved = "job"  # a job-level value is resolved once, where it is given
    else:
        resolved = value
    seen = told(server, line, run_fields={"parameters": named(v=value)})
    assert seen["argv"] == [resolved, f"x{resolved}y", resolved, f"<{resolved}>"]


def test_references_of_every_kind(server):
    names = ["job.id", "job.name", "job.run_id", "job.repair_count", "job.trigger.type", "task.name", "task.run_id",
             "task.execution_count", "workspace.id", "hub.region", "job.start_time.iso_date", "job.start_time.year",
             "job.start_time.timestamp_ms", "job.start_time.iso_weekday", "job.start_time.is_weekday",
             "job.start_time.iso_datetime", "job.start_time.month", "job.start_time.day", "job.start_time.hour",
             "job.start_time.minute", "job.start_time.second"]
    seen = told(server, " ".join("{{" + n + "}}" for n in names), name="referring")
    got, run = dict(zip(names, seen["argv"])), seen["run"]
    assert got["job.id"] == run["jobKey"] and got["job.name"] == "referring" and got["job.run_id"] == run["key"]
    assert got["job.repair_count"] == "0" and got["job.trigger.type"] == "one_time"
    assert got["task.name"] == "tell" and got["task.run_id"] == seen["task_run"] and got["task.execution_count"] == "1"
    assert got["workspace.id"] == server.endpoint["workspaceKey"]
    assert got["job.start_time.timestamp_ms"] == str(run["startTime"])
    assert got["job.start_time.iso_date"] == run["timeCreated"][:10]
    for name, value in got.items():
        if name in run["systemParameters"]:
            assert run["systemParameters"][name] == value, name


def test_what_is_not_a_reference_stays_as_it_is(server):
    assert told(server, "{{unknown.space}} {{}} {job.id} {{job.id")["argv"] == [
        "{{unknown.space}}", "{{}}", "{job.id}", "{{job.id"]


def test_results_of_upstream_tasks(server, api):
    server.script("tell.py", TELL)
    line = " ".join("{{tasks.%s.%s}}" % (t, f) for t in ("good", "bad") for f in
                    ("result_state", "error_code", "run_id", "execution_count"))
    run = api.go([task("good"), task("bad", "fail.py", maxRetries=1),
                  task("tell", "tell.py", ["good", "bad"], runIf="ALL_DONE", commandLineArguments=line)], "SUCCESS")
    argv = json.loads(api.get(f"/taskRuns/{run['taskToTaskRunMap']['tell']}/logs").text)["argv"]
    keys = run["taskToTaskRunMap"]
    assert argv[:4] == ["success", "", keys["good"], "1"]
    assert argv[4] == "failed" and argv[5] and argv[6:] == [keys["bad"], "2"]


def test_an_odd_task_name_is_back_quoted(server, api):
    server.script("tell.py", TELL)
    run = api.go([task("a b.c"), task("tell", "tell.py", "a b.c",
                                      commandLineArguments="{{tasks.`a b.c`.result_state}}")], "SUCCESS")
    assert json.loads(api.get(f"/taskRuns/{run['taskToTaskRunMap']['tell']}/logs").text)["argv"] == ["success"]


def test_a_reference_that_only_the_run_can_miss(server, api):
    server.script("tell.py", TELL)
    run = api.go([task("tell", "tell.py", commandLineArguments="{{job.parameters.later}}", maxRetries=3)])
    seen = api.task_run(run, "tell")
    assert seen["state"]["status"] == "INTERNAL_ERROR"
    assert "later" in seen["state"]["stateMessage"]
    assert len(seen["retries"]) <= 1, "not retried"


def test_values_that_a_task_publishes(server, api):
    server.script("tell.py", TELL)
    server.script("say.py", "import os\nopen(os.environ['REPRISE_OUTPUT'], 'w').write('n=1\\nn=2 3\\n')\n")
    run = api.go([task("say", "say.py"), task("tell", "tell.py", "say",
                                              commandLineArguments="{{tasks.say.values.n}}")], "SUCCESS")
    assert json.loads(api.get(f"/taskRuns/{run['taskToTaskRunMap']['tell']}/logs").text)["argv"] == ["2 3"]


# --- environment, folder, descriptors ---------------------------------------------------------------------------------

def test_the_environment_is_ours_and_nothing_else(servers):
    server = servers(env={"SECRET_OF_THE_SERVER": "x", "AWS_SECRET_ACCESS_KEY": "y", "REPRISE_TOKEN": "z",
                          "TZ": "Asia/Tokyo", "LANG": "C.UTF-8", "PYTHONPATH": "/nowhere"}).start()
    env = told(server)["env"]
    assert {n for n in env if not n.startswith("REPRISE_")} <= {"PATH", "HOME", "LANG", "TZ", "LC_CTYPE"}
    assert env["TZ"] == "Asia/Tokyo" and env["LANG"] == "C.UTF-8" and env["HOME"] == os.environ["HOME"]
    assert "REPRISE_TOKEN" not in env
    assert server.token not in json.dumps(env)
    assert env["REPRISE_WORKSPACE"] == str(server.workspace)
    assert env["REPRISE_ATTEMPT_TOKEN"]


def test_the_attempt_token_names_the_attempt(server):
    seen = told(server)
    run, task_run, repair, attempt, _ = seen["env"]["REPRISE_ATTEMPT_TOKEN"].split(".")
    assert (run, task_run, repair, attempt) == (seen["run"]["key"], seen["task_run"], "0", "0")
    external = server.api.read(f"/taskRuns/{seen['task_run']}")["externalId"]
    assert external == seen["env"]["REPRISE_ATTEMPT_TOKEN"], "else our attempt token"


def test_parameters_as_variables_and_as_a_file(server):
    values = {"plain": "1", "with.dot": "two words", "with-dash": "", "Upper": "\u20ac\n'\"", "n1": "x" * 65536}
    seen = told(server, parameters=named(plain="job", only="job"), run_fields={"parameters": named(**values)})
    env = seen["env"]
    assert env["REPRISE_PARAM_plain"] == "1" and env["REPRISE_PARAM_only"] == "job"
    assert env["REPRISE_PARAM_with_dot"] == "two words" and env["REPRISE_PARAM_with_dash"] == ""
    assert env["REPRISE_PARAM_Upper"] == values["Upper"] and env["REPRISE_PARAM_n1"] == values["n1"]
    given = json.loads(seen["params"])
    if isinstance(given, list):
        given = {p["name"]: p["value"] for p in given}
    assert given == {**values, "only": "job"}, "the exact JSON"


def test_a_task_without_parameters_has_a_file_too(server):
    assert json.loads(told(server)["params"]) in ({}, [])


def test_two_names_that_meet_are_refused(server, api):
    job = api.job([task("a")], parameters=named(**{"a.b": "1"}))
    refused(api.post("/jobRuns", {"jobKey": job["key"], "parameters": named(**{"a-b": "2"})}), 400, "InvalidParameter")


def test_the_current_folder_is_the_runs_own(server):
    one, two = told(server), told(server)
    for seen in (one, two):
        assert seen["cwd"] == str(server.data / "runs" / seen["run"]["key"] / "work")
    assert one["cwd"] != two["cwd"]


def test_a_task_has_three_descriptors_and_a_group_of_its_own(server):
    seen = told(server)
    assert [fd for fd in seen["fds"] if int(fd) <= 2] == ["0", "1", "2"]
    assert len(seen["fds"]) <= 4, f"{seen['fds']}: one more is the listing itself"
    assert seen["stdin"] == "/dev/null"
    assert seen["pgid"] == seen["pid"]


def test_what_tasks_wrote_is_the_owners_alone(server):
    folder = server.data / "runs" / told(server)["run"]["key"]
    assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0


# --- paths ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", ["sub/tell.py", "/sub/tell.py", "/Workspace/sub/tell.py", "sub//tell.py", "./sub/tell.py"])
def test_a_path_is_under_the_workspace(server, path):
    server.script("sub/tell.py", TELL)
    assert told(server, file=path)["file"].endswith("sub/tell.py")


def test_a_missing_file_is_our_error_and_an_attempt(server, api):
    run = api.go([task("a", "missing.py", maxRetries=1), task("b", after="a")])
    assert run["state"]["status"] == "FAILED", "its leaf is UPSTREAM_FAILED"
    assert statuses(run) == {"a": "INTERNAL_ERROR", "b": "UPSTREAM_FAILED"}
    seen = check(api.task_run(run, "a"), TASK_RUN)
    assert "missing.py" in seen["state"]["stateMessage"]
    assert str(server.folder) not in seen["state"]["stateMessage"], "no path of the machine"
    assert [r["state"]["status"] for r in seen["retries"]] == ["INTERNAL_ERROR"] * 2, "it uses maxRetries"
    alone = api.go([task("a", "missing.py")])
    assert alone["state"]["status"] == "INTERNAL_ERROR", "as a leaf it is the run's end"


def test_a_folder_is_not_a_file(server):
    (server.workspace / "folder.py").mkdir()
    assert state_of(server, "folder.py")["status"] == "INTERNAL_ERROR"


@pytest.mark.parametrize("how", ["file", "folder", "absolute", "loop", "up"])
def test_a_link_that_leads_outside_is_refused(server, api, how, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.py").write_text("import os\nopen(os.environ['REPRISE_WORKSPACE'] + '/escaped', 'w')\n")
    link = server.workspace / f"link-{how}"
    target, path = {"file": (outside / "x.py", f"link-{how}"), "folder": (outside, f"link-{how}/x.py"),
                    "absolute": ("/usr/bin/env", f"link-{how}"), "loop": (link, f"link-{how}"),
                    "up": ("../data/admin.token", f"link-{how}")}[how]
    link.symlink_to(target)
    run = api.go([task("a", path)])
    seen = api.task_run(run, "a")
    assert seen["state"]["status"] == "INTERNAL_ERROR"
    assert f"link-{how}" in seen["state"]["stateMessage"]
    assert not (server.workspace / "escaped").exists()
    for stream in ("stdout", "stderr"):
        assert api.get(f"/taskRuns/{seen['key']}/logs", stream=stream).content == b""


def test_a_link_within_the_workspace_is_fine(server, api):
    server.script("real/inner.py", "print('inner')\n")
    (server.workspace / "alias").symlink_to("real")
    api.go([task("a", "alias/inner.py")], "SUCCESS")


def test_a_file_of_another_owner_is_our_error(server):
    path = server.workspace / "secret.py"
    path.write_text("pass\n")
    path.chmod(0)
    state = state_of(server, "secret.py")
    if os.geteuid() == 0:
        assert state["status"] in ("SUCCESS", "INTERNAL_ERROR", "FAILED")  # root reads everything
    else:
        assert state["status"] in ("INTERNAL_ERROR", "FAILED")


def test_output_that_is_not_text_or_long_is_kept(server, api):
    server.script("loud.py", "import sys\nfor n in range(200000): print(n)\nsys.stderr.buffer.write(b'\\x00\\xff')\n")
    run = api.go([task("a", "loud.py")], "SUCCESS")
    key, text, offset = run["taskToTaskRunMap"]["a"], b"", 0
    while True:
        answer = api.get(f"/taskRuns/{key}/logs", offset=offset)
        text += answer.content
        if int(answer.headers["x-reprise-next-offset"]) == offset:
            break
        offset = int(answer.headers["x-reprise-next-offset"])
    assert text == b"".join(b"%d\n" % n for n in range(200000))
    assert api.get(f"/taskRuns/{key}/logs", stream="stderr").content == b"\x00\xff"


def test_the_log_can_be_read_while_it_is_written(server, api):
    server.script("drip.py", "import os, time\nprint('first', flush=True)\n"
                             "while not os.path.exists(os.environ['REPRISE_WORKSPACE'] + '/gates/drip'): time.sleep(.01)\n"
                             "print('second')\n")
    run = api.run(api.job([task("a", "drip.py")]))
    path = f"/taskRuns/{run['taskToTaskRunMap']['a']}/logs"
    eventually(lambda: api.get(path).content == b"first\n", "the first line")
    server.open_gate("drip")
    api.wait_final(run, "SUCCESS")
    assert api.get(path, offset=6).content == b"second\n"


@pytest.mark.parametrize("warm", [False, True])
def test_what_python_prints_is_there_at_once_if_asked_for(servers, warm):
    """While it runs, and after it was killed with more to say; a warm interpreter follows the variable too."""
    own = servers("--exec.pass-env", "PYTHONUNBUFFERED", env={"PYTHONUNBUFFERED": "1"}).start()
    own.script("talk.py", "import time\nprint('first')\ntime.sleep(600)\n")
    run = own.api.run(own.api.job([task("a", "talk.py", **({"x-warmPython": True} if warm else {}))]))
    own.api.wait_task(run, "a", ["RUNNING"])
    key = own.api.get_run(run)["taskToTaskRunMap"]["a"]
    eventually(lambda: own.api.get(f"/taskRuns/{key}/logs").text == "first\n", "what it has printed")
    own.api.cancel(run)
    own.api.wait_final(run)
    assert own.api.get(f"/taskRuns/{key}/logs").text == "first\n"


def test_a_job_that_names_the_servers_lock_does_not_take_it(own):
    """Closing any descriptor of a locked file lets go of the lock: nothing of ours is opened to be read."""
    for name in ("server.lock", "reprise.db", "reprise.db-shm"):
        os.link(own.data / name, own.workspace / name)
    for name in ("server.lock", "reprise.db", "reprise.db-shm"):
        own.api.go([task("a", name, timeoutSeconds=20)])
        run = own.api.go([node("b", "SHELL_TASK", filePath=name)], "INTERNAL_ERROR")
        assert "is the server's own" in own.api.task_run(run, "b")["state"]["stateMessage"]
    assert_locked(own)


def test_a_parameter_that_is_no_class_becomes_no_option_of_java(own):
    jar = node("a", "JAR_TASK", mainClass="{{job.parameters.c}}", dependentLibraries=["a.jar"])
    for value in ("-Xlog:all=trace:file=/tmp/x", "@/etc/passwd", "--source", ""):
        run = own.api.go([jar], "INTERNAL_ERROR", parameters=named(c=value))
        assert "mainClass must be the name of a class" in own.api.task_run(run, "a")["state"]["stateMessage"]


def assert_locked(server):
    second = subprocess.run([BINARY, "serve", "--data", server.data, "--listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=60)
    assert second.returncode != 0 and "another server is running" in second.stderr


def test_a_task_that_leaves_the_servers_lock_as_its_files_does_not_take_it(own):
    """Log, values and record are read when it has ended, the log also when somebody asks for it."""
    for suffix in ("out", "err", "val", "rec"):
        own.script("a.sh", f'ln -f ../../../server.lock "${{REPRISE_OUTPUT%val}}{suffix}"; exit 1\n')
        run = own.api.run(own.api.job([node("a", "SHELL_TASK", filePath="a.sh")]))
        own.api.wait_final(run)
        own.api.get(f"/taskRuns/{run['taskToTaskRunMap']['a']}/logs")
        assert_locked(own)


def test_a_script_that_is_exchanged_for_the_servers_lock_does_not_take_it(own):
    own.script("a.sh", "exit 0\n")
    (own.workspace / "other").symlink_to(own.data / "server.lock")
    libc = ctypes.CDLL(None, use_errno=True)
    names = [os.fsencode(own.workspace / name) for name in ("a.sh", "other")]
    done = threading.Event()

    def exchange():
        while not done.is_set():
            assert libc.renameat2(-100, names[0], -100, names[1], 2) == 0

    exchanging = threading.Thread(target=exchange)
    exchanging.start()
    try:
        for _ in range(4):
            own.api.wait_final(own.api.run(own.api.job([node(f"a{i}", "SHELL_TASK", filePath="a.sh") for i in range(50)])))
    finally:
        done.set()
        exchanging.join()
    assert_locked(own)


def test_a_file_that_may_not_be_read_is_told(own):
    own.script("closed.py", "print(1)\n")
    (own.workspace / "closed.py").chmod(0)
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    run = own.api.go([task("a", "closed.py")], "INTERNAL_ERROR")
    assert "Permission denied" in own.api.task_run(run, "a")["state"]["stateMessage"]
