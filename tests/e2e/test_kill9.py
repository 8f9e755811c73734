"""kill -9 of the server at every moment: what was accepted is there, nothing starts twice, nothing is lost (DURABILITY §3).

The proof is the witness file, which only the tasks write: one line as an attempt starts, one as it ends.
"""

import os
import random
import signal
import threading
import time

import pytest
import requests
from harness import SANITIZED, Client, eventually, named, node, statuses, step, task
from seeds import JOB_RUN, TASK_RUN, check, check_lifecycle

LONG = bool(os.environ.get("REPRISE_TEST_LONG"))
sanitize = pytest.mark.sanitize


def alive(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def parent(pid):
    return int(open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[1])


def started_once(server, run=None):
    """Asserts that no attempt has started twice; the names of what has started."""
    begun = [w for w in server.witness("start") if run is None or w.token.startswith(run["key"])]
    assert len({w.attempt for w in begun}) == len(begun), sorted(begun, key=lambda w: w.attempt)
    return [w.name for w in begun]


@sanitize
def test_a_running_task_is_adopted(own):
    run = own.api.run(own.api.job([step("a", gate="go"), step("b", "a")]))
    pid = int(own.wait_witness("start", "a")[0].pid)
    before = own.api.get_run(run)
    for _ in range(3):
        own.kill9()
        assert alive(pid), "tasks survive the server"
        own.restart()
        seen = own.api.get_run(run)
        assert seen["state"]["status"] == "RUNNING" and alive(pid)
        assert seen["startTime"] == before["startTime"] and seen["taskToTaskRunMap"] == before["taskToTaskRunMap"]
    own.open_gate("go")
    done = check(own.api.wait_final(run, "SUCCESS"), JOB_RUN)
    assert started_once(own) == ["a", "b"]
    assert [len(own.api.task_run(done, k)["retries"]) for k in "ab"] == [1, 1]
    check_lifecycle(done["lifecycleStates"], done["state"])


@sanitize
def test_an_outcome_while_the_server_is_down_has_its_real_time(own):
    run = own.api.run(own.api.job([step("good", gate="go"), step("bad", gate="go", exit=9, err="why"), step("c", "good")]))
    own.wait_witness("start", "good"), own.wait_witness("start", "bad")
    own.kill9()
    own.open_gate("go")
    pids = [int(w.pid) for w in own.witness("start")]
    own.wait_witness("end", "good"), own.wait_witness("end", "bad")
    eventually(lambda: not any(map(alive, pids)), "they have ended")
    ended_by = time.time() * 1000
    time.sleep(0.7)  # so that the real end and the restart cannot be taken for each other
    restarted = time.time() * 1000
    own.restart()
    done = own.api.wait_final(run, "FAILED")
    assert statuses(done) == {"good": "SUCCESS", "bad": "FAILED", "c": "SUCCESS"}
    for task_key in ("good", "bad"):
        seen = check(own.api.task_run(done, task_key), TASK_RUN)
        assert seen["endTime"] <= ended_by + 100 < restarted, "not the time of the recovery"
        assert seen["retries"][0]["endTime"] == seen["endTime"]
    assert "why" in own.api.task_run(done, "bad")["state"]["errorTrace"]
    assert sorted(started_once(own)) == ["bad", "c", "good"]


@sanitize
def test_output_before_and_after_the_crash_is_readable(own):
    own.script("talk.py", "import os, time\nprint('before', flush=True)\n"
                          "while not os.path.exists(os.environ['REPRISE_WORKSPACE'] + '/gates/talk'): time.sleep(.01)\n"
                          "print('after', flush=True)\n")
    run = own.api.run(own.api.job([task("a", "talk.py")]))
    path = f"/taskRuns/{run['taskToTaskRunMap']['a']}/logs"
    eventually(lambda: own.api.get(path).content == b"before\n", "the first line")
    own.restart()
    assert own.api.get(path).content == b"before\n"
    own.open_gate("talk")
    own.api.wait_final(run, "SUCCESS")
    assert own.api.get(path).content == b"before\nafter\n"


@sanitize
def test_after_201_the_run_is_there(own):
    """Kills the server the moment that the answer is read, again and again."""
    job = own.api.job([step("a"), step("b", "a")], maxConcurrentRuns=1000)
    runs = []
    for _ in range(100 if LONG else 8):
        runs.append(own.api.run(job))
        own.kill9()
        own.start()
    for run in runs:
        assert own.api.wait_final(run, "SUCCESS")["repairHistory"][0]["type"] == "ORIGINAL"
    assert sorted(started_once(own)) == ["a"] * len(runs) + ["b"] * len(runs)
    assert len(own.api.page_through("/jobRuns", jobKey=job["key"])) == len(runs)


def test_many_clients_and_a_kill(own):
    """Eight clients make runs; whatever had its 201 is there afterwards, whatever had none is there once or not at all."""
    job = own.api.job([step("a")], maxConcurrentRuns=0, queue={"isEnabled": True})
    accepted, unsure, over = [], [], threading.Event()

    def make(number):
        client, n = Client(own.endpoint, own.token), 0
        while not over.is_set():
            n += 1
            token = f"client{number}-{n}"
            try:
                answer = client.post("/jobRuns", {"jobKey": job["key"]}, headers={"opc-retry-token": token})
            except requests.RequestException:
                unsure.append(token)
                return
            if answer.status_code == 201:
                accepted.append((token, answer.content))

    threads = [threading.Thread(target=make, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(accepted) >= 60, "60 runs")
    own.kill9()
    over.set()
    for thread in threads:
        thread.join()
    own.start()
    for token, body in accepted:
        answer = own.api.post("/jobRuns", {"jobKey": job["key"]}, headers={"opc-retry-token": token})
        assert answer.status_code == 201 and answer.content == body, "the same answer on replay"
    for token in unsure:
        assert own.api.post("/jobRuns", {"jobKey": job["key"]}, headers={"opc-retry-token": token}).status_code == 201
    assert len(own.api.page_through("/jobRuns", jobKey=job["key"], limit=1000)) == len(accepted) + len(unsure)


@pytest.mark.parametrize("seed", range(20) if LONG else [1])
def test_kills_at_random_moments(own, seed):
    """Three chains of eight tasks and a join; the server dies a dozen times at moments drawn from `seed`."""
    dice = random.Random(seed)
    tasks = [step(f"c{c}n{n}", f"c{c}n{n - 1}" if n else ()) for c in range(3) for n in range(8)]
    tasks.append(step("join", [f"c{c}n7" for c in range(3)]))
    job = own.api.job(tasks, maxConcurrentRuns=9)
    runs, busy = [own.api.run(job), own.api.run(job)], 0
    for _ in range(12):
        time.sleep(dice.uniform(0, 0.08))
        own.kill9()
        busy += bool(own.processes())
        time.sleep(dice.choice([0, 0, 0.02, 0.1]))
        own.start()
    assert busy, "no kill met a running task: this proved nothing"
    for run in runs:
        done = own.api.wait_final(run, "SUCCESS")
        check(done, JOB_RUN)
        check_lifecycle(done["lifecycleStates"], done["state"])
        assert sorted(started_once(own, run)) == sorted(t["taskKey"] for t in tasks), f"seed {seed}"
        for summary in done["taskRunSummaryMap"].values():
            assert summary["retryAttempt"] == 0, "nothing was lost, nothing was retried"


def test_what_had_ended_is_swept(own):
    """Remains of attempts go a moment after their end, many together; a kill in that moment leaves them to the next start."""
    script = 'echo a=1 > "$REPRISE_OUTPUT"\nsleep 600 &\n'  # its supervisor takes no other task
    tasks = [node(f"t{i}", "SHELL_TASK", script=script) for i in range(4)]
    runs, left = [], 0

    def remains():
        return [p for run in runs for p in (own.data / "runs" / run["key"]).iterdir() if p.suffix in (".rec", ".val")]

    while not left:  # slow as the host may be, one kill comes in time
        runs.append(own.api.go(tasks, "SUCCESS"))
        own.kill9()
        left = len(remains())
        own.start()
    eventually(lambda: not remains(), "what the kill has left is gone")
    for run in runs:
        assert {p.suffix for p in (own.data / "runs" / run["key"]).iterdir()} >= {".out", ".err"}


def test_kills_among_failures_retries_and_repairs(own):
    dice = random.Random(7)
    own.script("flaky.py", "import os, sys\nsys.exit(os.environ['REPRISE_ATTEMPT_TOKEN'].split('.')[3] != '2')\n")
    job = own.api.job([step("a"), task("flaky", "flaky.py", "a", maxRetries=3), step("bad", "flaky", exit=1),
                       step("never", "bad"), step("last", "bad", runIf="ALL_DONE")])
    run = own.api.run(job)
    for number in range(1, 4):
        for _ in range(3):
            time.sleep(dice.uniform(0, 0.06))
            own.restart()
        done = own.api.wait_final(run, "FAILED")
        assert statuses(done) == {"a": "SUCCESS", "flaky": "SUCCESS", "bad": "FAILED", "never": "UPSTREAM_FAILED",
                                  "last": "SUCCESS"}
        assert [r["state"]["status"] for r in own.api.task_run(done, "flaky")["retries"]] == ["FAILED", "FAILED", "SUCCESS"]
        run = own.api.repair(done, repairMode="RERUN", parameters=named(n=str(number)))
        assert run["version"] == number + 1
    own.restart()
    done = own.api.wait_final(run, "FAILED")
    assert [h["key"] for h in done["repairHistory"]] == [0, 1, 2, 3]
    assert sorted(started_once(own)) == sorted(["a", "bad", "last"] * 4)


@sanitize
def test_a_cancel_outlives_the_server(own):
    run = own.api.run(own.api.job([step("a", gate="never"), step("b", "a", runIf="ALL_DONE")]))
    own.wait_witness("start", "a")
    assert own.api.cancel(run)["state"]["status"] in ("CANCELING", "CANCELED")
    own.kill9()
    own.start()
    done = own.api.wait_final(run, "CANCELED")
    assert statuses(done) == {"a": "CANCELED", "b": "CANCELED"}
    eventually(lambda: not own.processes(), "the task is gone")


def test_a_timeout_passes_while_the_server_is_down(own):
    run = own.api.run(own.api.job([step("a", gate="never", timeoutSeconds=1)]))
    pid = int(own.wait_witness("start", "a")[0].pid)
    own.kill9()
    eventually(lambda: not alive(pid), "the supervisor holds the deadline")
    own.start()
    done = own.api.wait_final(run, "FAILED")
    assert statuses(done) == {"a": "TIMED_OUT"}
    assert 1000 <= own.api.task_run(done, "a")["executionDuration"] < 6000


@sanitize
def test_a_waiting_retry_keeps_its_time(own):
    run = own.api.run(own.api.job([step("a", exit=1, maxRetries=1, minRetryIntervalMillis=1500)]))
    own.wait_witness("end", "a")
    own.api.wait_task(run, "a", "PENDING")
    own.restart()
    assert own.api.task_run(run, "a")["state"]["status"] == "PENDING"
    done = own.api.wait_final(run, "FAILED")
    first, second = own.api.task_run(done, "a")["retries"]
    gap = second["startTime"] - first["startTime"]
    assert gap >= 1500 and (SANITIZED or gap < 6000)


@sanitize
def test_queue_and_repairs_keep_their_order(own):
    job = own.api.job([step("a", gate="go", until="better", exit=1)], queue={"isEnabled": True})
    own.open_gate("go")
    failed = own.api.wait_final(own.api.run(job), "FAILED")
    own.shut_gate("go")
    begun = len(own.witness("start"))
    runs = [own.api.run(job) for _ in range(3)]
    own.api.repair(failed)
    own.wait_witness("start", "a", begun + 1)
    own.restart()
    assert [own.api.get_run(r)["state"]["status"] for r in runs] == ["RUNNING", "QUEUED", "QUEUED"]
    assert own.api.get_run(failed)["state"]["status"] == "QUEUED"
    own.open_gate("better"), own.open_gate("go")
    for run in (*runs, failed):
        own.api.wait_final(run, "SUCCESS")
    order = [w.token.split(".")[0] for w in own.witness("start")[begun:]]
    assert order == [runs[0]["key"], failed["key"], runs[1]["key"], runs[2]["key"]]


@sanitize
@pytest.mark.parametrize("server_down", [False, True])
def test_a_lost_attempt_costs_the_user_nothing(own, server_down):
    """Kills the supervisor: its task dies with it, and the next attempt starts though maxRetries is 0."""
    run = own.api.run(own.api.job([step("a", gate="go"), step("b", "a")]))
    pid = int(own.wait_witness("start", "a")[0].pid)
    if server_down:
        own.kill9()
    os.kill(parent(pid), signal.SIGKILL)
    eventually(lambda: not alive(pid), "the task dies with its supervisor")
    if server_down:
        own.start()
    again = own.wait_witness("start", "a", 2)[1]
    assert again.attempt[3] == "1"
    own.open_gate("go")
    done = own.api.wait_final(run, "SUCCESS")
    seen = check(own.api.task_run(done, "a"), TASK_RUN)
    assert [r["state"]["status"] for r in seen["retries"]] == ["INTERNAL_ERROR", "SUCCESS"]
    assert "lost" in seen["retries"][0]["state"]["stateMessage"].lower()
    assert started_once(own) == ["a", "a", "b"]


def test_the_fourth_loss_ends_the_task(own):
    run = own.api.run(own.api.job([step("a", gate="never", maxRetries=5)]))
    for number in range(4):
        pid = int(own.wait_witness("start", "a", number + 1)[number].pid)
        os.kill(parent(pid), signal.SIGKILL)
    done = own.api.wait_final(run, "INTERNAL_ERROR")
    assert statuses(done) == {"a": "INTERNAL_ERROR"}
    assert started_once(own) == ["a"] * 4, "not retried"


@sanitize
def test_what_is_final_stays_as_it_is(own):
    good, bad = own.api.go([step("a", out="x")], "SUCCESS"), own.api.go([step("a", exit=1, err="y")], "FAILED")
    own.api.wait_final(own.api.repair(bad), "FAILED")

    def everything():
        found = {}
        for run in (good, bad):
            for path in (f"/jobRuns/{run['key']}", f"/jobRuns/{run['key']}/events", f"/jobRuns/{run['key']}/repairHistory",
                         f"/jobs/{run['jobKey']}", f"/jobRuns/{run['key']}/explanation",
                         *(f"/taskRuns/{k}{p}" for k in run["taskToTaskRunMap"].values() for p in ("", "/logs", "/retries"))):
                answer = own.api.get(path)
                found[path] = (answer.status_code, answer.content, answer.headers.get("etag"))
        return found

    before = everything()
    assert {status for status, *_ in before.values()} == {200}
    own.restart()
    assert everything() == before
