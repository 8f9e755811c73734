"""Schedules fire (RULES §11): planned times, pause and resume, missed times, restarts; continuous jobs.

A server that was down for long is made by moving a schedule's cursor back in the database of a stopped one.
"""

import sqlite3
import time
from datetime import datetime, timezone

import pytest
from harness import Server, eventually, refused, step, task

SECONDLY = {"quartzCronExpression": "* * * * * ?", "timezoneId": "UTC"}
MINUTELY = {"quartzCronExpression": "0 * * * * ?", "timezoneId": "Europe/Berlin"}
YEARLY = {"quartzCronExpression": "0 0 0 1 1 ?", "timezoneId": "UTC"}
MINUTE_MS = 60_000


@pytest.fixture
def own(tmp_path):
    server = Server(tmp_path / "server")
    server.start()
    yield server
    server.close()


def runs_of(api, job):
    return [api.get_run(r) for r in api.page_through("/jobRuns", jobKey=job["key"])]



def events(api, run):
    return api.read(f"/jobRuns/{run['key']}/events")["items"]


def schedule_event(api, run):
    found = [e for e in events(api, run) if e["type"] == "SCHEDULE"]
    assert len(found) == 1, found
    return found[0]


def planned_times(api, job):
    return sorted(schedule_event(api, r)["decision"]["plannedTime"] for r in runs_of(api, job))


def wait_runs(api, job, count):
    return eventually(lambda: len(runs := runs_of(api, job)) >= count and runs, f"{count} runs")


def skipped(api, job):
    return api.read(f"/jobs/{job['key']}/skippedTimes")["items"]


def move_cursor(server, job, ms):
    """As if the server had been down for so long. It is stopped."""
    with sqlite3.connect(server.data / "reprise.db") as db:
        changed = db.execute("UPDATE schedule SET cursor_ms = cursor_ms - ? WHERE job = ?",
                             (ms, bytes.fromhex(job["key"].replace("-", "")))).rowcount
    db.close()
    assert changed == 1


def ms_of(text):
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def test_a_schedule_fires_at_its_times(own):
    job = own.api.job([task("a")], schedule=SECONDLY, maxConcurrentRuns=10)
    assert len(job["nextRunTimes"]) == 5
    runs = wait_runs(own.api, job, 3)
    for run in runs:
        assert run["launched"] == "SCHEDULED"
        assert run["createdBy"] == job["createdBy"]
        event = schedule_event(own.api, run)
        assert event["decision"]["plannedTime"] % 1000 == 0
        assert event["decision"]["missed"] is False
        assert event["decision"]["lateMillis"] == ms_of(run["timeCreated"]) - event["decision"]["plannedTime"]
        assert run["systemParameters"]["job.trigger.type"] == "periodic"
    times = planned_times(own.api, job)
    assert len(set(times)) == len(times)
    assert [b - a for a, b in zip(times, times[1:])] == [1000] * (len(times) - 1)


def test_a_clock_that_was_ahead_is_told_of(own):
    """What was decided then does not fire again; when it goes on is what the job shows, and the log says so."""
    hourly = {"quartzCronExpression": "0 0 * * * ?", "timezoneId": "UTC"}
    job = own.api.job([task("a")], schedule=hourly)
    before = own.api.read(f"/jobs/{job['key']}")["nextRunTimes"]
    assert own.stop() == 0
    move_cursor(own, job, -48 * 3600 * 1000)
    api = own.start().api
    shown = api.read(f"/jobs/{job['key']}")["nextRunTimes"]
    assert ms_of(shown[0]) - ms_of(before[0]) >= 47 * 3600 * 1000
    listed = next(j for j in api.page_through("/jobs") if j["key"] == job["key"])
    assert listed["nextRunTime"] == shown[0]
    assert "a schedule fires again only when the clock has come" in own.tail(20000)


def test_run_as_makes_the_runs(own):
    job = own.api.job([task("a")], schedule=SECONDLY, runAs="nightly", maxConcurrentRuns=10)
    assert {r["createdBy"] for r in wait_runs(own.api, job, 1)} == {"nightly"}


def test_caps_hold_for_scheduled_runs(own):
    job = own.api.job([step("a", gate="cap")], schedule=SECONDLY)
    runs = wait_runs(own.api, job, 3)
    assert sorted(r["state"]["status"] for r in runs) in (
        [state] + ["SKIPPED"] * (len(runs) - 1) for state in ("PENDING", "RUNNING"))
    own.open_gate("cap")


def test_paused_resumed_and_changed_never_fire_the_past(own):
    tasks = [task("a")]
    job = own.api.job(tasks, schedule={**SECONDLY, "pauseStatus": "PAUSED"}, maxConcurrentRuns=10)
    assert job["nextRunTimes"] == []
    other = own.api.job(tasks, name="other", schedule=SECONDLY, maxConcurrentRuns=10)
    wait_runs(own.api, other, 2)
    assert runs_of(own.api, job) == [], "a schedule that rests fires nothing"
    resumed_ms = time.time_ns() // 1_000_000
    own.api.replace(job, tasks, schedule=SECONDLY, maxConcurrentRuns=10)
    wait_runs(own.api, job, 2)
    assert planned_times(own.api, job)[0] >= resumed_ms - 1000
    own.api.replace(job, tasks, schedule=YEARLY, maxConcurrentRuns=10)
    count = len(runs_of(own.api, job))
    wait_runs(own.api, other, len(runs_of(own.api, other)) + 2)
    assert len(runs_of(own.api, job)) == count
    own.api.replace(job, tasks, maxConcurrentRuns=10)
    assert own.api.read(f"/jobs/{job['key']}")["schedule"] is None
    assert skipped(own.api, job) == []


def test_a_change_of_something_else_keeps_the_schedule_going(own):
    tasks = [task("a")]
    job = own.api.job(tasks, schedule=SECONDLY, maxConcurrentRuns=10)
    for i in range(4):
        own.api.replace(job, tasks, schedule=SECONDLY, maxConcurrentRuns=10, description=f"text {i}")
        wait_runs(own.api, job, i + 1)
    times = planned_times(own.api, job)
    assert [b - a for a, b in zip(times, times[1:])] == [1000] * (len(times) - 1), "no time was left out"


def test_a_deleted_job_fires_no_more(own):
    job = own.api.job([task("a")], schedule=SECONDLY, maxConcurrentRuns=10)
    for run in wait_runs(own.api, job, 1):
        own.api.wait_final(run)

    def deleted():
        answer = own.api.delete(f"/jobs/{job['key']}")
        assert answer.status_code in (204, 409), answer.text
        return answer.status_code == 204

    eventually(deleted, "a moment without an active run")
    other = own.api.job([task("a")], name="other", schedule=SECONDLY, maxConcurrentRuns=10)
    count = len(runs_of(own.api, job))
    wait_runs(own.api, other, 2)
    assert len(runs_of(own.api, job)) == count
    own.restart()
    wait_runs(own.api, other, 4)
    assert len(runs_of(own.api, job)) == count


@pytest.mark.parametrize("policy", [None, "LATEST", "NONE", "ALL"])
def test_missed_while_down(own, policy):
    schedule = {**MINUTELY, **({"missedRunPolicy": policy} if policy else {})}
    job = own.api.job([task("a")], schedule=schedule, maxConcurrentRuns=100)
    assert job["schedule"] == {"pauseStatus": "UNPAUSED", **schedule}, "what is ours is shown only where it is set"
    own.stop()
    move_cursor(own, job, 10 * MINUTE_MS)
    before_ms = time.time_ns() // 1_000_000
    own.start()
    canary = own.api.job([task("a")], name="canary", schedule=SECONDLY, maxConcurrentRuns=10)
    wait_runs(own.api, canary, 1)
    runs = runs_of(own.api, job)
    late = [t for t in planned_times(own.api, job) if before_ms - t > MINUTE_MS]
    assert len(set(planned_times(own.api, job))) == len(runs), "no time twice"
    gone = skipped(own.api, job)
    if policy == "ALL":
        assert len(late) in (9, 10) and gone == []
        assert late == list(range(late[0], late[-1] + 1, MINUTE_MS))
        assert [ms_of(r["timeCreated"]) for r in runs][::-1] == sorted(ms_of(r["timeCreated"]) for r in runs)
    elif policy == "NONE":
        assert late == [] and len(gone) == 1 and gone[0]["count"] in (9, 10)
    else:
        assert len(late) == 1 and len(gone) == 1 and gone[0]["count"] in (8, 9)
        assert ms_of(gone[0]["lastPlannedTime"]) == late[0] - MINUTE_MS
        missed = next(r for r in runs if schedule_event(own.api, r)["decision"]["plannedTime"] == late[0])
        assert schedule_event(own.api, missed)["decision"]["missed"] is True


def test_all_goes_back_seven_days(own):
    hourly = {"quartzCronExpression": "0 0 * * * ?", "timezoneId": "UTC", "missedRunPolicy": "ALL"}
    job = own.api.job([task("a")], schedule=hourly, maxConcurrentRuns=0)
    own.stop()
    move_cursor(own, job, 20 * 24 * 60 * MINUTE_MS)
    now_ms = time.time_ns() // 1_000_000
    own.start()
    times = eventually(lambda: len(t := planned_times(own.api, job)) >= 167 and t, "a week of runs")
    assert len(times) in (167, 168, 169) and times[0] >= now_ms - 7 * 24 * 60 * MINUTE_MS - 1000
    assert [s["count"] for s in skipped(own.api, job)] in ([311], [312], [313])
    assert all(r["state"]["status"] == "SKIPPED" for r in runs_of(own.api, job)), "maxConcurrentRuns is 0"


def test_all_needs_room_and_what_was_skipped_for_want_of_it_is_supplemented(own):
    hourly = {"quartzCronExpression": "0 0 * * * ?", "timezoneId": "UTC", "missedRunPolicy": "ALL"}
    job = own.api.job([step("a", gate="room")], schedule=hourly)  # one run at a time, and no queue
    own.stop()
    move_cursor(own, job, 6 * 60 * MINUTE_MS)
    own.start()
    wait_runs(own.api, job, 6)
    first, *others = sorted(runs_of(own.api, job), key=lambda run: schedule_event(own.api, run)["decision"]["plannedTime"])
    assert first["state"]["status"] != "SKIPPED" and {r["state"]["status"] for r in others} == {"SKIPPED"}
    times = [schedule_event(own.api, run)["decision"]["plannedTime"] for run in others]
    begin, end = (datetime.fromtimestamp(ms / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") for ms in (times[0], times[-1]))

    def plan(**more):
        return own.api.post("/rerunCampaigns/actions/plan", {"jobKey": job["key"], "beginTime": begin, "endTime": end, **more})

    refused(plan(), 409, "IncorrectState", "no instances to rerun")
    refused(plan(instances="MISSING"), 409, "IncorrectState", "no instances to rerun")
    assert plan(kind="SUPPLEMENT").json()["cellCount"] == len(times)
    own.open_gate("room")


def test_no_time_twice_however_often_the_server_is_killed(own):
    job = own.api.job([task("a")], schedule=SECONDLY, maxConcurrentRuns=50)
    for count in range(1, 6):
        wait_runs(own.api, job, count)
        own.restart()
    times = planned_times(own.api, job)
    assert [b - a for a, b in zip(times, times[1:])] == [1000] * (len(times) - 1), "none twice, none missing"
    assert skipped(own.api, job) == []


def test_window(own):
    now = datetime.now(timezone.utc).timestamp()
    text = lambda s: datetime.fromtimestamp(s, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: E731
    schedule = {**SECONDLY, "startTime": text(now - 10), "endTime": text(now + 4)}
    job = own.api.job([task("a")], schedule=schedule, maxConcurrentRuns=20)
    canary = own.api.job([task("a")], name="canary", schedule=SECONDLY, maxConcurrentRuns=20)
    wait_runs(own.api, canary, 6)
    assert all(t <= int(now + 4) * 1000 for t in planned_times(own.api, job))
    assert own.api.read(f"/jobs/{job['key']}")["nextRunTimes"] == []
    refused(own.api.post("/jobs", {"name": "j", "path": "Shared", "tasks": [task("a")], "schedule": {
        **SECONDLY, "startTime": text(now), "endTime": text(now - 1)}}), 400, "InvalidParameter", "schedule.endTime")


def test_continuous_keeps_one_run_going(own):
    job = own.api.job([step("a")], continuous={})
    runs = wait_runs(own.api, job, 3)
    assert {r["launched"] for r in runs} == {"SCHEDULED"}
    assert sum(r["state"]["status"] in ("PENDING", "RUNNING") for r in runs) <= 1
    assert {r["systemParameters"]["job.trigger.type"] for r in runs} == {"continuous"}
    assert all(r["state"]["status"] != "SKIPPED" for r in runs)
    own.restart()
    wait_runs(own.api, job, len(runs) + 2)
    own.api.replace(job, [step("a")], continuous={"pauseStatus": "PAUSED"})
    own.api.wait_final(runs_of(own.api, job)[0])
    count = len(runs_of(own.api, job))
    canary = own.api.job([task("a")], name="canary", continuous={})
    wait_runs(own.api, canary, 3)
    assert len(runs_of(own.api, job)) == count


def test_continuous_backs_off_after_failures(own):
    job = own.api.job([task("a", "fail.py")], continuous={})
    canary = own.api.job([task("a")], name="canary", continuous={})
    wait_runs(own.api, job, 1)
    wait_runs(own.api, canary, 4)
    assert len(runs_of(own.api, job)) == 1, "ten seconds at least after the first failure"


def test_schedule_and_continuous_exclude_each_other(own):
    refused(own.api.post("/jobs", {"name": "j", "path": "Shared", "tasks": [task("a")], "schedule": SECONDLY,
                                   "continuous": {}}), 400, "InvalidParameter", "continuous")


def test_a_schedule_of_a_run_fires_nothing(own):
    job = own.api.job([task("a")], maxConcurrentRuns=10)
    run = own.api.run(job, schedule=SECONDLY)
    assert run["schedule"]["quartzCronExpression"] == SECONDLY["quartzCronExpression"]
    canary = own.api.job([task("a")], name="canary", schedule=SECONDLY, maxConcurrentRuns=10)
    wait_runs(own.api, canary, 2)
    assert [r["key"] for r in runs_of(own.api, job)] == [run["key"]]
