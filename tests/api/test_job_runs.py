"""Job runs: what create and get answer, and what each field of the page means (RULES §7, §12)."""

import calendar
import time

import pytest
from harness import DEADLINE_S, Client, eventually, named, node, refused, statuses, step, summary_of, task
from seeds import JOB_RUN, check, check_lifecycle

pytestmark = pytest.mark.sanitize


@pytest.fixture(scope="module")
def finished(server):
    """A run of three tasks that failed at the third: `load` after `clean` after `fetch`, and `note` whatever happens."""
    api = server.api
    job = api.job([step("fetch"), step("clean", "fetch"), step("load", "clean", exit=3, err="disk*on*fire"),
                   step("note", "load", runIf="ALL_DONE"), step("publish", "load")],
                  name="nightly", parameters=named(day="monday", size="2"), timeoutSeconds=3600, maxConcurrentRuns=3,
                  queue={"isEnabled": True})
    return api.wait_final(api.run(job, parameters=named(day="friday", extra="1")), "FAILED")


def epoch_ms(date):
    return calendar.timegm(time.strptime(date[:19], "%Y-%m-%dT%H:%M:%S")) * 1000 + int(date[20:23])


def test_a_new_run_has_every_field_of_the_page(api):
    check(api.run(api.job([step("a")])), JOB_RUN)


def test_a_finished_run_has_every_field_of_the_page(finished):
    check(finished, JOB_RUN)


def test_create_answers_201_with_the_headers_of_the_page(api):
    answer = api.post("/jobRuns", {"jobKey": api.job([step("a")])["key"]})
    assert answer.status_code == 201
    key = answer.json()["key"]
    assert answer.headers["location"] == f"{api.place}/jobRuns/{key}"
    assert answer.headers["content-location"] == answer.headers["location"]
    assert answer.headers["etag"]
    assert answer.headers["opc-request-id"]
    assert answer.headers["opc-work-request-id"]
    assert answer.headers["content-type"] == "application/json"
    assert api.get("/" + answer.headers["location"]).json()["key"] == key


def at_rest(api):
    """Bodies of runs that stay as they are made, or are over in the step that makes them."""
    queued = {"maxConcurrentRuns": 0, "queue": {"isEnabled": True}}
    chain = [step("a"), step("b", "a"), node("c", "DUMMY_TASK", "b")]
    yield api.job(chain, name="waits", parameters=named(day="monday"), **queued), {"parameters": named(day="tuesday")}
    yield api.job([step("a")], name="skipped", maxConcurrentRuns=0), {}
    yield api.job([node("a", "DUMMY_TASK"), node("b", "DUMMY_TASK", "a")], name="over"), {}
    yield api.job([step(f"s{i}") for i in range(300)], name="large", **queued), {}


def test_create_answers_what_a_get_answers(api):
    """From memory, or, for a run of many tasks, from the store: the same bytes and the same etag."""
    for job, body in at_rest(api):
        for headers in ({}, {"opc-retry-token": f"made-{job['key']}"}):
            made = api.post("/jobRuns", {"jobKey": job["key"]} | body, headers=headers)
            assert made.status_code == 201, made.text
            seen = api.get(f"/jobRuns/{made.json()['key']}")
            assert made.headers["etag"] == seen.headers["etag"]
            assert made.text == seen.text
        again = api.post("/jobRuns", {"jobKey": job["key"]} | body, headers=headers)
        assert again.text == made.text


def test_the_location_is_the_path_as_called(server, api):
    longer = Client(server.endpoint, server.token, prefix="/api/20260430")
    answer = longer.post("/jobRuns", {"jobKey": api.job([step("a")])["key"]})
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{longer.place}/jobRuns/{answer.json()['key']}"
    assert longer.get("/" + answer.headers["location"]).status_code == 200


def test_a_get_answers_with_the_etag_of_the_run(api, finished):
    answer = api.get(f"/jobRuns/{finished['key']}")
    assert answer.status_code == 200
    assert answer.headers["etag"] == api.etag(finished)


def test_the_name_is_the_jobs_at_creation(api, finished):
    assert finished["name"] == finished["jobName"] == "nightly"
    job = api.job([step("a", gate="late-name")], name="before")
    run = api.run(job)
    api.replace(job, [step("a")], name="after")
    seen = api.get_run(run)
    assert seen["name"] == seen["jobName"] == "before"
    api.cancel(run)


def test_what_comes_from_the_job_and_what_from_the_run(finished):
    assert finished["parameters"] == named(day="friday", extra="1")
    unified = {p["name"]: p["value"] for p in finished["unifiedJobAndJobRunParameters"]}
    assert unified == {"day": "friday", "size": "2", "extra": "1"}
    assert finished["maxConcurrentRuns"] == 3
    assert finished["timeoutSeconds"] == 3600
    assert finished["queue"] == {"isEnabled": True}
    assert finished["version"] == 1
    assert finished["launched"] == "MANUAL"
    assert finished["createdByName"] == "admin"
    assert finished["schedule"] is None and finished["gitConfig"] is None and finished["clusterInstance"] is None


def test_a_top_level_run_is_its_own_root_and_original(finished):
    assert finished["rootJobRunKey"] == finished["originalAttemptRunId"] == finished["key"]
    assert finished["parentJobRunKey"] is None and finished["parentTaskRunKey"] is None


def test_the_tasks_are_the_definition_with_its_defaults(finished):
    assert [t["taskKey"] for t in finished["tasks"]] == ["fetch", "clean", "load", "note", "publish"]
    load, note = finished["tasks"][2], finished["tasks"][3]
    assert [d["taskKey"] for d in load["dependsOn"]] == ["clean"]
    assert note["runIf"] == "ALL_DONE"
    assert load["maxRetries"] == 0 and load["minRetryIntervalMillis"] == 0 and load["isRetryOnTimeout"] is False


def test_the_maps_go_from_task_to_task_run_to_summary(finished):
    tasks = finished["taskToTaskRunMap"]
    assert set(tasks) == {"fetch", "clean", "load", "note", "publish"}
    assert set(finished["taskRunSummaryMap"]) == set(tasks.values())
    for task_key, key in tasks.items():
        summary = finished["taskRunSummaryMap"][key]
        assert summary["key"] == key
        assert summary["taskKey"] == summary["name"] == task_key
        assert summary["jobRunKey"] == summary["rootJobRunKey"] == finished["key"]


def test_each_task_ended_as_the_rules_say(finished):
    assert statuses(finished) == {"fetch": "SUCCESS", "clean": "SUCCESS", "load": "FAILED", "note": "SUCCESS",
                                  "publish": "UPSTREAM_FAILED"}
    assert "load" in summary_of(finished, "publish")["state"]["stateMessage"], "names the nearest failed ancestor"
    assert "load" in finished["state"]["stateMessage"]


def test_an_inner_failure_under_a_successful_run_is_told(api):
    run = api.go([step("load", exit=1), step("note", "load", runIf="ALL_DONE")], "SUCCESS")
    assert run["state"]["stateMessage"] == "Succeeded; 1 task failed: load"


def test_the_run_shows_the_trace_of_its_earliest_unsuccessful_task(api, finished):
    assert finished["state"]["errorTrace"] == "disk*on*fire\n"
    assert summary_of(finished, "load")["state"]["errorTrace"] == "disk*on*fire\n"
    assert finished["state"]["isUserCanceledOrTimedOut"] is False


def test_the_earliest_of_two_failures_is_shown(server, api):
    run = api.run(api.job([step("slow", exit=1, err="second", gate="slow-trace"), step("quick", exit=1, err="first")]))
    api.wait_task(run, "quick", "FAILED")
    server.open_gate("slow-trace")
    assert api.wait_final(run, "FAILED")["state"]["errorTrace"] == "first\n"


def test_a_long_trace_keeps_its_tail_and_is_utf8(server, api):
    server.script("long.py", "import sys\nsys.stderr.buffer.write(b'\\xe2\\x82\\xac' * 20000 + b'\\xff\\xfe the end')\n"
                             "sys.exit(1)\n")
    trace = api.go([task("a", "long.py")], "FAILED")["state"]["errorTrace"]
    assert trace.endswith("the end")
    assert 8 * 1024 < len(trace.encode()) <= 16 * 1024
    assert "\u20ac" in trace


def test_a_traceback_is_the_error_trace(server, api):
    server.script("raise.py", "def inner():\n    raise ValueError('no such colour')\ninner()\n")
    trace = api.go([task("a", "raise.py")], "FAILED")["state"]["errorTrace"]
    assert "Traceback" in trace and "ValueError: no such colour" in trace


def test_the_lifecycle_has_no_gap(finished):
    check_lifecycle(finished["lifecycleStates"], finished["state"])
    assert [s["status"] for s in finished["lifecycleStates"]] == ["PENDING", "RUNNING", "FAILED"]


def test_times_and_durations_add_up(finished):
    pending, running, failed = finished["lifecycleStates"]
    assert finished["startTime"] == running["startTime"], "startTime is the first RUNNING"
    assert finished["endTime"] == failed["startTime"]
    assert pending["startTime"] == epoch_ms(finished["timeCreated"])
    assert epoch_ms(finished["timeUpdated"]) >= finished["endTime"]
    assert finished["runDuration"] == finished["endTime"] - finished["startTime"]
    assert finished["setupDuration"] == 0
    whole = finished["setupDuration"] + finished["executionDuration"] + finished["cleanupDuration"]
    assert whole == finished["runDuration"]
    starts = [s["startTime"] for s in finished["taskRunSummaryMap"].values() if s["startTime"]]
    assert min(starts) == finished["startTime"]
    ends = [s["endTime"] for s in finished["taskRunSummaryMap"].values() if s["endTime"]]
    assert finished["endTime"] >= max(ends)


def test_while_it_runs_the_end_is_open(server, api):
    run = api.run(api.job([step("a", gate="open-end")]))
    run = api.wait_for(run, "RUNNING")
    check(run, JOB_RUN)
    check_lifecycle(run["lifecycleStates"], run["state"])
    assert run["endTime"] is None and run["runDuration"] is None and run["executionDuration"] is None
    assert run["repairHistory"][0]["endTime"] is None and run["repairHistory"][0]["state"]["status"] == "RUNNING"
    server.open_gate("open-end")
    api.wait_final(run, "SUCCESS")


def test_the_original_is_in_the_history_from_creation(api, finished):
    new = api.run(api.job([step("a")], parameters=named(x="1")), parameters=named(y="2"))
    assert len(new["repairHistory"]) == 1
    first = new["repairHistory"][0]
    assert (first["type"], first["key"], first["repairedTasks"]) == ("ORIGINAL", 0, [])
    assert first["parameters"] == named(y="2")
    assert first["taskToTaskRunMap"] == new["taskToTaskRunMap"]
    old = finished["repairHistory"][0]
    assert old["state"] == finished["state"]
    assert old["lifecycleStates"] == finished["lifecycleStates"]
    assert (old["startTime"], old["endTime"]) == (finished["startTime"], finished["endTime"])
    assert old["executionDuration"] == finished["executionDuration"]
    assert finished["repairedTasks"] == []


def test_system_parameters_are_strings_under_their_names(finished):
    system = finished["systemParameters"]
    assert system["job.id"] == finished["jobKey"]
    assert system["job.run_id"] == finished["key"]
    assert system["job.name"] == "nightly"
    assert system["job.repair_count"] == "0"
    assert system["job.trigger.type"] == "one_time"
    assert system["job.start_time.timestamp_ms"] == str(finished["startTime"])
    assert system["job.start_time.iso_date"] == finished["timeCreated"][:10]


def test_references_in_parameters_are_resolved_in_the_unified_list(api):
    job = api.job([step("a")], name="refs", parameters=named(who="{{job.name}}", run="{{job.run_id}}", left="{{nope"))
    run = api.run(job, parameters=named(again="{{job.parameters.who}}/{{job.repair_count}}"))
    unified = {p["name"]: p["value"] for p in run["unifiedJobAndJobRunParameters"]}
    assert unified == {"who": "refs", "run": run["key"], "left": "{{nope", "again": "{{job.name}}/0"}
    assert run["parameters"] == named(again="{{job.parameters.who}}/{{job.repair_count}}"), "as it was given"


def test_the_snapshot_does_not_follow_the_job(server, api):
    job = api.job([step("a", gate="snapshot")], parameters=named(p="old"))
    run = api.run(job)
    api.replace(job, [step("b")], parameters=named(p="new"), maxConcurrentRuns=7)
    seen = api.get_run(run)
    assert [t["taskKey"] for t in seen["tasks"]] == ["a"]
    assert seen["maxConcurrentRuns"] == 1
    assert seen["unifiedJobAndJobRunParameters"] == named(p="old")
    assert seen["definitionVersion"] == 1
    server.open_gate("snapshot")
    api.wait_final(run, "SUCCESS")
    assert api.run(job)["definitionVersion"] == 2


def test_schedule_and_queue_of_the_request_are_shown(api):
    job = api.job([step("a")], schedule={"quartzCronExpression": "0 0 3 * * ?", "timezoneId": "UTC"})
    given = {"quartzCronExpression": "0 15 10 ? * MON-FRI", "timezoneId": "US/Pacific", "pauseStatus": "PAUSED"}
    run = api.run(job, schedule=given, queue={"isEnabled": True})
    assert run["schedule"] == given
    assert run["queue"] == {"isEnabled": True}
    other = api.run(job, queue={"isEnabled": True})
    assert other["schedule"]["quartzCronExpression"] == "0 0 3 * * ?", "absent: the job's"
    assert other["schedule"]["pauseStatus"] == "UNPAUSED"


def test_key_and_history_of_a_request_are_ignored(api):
    job = api.job([step("a")])
    run = api.run(job, key="mine", repairHistory=[{"key": 5, "type": "REPAIR"}])
    assert run["key"] != "mine"
    assert [h["type"] for h in run["repairHistory"]] == ["ORIGINAL"]


def test_eleven_history_items_are_refused(api):
    job = api.job([step("a")])
    refused(api.post("/jobRuns", {"jobKey": job["key"], "repairHistory": [{"key": 1}] * 11}), 400, "InvalidParameter",
            "repairHistory")


def test_the_original_attempt_must_be_a_run_of_the_job(api):
    job, other = api.job([step("a")], maxConcurrentRuns=9), api.job([step("a")])
    run = api.run(job)
    again = api.run(job, originalAttemptRunId=run["key"])
    assert again["originalAttemptRunId"] == run["key"]
    foreign = api.run(other)
    for wrong in (foreign["key"], "nonsense"):
        answer = api.post("/jobRuns", {"jobKey": job["key"], "originalAttemptRunId": wrong})
        refused(answer, 400, "InvalidParameter", "originalAttemptRunId")


@pytest.mark.parametrize("key", ["nonsense", "00000000-0000-7000-8000-000000000000", "", "a/b", "\u20ac", "x" * 5000])
def test_an_unknown_job_is_404(api, key):
    refused(api.post("/jobRuns", {"jobKey": key}), 404, "NotAuthorizedOrNotFound")


def test_a_missing_job_key_names_the_field(api):
    for body in ({}, {"jobKey": None}):
        refused(api.post("/jobRuns", body), 400, "MissingParameter", "jobKey")


def test_a_job_without_tasks_cannot_run(api):
    job = api.made("/jobs", {"name": "empty", "path": "Shared"})
    refused(api.post("/jobRuns", {"jobKey": job["key"]}), 400, "InvalidParameter", "job has no tasks")


@pytest.mark.parametrize("key", ["nonsense", "00000000-0000-7000-8000-000000000000", "x" * 300])
def test_an_unknown_run_is_404(api, key):
    refused(api.get(f"/jobRuns/{key}"), 404, "NotAuthorizedOrNotFound")


def test_the_request_id_is_the_callers_or_ours(api):
    key = api.run(api.job([step("a")]))["key"]
    assert api.get(f"/jobRuns/{key}", headers={"opc-request-id": "My-own_1"}).headers["opc-request-id"] == "My-own_1"
    ours = {api.get(f"/jobRuns/{key}").headers["opc-request-id"] for _ in range(3)}
    assert len(ours) == 3


@pytest.mark.parametrize("name", ["a.b", "a b", "a/b", "\u00e9"])
def test_an_ill_formed_request_id_is_not_echoed(api, name):
    answer = api.get("/jobRuns", headers={"opc-request-id": name.encode()})
    assert answer.status_code == 200
    assert answer.headers["opc-request-id"] not in ("", name)


@pytest.mark.parametrize("value", ["yes", "1", "TRUE", ""])
def test_should_update_recent_is_true_or_false(api, value):
    job = api.job([step("a")], maxConcurrentRuns=9)
    answer = api.post("/jobRuns", {"jobKey": job["key"]}, headers={"should-update-recent": value})
    refused(answer, 400, "InvalidParameter", "should-update-recent")
    for right in ("true", "false"):
        assert api.post("/jobRuns", {"jobKey": job["key"]}, headers={"should-update-recent": right}).status_code == 201


def test_unknown_fields_are_ignored_unless_strict(api):
    job = api.job([step("a")], maxConcurrentRuns=9)
    assert api.post("/jobRuns", {"jobKey": job["key"], "colour": "red"}).status_code == 201
    refused(api.post("/jobRuns?strict=true", {"jobKey": job["key"], "colour": "red"}), 400, "InvalidParameter",
            "colour")


def test_a_run_that_nobody_waits_for_ends_by_itself(api):
    run = api.run(api.job([task(f"t{n}") for n in range(20)]))
    eventually(lambda: api.get_run(run)["endTime"], "the run ends", DEADLINE_S)
    assert set(statuses(api.get_run(run)).values()) == {"SUCCESS"}
