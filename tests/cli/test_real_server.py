"""The client against the real server."""

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

import cli_fake
import cli_server

SOURCE = Path(os.environ.get("REPRISE_SOURCE_ROOT") or Path(__file__).resolve().parents[2])
EXAMPLE = SOURCE / "examples/debian-packages/job.yaml"

GATE = """import os, sys, time
print("waiting", flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.02)
print("open")
"""
BYTES = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 1000); sys.stderr.buffer.write(b'\\x00err\\xff')\n"


def job(name, *tasks, **more):
    return json.dumps({"name": name, "maxConcurrentRuns": 5, "tasks": [
        {"taskKey": key, "type": "PYTHON_TASK", "filePath": path, "commandLineArguments": arguments}
        for key, path, arguments in tasks], **more}).encode()


@pytest.fixture
def server(tmp_path):
    workspace = tmp_path / "workspace"
    shutil.copytree(SOURCE / "examples", workspace)
    (workspace / "gate.py").write_text(GATE)
    (workspace / "bytes.py").write_text(BYTES)
    one = cli_server.Server(tmp_path / "data", workspace)
    yield one
    one.close()


@pytest.fixture
def cli(server):
    def call(*args, **options):
        return cli_fake.run("--data", str(server.data), *args, **options)

    return call


def ok(result):
    assert result.returncode == 0, result.stderr
    return result.stdout.decode()


def created(cli, definition):
    return ok(cli("job", "create", "-f", "-", "-o", "name", input=definition)).strip()


@pytest.mark.sanitize
def test_example_fails_and_is_repaired(cli, server):
    ok(cli("job", "create", "-f", str(EXAMPLE)))
    failed = cli("run", "start", "debian-packages", "--param", "min_size_kib=1 MiB", "--wait", "-o", "name")
    run = failed.stdout.decode().strip()
    assert failed.returncode == 1
    kept = {task: ok(cli("task", "get", run, "--task", task, "-o", "json")) for task in ("extract", "clean", "dependencies")}
    plan = ok(cli("run", "repair", "@latest", "--param", "min_size_kib=1024", "--plan"))
    assert "will run 6, re-evaluate 0, keep 3" in plan and 'min_size_kib: "1 MiB" → "1024"' in plan
    assert cli("run", "repair", run, "--param", "min_size_kib=1024", "--watch").returncode == 0
    for task, before in kept.items():
        assert ok(cli("task", "get", run, "--task", task, "-o", "json")) == before
    assert "Packages installed: " in ok(cli("run", "logs", run, "--task", "report"))
    assert ok(cli("run", "history", run)).count("\n") == 3
    assert "combine" in ok(cli("run", "why", run, "--task", "combine"))
    again = cli("run", "repair", run)
    assert again.returncode == 3 and b"IncorrectState" in again.stderr


def test_nothing_that_a_terminal_obeys_is_exported_raw(cli):
    described = "a\u009b31mb\u202ec\U000e0041 \u00e4"
    created(cli, json.dumps({"name": "odd", "description": described, "tasks": [{"taskKey": "a", "type": "DUMMY_TASK"}]}).encode())
    text = ok(cli("job", "export", "odd"))
    assert json.loads(text)["description"] == described
    assert "\u00e4" in text and not any(char in text for char in "\u009b\u202e\U000e0041")


def test_what_is_exported_is_applied_without_a_word(cli, tmp_path):
    ok(cli("job", "create", "-f", str(EXAMPLE)))
    (tmp_path / "job.json").write_text(ok(cli("job", "export", "debian-packages")))
    assert "null" not in (tmp_path / "job.json").read_text()
    assert "pauseStatus" not in (tmp_path / "job.json").read_text(), "it would end a pause, or begin one"
    for strict in ([], ["--strict"]):
        result = cli("job", "apply", "-f", str(tmp_path / "job.json"), *strict)
        assert result.stdout.startswith(b"Unchanged job debian-packages") and (result.returncode, result.stderr) == (0, b"")
    result = cli("job", "update", "debian-packages", "-f", str(tmp_path / "job.json"))
    assert (result.returncode, result.stderr) == (0, b"")


def test_the_hint_below_a_plan_does_what_it_says(cli):
    tasks = [{"taskKey": "load", "type": "SHELL_TASK", "script": "true"},
             {"taskKey": "quality", "type": "SHELL_TASK", "script": "false", "dependsOn": [{"taskKey": "load"}]},
             {"taskKey": "publish", "type": "SHELL_TASK", "script": "true", "dependsOn": [{"taskKey": "quality"}]},
             {"taskKey": "tell", "type": "SHELL_TASK", "script": "true", "runIf": "ALL_DONE", "dependsOn": [{"taskKey": "quality"}]}]
    created(cli, json.dumps({"name": "hinted", "tasks": tasks}).encode())
    assert cli("run", "start", "hinted", "--wait").returncode == 1
    for named, plain, wanted in (([], "will run 2, re-evaluate 0, keep 2", "will run 3, re-evaluate 0, keep 1"),
                                 (["--task", "quality"], "will run 1, re-evaluate 1, keep 2", "will run 2, re-evaluate 1, keep 1")):
        plan = ok(cli("run", "repair", "@latest", *named, "--plan"))
        assert plain in plan and "tell: quality runs again" in plan
        hint = next(line for line in plan.splitlines() if line.startswith("To run these again too, add "))
        added = hint.removeprefix("To run these again too, add ").partition(",")[0].split()
        plan = ok(cli("run", "repair", "@latest", *named, *added, "--plan"))
        assert wanted in plan and "Take care" not in plan
    assert cli("run", "repair", "@latest", "--also", "tell", "--wait").returncode == 1
    assert ok(cli("run", "history", "@latest")).splitlines()[2].split()[-3:] == ["quality", "publish", "tell"]


def test_the_other_branch_of_the_example(cli):
    ok(cli("job", "create", "-f", str(EXAMPLE)))
    ok(cli("run", "start", "debian-packages", "--param", "top=11", "--wait"))
    assert "section,kib" in ok(cli("run", "logs", "@latest", "--task", "report"))


def test_json_is_byte_for_byte_what_the_api_says(cli, server):
    key = created(cli, job("twin", ("a", "gate.py", "/")))
    created(cli, job("twin", ("a", "gate.py", "/")))
    run = ok(cli("run", "start", key, "--wait", "-o", "name")).strip()
    for args, path in ((["job", "get", key], f"/jobs/{key}"), (["job", "list"], "/jobs?limit=100"),
                       (["run", "get", "@latest"], f"/jobRuns/{run}"), (["run", "list"], "/jobRuns?limit=100"),
                       (["run", "recent", key], f"/recentJobRuns?jobKey={key}&limit=25"),
                       (["run", "why", run], f"/jobRuns/{run}/explanation"),
                       (["run", "history", run], f"/jobRuns/{run}/repairHistory?limit=100")):
        result = cli(*args, "-o", "json")
        assert (result.returncode, result.stderr) == (0, b"")
        assert result.stdout == server.get(path)
    ambiguous = cli("run", "start", "twin")
    assert ambiguous.returncode == 2 and key in ambiguous.stderr.decode()


def test_logs_are_byte_for_byte_what_the_task_wrote(cli):
    created(cli, job("bytes", ("a", "bytes.py", None)))
    ok(cli("run", "start", "bytes", "--wait"))
    result = cli("run", "logs", "@latest", "--task", "a")
    assert (result.stdout, result.stderr) == (bytes(range(256)) * 1000, b"\x00err\xff")


def test_follow_ends_with_the_task(cli, tmp_path):
    created(cli, job("gated", ("a", "gate.py", str(tmp_path / "gate"))))
    run = ok(cli("run", "start", "gated", "-o", "name")).strip()
    follow = subprocess.Popen([cli_fake.BINARY, "--data", str(tmp_path / "data"), "run", "logs", run, "--task", "a", "--follow"],
                              stdout=subprocess.PIPE, env=cli_fake.environment())
    assert follow.stdout.readline() == b"waiting\n"
    (tmp_path / "gate").touch()
    assert follow.stdout.read() == b"open\n"
    assert follow.wait(timeout=30) == 0
    follow.stdout.close()


@pytest.mark.parametrize("verb", [["start", "gated", "--wait"], ["start", "gated", "--watch"], ["watch"]])
def test_whoever_stops_waiting_is_told_that_the_run_goes_on(cli, tmp_path, verb):
    created(cli, job("gated", ("a", "gate.py", str(tmp_path / "gate"))))
    if verb == ["watch"]:
        verb = ["watch", ok(cli("run", "start", "gated", "-o", "name")).strip()]
    waiting = subprocess.Popen([cli_fake.BINARY, "--data", str(tmp_path / "data"), "run", *verb], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=cli_fake.environment())
    assert waiting.stdout.readline()
    run = ok(cli("run", "get", "@latest", "-o", "name")).strip()
    time.sleep(0.1)
    waiting.send_signal(signal.SIGINT)
    said = waiting.communicate(timeout=30)[1].decode()
    assert waiting.returncode == -signal.SIGINT
    assert said.endswith(f"the run goes on; `reprise run watch {run}` shows it, `reprise run cancel {run}` ends it\n")
    assert json.loads(ok(cli("run", "get", run, "-o", "json")))["state"]["status"] in ("PENDING", "RUNNING")
    (tmp_path / "gate").touch()
    assert cli("run", "watch", run).returncode == 0


def test_follow_of_a_run_goes_from_task_to_task_until_it_ends(cli, server, tmp_path):
    (server.workspace / "second.py").write_text("import os; n = os.environ['REPRISE_ATTEMPT_TOKEN'].split('.')[3]; print(n); exit(n == '0')\n")
    definition = json.loads(job("chain", ("a", "gate.py", str(tmp_path / "gate")), ("b", "second.py", None)))
    definition["tasks"][1].update(maxRetries=1, dependsOn=[{"taskKey": "a"}])
    created(cli, json.dumps(definition).encode())
    run = ok(cli("run", "start", "chain", "-o", "name")).strip()
    follow = subprocess.Popen([cli_fake.BINARY, "--data", str(tmp_path / "data"), "run", "logs", run, "--follow"],
                              stdout=subprocess.PIPE, env=cli_fake.environment())
    assert follow.stdout.readline() + follow.stdout.readline() == b"==> a <==\nwaiting\n"
    (tmp_path / "gate").touch()
    assert follow.stdout.read() == b"open\n\n==> b <==\n0\n1\n"
    assert follow.wait(timeout=30) == 0
    follow.stdout.close()
    assert ok(cli("run", "logs", run, "--attempt", "0")) == "==> a <==\nwaiting\nopen\n\n==> b <==\n0\n"
    assert ok(cli("run", "logs", run, "--attempt", "1")) == "1\n", "of the tasks that have come to it"
    missing = cli("run", "logs", run, "--task", "a", "--task", "nobody")
    assert missing.returncode == 2 and "nobody" in missing.stderr.decode()


TRIES = '''
import os, sys, time
number = int(os.environ["REPRISE_ATTEMPT_TOKEN"].split(".")[3])
for n in range(3):
    while not os.path.exists(os.path.join(sys.argv[1], f"say{number}{n}")):
        time.sleep(0.005)
    print(f"{number}: line {n}", flush=True)
sys.exit(1 if number == 0 else 0)
'''


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_follow_hears_every_byte_of_every_attempt_over_a_restart(cli, server, tmp_path, how):
    (server.workspace / "tries.py").write_text(TRIES)
    definition = json.loads(job("tried", ("a", "tries.py", str(tmp_path))))
    definition["tasks"][0].update(maxRetries=1, minRetryIntervalMillis=0)
    created(cli, json.dumps(definition).encode())
    run = ok(cli("run", "start", "tried", "-o", "name")).strip()
    follow = subprocess.Popen([cli_fake.BINARY, "--data", str(tmp_path / "data"), "run", "logs", run, "--task", "a", "--follow"],
                              stdout=subprocess.PIPE, env=cli_fake.environment())
    for place in ("00", "01", "02", "10"):
        (tmp_path / f"say{place}").touch()
        assert follow.stdout.readline().decode() == f"{place[0]}: line {place[1]}\n"
    server.stop(how)
    (tmp_path / "say11").touch()  # what is written while nobody serves it comes afterwards
    server.start()
    (tmp_path / "say12").touch()
    assert follow.stdout.read() == b"1: line 1\n1: line 2\n"
    assert follow.wait(timeout=60) == 0
    follow.stdout.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_waiting_outlives_a_restart_on_another_port(cli, server, tmp_path, how):
    created(cli, job("gated", ("a", "gate.py", str(tmp_path / "gate"))))
    run = ok(cli("run", "start", "gated", "-o", "name")).strip()
    results = []
    watch = threading.Thread(target=lambda: results.append(cli("run", "watch", run)))
    watch.start()
    wait_for(lambda: b'"status":"RUNNING"' in server.get(f"/jobRuns/{run}"))
    time.sleep(0.5)  # the watch has seen it
    server.stop(how)
    time.sleep(0.5)
    server.start()
    (tmp_path / "gate").touch()
    watch.join(timeout=60)
    assert results and results[0].returncode == 0, results and results[0].stderr
    assert b"SUCCESS" in results[0].stdout


def wait_for(condition, timeout_s=30):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_cancel(cli, tmp_path, server):
    created(cli, job("gated", ("a", "gate.py", str(tmp_path / "gate"))))
    run = ok(cli("run", "start", "gated", "-o", "name")).strip()
    wait_for(lambda: b'"status":"RUNNING"' in server.get(f"/jobRuns/{run}"))
    assert cli("run", "delete", run).returncode == 3
    ok(cli("run", "cancel", run, "--wait"))
    assert "CANCELED" in ok(cli("run", "get", run))
    ok(cli("run", "delete", run))
    assert cli("run", "get", run).returncode == 3
    ok(cli("job", "delete", "gated"))
    assert cli("job", "get", "gated").returncode == 2


def test_cancel_runs_of_a_job(cli, tmp_path, server):
    created(cli, job("many", ("a", "gate.py", str(tmp_path / "gate")), maxConcurrentRuns=2))
    runs = [ok(cli("run", "start", "many", "-o", "name")).strip() for _ in range(2)]
    assert "active runs" in ok(cli("job", "cancel-runs", "many"))
    for run in runs:
        wait_for(lambda: b'"CANCELED"' in server.get(f"/jobRuns/{run}"))
    assert cli("job", "cancel-runs", "nobody").returncode == 2


def test_update_and_stale_etag(cli, tmp_path):
    key = created(cli, job("one", ("a", "gate.py", "/")))
    (tmp_path / "two.json").write_bytes(job("two", ("a", "gate.py", "/")))
    ok(cli("job", "update", "one", "-f", str(tmp_path / "two.json")))
    assert json.loads(ok(cli("job", "get", "two", "-o", "json")))["key"] == key
    stale = cli("job", "update", key, "-f", str(tmp_path / "two.json"), "--if-match", "no-such-etag")
    assert stale.returncode == 3 and b"NoEtagMatch" in stale.stderr


def test_refusals_name_the_field(cli):
    result = cli("job", "create", "-f", "-", input=b"name: x\ntasks:\n- taskKey: a\n  type: PYTHON_TASK\n")
    assert result.returncode == 3 and b"filePath" in result.stderr
    result = cli("run", "start", "0199f6c2-0000-7000-8000-000000000001")
    assert result.returncode == 3 and b"NotAuthorizedOrNotFound" in result.stderr and b"opc-request-id" in result.stderr


def test_wrong_token_is_refused(server, tmp_path):
    (tmp_path / "token").write_text("wrong\n")
    result = cli_fake.run("--data", str(server.data), "--token-file", str(tmp_path / "token"), "job", "list")
    assert result.returncode == 3 and b"NotAuthenticated" in result.stderr


@pytest.mark.sanitize
def test_demo(tmp_path):
    build = Path(cli_fake.BINARY).resolve().parent
    result = subprocess.run([str(SOURCE / "scripts/demo")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
                            env=cli_fake.environment(BUILD=str(build), TMPDIR=str(tmp_path), KEEP=""))
    text = result.stdout.decode()
    assert result.returncode == 0, text
    assert "Everything held." in text and "byte for byte" in text
    assert not list(tmp_path.iterdir())


def test_a_backup_is_taken_while_the_server_runs(server, cli, tmp_path):
    run = ok(cli("run", "start", created(cli, job("kept", ("a", "bytes.py", ""))), "--wait", "-o", "name")).strip()
    file = tmp_path / "copy.db"
    assert str(file) in ok(cli("backup", str(file)))
    assert file.stat().st_mode & 0o777 == 0o600
    assert (again := cli("backup", str(file))).returncode == 1 and b"exists" in again.stderr
    (tmp_path / "small.db.reprise-half").write_bytes(b"of one that was killed")
    limited = subprocess.run(["sh", "-c", 'ulimit -f 40; exec "$@"', "sh", cli_fake.BINARY, "backup", str(tmp_path / "small.db"), "--data", str(server.data)],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    assert limited.returncode == 1 and b"cannot be written" in limited.stderr and not list(tmp_path.glob("small*"))
    assert (none := cli("backup")).returncode == 2 and b"FILE" in none.stderr
    assert cli("backup", str(file), "more").returncode == 2
    nowhere = cli_fake.run("backup", str(tmp_path / "other.db"), "--data", str(tmp_path / "nowhere"))
    assert nowhere.returncode == 1 and not (tmp_path / "other.db").exists() and not (tmp_path / "nowhere").exists()
    restored = tmp_path / "restored"
    restored.mkdir()
    shutil.copy(file, restored / "reprise.db")
    shutil.copy(server.data / "secret.key", restored)
    other = cli_server.Server(restored, server.workspace)
    try:
        assert json.loads(other.get(f"/jobRuns/{run}"))["state"]["status"] == "SUCCESS"
    finally:
        other.close()


# --- job files --------------------------------------------------------------------------------------------------------

BAD_FILE = b"""
name: bad
schedule: {quartzCronExpression: "0 3 * * *", timezoneId: Berlin}
tasks:
  - {taskKey: a, type: PYTHN_TASK}
  - {taskKey: b, type: DUMMY_TASK, dependsOn: [{taskKey: nobody}], runIf: ALWAYS}
  - {taskKey: b, type: DUMMY_TASK}
  - {taskKey: c, type: SHELL_TASK}
  - {taskKey: d, type: PYTHON_TASK, filePath: d.py, timeoutSeconds: -5, maxRetries: "3"}
"""


def test_validate_tells_in_one_round_what_is_wrong(cli):
    result = cli("job", "validate", "-f", "-", input=BAD_FILE)
    lines = result.stderr.decode().splitlines()
    assert (result.returncode, result.stdout) == (3, b"")
    wanted = ['task "a": tasks[0].type must be one of', 'task "b": tasks[1].runIf must be one of',
              'task "d": tasks[4].maxRetries must be an integer', 'task "d": tasks[4].timeoutSeconds must be from',
              'task "b": tasks[2].taskKey "b" is the key of tasks[1] already', 'task "b": tasks[1].dependsOn[0].taskKey "nobody" names no task',
              'task "c": tasks[3] must have either script or filePath', 'what crontab means by it is "0 0 3 * * ?"',
              "schedule.timezoneId is no known time zone; did you mean Europe/Berlin?"]
    assert len(lines) == len(wanted)
    for line, part in zip(lines, wanted):
        assert part in line, result.stderr
    saved = cli("job", "create", "-f", "-", input=BAD_FILE)
    assert saved.returncode == 3 and 'tasks[0].type must be one of' in saved.stderr.decode()


@pytest.mark.parametrize("schedule,part", [
    ('{quartzCronExpression: "0 3 * * *", timezoneId: UTC}', 'is "0 0 3 * * ?"'),
    ('{quartzCronExpression: "@daily", timezoneId: UTC}', 'is "0 0 0 * * ?"'),
    ('{quartzCronExpression: "0 0 3 * * ?", timezoneId: Berlin}', "did you mean Europe/Berlin?"),
])
def test_what_create_says_of_a_schedule_validate_says_too(cli, schedule, part):
    body = f"name: s\nschedule: {schedule}\ntasks: []\n".encode()
    told = [cli("job", verb, "-f", "-", input=body) for verb in ("validate", "create")]
    assert [r.returncode for r in told] == [3, 3]
    assert all(part in r.stderr.decode() for r in told)
    assert told[1].stderr.decode().startswith(told[0].stderr.decode().rstrip())


def test_fields_that_nobody_knows_are_told_and_ignored(cli):
    body = b"name: typo\nretires: 1\ntasks: [{taskKey: load, type: DUMMY_TASK, retries: 2, depends_on: [], email_notifications: {}}]\n"
    wanted = ["reprise: ignored: retires is not a field of CreateJobDetails",
              'reprise: ignored: task "load": tasks[0].retries is not a field of Task; did you mean maxRetries?',
              'reprise: ignored: task "load": tasks[0].depends_on is not a field of Task; did you mean dependsOn?',
              'reprise: ignored: task "load": tasks[0].email_notifications is not a field of Task']
    calls = (("create",), ("update", "typo"), ("apply",), ("validate",))
    for call in calls:
        result = cli("job", *call, "-f", "-", input=body)
        assert result.returncode == 0, call
        assert sorted(result.stderr.decode().splitlines()) == sorted(wanted), call
    for call in calls:
        result = cli("job", *call, "--strict", "-f", "-", input=body)
        assert result.returncode == 3 and b"InvalidParameter" in result.stderr, call
    assert ok(cli("job", "create", "-f", "-", "-o", "name", input=body)).count("\n") == 1, "warnings are on stderr alone"


def test_what_a_job_hardly_means_is_warned_of_and_never_refused(cli):
    up = created(cli, b"name: up\ntasks: []\n")
    body = f"""
name: cleans
dependencies: [{{jobKey: {up}}}]
tasks:
  - {{taskKey: load, type: SHELL_TASK, script: 'true'}}
  - {{taskKey: clean, type: SHELL_TASK, script: 'true', dependsOn: [{{taskKey: load}}], runIf: ALL_DONE}}
""".encode()
    wanted = ["reprise: warning: dependencies: the job has no schedule: they hold none of its runs and start none, for only runs that a schedule "
              "fires wait for others",
              'reprise: warning: task "clean": tasks[1].runIf is ALL_DONE: when load fails, the run still ends SUCCESS; if it should fail then, give '
              "it another end behind that task, such as a DUMMY_TASK"]
    for strict in ([], ["--strict"]):
        for call in ([] if strict else [("create",)]) + [("update", "cleans"), ("apply",), ("validate",)]:
            result = cli("job", *call, "-f", "-", *strict, input=body)
            assert (result.returncode, sorted(result.stderr.decode().splitlines())) == (0, wanted), call


def test_apply_creates_updates_and_leaves_alone(cli, server, tmp_path):
    path = tmp_path / "nightly.yaml"
    text = "name: nightly\nparameters: [{name: day}]\ntasks: [{taskKey: a, type: DUMMY_TASK}]\n"
    path.write_text(text)
    first = ok(cli("job", "apply", "-f", str(path)))
    key = first.split()[-1]
    assert first == f"Created job nightly  {key}\n"
    before = server.get(f"/jobs/{key}")
    assert ok(cli("job", "apply", "-f", str(path))) == f"Unchanged job nightly  {key}\n"
    path.write_text(json.dumps({"tasks": [{"type": "DUMMY_TASK", "taskKey": "a", "maxRetries": 0}], "name": "nightly",
                                "parameters": [{"value": "", "name": "day"}], "maxConcurrentRuns": 1}))
    assert ok(cli("job", "apply", "-f", str(path), "-o", "name")) == f"{key}\n"
    assert server.get(f"/jobs/{key}") == before, "said in another way it is the same"
    path.write_text(text + "maxConcurrentRuns: 3\n")
    assert ok(cli("job", "apply", "-f", str(path))) == f"Updated job nightly  {key}\n"
    answer = json.loads(ok(cli("job", "apply", "-f", str(path), "-o", "json")))
    assert (answer["key"], answer["definitionVersion"], answer["maxConcurrentRuns"]) == (key, 2, 3)


def test_apply_can_be_looked_at_before(cli, tmp_path):
    path = tmp_path / "nightly.json"
    apply = ["job", "apply", "-f", str(path)]
    path.write_bytes(job("nightly", ("a", "gate.py", "/"), ("b", "gate.py", "/")))
    assert ok(cli(*apply, "--dry-run")) == "Would create job nightly\nNothing was changed.\n"
    assert ok(cli("job", "list", "-o", "name")) == ""
    key = ok(cli(*apply, "-o", "name")).strip()
    assert ok(cli(*apply, "--dry-run")) == f"Unchanged job nightly  {key}\nNothing was changed.\n"
    path.write_bytes(job("nightly", ("b", "gate.py", "/tmp"), ("c", "gate.py", "/"), description="new", timeoutSeconds=70))
    before = ok(cli("job", "get", key, "-o", "json"))
    assert ok(cli(*apply, "--dry-run")) == (f"Would update job nightly  {key}\n  added: c\n  removed: a\n  changed: b (commandLineArguments)\n"
                                            "  of the job: description, timeoutSeconds\nNothing was changed.\n")
    assert ok(cli(*apply, "--dry-run", "-o", "name")) == "nightly\n"
    item, = json.loads(ok(cli(*apply, "--dry-run", "-o", "json")))["items"]
    assert (item["action"], item["key"], item["name"], item["file"]) == ("UPDATE", key, "nightly", str(path))
    assert item["differences"]["added"] == ["c"]
    assert ok(cli("job", "get", key, "-o", "json")) == before
    path.write_text("{")
    assert cli(*apply, "--dry-run").returncode == 2


def calls(name, *others, **more):
    """A job file whose tasks run the jobs of these names."""
    return json.dumps({"name": name, "tasks": [{"taskKey": f"t{n}", "type": "JOB_TASK", "jobKey": one} for n, one in enumerate(others)] or
                       [{"taskKey": "only", "type": "DUMMY_TASK"}], **more}).encode()


def test_files_may_name_jobs(cli, tmp_path):
    child = created(cli, calls("child"))
    path = tmp_path / "job.yaml"
    path.write_text("name: parent\ndependencies: [{jobKey: child}]\ntasks:\n  - {taskKey: a, type: JOB_TASK, jobKey: child}\n")
    ok(cli("job", "simulate", "-f", "-", input=calls("parent", "child")))
    for words in (["job", "validate"], ["job", "apply", "--dry-run"], ["job", "create"], ["job", "update", "parent"]):
        ok(cli(*words, "-f", str(path)))
    assert ok(cli("job", "apply", "-f", str(path))).startswith("Unchanged")
    parent = json.loads(ok(cli("job", "get", "parent", "-o", "json")))
    assert parent["tasks"][0]["jobKey"] == parent["dependencies"][0]["jobKey"] == child
    ok(cli("run", "start", "parent", "--wait"))

    path.write_text("name: parent\ndependencies: [{jobKey: child}, {jobKey: gone}]\ntasks:\n  - {taskKey: a, type: JOB_TASK, jobKey: lost}\n")
    for words in (["job", "validate"], ["job", "apply"], ["job", "create"], ["job", "update", "parent"]):
        result = cli(*words, "-f", str(path))
        assert result.returncode == 2
        assert f'{path}: tasks[0].jobKey: no job is named "lost"; `reprise job list` shows them\n' in result.stderr.decode()
        assert f'{path}: dependencies[1].jobKey: no job is named "gone"' in result.stderr.decode()
    twin = created(cli, calls("child"))
    result = cli("job", "validate", "-f", "-", input=calls("x", "child"))
    assert result.returncode == 2 and twin in result.stderr.decode() and b'-: tasks[0].jobKey names "child"' in result.stderr


def test_apply_saves_first_what_other_files_name(cli, tmp_path):
    folder = tmp_path / "jobs"
    folder.mkdir()
    for name, others in (("a", ["b", "c", "b"]), ("b", ["d"]), ("c", ["d", "old"]), ("d", []), ("e", [])):
        (folder / f"{name}.json").write_bytes(calls(name, *others))
    old = created(cli, calls("old"))
    looked = ok(cli("job", "apply", "-f", str(folder), "--dry-run")).splitlines()
    assert looked == [f"Would create job {name}" for name in "dbcae"] + ["Nothing was changed."]
    lines = ok(cli("job", "apply", "-f", str(folder))).splitlines()
    keys = {line.split()[2]: line.split()[3] for line in lines}
    assert [line.split()[:3] for line in lines] == [["Created", "job", name] for name in "dbcae"]
    assert [task["jobKey"] for task in json.loads(ok(cli("job", "get", "c", "-o", "json")))["tasks"]] == [keys["d"], old]
    again = ok(cli("job", "apply", "-f", str(folder))).splitlines()
    assert [line.split()[0] for line in again] == ["Unchanged"] * 5


def test_apply_strict_misses_secrets_of_jobs_that_name_new_ones(cli, tmp_path):
    folder = tmp_path / "jobs"
    folder.mkdir()
    (folder / "train.json").write_bytes(calls("train", "features"))
    (folder / "features.json").write_bytes(calls("features"))
    train = json.loads((folder / "train.json").read_text())
    train["tasks"].append({"taskKey": "send", "type": "SHELL_TASK", "script": "true", "x-secrets": ["api-token"]})
    (folder / "train.json").write_text(json.dumps(train))
    says = f'reprise: {folder}/train.json: missing: task "send": tasks[1]: there is no secret api-token in the workspace\n'
    for words in (["--strict"], ["--dry-run", "--strict"]):
        result = cli("job", "apply", "-f", str(folder), *words)
        assert result.returncode == 3 and result.stderr.decode().startswith(says), words
        assert f"{folder}/train.json: it cannot be saved" in result.stderr.decode() and result.stdout == b""
    assert ok(cli("job", "list", "-o", "name")) == "", "all or none"
    result = cli("job", "apply", "-f", str(folder))
    assert result.returncode == 0 and result.stderr.decode() == says, "what is missing may come later"


def test_apply_refuses_jobs_that_name_each_other_in_a_circle(cli, tmp_path):
    for name, other in (("a", "b"), ("b", "c"), ("c", "b"), ("self", "self")):
        (tmp_path / f"{name}.json").write_bytes(calls(name, other))
    files = [word for name in "abc" for word in ("-f", str(tmp_path / f"{name}.json"))]
    result = cli("job", "apply", *files)
    assert result.returncode == 2
    assert f"in a circle: b ({tmp_path}/b.json) → c ({tmp_path}/c.json) → b\n" in result.stderr.decode()
    result = cli("job", "apply", "-f", str(tmp_path / "self.json"))
    assert result.returncode == 2 and b"in a circle: self" in result.stderr
    assert ok(cli("job", "list", "-o", "name")) == ""


def test_apply_takes_files_and_folders_all_or_none(cli, tmp_path):
    folder = tmp_path / "jobs"
    folder.mkdir()
    (folder / "a.yaml").write_text("name: a\ntasks: []\n")
    (folder / "b.json").write_text('{"name": "b", "tasks": []}')
    (folder / "README.md").write_text("no job")
    (tmp_path / "c.yml").write_text("name: c\ntasks: [{taskKey: t}]\n")
    result = cli("job", "apply", "-f", str(folder), "-f", str(tmp_path / "c.yml"))
    assert result.returncode == 3 and b"c.yml: it cannot be saved" in result.stderr
    assert ok(cli("job", "list", "-o", "name")) == "", "nothing was changed"
    (tmp_path / "c.yml").write_text("name: c\ntasks: []\n")
    lines = ok(cli("job", "apply", "-f", str(folder), "-f", str(tmp_path / "c.yml"))).splitlines()
    assert [line.split()[:3] for line in lines] == [["Created", "job", name] for name in "abc"]
    twin = cli("job", "apply", "-f", str(folder), "-f", str(folder / "a.yaml"))
    assert twin.returncode == 2 and b"both of a job named" in twin.stderr
    empty = cli("job", "apply", "-f", str(tmp_path / "data" / "nothing"))
    assert empty.returncode == 2
    assert cli("job", "apply").returncode == 2


def test_apply_takes_what_a_shell_makes_of_a_pattern(cli, tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.json").write_bytes(calls(name))
    files = [str(tmp_path / f"{name}.json") for name in "abc"]
    assert [line.split()[2] for line in ok(cli("job", "apply", "-f", *files)).splitlines()] == ["a", "b", "c"]
    assert ok(cli("job", "apply", *files)).count("Unchanged") == 3
    for words in (["create", files[0]], ["create", "-f", files[0], files[1]], ["update", "a", files[0]], ["validate", files[0]]):
        result = cli("job", *words)
        assert result.returncode == 2 and f'{words[-1]}" is one argument too many; a file is named with -f FILE' in result.stderr.decode()


def test_apply_refuses_a_name_that_several_jobs_have(cli):
    keys = {created(cli, job("twin", ("a", "gate.py", "/"))) for _ in range(2)}
    result = cli("job", "apply", "-f", "-", input=job("twin", ("b", "gate.py", "/")))
    assert result.returncode == 2 and all(key in result.stderr.decode() for key in keys)


def test_apply_changes_nothing_while_a_file_is_of_no_one_job(cli, tmp_path):
    for name in ("m1", "twins", "m2"):
        (tmp_path / f"{name}.yaml").write_text(f"name: {name}\ntasks: []\n")
    for _ in range(2):
        created(cli, b"name: twins\ntasks: []\n")
    result = cli("job", "apply", "-f", str(tmp_path / "m1.yaml"), "-f", str(tmp_path / "twins.yaml"), "-f", str(tmp_path / "m2.yaml"))
    assert result.returncode == 2 and b"twins.yaml: it cannot be saved" in result.stderr
    assert len(ok(cli("job", "list", "-o", "name")).split()) == 2, "only the twins are there"


def test_apply_keeps_a_pause_that_the_file_does_not_speak_of(cli, tmp_path):
    path = tmp_path / "at-three.yaml"
    text = "name: at-three\nschedule: {quartzCronExpression: 0 0 3 * * ?, timezoneId: UTC%s}\ntasks: []\n"
    path.write_text(text % "")
    ok(cli("job", "apply", "-f", str(path)))
    ok(cli("schedule", "pause", "at-three"))
    assert ok(cli("job", "apply", "-f", str(path))).startswith("Unchanged")
    path.write_text(text % "" + "description: other\n")
    assert ok(cli("job", "apply", "-f", str(path))).startswith("Updated")
    assert "(paused)" in ok(cli("job", "get", "at-three"))
    path.write_text(text % ", pauseStatus: UNPAUSED" + "description: other\n")
    assert ok(cli("job", "apply", "-f", str(path))).startswith("Updated")
    assert "(paused)" not in ok(cli("job", "get", "at-three"))
    twice = cli("job", "create", "-f", str(path), "-f", str(path))
    assert twice.returncode == 2 and b"one file is enough" in twice.stderr


def test_update_keeps_a_pause_that_the_file_does_not_speak_of(cli, server, tmp_path):
    path = tmp_path / "at-three.json"
    definition = {"name": "at-three", "schedule": {"quartzCronExpression": "0 0 3 * * ?", "timezoneId": "UTC"}, "tasks": []}
    key = created(cli, json.dumps(definition).encode())

    def update(**more):
        result = cli("job", "update", "at-three", "-f", "-", *more.pop("words", []), input=json.dumps({**definition, **more}).encode())
        return result.returncode, result.stderr.decode(), json.loads(server.get(f"/jobs/{key}"))

    code, told, job_now = update(description="1")
    assert (code, told, job_now["schedule"]["pauseStatus"]) == (0, "", "UNPAUSED")
    ok(cli("schedule", "pause", "at-three"))
    path.write_text(ok(cli("job", "export", "at-three")).replace('"1"', '"2"'))
    result = cli("job", "update", "at-three", "-f", str(path))
    assert result.returncode == 0 and result.stderr.decode() == (
        "reprise: it stays paused, since the file says nothing of that; `reprise schedule resume at-three` lets it go on\n")
    assert json.loads(server.get(f"/jobs/{key}"))["description"] == "2" and "(paused)" in ok(cli("job", "get", key))
    code, told, job_now = update(words=["--if-match", "0"])
    assert code == 3 and "NoEtagMatch" in told and job_now["description"] == "2"
    code, told, job_now = update(schedule={**definition["schedule"], "pauseStatus": "UNPAUSED"})
    assert (code, told, job_now["schedule"]["pauseStatus"]) == (0, "", "UNPAUSED"), "the file says so"


def test_schedules_rest_and_go_on(cli, server):
    definition = {"schedule": {"quartzCronExpression": "0 0 3 * * ?", "timezoneId": "UTC", "missedRunPolicy": "ALL"},
                  "x-dataarts": {"kept": True}}
    key = created(cli, job("nightly", ("a", "gate.py", "/"), **definition))
    assert "Schedule     0 0 3 * * ?, UTC\nNext         20" in ok(cli("job", "get", "nightly"))
    assert ok(cli("schedule", "pause", "nightly")) == "Paused nightly\n"
    shown = ok(cli("job", "get", "nightly"))
    assert "Schedule     0 0 3 * * ?, UTC (paused)\n" in shown and "Next " not in shown
    assert "0 0 3 * * ?, UTC (paused)" in ok(cli("job", "list"))
    assert ok(cli("schedule", "pause", "nightly")) == "Was paused already: nightly\n"
    kept = json.loads(server.get(f"/jobs/{key}/versions/2"))["definition"]
    assert kept["x-dataarts"] == {"kept": True} and kept["schedule"]["missedRunPolicy"] == "ALL"
    resumed = ok(cli("schedule", "resume", key))
    assert resumed.startswith("Resumed nightly, next due 20") and resumed.endswith(" 03:00Z\n")
    assert " 03:00Z" in ok(cli("job", "list"))
    assert json.loads(ok(cli("schedule", "resume", "nightly", "-o", "json")))["definitionVersion"] == 3
    created(cli, job("by-hand", ("a", "gate.py", "/")))
    none = cli("schedule", "pause", "by-hand")
    assert none.returncode == 2 and b"job by-hand has no schedule" in none.stderr
    created(cli, b"name: always\ncontinuous: {pauseStatus: PAUSED}\ntasks: [{taskKey: a, type: DUMMY_TASK}]\n")
    assert "continuous (paused)" in ok(cli("job", "list"))
    assert "Schedule     continuous (paused)\n" in ok(cli("job", "get", "always"))


def test_a_child_run_is_not_the_latest_and_is_where_the_logs_are(cli, server):
    (server.workspace / "say.py").write_text("print('from the child')\n")
    child = created(cli, job("child", ("a", "say.py", None)))
    created(cli, json.dumps({"name": "parent", "tasks": [{"taskKey": "nested", "type": "JOB_TASK", "jobKey": child}]}).encode())
    run = ok(cli("run", "start", "parent", "--wait", "-o", "name")).strip()
    runs = json.loads(ok(cli("run", "list", "-o", "json")))["items"]
    assert {r["key"]: r["parentJobRunKey"] for r in runs}[run] is None and len(runs) == 2
    of_child, = (r["key"] for r in runs if r["parentJobRunKey"] == run)
    assert json.loads(ok(cli("run", "get", "@latest", "-o", "json")))["key"] == run
    for words in ([], ["--task", "nested"], ["--follow"]):
        result = cli("run", "logs", "@latest", *words)
        assert (result.returncode, result.stdout.replace(b"==> nested <==\n", b"")) == (0, b"")
        assert result.stderr.decode() == f"reprise: nested runs a job and writes nothing itself: see `reprise run logs {of_child}`\n"
    assert ok(cli("run", "logs", of_child)) == "from the child\n"


def test_what_was_before_a_repair_is_shown(cli, server, tmp_path):
    """The original's output and tree are there after somebody has repaired the run."""
    gate = tmp_path / "gate"
    (server.workspace / "mind.py").write_text(
        "import os, sys\nsys.exit('no gate yet') if not os.path.exists(sys.argv[1]) else print('gate seen')\n")
    key = created(cli, job("minded", ("a", "mind.py", str(gate))))
    run = cli("run", "start", key, "--wait", "-o", "name").stdout.decode().strip()
    gate.touch()
    ok(cli("run", "repair", run, "--wait"))
    logs = lambda *words: cli("run", "logs", run, "--task", "a", *words)  # noqa: E731
    assert b"gate seen" in logs().stdout and b"no gate yet" not in logs().stderr
    assert b"no gate yet" in logs("--repair", "0").stderr and b"gate seen" in logs("--repair", "1").stdout
    then = json.loads(ok(cli("run", "get", run, "--repair", "0", "-o", "json")))["taskToTaskRunMap"]["a"]
    for words in (["run", "logs", then], ["run", "logs", then, "--follow"], ["--repair", "0", "run", "logs", run]):
        assert b"no gate yet" in cli(*words).stderr, words
    missing = cli("run", "logs", "0199f6c2-0000-7000-8000-000000000000")
    assert missing.returncode == 3 and b"neither a run nor a task run" in missing.stderr
    for words in (["--task", "a"], ["--repair", "0"]):
        assert cli("run", "logs", then, *words).returncode == 2
    assert "FAILED" in ok(cli("run", "get", run, "--repair", "0")) and "SUCCESS" in ok(cli("run", "get", run))
    as_json = json.loads(ok(cli("run", "get", run, "--repair", "0", "-o", "json")))
    assert as_json["state"]["status"] == "FAILED" and list(as_json["taskToTaskRunMap"]) == ["a"]
    assert "Exited with code 1" in ok(cli("task", "get", run, "--task", "a", "--repair", "0"))
    assert b"repairKey must be" in cli("run", "logs", run, "--repair", "7").stderr
    assert cli("task", "get", as_json["taskToTaskRunMap"]["a"], "--repair", "0").returncode == 2
