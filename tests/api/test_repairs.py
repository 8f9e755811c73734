"""Repairs as the API shows them: selection, plan, history, what is kept (RULES §8, §12)."""

import pytest
from harness import if_else, named, refused, statuses, step, task
from seeds import JOB_RUN, REPAIR_HISTORY, check, check_lifecycle

pytestmark = pytest.mark.sanitize

ZERO = "00000000-0000-7000-8000-000000000000"


def chain(server, gate, **fields):
    """fetch, clean (fails until the gate is open), load after clean; side stands alone. Final and FAILED."""
    api = server.api
    job = api.job([step("fetch"), step("clean", "fetch", exit=4, until=gate), step("load", "clean"), step("side")],
                  **fields)
    return api.wait_final(api.run(job), "FAILED")


@pytest.fixture
def failed(server, request):
    gate = f"fixed-{request.node.name}"
    run = chain(server, gate)
    server.open_gate(gate)
    return run


def bodies(api, run):
    """taskKey -> the raw text of its newest task run."""
    return {task_key: api.get(f"/taskRuns/{key}").content for task_key, key in run["taskToTaskRunMap"].items()}


def test_a_repair_answers_201_with_the_headers_of_the_page(api, failed):
    answer = api.post(f"/jobRuns/{failed['key']}/actions/repair", {})
    assert answer.status_code == 201
    assert answer.headers["location"] == answer.headers["content-location"] == f"{api.place}/jobRuns/{failed['key']}"
    for name in ("etag", "opc-request-id", "opc-work-request-id"):
        assert answer.headers[name]
    run = check(answer.json(), JOB_RUN)
    assert run["key"] == failed["key"] and run["version"] == 2
    check(api.wait_final(run, "SUCCESS"), JOB_RUN)


def test_without_a_selection_all_that_did_not_succeed(api, failed):
    run = api.repair(failed)
    assert run["repairedTasks"] == ["clean", "load"]
    run = api.wait_final(run, "SUCCESS")
    for task_key in ("fetch", "side"):
        assert run["taskToTaskRunMap"][task_key] == failed["taskToTaskRunMap"][task_key], "kept"
    for task_key in ("clean", "load"):
        assert run["taskToTaskRunMap"][task_key] != failed["taskToTaskRunMap"][task_key], "new key"


def test_what_is_kept_is_unchanged_byte_for_byte(api, failed):
    before = bodies(api, failed)
    run = api.wait_final(api.repair(failed, parameters=named(p="2")), "SUCCESS")
    after = bodies(api, run)
    for task_key in ("fetch", "side"):
        assert after[task_key] == before[task_key]
    for task_key in ("clean", "load"):
        assert after[task_key] != before[task_key]
        old = api.get(f"/taskRuns/{failed['taskToTaskRunMap'][task_key]}")
        assert old.content == before[task_key], "what is replaced is not overwritten"


def test_new_task_runs_begin_blocked_with_fresh_attempts(server, api):
    run = chain(server, "fresh")
    again = api.repair(run, taskKeys=["clean"])
    fresh = api.read(f"/taskRuns/{again['taskToTaskRunMap']['clean']}")
    assert fresh["lifecycleStates"][0]["status"] == "BLOCKED"
    run = api.wait_final(again, "FAILED")
    clean = api.task_run(run, "clean")
    assert clean["retryAttempt"] == 0
    assert clean["systemParameters"]["task.execution_count"] == "2"
    assert clean["systemParameters"]["job.repair_count"] == "1"
    assert clean["version"] == 2


def test_a_named_selection_takes_its_unsuccessful_downstream_along(api, failed):
    run = api.repair(failed, taskKeys=["clean", "clean"])
    assert run["repairedTasks"] == ["clean", "load"], "selected, then its downstream; in definition order; once"
    api.wait_final(run, "SUCCESS")


def test_a_selected_success_runs_again(server, api, failed):
    run = api.wait_final(api.repair(failed, taskKeys=["side", "fetch"]), "SUCCESS")
    assert run["repairedTasks"] == ["fetch", "clean", "load", "side"]
    begun = [w.attempt for w in server.witness("start", "side") if w.token.startswith(run["key"])]
    assert len(begun) == 2 == len(set(begun))


def test_an_empty_selection_is_none(api, failed):
    assert api.repair(failed, taskKeys=[])["repairedTasks"] == ["clean", "load"]
    api.wait_final(failed, "SUCCESS")


def test_null_fields_are_absent(api, failed):
    run = api.repair(failed, taskKeys=None, parameters=None, repairMode=None)
    assert run["repairedTasks"] == ["clean", "load"]
    api.wait_final(failed, "SUCCESS")


def test_a_repair_without_a_body_is_a_repair_of_all(api, failed):
    """RepairJobRunDetails has no required field; an absent body is taken as {} or refused as MissingParameter."""
    answer = api.post(f"/jobRuns/{failed['key']}/actions/repair")
    assert answer.status_code in (201, 400)
    if answer.status_code == 201:
        assert answer.json()["repairedTasks"] == ["clean", "load"]
    api.wait_final(failed)


def test_rerun_selects_every_task(api, failed):
    run = api.repair(failed, repairMode="RERUN")
    assert run["repairedTasks"] == ["fetch", "clean", "load", "side"]
    assert run["repairMode"] == "RERUN"
    api.wait_final(run, "SUCCESS")


def test_resume_drops_what_succeeded(api, failed):
    run = api.repair(failed, repairMode="RESUME", taskKeys=["side", "clean"])
    assert run["repairedTasks"] == ["clean", "load"]
    api.wait_final(run, "SUCCESS")


def test_resume_of_a_success_is_nothing(api, failed):
    path = f"/jobRuns/{failed['key']}/actions/repair"
    refused(api.post(path, {"repairMode": "RESUME", "taskKeys": ["side"]}), 409, "IncorrectState")
    assert api.get_run(failed) == failed


def test_nothing_to_repair(api):
    run = api.go([step("a")], "SUCCESS")
    etag = api.etag(run)
    refused(api.post(f"/jobRuns/{run['key']}/actions/repair", {}), 409, "IncorrectState")
    assert api.get_run(run) == run and api.etag(run) == etag, "a refusal changes nothing"
    again = api.wait_final(api.repair(run, repairMode="RERUN"), "SUCCESS")
    assert again["version"] == 2


def test_an_unknown_task_is_named(api, failed):
    path = f"/jobRuns/{failed['key']}/actions/repair"
    refused(api.post(path, {"taskKeys": ["clean", "ghost"]}), 400, "InvalidParameter", "ghost")
    assert api.get_run(failed) == failed


@pytest.mark.parametrize("body,word", [
    ({"taskKeys": "clean"}, "taskKeys"), ({"taskKeys": [1]}, "taskKeys"), ({"taskKeys": {}}, "taskKeys"),
    ({"taskKeys": [None]}, "taskKeys"),
    ({"repairMode": "AGAIN"}, "repairMode"), ({"repairMode": 1}, "repairMode"),
    ({"parameters": {}}, "parameters"), ({"parameters": [{"name": "a b"}]}, "name"),
    ({"parameters": named(a="1") + named(a="2")}, "parameters"), ({"parameters": [{"value": "1"}]}, "name"),
    ({"repairTasks": "clean"}, "repairTasks"), ({"definition": 99}, "definition"), ({"definition": "OLD"}, "definition"),
    ({"definition": []}, "definition"),
])
def test_a_bad_field_is_named(api, failed, body, word):
    for action in ("repair", "planRepair"):
        answer = api.post(f"/jobRuns/{failed['key']}/actions/{action}", body)
        code = answer.json().get("code")
        assert code in ("InvalidParameter", "MissingParameter"), answer.text
        refused(answer, 400, code, word)
    assert api.get_run(failed) == failed


def test_a_run_that_goes_on_is_not_repaired(server, api):
    run = api.run(api.job([step("a", gate="goes-on")]))
    api.wait_task(run, "a", "RUNNING")
    refused(api.post(f"/jobRuns/{run['key']}/actions/repair", {}), 409, "IncorrectState")
    server.open_gate("goes-on")
    api.wait_final(run, "SUCCESS")


def test_an_unknown_run_is_404(api):
    for key in ("nonsense", ZERO):
        for action in ("repair", "planRepair"):
            refused(api.post(f"/jobRuns/{key}/actions/{action}", {}), 404, "NotAuthorizedOrNotFound")


def test_the_run_goes_on_in_place(api, failed):
    etag = api.etag(failed)
    answer = api.post(f"/jobRuns/{failed['key']}/actions/repair", {})
    assert answer.headers["etag"] != etag
    run = answer.json()
    assert run["startTime"] == failed["startTime"] and run["timeCreated"] == failed["timeCreated"]
    assert run["endTime"] is None
    assert run["state"]["errorTrace"] in (None, failed["state"]["errorTrace"])
    done = api.wait_final(run, "SUCCESS")
    assert done["startTime"] == failed["startTime"]
    check_lifecycle(done["lifecycleStates"], done["state"])
    assert done["lifecycleStates"][: len(failed["lifecycleStates"]) - 1] == failed["lifecycleStates"][:-1]
    first, second = done["repairHistory"]
    both = (first["endTime"] - first["startTime"]) + (second["endTime"] - second["startTime"])
    assert done["runDuration"] == both
    assert done["executionDuration"] == second["executionDuration"]
    listed = api.read("/jobRuns", jobKey=done["jobKey"])["items"][0]
    assert listed["executionDuration"] == second["executionDuration"]
    assert (listed["startTime"], listed["attemptStartTime"]) == (first["startTime"], second["startTime"])
    assert api.read(f"/jobs/{done['jobKey']}/grid")["runs"][0]["attemptStartTime"] == second["startTime"]
    assert done["systemParameters"]["job.repair_count"] == "1"


def test_the_newest_of_the_history_shows_what_the_run_shows(server, api):
    """A kept task that failed still shows, in both places, while the repair goes on and at its end."""
    job = api.job([step("l", err="boom", exit=3), step("m", "l", gate="history", runIf="ALL_DONE")])
    run = api.run(job)
    server.open_gate("history")
    run = api.wait_final(run)
    api.repair(run, taskKeys=["m"])
    for shown in (api.get_run(run), api.wait_final(run)):
        newest = shown["repairHistory"][-1]
        assert newest["state"] == shown["state"]
        assert shown["state"]["errorTrace"] == run["state"]["errorTrace"] is not None


def test_the_history_has_a_slice_of_each_attempt(api, failed):
    run = api.wait_final(api.repair(failed, parameters=named(colour="red")), "SUCCESS")
    first, second = run["repairHistory"]
    assert first == failed["repairHistory"][0], "the original is not touched"
    assert (second["type"], second["key"]) == ("REPAIR", 1)
    assert second["parameters"] == named(colour="red")
    assert second["repairedTasks"] == ["clean", "load"]
    assert second["taskToTaskRunMap"] == run["taskToTaskRunMap"], "the full map"
    assert first["taskToTaskRunMap"] == failed["taskToTaskRunMap"]
    assert second["state"] == run["state"]
    assert second["endTime"] == run["endTime"]
    check_lifecycle(second["lifecycleStates"], second["state"])
    assert second["startTime"] in [s["startTime"] for s in second["lifecycleStates"] if s["status"] == "RUNNING"]


def test_parameters_of_repairs_add_up(api):
    job = api.job([step("a", exit=1)], parameters=named(a="job", b="job", c="job", d="job"))
    run = api.wait_final(api.run(job, parameters=named(b="run", c="run", d="run")))
    api.wait_final(api.repair(run, parameters=named(c="first", d="first")))
    done = api.wait_final(api.repair(run, parameters=named(d="second")))
    unified = {p["name"]: p["value"] for p in done["unifiedJobAndJobRunParameters"]}
    assert unified == {"a": "job", "b": "run", "c": "first", "d": "second"}
    assert {p["name"]: p["value"] for p in api.task_run(done, "a")["parameters"]} == unified
    assert done["parameters"] == named(b="run", c="run", d="run"), "what the run was given"
    assert [h["parameters"] for h in done["repairHistory"]] == [
        named(b="run", c="run", d="run"), named(c="first", d="first"), named(d="second")]


def test_a_repair_that_comes_later_is_on_no_page(api):
    run = api.wait_final(api.run(api.job([step("a", exit=1)])), "FAILED")
    run = api.wait_final(api.repair(run), "FAILED")
    path = f"/jobRuns/{run['key']}/repairHistory"
    first = api.get(path, limit=1)
    api.wait_final(api.repair(run), "FAILED")
    rest = api.get(path, page=first.headers["opc-next-page"])
    assert [h["key"] for h in first.json()["items"] + rest.json()["items"]] == [0, 1]
    assert "opc-next-page" not in rest.headers and len(api.read(path)["items"]) == 3


def test_twelve_repairs(api):
    run = api.wait_final(api.run(api.job([step("a", exit=1)])), "FAILED")
    for number in range(1, 13):
        run = api.wait_final(api.repair(run, parameters=named(n=str(number))), "FAILED")
        assert run["version"] == number + 1
    check(run, JOB_RUN)
    embedded = run["repairHistory"]
    assert [h["key"] for h in embedded] == [0, 4, 5, 6, 7, 8, 9, 10, 11, 12], "ORIGINAL and the newest 9"
    assert [h["type"] for h in embedded] == ["ORIGINAL"] + ["REPAIR"] * 9
    path = f"/jobRuns/{run['key']}/repairHistory"
    every = api.page_through(path, limit=5)
    assert [h["key"] for h in every] == list(range(13))
    for entry in every:
        check(entry, REPAIR_HISTORY)
    assert [h for h in every if h["key"] in (0, *range(4, 13))] == embedded
    assert len(api.read(path)["items"]) == 13
    assert len({h["taskToTaskRunMap"]["a"] for h in every}) == 13
    for entry in every:
        items = api.read("/taskRuns", jobRunKey=run["key"], repairKey=entry["key"])["items"]
        assert [i["key"] for i in items] == [entry["taskToTaskRunMap"]["a"]]
    assert [i["key"] for i in api.read("/taskRuns", jobRunKey=run["key"])["items"]] == [run["taskToTaskRunMap"]["a"]]
    assert api.task_run(run, "a")["systemParameters"]["task.execution_count"] == "13"
    for bad in ({"limit": 0}, {"page": "forged"}):
        refused(api.get(path, **bad), 400, "InvalidParameter", *bad)


def test_a_skipped_run_is_repaired_as_a_whole(server, api):
    job = api.job([step("a", gate="skip-holder"), step("b", "a")])
    holder = api.run(job)
    skipped = check(api.run(job), JOB_RUN)
    assert skipped["state"]["status"] == "SKIPPED"
    assert skipped["taskToTaskRunMap"] == {} and skipped["taskRunSummaryMap"] == {}
    assert skipped["startTime"] is None and skipped["repairHistory"][0]["taskToTaskRunMap"] == {}
    server.open_gate("skip-holder")
    api.wait_final(holder, "SUCCESS")
    run = api.repair(skipped)
    assert run["repairedTasks"] == ["a", "b"]
    api.wait_final(run, "SUCCESS")


# --- the plan ---------------------------------------------------------------------------------------------------------

def verdicts(plan):
    return {t["taskKey"]: t["verdict"] for t in plan["tasks"]}


def test_the_plan_says_what_a_repair_will_do_and_changes_nothing(api, failed):
    plan = api.plan(failed, taskKeys=["clean"])
    assert set(plan) >= {"tasks", "parameters", "definition", "etag"}
    assert verdicts(plan) == {"fetch": "KEEP", "clean": "RUN", "load": "REEVALUATE", "side": "KEEP"}
    for entry in plan["tasks"]:
        assert set(entry) >= {"taskKey", "verdict", "reason", "willStart", "hazards"}
        assert isinstance(entry["reason"], str) and isinstance(entry["hazards"], list)
    assert [t["taskKey"] for t in plan["tasks"]] == ["fetch", "clean", "load", "side"]
    assert plan["etag"] == api.etag(failed)
    assert api.get_run(failed) == failed
    answer = api.post(f"/jobRuns/{failed['key']}/actions/repair", {"taskKeys": ["clean"]},
                      headers={"if-match": plan["etag"]})
    assert answer.status_code == 201
    planned = [t["taskKey"] for t in plan["tasks"] if t["verdict"] != "KEEP"]
    assert answer.json()["repairedTasks"] == planned
    api.wait_final(failed, "SUCCESS")


def test_the_plan_shows_changed_parameters(api):
    job = api.job([step("a", exit=1)], parameters=named(same="1", old="2"))
    run = api.wait_final(api.run(job))
    plan = api.plan(run, parameters=named(same="1", old="3", new="4"))
    changes = {p["name"]: (p["old"], p["new"]) for p in plan["parameters"] if p["old"] != p["new"]}
    assert changes["old"] == ("2", "3")
    assert changes["new"][1] == "4" and not changes["new"][0]
    assert "same" not in changes


def test_the_plan_tells_what_will_not_start(api):
    run = api.go([step("load", exit=1), step("note", "load")], "FAILED")
    plan = api.plan(run, taskKeys=["note"])
    note = next(t for t in plan["tasks"] if t["taskKey"] == "note")
    assert note["willStart"] is False
    assert "load" in note["reason"]
    done = api.wait_final(api.repair(run, taskKeys=["note"]), "FAILED")
    assert statuses(done) == {"load": "FAILED", "note": "UPSTREAM_FAILED"}
    assert done["taskToTaskRunMap"]["note"] != run["taskToTaskRunMap"]["note"]


def test_the_plan_names_hazards(api, failed):
    run = api.wait_final(api.repair(failed), "SUCCESS")
    plan = api.plan(run, taskKeys=["fetch"])
    assert verdicts(plan) == {"fetch": "RUN", "clean": "KEEP", "load": "KEEP", "side": "KEEP"}
    hazards = {t["taskKey"] for t in plan["tasks"] if t["hazards"]}
    assert "clean" in hazards or "clean" in str(next(t for t in plan["tasks"] if t["taskKey"] == "fetch")["hazards"])
    assert "side" not in hazards


def test_a_task_is_marked_as_successful(api, server):
    run = chain(server, "never-mended")
    plan = api.plan(run, markSuccess=["clean"])
    assert verdicts(plan) == {"fetch": "KEEP", "clean": "MARK", "load": "RUN", "side": "KEEP"}
    assert "nothing runs" in next(t["reason"] for t in plan["tasks"] if t["taskKey"] == "clean")
    done = api.wait_final(api.repair(run, markSuccess=["clean"]), "SUCCESS")
    check(done, JOB_RUN)
    assert done["repairedTasks"] == ["clean", "load"]
    assert done["state"]["stateMessage"] == "Succeeded; 1 task marked as successful: clean"
    marked = api.task_run(done, "clean")
    assert marked["isMarkedSuccess"] and not api.task_run(done, "load")["isMarkedSuccess"]
    assert marked["retries"] == [], "nothing of it has started"
    assert marked["state"]["stateMessage"].startswith("Marked as successful by ") and marked["values"] == {}


def test_what_is_to_be_marked_is_not_yet(api, server):
    run = api.go([step("first", exit=1), step("second", "first")], "FAILED")
    api.replace({"key": run["jobKey"]}, [step("first", gate="never"), step("second", "first")], name=run["jobName"])
    run = api.repair(run, definition="CURRENT", markSuccess=["second"])
    server.wait_witness("start", "first", 2)
    assert api.task_run(run, "second")["isMarkedSuccess"] is False
    api.cancel(run)
    run = api.wait_final(run, "CANCELED")
    assert statuses(run)["second"] == "CANCELED" and api.task_run(run, "second")["isMarkedSuccess"] is False


@pytest.mark.parametrize("key, word", [("fetch", "fetch is SUCCESS already"), ("nope", "the run has no task nope")])
def test_what_cannot_be_marked_is_named(api, failed, key, word):
    for action in ("repair", "planRepair"):
        message = refused(api.post(f"/jobRuns/{failed['key']}/actions/{action}", {"markSuccess": [key]}), 400, "InvalidParameter")
        assert "markSuccess[0]" in message and word in message


def test_an_excluded_branch_is_evaluated_anew(api):
    run = api.go([step("first", exit=1, until="never"), if_else("decide", "{{job.parameters.way}} == left", "first",
                                                                runIf="ALL_DONE"),
                  step("left", ("decide", "true")), step("right", ("decide", "false"))], "SUCCESS",
                 parameters=named(way="left"))
    assert statuses(run) == {"first": "FAILED", "decide": "SUCCESS", "left": "SUCCESS", "right": "EXCLUDED"}
    done = api.wait_final(api.repair(run, taskKeys=["decide"], parameters=named(way="right")))
    assert done["repairedTasks"] == ["decide", "right"]
    assert statuses(done)["right"] == "SUCCESS"
    assert done["taskToTaskRunMap"]["left"] == run["taskToTaskRunMap"]["left"], "a success downstream is kept"


def test_a_plan_is_refused_like_a_repair(server, api):
    run = api.go([step("a")], "SUCCESS")
    refused(api.post(f"/jobRuns/{run['key']}/actions/planRepair", {"taskKeys": ["ghost"]}), 400, "InvalidParameter",
            "ghost")
    refused(api.post(f"/jobRuns/{run['key']}/actions/planRepair", {}), 409, "IncorrectState")


@pytest.mark.parametrize("value", ["{{job.naem}}", "{{job.parameters.none}}", "{{tasks.a.run_id}}", "{{task.name}}"])
@pytest.mark.parametrize("state", ["FAILED", "SUCCESS"])
def test_a_reference_that_stands_for_nothing_refuses_both(api, value, state):
    run = api.go([step("a", exit=int(state == "FAILED"))], state)
    said = [refused(api.post(f"/jobRuns/{run['key']}/actions/{action}", {"parameters": named(v=value)}), 400, "InvalidParameter")
            for action in ("planRepair", "repair")]
    assert said[0] == said[1] and said[0].startswith(f"parameter v: {value} ")


def test_a_retry_token_knows_the_run_by_its_key_in_capitals(api):
    run = api.go([step("a", exit=1)], "FAILED")
    versions = []
    for key in (run["key"], run["key"].upper()):
        answer = api.post(f"/jobRuns/{key}/actions/repair", {}, headers={"opc-retry-token": "once"})
        assert answer.status_code in (200, 201, 202), answer.text
        versions.append(answer.json()["version"])
        api.wait_final(run, "FAILED")
    assert versions == [2, 2] and api.get_run(run)["version"] == 2


def test_a_run_that_never_started_has_a_plan(api):
    full = api.job([step("a")], parameters=named(day="{{job.start_time.iso_date}}"), maxConcurrentRuns=0)
    run = api.wait_final(api.run(full), "SKIPPED")
    body = api.read(f"/jobs/{full['key']}")
    assert api.put(f"/jobs/{full['key']}", {**body, "maxConcurrentRuns": 1}).status_code == 202
    assert verdicts(api.plan(run)) == {"a": "RUN"}
    api.wait_final(api.repair(run), "SUCCESS")


def test_repair_tasks_include_upstream_and_downstream(api, failed):
    plan = api.plan(failed, repairTasks=[{"taskKey": "clean", "shouldIncludeUpstream": True}])
    assert verdicts(plan) == {"fetch": "RUN", "clean": "RUN", "load": "REEVALUATE", "side": "KEEP"}
    plan = api.plan(failed, repairTasks=[{"taskKey": "fetch", "shouldIncludeDownstream": True}])
    assert verdicts(plan) == {"fetch": "RUN", "clean": "RUN", "load": "RUN", "side": "KEEP"}


def test_original_is_what_the_run_was_made_with(api):
    job = api.job([step("a", exit=1)])
    run = api.wait_final(api.run(job), "FAILED")
    api.replace(job, [task("a")])
    assert api.wait_final(api.repair(run, definition="ORIGINAL"), "FAILED")["definitionVersion"] == 1
    assert api.wait_final(api.repair(run), "FAILED")["definitionVersion"] == 1, "absent: the newest attempt's"
