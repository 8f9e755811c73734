"""Slots, queue, skip, and repairs ahead of new runs (RULES §4)."""

import pytest
from harness import eventually, refused, step, task
from seeds import JOB_RUN, check

pytestmark = pytest.mark.sanitize

QUEUE = {"isEnabled": True}


def status(api, run):
    return api.get_run(run)["state"]["status"]


def test_one_at_a_time_first_in_first_out(server, api):
    job = api.job([step("a", gate="fifo")], queue=QUEUE)
    runs = [api.run(job) for _ in range(5)]
    assert [status(api, r) for r in runs] == ["RUNNING"] + ["QUEUED"] * 4
    assert len(server.witness("start", "a")) <= 1
    queued = check(api.get_run(runs[2]), JOB_RUN)
    assert queued["startTime"] is None and queued["repairHistory"][0]["startTime"] is None
    assert "2nd" in queued["state"]["stateMessage"] and runs[0]["key"] in queued["state"]["stateMessage"]
    assert set(t["state"]["status"] for t in queued["taskRunSummaryMap"].values()) == {"BLOCKED"}
    server.open_gate("fifo")
    done = [api.wait_final(r, "SUCCESS") for r in runs]
    for before, after in zip(done, done[1:]):
        assert after["startTime"] >= before["endTime"], "never two at once"
    assert [w.token.split(".")[0] for w in server.witness("start", "a")] == [r["key"] for r in runs]
    assert [s["status"] for s in done[1]["lifecycleStates"]] == ["QUEUED", "PENDING", "RUNNING", "SUCCESS"]


def test_without_a_queue_a_run_over_the_cap_is_skipped(server, api):
    job = api.job([step("b", gate="skip")], maxConcurrentRuns=2)
    one, two, three = api.run(job), api.run(job), api.run(job)
    assert [status(api, r) for r in (one, two, three)] == ["RUNNING", "RUNNING", "SKIPPED"]
    assert three["taskToTaskRunMap"] == {} and three["endTime"]
    assert [s["status"] for s in three["lifecycleStates"]] == ["SKIPPED"]
    server.open_gate("skip")
    for run in (one, two):
        api.wait_final(run, "SUCCESS")
    assert len(server.witness("start", "b")) == 2


def test_the_runs_own_queue_comes_before_the_jobs(server, api):
    with_queue, without = api.job([step("c", gate="own")], queue=QUEUE), api.job([step("c", gate="own")])
    held = [api.run(with_queue), api.run(without)]
    assert api.run(with_queue, queue={"isEnabled": False})["state"]["status"] == "SKIPPED"
    queued = api.run(without, queue=QUEUE)
    assert queued["state"]["status"] == "QUEUED"
    server.open_gate("own")
    for run in (*held, queued):
        api.wait_final(run, "SUCCESS")


def test_zero_slots(api):
    assert api.run(api.job([task("a")], maxConcurrentRuns=0))["state"]["status"] == "SKIPPED"
    job = api.job([task("a")], maxConcurrentRuns=0, queue=QUEUE)
    runs = [api.run(job) for _ in range(3)]
    assert [r["state"]["status"] for r in runs] == ["QUEUED"] * 3, "held until raised"
    api.replace(job, [task("a")], maxConcurrentRuns=1, queue=QUEUE)
    for run in runs:
        assert api.wait_final(run, "SUCCESS")["maxConcurrentRuns"] == 0, "the value at creation"


def test_a_raised_cap_starts_what_waits_and_a_lowered_one_stops_nothing(server, api):
    tasks = [step("d", gate="raise")]
    job = api.job(tasks, queue=QUEUE)
    runs = [api.run(job) for _ in range(6)]
    api.replace(job, tasks, maxConcurrentRuns=4, queue=QUEUE)
    for run in runs[:4]:
        api.wait_for(run, "RUNNING")
    assert [status(api, r) for r in runs[4:]] == ["QUEUED"] * 2
    api.replace(job, tasks, maxConcurrentRuns=1, queue=QUEUE)
    assert [status(api, r) for r in runs] == ["RUNNING"] * 4 + ["QUEUED"] * 2
    server.open_gate("raise")
    done = [api.wait_final(r, "SUCCESS") for r in runs]
    assert done[5]["startTime"] >= done[4]["endTime"], "under the lowered cap one at a time again"


def test_a_cancelled_run_leaves_the_queue(server, api):
    job = api.job([step("e", gate="leave")], queue=QUEUE)
    first, second, third = (api.run(job) for _ in range(3))
    assert api.cancel(second)["state"]["status"] == "CANCELED"
    assert "1st" in eventually(lambda: api.get_run(third), "")["state"]["stateMessage"]
    server.open_gate("leave")
    api.wait_final(third, "SUCCESS")
    assert second["key"] not in {w.token.split(".")[0] for w in server.witness("start", "e")}


def test_a_repair_goes_ahead_of_new_runs(server, api):
    job = api.job([step("f", gate="ahead", until="ahead2", exit=1)], queue=QUEUE)
    server.open_gate("ahead")
    old = [api.wait_final(api.run(job), "FAILED") for _ in range(2)]
    server.shut_gate("ahead")
    begun = len(server.witness("start", "f"))
    holder = api.run(job)
    new = [api.run(job) for _ in range(2)]
    repairs = [api.repair(old[1]), api.repair(old[0])]
    assert [r["state"]["status"] for r in repairs] == ["QUEUED"] * 2
    assert repairs[0]["repairHistory"][1]["startTime"] is None, "null while queued"
    assert repairs[0]["startTime"] == old[1]["startTime"]
    server.open_gate("ahead2")
    server.open_gate("ahead")
    for run in (holder, *new, *old):
        api.wait_final(run, "SUCCESS")
    order = [w.token.split(".")[0] for w in server.witness("start", "f")[begun:]]
    assert order == [holder["key"], old[1]["key"], old[0]["key"], new[0]["key"], new[1]["key"]]


def test_a_repair_without_slot_or_queue_is_refused(server, api):
    job = api.job([step("g", gate="refuse", exit=1)])
    server.open_gate("refuse")
    failed = api.wait_final(api.run(job), "FAILED")
    server.shut_gate("refuse")
    holder = api.run(job)
    before = api.get_run(failed)
    refused(api.post(f"/jobRuns/{failed['key']}/actions/repair", {}), 409, "IncorrectState", holder["key"])
    assert api.get_run(failed) == before, "nothing changes"
    server.open_gate("refuse")
    api.wait_final(holder)
    api.wait_final(api.repair(failed))


def test_a_repair_holds_a_slot_like_a_run(server, api):
    job = api.job([step("h", gate="slot", exit=1)])
    server.open_gate("slot")
    failed = api.wait_final(api.run(job), "FAILED")
    server.shut_gate("slot")
    api.repair(failed)
    assert api.run(job)["state"]["status"] == "SKIPPED"
    server.open_gate("slot")
    api.wait_final(failed, "FAILED")


def test_a_cancelled_queued_repair(server, api):
    job = api.job([step("i", gate="qrepair", exit=1)], queue=QUEUE)
    server.open_gate("qrepair")
    failed = api.wait_final(api.run(job), "FAILED")
    server.shut_gate("qrepair")
    holder = api.run(job)
    api.repair(failed)
    done = api.cancel(failed)
    assert done["state"]["status"] == "CANCELED"
    assert done["version"] == 2 and done["repairHistory"][0] == failed["repairHistory"][0]
    server.open_gate("qrepair")
    api.wait_final(holder, "FAILED")


def test_waiting_retries_hold_the_slot(api):
    job = api.job([step("j", exit=1, maxRetries=1, minRetryIntervalMillis=600000)])
    run = api.run(job)
    eventually(lambda: api.task_run(run, "j")["retries"][-1:] and api.task_run(run, "j")["state"]["status"] == "PENDING",
               "it waits out the interval")
    assert api.run(job)["state"]["status"] == "SKIPPED"
    api.cancel(run)
    assert api.wait_final(run, "CANCELED")


def test_execution_slots_are_shared_between_runs(servers):
    server = servers(env={"REPRISE_EXEC_MAX_RUNNING": "2"}).start()
    api = server.api
    wide = api.run(api.job([step(f"w{n}", gate=f"w{n}") for n in range(6)]))
    eventually(lambda: len(server.witness("start")) == 2, "two at work")
    other = api.run(api.job([step("x")]))
    seen = api.get_run(wide)
    waiting = [t for t in seen["taskRunSummaryMap"].values() if t["state"]["status"] == "QUEUED"]
    assert len(waiting) == 4 and len(server.witness("start")) == 2
    for running in server.witness("start"):
        server.open_gate(running.name)
    api.wait_final(other, "SUCCESS")  # by turns: of two slots that come free the wide run does not take both
    begun = [w.name for w in server.witness("start")]
    assert "x" in begun[:4]
    for n in range(6):
        server.open_gate(f"w{n}")
    api.wait_final(wide, "SUCCESS")
