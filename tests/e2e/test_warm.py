"""Warm Python through the server: who asks for it, what the explanation says of it, and what survives a crash."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from harness import BINARY, eventually, refused, step, task

WARM = "Forked by an interpreter that was running already"


def explained(api, run, task_key="a"):
    said = api.read(f"/jobRuns/{run['key']}/explanation", taskKey=task_key)
    return next(t for t in said["tasks"] if t["taskKey"] == task_key)["attempts"]


def launch_of(api, run, task_key="a"):
    attempt = explained(api, run, task_key)[-1]
    return attempt["launch"], attempt["launchReason"]


def warm(key="a", file="ok.py", after=(), **fields):
    return task(key, file, after, **{"x-warmPython": True, **fields})


def go_warm(api, *tasks, **fields):
    """A run whose first task is warm: until the fork server is up, tasks are cold."""
    def probe():
        run = api.go(list(tasks) or [warm()], "SUCCESS", **fields)
        return run if launch_of(api, run, (list(tasks) or [warm()])[0]["taskKey"])[0] == "WARM" else None
    return eventually(probe, "a warm start", pause_s=0.05)


def test_a_task_asks_and_the_explanation_says(server, api):
    server.script("say.py", "import sys, os; print('said', sys.argv[1:], __name__); sys.exit(int(os.environ.get('REPRISE_PARAM_CODE', 0)))")
    first = api.go([warm(file="say.py")], "SUCCESS")
    assert launch_of(api, first)[0] in ("COLD", "WARM") and launch_of(api, first)[1]
    run = go_warm(api, warm(file="say.py", commandLineArguments="x 'y z'"))
    assert launch_of(api, run) == ("WARM", WARM)
    (attempt,) = explained(api, run)
    assert attempt["status"] == "SUCCESS" and attempt["retryNumber"] == 0 and attempt["executionDuration"] is not None
    assert attempt["usage"]["peakMemoryBytes"] > 1 << 20
    assert attempt["usage"] == api.task_run(run, "a")["retries"][0]["usage"]
    assert api.get_run(run)["tasks"][0]["x-warmPython"] is True
    failed = api.run(api.job([warm(file="say.py", maxRetries=1)], parameters=[{"name": "CODE", "value": "3"}]))
    api.wait_final(failed, "FAILED")
    assert [(a["retryNumber"], a["status"], a["launch"]) for a in explained(api, failed)] == [(0, "FAILED", "WARM"), (1, "FAILED", "WARM")]
    plain = api.go([task("a", "say.py")], "SUCCESS")
    assert launch_of(api, plain) == ("COLD", None)
    refused(api.post("/jobs", {"name": "bad", "path": "Shared", "tasks": [warm(**{"x-warmPython": "yes"})]}), 400,
            "InvalidParameter", "x-warmPython", "true or false")


def test_a_cluster_asks_and_a_task_is_stronger(server, api):
    made = api.made("/clusters", {"displayName": "quick", "type": "USER", "driverConfig": {}, "x-warmPython": True})
    assert api.read(f"/clusters/{made['key']}")["x-warmPython"] is True
    go_warm(api)
    on = {"cluster": {"clusterName": "quick"}}
    run = api.go([task("a", **on), task("b", "ok.py", "a", **on, **{"x-warmPython": False})], "SUCCESS")
    assert launch_of(api, run, "a") == ("WARM", WARM)
    assert launch_of(api, run, "b") == ("COLD", None)


def test_a_chain_is_warm_and_the_command_line_says_so(server, api):
    go_warm(api)
    run = api.go([warm("t0")] + [warm(f"t{i}", after=f"t{i - 1}") for i in range(1, 8)], "SUCCESS")
    assert [launch_of(api, run, f"t{i}")[0] for i in range(8)] == 8 * ["WARM"]
    done = subprocess.run([BINARY, "--data", server.data, "run", "why", run["key"], "--task", "t3"],
                          capture_output=True, text=True, check=True)
    assert f"attempt 0: SUCCESS, warm start: {WARM}; used 0." in done.stdout and "MiB of memory" in done.stdout


FALLBACKS = {
    "environment": (["--exec.pass-env=PYTHONWARNINGS"], {"PYTHONWARNINGS": "error"}, "PYTHON…"),
    "venv": (["--exec.python=VENV/bin/python"], {}, "virtual environment"),
    "user": (["--exec.user=nobody"], {}, "another user"),
}


@pytest.mark.parametrize("name", FALLBACKS)
def test_it_is_cold_where_warm_would_differ(servers, tmp_path, name):
    options, env, word = FALLBACKS[name]
    if name == "user" and os.geteuid() != 0:
        pytest.skip("only root may choose another user")
    if name == "venv":
        (tmp_path / "venv/bin").mkdir(parents=True)
        (tmp_path / "venv/bin/python").symlink_to("/usr/bin/python3")
        (tmp_path / "venv/pyvenv.cfg").write_text("home = /usr/bin\n")
        options = [option.replace("VENV", str(tmp_path / "venv")) for option in options]
    if name == "user":
        for folder in [tmp_path, *list(tmp_path.parents)[:-2]]:
            folder.chmod(0o755)
    server = servers(*options, env=env).start()
    run = server.api.run(server.api.job([warm()]))
    run = server.api.wait_for(run, {"SUCCESS", "INTERNAL_ERROR", "FAILED"})
    assert run["state"]["status"] == "SUCCESS", run["state"]
    launch, reason = launch_of(server.api, run)
    assert launch == "COLD" and word in reason


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def supervisors(server):
    """Of the server: (supervisor, its children)."""
    return [(pid, children(pid)) for pid in children(server.process.pid)]


def test_kill_9_of_each_in_the_middle(own):
    api = own.api
    go_warm(api)

    # The server: the task goes on under its supervisor, and the next server takes its outcome.
    run = api.run(api.job([warm(file=step("a")["filePath"], commandLineArguments=step("a", gate="one")["commandLineArguments"])]))
    own.wait_witness("start", "a")
    own.kill9()
    api = own.start().api
    own.open_gate("one")
    run = api.wait_final(run, "SUCCESS")
    assert launch_of(api, run)[0] == "WARM", "what the record says"

    # The supervisor: task and fork server die with it; the attempt is lost, and started again.
    go_warm(api)
    run = api.run(api.job([warm("b", step("b")["filePath"], commandLineArguments=step("b", gate="two")["commandLineArguments"])]))
    own.wait_witness("start", "b")
    (pid, below), = [(pid, below) for pid, below in supervisors(own) if len(below) == 2]
    os.kill(pid, signal.SIGKILL)
    own.wait_witness("start", "b", count=2)
    assert not any(Path(f"/proc/{child}/environ").exists() and Path(f"/proc/{child}/stat").read_text().split(")")[1].split()[0] != "Z"
                   for child in below)
    own.open_gate("two")
    api.wait_final(run, "SUCCESS")

    # The fork server: its tasks go on, and the next starts are cold until there is another.
    go_warm(api)
    run = api.run(api.job([warm("c", step("c")["filePath"], commandLineArguments=step("c", gate="three")["commandLineArguments"])]))
    own.wait_witness("start", "c")
    (pid, below), = [(pid, below) for pid, below in supervisors(own) if len(below) == 2]
    started = sorted(below, key=lambda child: Path(f"/proc/{child}/stat").read_text().split(")")[1].split()[19])
    os.kill(started[0], signal.SIGKILL)
    own.open_gate("three")
    api.wait_final(run, "SUCCESS")
    go_warm(api)
