"""Runs that a schedule fires wait for the jobs that theirs depends on (RULES §10): through kill -9, in both dialects.

A planned time is made to come by moving the cursors of a stopped server's schedules back: the newest missed one is fired.
"""

import re
import sqlite3
import subprocess
import time

import pytest
from dataarts import DataArts, job as dataarts_job, shell
from harness import BINARY, Server, eventually, step

WEEKLY = {"quartzCronExpression": "0 0 0 ? * 1", "timezoneId": "UTC"}
DAY_MS = 24 * 3600 * 1000


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("holds"))
    server.start()
    yield server
    server.close()


def let_fire(server, *names):
    """As if the server had been down while the newest planned time of these jobs passed."""
    server.stop()
    with sqlite3.connect(server.data / "reprise.db") as db:
        moved = db.execute("UPDATE schedule SET cursor_ms = cursor_ms - ?, decided_ms = NULL WHERE active = 1 AND job IN"
                           f" (SELECT key FROM job WHERE name IN ({', '.join('?' * len(names))}))", (8 * DAY_MS, *names)).rowcount
    db.close()
    assert moved == len(names)
    server.restart()


def cli(server, *words):
    return subprocess.run([BINARY, "--data", server.data, *words],
                          check=True, capture_output=True, text=True).stdout


def only_run(server, job):
    found = eventually(lambda: server.api.page_through("/jobRuns", jobKey=job["key"]), "a run")
    assert len(found) == 1
    return found[0]


def state_of(server, run):
    return server.api.get_run(run)["state"]


def scheduled(server, name, tasks, **fields):
    return server.api.job(tasks, name=name, schedule=WEEKLY, **fields)


def test_a_held_run_outlives_the_server_and_starts_once(server):
    load = scheduled(server, "load", [step("l", gate="loaded")])
    waits = [{"jobKey": load["key"]}]
    report = scheduled(server, "report", [step("r")], dependencies=waits)
    strict = scheduled(server, "strict", [step("s")], dependencies=[{**waits[0], "failPolicy": "FAIL"}])
    given_up = scheduled(server, "given_up", [step("g")], dependencies=waits)
    let_fire(server, "load", "report", "strict", "given_up")
    held = only_run(server, report)
    server.wait_witness("start", "l")
    eventually(lambda: "Waiting for job load of " in state_of(server, held)["stateMessage"], "the reason")
    assert state_of(server, held)["status"] == "QUEUED"
    for _ in range(2):
        server.kill9()
        server.restart()
        assert state_of(server, held)["status"] == "QUEUED"
        assert "Waiting for job load of " in state_of(server, held)["stateMessage"]
    why = server.api.read(f"/jobRuns/{held['key']}/explanation")["run"]
    assert "Waiting for job load of " in why["reason"]
    waiting = [d for d in why["decisions"] if d["kind"] == "JOB_DEPENDENCY" and d["result"] == "WAIT"]
    assert len(waiting) == 1 and waiting[0]["jobName"] == "load" and waiting[0]["jobKey"] == load["key"]
    assert waiting[0]["jobRunKey"] == only_run(server, load)["key"]
    told = cli(server, "run", "why", held["key"])
    assert "Waiting for job load of " in told and "held\n" in told
    assert re.search(r"is (PENDING|RUNNING) \(failPolicy ", told), "as it was when that was decided"
    abandoned = only_run(server, given_up)
    server.api.cancel(abandoned)
    server.api.wait_final(abandoned, "CANCELED")
    server.open_gate("loaded")
    server.api.wait_final(held, "SUCCESS")
    server.api.wait_final(only_run(server, strict), "SUCCESS")
    server.kill9()
    server.restart()
    assert [w.name for w in server.witness("start")].count("r") == 1
    assert [w.name for w in server.witness("start")].count("g") == 0
    states = [e["to"] for e in server.api.read(f"/jobRuns/{held['key']}/events")["items"] if e["type"] == "RUN_STATE"]
    assert states == ["QUEUED", "PENDING", "RUNNING", "SUCCESS"]


def test_dataarts_instances_wait_and_are_canceled(server):
    huawei = DataArts(server)
    cron = WEEKLY["quartzCronExpression"]
    up = dataarts_job("up", [shell("u", statement=f"until [ -e {server.workspace}/fail ]; do sleep 0.05; done; exit 1")], cron)
    huawei.made(up)
    for name, policy in (("canceled", "FAIL"), ("pending", "SUSPEND"), ("continued", "IGNORE")):
        below = dataarts_job(name, [shell("b")], cron)
        below["schedule"]["cron"]["dependJobs"] = {"jobs": ["up"], "dependPeriod": "SAME_PERIOD",
                                                   "dependFailPolicy": policy}
        huawei.made(below)
    names = ("up", "canceled", "pending", "continued")
    for name in names:
        huawei.start(name)
    let_fire(server, *names)
    ago = int(time.time() * 1000) - 9 * DAY_MS
    first = {name: eventually(lambda: huawei.instances(name, min_plan_time=ago), "an instance")[0] for name in names}
    assert [first[name]["status"] for name in names[1:]] == ["waiting"] * 3
    (server.workspace / "fail").touch()
    ids = {name: first[name]["instance_id"] for name in names}
    huawei.wait("up", ids["up"], "fail")
    huawei.wait("canceled", ids["canceled"], "manual-stop")
    huawei.wait("continued", ids["continued"], "success")
    assert huawei.instance("pending", ids["pending"])["status"] == "waiting"
    assert huawei.v1("POST", f"jobs/pending/instances/{ids['pending']}/stop").status_code == 204
    huawei.wait("pending", ids["pending"], "manual-stop")


def test_a_replay_comes_to_the_same(server):
    server.stop()
    done = subprocess.run([BINARY, "selftest", "--replay", server.data / "reprise.db"], capture_output=True, text=True)
    assert done.returncode == 0 and " 0 differences" in done.stdout, done.stdout + done.stderr
    server.restart()
