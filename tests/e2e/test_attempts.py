"""Attempts of real processes: retries, intervals, timeouts, cancel in every phase (RULES §3)."""

import os
import signal

import pytest
from harness import SANITIZED, eventually, statuses, step, summary_of, task
from seeds import JOB_RUN, TASK_RUN, check, check_lifecycle

pytestmark = pytest.mark.sanitize


def test_retries_until_it_works(server, api):
    server.script("third.py", "import os, sys\nn = int(os.environ['REPRISE_ATTEMPT_TOKEN'].split('.')[3])\n"
                              "sys.exit(0 if n == 2 else 'attempt %d' % n)\n")
    run = api.go([task("a", "third.py", maxRetries=5)], "SUCCESS")
    seen = check(api.task_run(run, "a"), TASK_RUN)
    assert [r["state"]["status"] for r in seen["retries"]] == ["FAILED", "FAILED", "SUCCESS"]
    assert [r["state"]["errorTrace"] for r in seen["retries"]] == ["attempt 0\n", "attempt 1\n", None]
    check_lifecycle(seen["lifecycleStates"], seen["state"])
    assert [s["status"] for s in seen["lifecycleStates"]] == [
        "BLOCKED", "QUEUED", "PENDING", "RUNNING", "PENDING", "RUNNING", "PENDING", "RUNNING", "SUCCESS"] or \
        "FAILED" not in [s["status"] for s in seen["lifecycleStates"]], "an attempt's own end is in retries[].state"


def test_max_retries_is_the_number_of_second_tries(server, api):
    run = api.go([step("tries", exit=7, maxRetries=3)], "FAILED")
    assert [w.attempt[3] for w in server.witness("start", "tries")] == ["0", "1", "2", "3"]
    assert api.task_run(run, "tries")["retryAttempt"] == 3


def test_the_interval_goes_from_start_to_start(server, api):
    server.script("slow.py", "import time\ntime.sleep(0.15)\nraise SystemExit(1)\n")
    run = api.go([task("a", "slow.py", maxRetries=2, minRetryIntervalMillis=400)], "FAILED")
    starts = [r["startTime"] for r in api.task_run(run, "a")["retries"]]
    gaps = [after - before for before, after in zip(starts, starts[1:])]
    assert all(gap >= 400 for gap in gaps), gaps
    assert SANITIZED or min(gaps) < 550, f"{gaps}: the interval is not added to the time that the attempt took"


def test_no_interval_no_wait(server, api):
    server.script("slower.py", "import time\ntime.sleep(0.2)\nraise SystemExit(1)\n")
    run = api.go([task("a", "slower.py", maxRetries=1, minRetryIntervalMillis=100)], "FAILED")
    first, second = api.task_run(run, "a")["retries"]
    assert second["startTime"] >= first["endTime"], "the interval had passed already"


def test_while_a_retry_waits(api):
    run = api.run(api.job([step("a", exit=5, err="why", maxRetries=1, minRetryIntervalMillis=600000)]))
    seen = eventually(lambda: (t := api.task_run(run, "a"))["retries"] and t["state"]["status"] == "PENDING" and t, "wait")
    check(seen, TASK_RUN)
    assert [r["state"]["status"] for r in seen["retries"]] == ["FAILED"]
    assert seen["retries"][0]["endTime"] and seen["retries"][0]["state"]["errorTrace"] == "why\n"
    assert "FAILED" not in [s["status"] for s in seen["lifecycleStates"]]
    assert seen["state"]["stateMessage"]
    assert api.get_run(run)["state"]["status"] == "RUNNING"
    api.cancel(run)
    assert statuses(api.wait_final(run, "CANCELED")) == {"a": "CANCELED"}


def test_a_signal_is_a_failure_and_says_so(server, api):
    server.script("segv.py", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    state = api.task_run(api.go([task("a", "segv.py")], "FAILED"), "a")["state"]
    assert "SIGSEGV" in state["stateMessage"] or "signal 11" in state["stateMessage"]


def test_a_timeout_stops_the_task(server, api):
    run = api.run(api.job([step("obeys", gate="never", timeoutSeconds=1)]))
    done = api.wait_final(run, "FAILED")  # a leaf that timed out fails the run
    assert statuses(done) == {"obeys": "TIMED_OUT"}
    seen = api.task_run(done, "obeys")
    assert 1000 <= seen["executionDuration"] < 1000 + 10_000
    assert seen["state"]["isUserCanceledOrTimedOut"] is True
    check_lifecycle(seen["lifecycleStates"], seen["state"])
    assert len(server.witness("start", "obeys")) == 1 and not server.witness("end", "obeys")


def test_a_timeout_reaches_the_whole_group_and_the_stubborn(servers):
    server = servers(env={"REPRISE_EXEC_GRACE": "1"}).start()
    api = server.api
    server.script("family.py", "import subprocess, sys\n"
                               "subprocess.Popen([sys.executable, sys.argv[1], 'name=child', 'gate=never', 'stubborn=1'])\n"
                               "import os; os.execv(sys.executable, [sys.executable, *sys.argv[1:]])\n")
    line = f"{server.workspace}/step.py name=stubborn gate=never stubborn=1"
    run = api.run(api.job([task("a", "family.py", timeoutSeconds=1, commandLineArguments=line)]))
    server.wait_witness("start", "stubborn")
    server.wait_witness("start", "child")
    done = api.wait_final(run, "FAILED")
    assert statuses(done) == {"a": "TIMED_OUT"}
    assert server.witness("term", "stubborn") and server.witness("term", "child"), "asked first, all of the group"
    eventually(lambda: not server.processes(), "nobody is left")


def test_a_timeout_is_retried_only_when_asked(server, api):
    tasks = [step("never-again", gate="never", timeoutSeconds=1, maxRetries=2),
             step("again", gate="never", timeoutSeconds=1, maxRetries=1, isRetryOnTimeout=True)]
    done = api.wait_final(api.run(api.job(tasks)), "FAILED")
    assert statuses(done) == {"never-again": "TIMED_OUT", "again": "TIMED_OUT"}
    assert len(server.witness("start", "never-again")) == 1
    assert len(server.witness("start", "again")) == 2
    seen = api.task_run(done, "again")
    assert [r["state"]["status"] for r in seen["retries"]] == ["TIMED_OUT", "TIMED_OUT"]


@pytest.mark.skip(reason="the shortest timeout of a job is 60 s: the engine's own tests hold it, with a clock of theirs")
def test_a_jobs_timeout():
    pass


def test_cancel_while_it_runs(server, api):
    run = api.run(api.job([step("victim", gate="never"), step("after", "victim", runIf="ALL_DONE")]))
    pid = int(server.wait_witness("start", "victim")[0].pid)
    api.cancel(run)
    done = check(api.wait_final(run, "CANCELED"), JOB_RUN)
    assert statuses(done) == {"victim": "CANCELED", "after": "CANCELED"}
    assert not os.path.exists(f"/proc/{pid}") or pid not in server.processes()
    assert not server.witness("end", "victim") and not server.witness("start", "after")
    assert summary_of(done, "after")["startTime"] is None


def test_cancel_kills_the_stubborn_after_the_grace(servers):
    server = servers(env={"REPRISE_EXEC_GRACE": "1"}).start()
    api = server.api
    run = api.run(api.job([step("a", gate="never", stubborn=1)]))
    server.wait_witness("start", "a")
    assert api.cancel(run)["state"]["status"] == "CANCELING"
    server.wait_witness("term", "a")
    assert api.get_run(run)["state"]["status"] == "CANCELING"
    api.wait_final(run, "CANCELED")
    eventually(lambda: not server.processes(), "nobody is left")


def test_an_outcome_after_the_cancel_is_canceled(server, api):
    server.script("late.py", "import os, signal, sys, time\n"
                             "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
                             "open(os.environ['REPRISE_WORKSPACE'] + '/late-is-up', 'w')\ntime.sleep(600)\n")
    run = api.run(api.job([task("a", "late.py")]))
    eventually((server.workspace / "late-is-up").exists, "it is up")
    api.cancel(run)
    assert statuses(api.wait_final(run, "CANCELED")) == {"a": "CANCELED"}


def test_an_outcome_before_the_cancel_stands(server, api):
    run = api.run(api.job([step("first"), step("second", "first", gate="never")]))
    api.wait_task(run, "second", "RUNNING")
    api.cancel(run)
    assert statuses(api.wait_final(run, "CANCELED")) == {"first": "SUCCESS", "second": "CANCELED"}


def test_cancel_at_any_moment(server, api):
    """Cancels straight after the create, at moments that differ by what the create's answer took."""
    job = api.job([step("x0"), step("x1", "x0"), step("x2", "x1")], maxConcurrentRuns=100)
    runs = []
    for n in range(12):
        run = api.run(job)
        for _ in range(n % 4):
            api.get_run(run)
        api.cancel(run)
        runs.append(run)
    for run in runs:
        done = api.wait_final(run)
        assert done["state"]["status"] in ("CANCELED", "SUCCESS")
        states = statuses(done)
        assert set(states.values()) <= {"CANCELED", "SUCCESS"}
        check_lifecycle(done["lifecycleStates"], done["state"])
        ended = {w.name for w in server.witness("end") if w.token.startswith(run["key"])}
        assert {k for k, s in states.items() if s == "SUCCESS"} <= ended
    eventually(lambda: not server.processes(), "nobody is left")
    begun = [w.attempt for w in server.witness("start")]
    assert len(begun) == len(set(begun))


def test_what_a_task_leaves_behind_is_ended_with_it(server, api):
    server.script("leave.py", "import os, subprocess, sys\n"
                              "subprocess.Popen([sys.executable, os.environ['REPRISE_WORKSPACE'] + '/step.py', 'name=stray',"
                              " 'gate=never'], start_new_session=True)\n")
    api.go([task("a", "leave.py")], "SUCCESS")
    eventually(lambda: not server.processes(), "the stray is gone")


def test_a_stop_from_outside_is_a_failure(server, api):
    run = api.run(api.job([step("outside", gate="never")]))
    os.kill(int(server.wait_witness("start", "outside")[0].pid), signal.SIGTERM)
    assert statuses(api.wait_final(run, "FAILED")) == {"outside": "FAILED"}
