"""Retention: old final runs go, whole, oldest first, in small batches; what is not final or not old stays (DURABILITY §4)."""

import os
import subprocess
import time
import uuid

import pytest
from harness import SANITIZED, Client, Server, eventually, node, refused, step, task

KEEP_S = 2


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Keeps runs for two seconds after their end."""
    server = Server(tmp_path_factory.mktemp("server"), "--retention.max-age", str(KEEP_S), "--retention.every", "1")
    server.start()
    yield server
    server.close()


def exists(api, run):
    status = api.get(f"/jobRuns/{run['key']}").status_code
    assert status in (200, 404)
    return status == 200


def folder(server, run):
    return server.data / "runs" / run["key"]


def test_old_runs_go_and_live_ones_stay(server):
    api = server.api
    live_job = api.job([step("a", gate="go"), step("b", "a")], queue={"isEnabled": True})
    live, queued = api.run(live_job), api.run(live_job)
    job = api.job([step("a"), step("b", "a")], maxConcurrentRuns=100)
    runs = [api.wait_final(api.run(job), "SUCCESS") for _ in range(3)]
    ended = time.monotonic()
    assert all(exists(api, r) and folder(server, r).is_dir() for r in runs)
    eventually(lambda: not any(exists(api, r) or folder(server, r).exists() for r in runs), "they are gone with their folders")
    assert time.monotonic() - ended >= KEEP_S - 0.5, "not before their time"
    for run in runs:
        refused(api.get(f"/taskRuns/{run['taskToTaskRunMap']['a']}"), 404, "NotAuthorizedOrNotFound")
    assert api.read(f"/jobs/{job['key']}")["key"] == job["key"], "the job stays"
    assert exists(api, live) and exists(api, queued), "a run that is not final never goes, however old"
    server.open_gate("go")
    api.wait_final(live, "SUCCESS")
    api.wait_final(queued, "SUCCESS")
    eventually(lambda: not exists(api, live) and not exists(api, queued), "they go too when they have ended")


def test_a_repaired_run_counts_from_its_new_end(server):
    api = server.api
    run = api.go([step("a", exit=1)], "FAILED")
    again = api.repair(run)
    done = api.wait_final(again, "FAILED")
    for _ in range(10):  # it goes when its newest attempt is old, not when its first is
        seen = api.get(f"/jobRuns/{run['key']}")
        if seen.status_code == 404:
            assert time.time() * 1000 - done["endTime"] >= KEEP_S * 1000
            break
        time.sleep(0.1)
    eventually(lambda: not exists(api, run), "gone")


def test_a_child_goes_after_its_parent(server):
    api = server.api
    inner = api.job([task("x")], name="inner")
    outer = api.job([{"taskKey": "call", "type": "JOB_TASK", "runIf": "ALL_SUCCESS", "jobKey": inner["key"], "dependsOn": []},
                     step("last", "call", gate="outer")], name="outer")
    parent = api.run(outer)
    server.wait_witness("start", "last")
    child = api.task_run(parent, "call")["externalId"]
    ended = api.wait_final(child, "SUCCESS")["endTime"]
    eventually(lambda: time.time() * 1000 - ended > (KEEP_S + 2) * 1000, "the child is old")
    assert exists(api, {"key": child}), "its parent leads to it"
    server.open_gate("outer")
    api.wait_final(parent, "SUCCESS")
    eventually(lambda: not exists(api, parent) and not exists(api, {"key": child}), "both are gone")


def test_old_campaigns_go_and_live_ones_stay(server):
    api = server.api
    resting = {"quartzCronExpression": "0 * * * * ?", "timezoneId": "UTC", "pauseStatus": "PAUSED"}
    minutes = {"kind": "SUPPLEMENT", "beginTime": "2026-01-05T10:01:00Z", "endTime": "2026-01-05T10:03:00Z", "concurrent": 9}

    def campaign(name, **gate):
        job = api.job([step("c", **gate)], name=name, schedule=resting, maxConcurrentRuns=9)
        return api.made("/rerunCampaigns", {"jobKey": job["key"], **minutes})["key"]

    def status(key):
        answer = api.get(f"/rerunCampaigns/{key}")
        return answer.json()["status"] if answer.status_code == 200 else answer.status_code

    live = campaign("held", gate="campaign")
    over = campaign("short")
    ended = eventually(lambda: status(over) == "SUCCESS" and time.monotonic(), "it ends")
    eventually(lambda: status(over) == 404, "it is gone with its cells")
    assert time.monotonic() - ended >= KEEP_S - 0.5, "not before its time"
    assert status(live) == "RUNNING"
    assert over not in [c["key"] for c in api.read("/rerunCampaigns")["items"]]
    server.open_gate("campaign")
    eventually(lambda: status(live) == 404, "the other one goes when it is over")


def test_many_go_beside_the_work(server):
    api = server.api
    full = api.job([task("x")], name="full", maxConcurrentRuns=0)
    runs = [api.run(full) for _ in range(200)]
    assert {r["state"]["status"] for r in runs[:3]} == {"SKIPPED"}
    done = api.go([step("a"), step("b", "a"), step("c", "b")], "SUCCESS")
    assert done["state"]["status"] == "SUCCESS"
    eventually(lambda: api.read("/jobRuns", jobKey=full["key"])["items"] == [], "200 skipped runs are gone")


def test_a_retry_token_of_a_run_that_went(server):
    api = server.api
    job = api.job([task("x")], name="token")
    token = {"opc-retry-token": "went"}
    run = api.made("/jobRuns", {"jobKey": job["key"]}, headers=token)
    eventually(lambda: not exists(api, run), "gone")
    refused(api.post("/jobRuns", {"jobKey": job["key"]}, headers=token), 409, "InvalidatedRetryToken")


def test_size_takes_the_oldest(servers):
    server = servers("--retention.max-bytes", str(3 << 20), "--retention.every", "1").start()
    api = server.api
    server.script("big.py", "open('big', 'wb').write(b'x' * (1 << 20))\n")
    job = api.job([task("a", "big.py")], maxConcurrentRuns=100)
    live = api.run(api.job([step("a", gate="go")], name="live"))
    server.wait_witness("start", "a")
    runs = [api.wait_final(api.run(job), "SUCCESS") for _ in range(6)]
    eventually(lambda: not any(exists(api, r) for r in runs[:3]), "the oldest go")
    assert all(exists(api, r) for r in runs[-2:]), "the newest stay"
    assert exists(api, live), "the oldest of all is not final"
    more = api.wait_final(api.run(job), "SUCCESS")
    eventually(lambda: not exists(api, runs[4]), "another look takes the next oldest")
    assert all(exists(api, r) and (folder(server, r) / "work/big").exists() for r in (runs[5], more)), "and none besides"
    server.open_gate("go")


def test_what_live_runs_hold_is_made_up_for_by_others(servers):
    server = servers("--retention.max-bytes", str(4 << 20), "--retention.every", "1").start()
    api = server.api
    server.script("big.py", "import sys; open('big', 'wb').write(b'x' * (int(sys.argv[1]) << 20))\n")
    live = api.run(api.job([task("a", "big.py", commandLineArguments="3"), step("b", "a", gate="live")], name="live"))
    server.wait_witness("start", "b")
    job = api.job([task("a", "big.py", commandLineArguments="1")], maxConcurrentRuns=100)
    runs = [api.wait_final(api.run(job), "SUCCESS") for _ in range(3)]
    eventually(lambda: not any(exists(api, r) for r in runs), "there is no room for any beside it")
    assert exists(api, live)
    server.open_gate("live")


def test_folders_without_a_run_are_swept_at_start(own):
    run = own.api.go([step("a")], "SUCCESS")
    own.kill9()
    nobodys = [own.data / "runs" / str(uuid.UUID(int=(time.time_ns() // 1000000 << 80) + 7 * 2**76 + 2**63 + n)) for n in range(3)]
    for path in nobodys:
        (path / "work/deep").mkdir(parents=True)
        (path / "work/deep/file").write_text("left over")
    other = own.data / "runs" / "not-a-run"
    other.mkdir()
    own.start()
    eventually(lambda: not any(p.exists() for p in nobodys), "they are gone")
    assert other.exists() and folder(own, run).is_dir() and exists(own.api, run)
    eventually(lambda: not list((own.data / "trash").iterdir()), "and their contents too")


SLOW_FOLDER = r"""
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folder of all runs is not opened while the file $SLOW_FOLDER is there. */
DIR *fdopendir(int fd)
{
    DIR *(*next)(int) = (DIR *(*)(int))dlsym(RTLD_NEXT, "fdopendir");
    char link[64], path[4096] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    readlink(link, path, sizeof path - 1);
    size_t len = strlen(path);
    while (len > 5 && strcmp(path + len - 5, "/runs") == 0 && access(getenv("SLOW_FOLDER"), F_OK) == 0)
        usleep(5000);
    return next(fd);
}
"""


@pytest.mark.skipif(SANITIZED, reason="a library that is loaded first; its runtime wants to be that")
def test_a_workspace_that_is_made_while_folders_are_looked_at(servers, tmp_path):
    hold, library = tmp_path / "hold", tmp_path / "slow.so"
    hold.touch()
    (tmp_path / "slow.c").write_text(SLOW_FOLDER)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "slow.c", "-ldl"], check=True)
    server = servers(env={"LD_PRELOAD": str(library), "SLOW_FOLDER": str(hold)}).start()
    key = server.api.made("~/workspaces", {"displayName": "late"})["key"]
    api = Client({**server.endpoint, "workspaceKey": key}, server.token)
    run = api.run(api.job([node("a", "SHELL_TASK", script="sleep 1000")]))
    work = folder(server, run) / "work"
    eventually(lambda: api.task_run(run, "a")["state"]["status"] == "RUNNING" and work.is_dir(), "its task runs")
    nobodys = server.data / "runs" / str(uuid.UUID(int=(time.time_ns() // 1000000 << 80) + 7 * 2**76 + 2**63))
    nobodys.mkdir()
    hold.unlink()
    eventually(lambda: not nobodys.exists(), "the folder without a run goes")
    assert work.is_dir(), "that of a run stays, however new its workspace is"
    api.cancel(run)
    api.wait_final(run, "CANCELED")


def test_killed_in_the_middle(servers):
    server = servers("--retention.max-age", "1", "--retention.every", "1").start()
    full = server.api.job([task("x")], name="full", maxConcurrentRuns=0)
    done = [server.api.go([step("a")], "SUCCESS") for _ in range(2)]
    for _ in range(100):
        server.api.run(full)
    for pause in (0.3, 0.5, 0.2):
        time.sleep(pause)
        server.restart()
    eventually(lambda: server.api.read("/jobRuns")["items"] == [], "all are gone")
    eventually(lambda: os.listdir(server.data / "runs") == [], "nothing of them is left")
    assert len({r["key"] for r in done}) == 2
