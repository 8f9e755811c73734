"""Campaigns on a real server: kill -9 in the middle, what failed and is repaired, pause, resume, cancel, what is refused.

Instances are made by SUPPLEMENT campaigns over a schedule that rests: one for each minute of a range that has long passed.
"""

import subprocess
import uuid

import pytest
from harness import BINARY, FINAL, Server, eventually, named, refused, step

pytestmark = pytest.mark.sanitize

RESTING = {"quartzCronExpression": "0 * * * * ?", "timezoneId": "UTC", "pauseStatus": "PAUSED"}
RANGE = {"beginTime": "2026-01-05T10:01:00Z", "endTime": "2026-01-05T10:06:00Z"}  # six minutes, both ends
SIX = [f"2026-01-05T10:0{minute}:00.000Z" for minute in range(1, 7)]


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("campaigns"))
    server.start()
    yield server
    server.close()


def job(server, name, tasks, **fields):
    return server.api.job(tasks, name=name, schedule=RESTING, maxConcurrentRuns=9, **fields)


def campaign(server, made, **fields):
    return server.api.made("/rerunCampaigns", {"jobKey": made["key"], **RANGE, **fields})


def get(server, made):
    return server.api.read(f"/rerunCampaigns/{made['key']}")


def act(server, made, action, **options):
    return server.api.post(f"/rerunCampaigns/{made['key']}/actions/{action}", **options)


def wait(server, made, *states):
    return eventually(lambda: (seen := get(server, made))["status"] in states and seen, f"the campaign in {states}")


def done(server, made, status="SUCCESS"):
    seen = wait(server, made, *FINAL)
    assert seen["status"] == status, seen
    return seen


def output(api, run, key):
    answer = api.get(f"/taskRuns/{api.task_run(api.get_run(run), key)['key']}/logs", stream="stdout")
    assert answer.status_code == 200, answer.text
    return answer.text.strip()


def pattern(seen):
    return [cell["status"] for cell in seen["cells"]]


def make_instances(server, made):
    return [cell["jobRunKey"] for cell in done(server, campaign(server, made, kind="SUPPLEMENT", concurrent=6))["cells"]]


def test_kill9_in_the_middle(own):
    made = job(own, "night", [step("a", gate="go")])
    before = campaign(own, made, kind="SUPPLEMENT", concurrent=2)
    assert before["status"] == "RUNNING" and before["cellCount"] == 6
    assert [cell["plannedTime"] for cell in before["cells"]] == SIX
    own.wait_witness("start", "a", 2)
    for _ in range(2):
        own.kill9()
        own.restart()
        seen = get(own, before)
        assert pattern(seen) == ["RUNNING"] * 2 + ["WAITING"] * 4
        assert [c["jobRunKey"] for c in seen["cells"]] == [c["jobRunKey"] for c in before["cells"]]
    own.open_gate("go")
    own.kill9()
    own.restart()
    seen = done(own, before)
    runs = [cell["jobRunKey"] for cell in seen["cells"]]
    assert len(set(runs)) == 6 and len(own.api.page_through("/jobRuns", jobKey=made["key"])) == 6
    starts = own.witness("start")
    assert len(starts) == 6 and len({w.attempt for w in starts}) == 6, "no cell starts twice"
    # Rerun them, with a crash while they are being repaired.
    own.shut_gate("go")
    again = campaign(own, made, concurrent=3, where="FIRST")
    own.wait_witness("start", "a", 9)
    own.kill9()
    own.restart()
    assert get(own, again)["cellCounts"]["running"] == 3
    own.open_gate("go")
    assert [c["repairKey"] for c in done(own, again)["cells"]] == [1] * 6
    starts = own.witness("start")
    assert len(starts) == 12 and len({w.attempt for w in starts}) == 12


def test_a_plan_is_what_a_campaign_would_be_and_changes_nothing(shared):
    made = job(shared, "planned", [step("a")])
    api = shared.api

    def plan(status=200, **fields):
        return api.post("/rerunCampaigns/actions/plan", {"jobKey": made["key"], **RANGE, **fields}, status=status).json()

    before = [c["key"] for c in api.page_through("/rerunCampaigns")]
    seen = plan(kind="SUPPLEMENT")
    assert [seen[f] for f in ("cellCount", "newCount", "skippedCount", "doubleCount")] == [6, 6, 0, 0]
    assert seen["jobs"] == [{"jobKey": made["key"], "name": "planned", "cellCount": 6, "newCount": 6, "skippedCount": 0,
                             "firstPlannedTime": SIX[0], "lastPlannedTime": SIX[5]}]
    assert [c["plannedTime"] for c in seen["cells"]] == SIX and {c["jobRunKey"] for c in seen["cells"]} == {None}
    assert "no instances" in plan(409)["message"], "as the campaign itself would be refused"
    assert [c["key"] for c in api.page_through("/rerunCampaigns")] == before
    runs = make_instances(shared, made)
    seen = plan(reverse=True)
    assert seen["cellCount"] == 6 and seen["newCount"] == seen["doubleCount"] == 0
    seen = plan(kind="SUPPLEMENT", beginTime="2026-01-05T09:59:00Z")
    assert (seen["newCount"], seen["doubleCount"]) == (8, 6)
    assert [c["jobRunKey"] for c in plan()["cells"]] == runs
    own_cells = [{k: c[k] for k in ("position", "jobKey", "plannedTime", "jobRunKey", "needs", "follows")} for c in plan()["cells"]]
    begun = done(shared, campaign(shared, made, where="FIRST"))
    assert own_cells == [{k: c[k] for k in own_cells[0]} for c in begun["cells"]]
    assert plan(status=400, beginTime="2026-01-06T00:00:00Z")["code"] == "InvalidParameter"


def test_jobs_in_between_that_are_not_rerun_keep_the_order(shared):
    top = job(shared, "far-up", [step("a", exit=1)])
    middle = top
    for name in ("between-1", "between-2"):
        middle = job(shared, name, [step("b")], dependencies=[{"jobKey": middle["key"]}])
    low = job(shared, "far-down", [step("c")], dependencies=[{"jobKey": middle["key"]}])
    body = {"jobKey": low["key"], "jobKeys": [top["key"]], "kind": "SUPPLEMENT", "concurrent": 6, **RANGE, "endTime": SIX[1]}
    plan = shared.api.post("/rerunCampaigns/actions/plan", body, status=200).json()
    assert [j["name"] for j in plan["jobs"]] == ["far-down", "far-up"]
    assert [(c["jobKey"], c["plannedTime"], c["needs"]) for c in plan["cells"]] == [
        (top["key"], SIX[0], []), (low["key"], SIX[0], [0]), (top["key"], SIX[1], []), (low["key"], SIX[1], [2])]
    seen = done(shared, shared.api.made("/rerunCampaigns", body), "FAILED")
    assert pattern(seen) == ["FAILED", "BLOCKED"] * 2 and shared.api.page_through("/jobRuns", jobKey=middle["key"]) == []


def test_each_run_knows_the_time_that_it_is_for(shared):
    tasks = [{"taskKey": "a", "type": "SHELL_TASK", "script": "echo $0 $REPRISE_PARAM_day", "dependsOn": [], "runIf": "ALL_SUCCESS",
              "commandLineArguments": "{{job.planned_time.iso_datetime}}",
              "parameters": [{"name": "day", "value": "{{job.planned_time.day}}"}]}]
    made = job(shared, "knowing", tasks, parameters=[{"name": "for", "value": "{{job.planned_time.iso_datetime}}"}])
    api = shared.api
    for cell in done(shared, campaign(shared, made, kind="SUPPLEMENT", concurrent=3))["cells"]:
        run = api.get_run({"key": cell["jobRunKey"]})
        planned = cell["plannedTime"].replace(".000Z", "Z")
        assert run["unifiedJobAndJobRunParameters"] == [{"name": "for", "value": planned}]
        assert {"name": "day", "value": "5"} in api.task_run(run, "a")["parameters"]
    by_hand = api.wait_final(api.run(made), "SUCCESS")
    assert by_hand["unifiedJobAndJobRunParameters"][0]["value"] == by_hand["timeCreated"][:19] + "Z", "nothing planned it"


def test_what_failed_blocks_and_its_repair_lets_the_campaign_go_on(shared):
    shared.script("wobbly.py", "import os, sys\nsys.exit(os.path.exists(os.environ['REPRISE_WORKSPACE'] + '/broken'))\n")
    up = job(shared, "up", [{"taskKey": "a", "type": "PYTHON_TASK", "filePath": "wobbly.py"}])
    down = job(shared, "down", [step("b")], dependencies=[{"jobKey": up["key"]}])
    assert down["dependencies"] == [{"jobKey": up["key"], "period": "SAME_PERIOD", "failPolicy": "FAIL"}]
    make_instances(shared, up), make_instances(shared, down)
    (shared.workspace / "broken").touch()
    one = {"beginTime": SIX[0], "endTime": SIX[1]}
    made = campaign(shared, up, isDownstream=True, concurrent=4, where="FIRST", **one)
    assert [j["name"] for j in made["jobs"]] == ["up", "down"]
    assert [(c["jobName"], c["needs"]) for c in made["cells"]] == [("up", []), ("down", [0]), ("up", []), ("down", [2])]
    seen = done(shared, made, "FAILED")
    assert pattern(seen) == ["FAILED", "BLOCKED"] * 2
    assert "up of 2026-01-05T10:01:00.000Z did not succeed" in seen["cells"][1]["reason"]
    (shared.workspace / "broken").unlink()
    shared.api.repair({"key": seen["cells"][0]["jobRunKey"]})
    seen = eventually(lambda: (s := get(shared, made))["cells"][1]["status"] == "SUCCESS" and s, "the first pair")
    assert pattern(wait(shared, made, "FAILED")) == ["SUCCESS", "SUCCESS", "FAILED", "BLOCKED"]
    untouched = shared.api.etag({"key": seen["cells"][1]["jobRunKey"]})
    assert act(shared, made, "resume").status_code == 200
    assert pattern(done(shared, made)) == ["SUCCESS"] * 4
    assert shared.api.etag({"key": seen["cells"][1]["jobRunKey"]}) == untouched, "what succeeded is not touched again"
    # A cycle of jobs is refused when it is saved.
    refused(shared.api.put(f"/jobs/{up['key']}", {"name": "up", "path": "x", "tasks": [], "dependencies": [{"jobKey": down["key"]}]}),
            400, "InvalidParameter", "dependencies[0].jobKey", "cycle")


def test_a_task_to_begin_with_is_in_the_definition_of_an_instance(shared):
    made = job(shared, "renamed", [step("old")])
    make_instances(shared, made)
    shared.api.replace(made, [step("new")], name="renamed", schedule=RESTING, maxConcurrentRuns=9)
    body = {"jobKey": made["key"], **RANGE, "where": "NODE"}
    for task, version, is_there in (("old", "ORIGINAL", True), ("new", "ORIGINAL", False), ("old", "CURRENT", False),
                                    ("new", "CURRENT", True), ("never", "ORIGINAL", False)):
        asked = {**body, "taskKey": task, "version": version}
        planned = shared.api.post("/rerunCampaigns/actions/plan", asked)
        if is_there:
            assert planned.json()["cellCount"] == 6
        else:
            refused(planned, 400, "InvalidParameter", f"no instance has a task {task}")
            refused(shared.api.post("/rerunCampaigns", asked), 400, "InvalidParameter", f"no instance has a task {task}")


def test_parameters_of_every_run_and_repair(own):
    api = own.api
    made = job(own, "given", [step("a", out="{{job.parameters.day}}/{{job.parameters.more}}"), step("b", after="a", until="mended", exit=1)],
               parameters=named(day="monday", more="{{job.planned_time.iso_date}}"))
    low = job(own, "other", [step("c")], dependencies=[{"jobKey": made["key"]}])
    given = named(day="sunday")
    body = {"jobKey": made["key"], **RANGE, "endTime": SIX[0], "kind": "SUPPLEMENT", "isDownstream": True, "parameters": given}
    assert api.post("/rerunCampaigns/actions/plan", body, status=200).json()["parameters"] == given
    first = done(own, api.made("/rerunCampaigns", body), "FAILED")
    assert first["parameters"] == given and first["jobs"][1]["jobKey"] == low["key"]
    assert "parameters" not in api.read("/rerunCampaigns")["items"][0]
    large = named(one="x" * (64 << 10), two="x" * (64 << 10), three="x" * (64 << 10), four="x" * (64 << 10))
    for call in ("/rerunCampaigns", "/rerunCampaigns/actions/plan"):
        refused(api.post(call, {**body, "parameters": large}), 400, "LimitExceeded", "parameters must be at most 256 KiB together")
    run = api.get_run(first["cells"][0]["jobRunKey"])
    assert run["parameters"] == given and output(api, run, "a") == "sunday/2026-01-05"
    # a repair is given them; what is kept keeps its own
    again = done(own, campaign(own, made, endTime=SIX[0], parameters=named(day="monday", more="x")), "FAILED")
    run = api.get_run(run)
    assert run["repairHistory"][-1]["parameters"] == again["parameters"] == named(day="monday", more="x")
    assert output(api, run, "a") == "sunday/2026-01-05"
    own.open_gate("mended")
    done(own, campaign(own, made, endTime=SIX[0], where="FIRST", parameters=named(more="y")))
    assert output(api, run, "a") == "monday/y", "what an earlier repair was given is inherited"
    assert wait(own, first, "SUCCESS")["cells"][1]["status"] == "SUCCESS"
    assert api.read(f"/jobRuns/{get(own, first)['cells'][1]['jobRunKey']}")["parameters"] == given, "which that job does not name"
    # what is refused is refused at once, where it can be known
    body = {"jobKey": made["key"], **RANGE, "kind": "SUPPLEMENT"}
    for wrong, code, words in (([{"name": "a b"}], "InvalidParameter", ["parameters[0].name"]), ("x", "InvalidParameter", ["parameters"]),
                               ([{"value": "x"}], "MissingParameter", ["parameters[0].name", "required"]),
                               (named(a="1") + named(a="2"), "InvalidParameter", ["parameters[1].name", "twice"]),
                               (named(**{"more": "", "d-ay": "", "d.ay": ""}), "InvalidParameter", ["parameters[2].name"])):
        for path in ("/rerunCampaigns", "/rerunCampaigns/actions/plan"):
            refused(api.post(path, {**body, "parameters": wrong}), 400, code, *words)
    clash = job(own, "clash", [step("a")], parameters=named(**{"a.b": "1"}))
    refused(api.post("/rerunCampaigns", {**body, "jobKey": clash["key"], "parameters": named(a_b="1")}), 400, "InvalidParameter", "job clash: ", "a_b")
    own.stop()
    replayed = subprocess.run([BINARY, "selftest", "--replay", own.data / "reprise.db"], capture_output=True, text=True, timeout=100, check=False)
    assert replayed.returncode == 0, replayed.stdout
    own.start()
    assert get(own, first)["parameters"] == given


@pytest.mark.parametrize("zone, cron, begins, end, times", [
    ("Europe/Berlin", "0 */15 * * * ?",  # 02:00 to 02:59 comes twice, and the second one counts
     ["2025-10-26T00:00:00Z", "2025-10-26T00:30:00Z", "2025-10-26T00:59:59Z", "2025-10-26T01:00:00Z"], "2025-10-26T01:45:00Z",
     [f"2025-10-26T01:{minute}:00.000Z" for minute in ("00", "15", "30", "45")]),
    ("America/Nuuk", "0 0 * * * ?",  # Quartz leaves out the day behind the missing hour
     ["2026-03-29T00:00:01Z", "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T17:00:00Z"], "2026-03-30T02:00:00Z",
     ["2026-03-30T01:00:00.000Z", "2026-03-30T02:00:00.000Z"])], ids=["overlap", "gap"])
def test_a_range_that_begins_in_a_clock_change_has_the_times_that_fire(shared, zone, cron, begins, end, times):
    made = shared.api.job([step("a")], schedule={"quartzCronExpression": cron, "timezoneId": zone, "pauseStatus": "PAUSED"})
    for begin in begins:
        for kind in ({"kind": "SUPPLEMENT"}, {"instances": "MISSING"}):
            body = {"jobKey": made["key"], "beginTime": begin, "endTime": end, **kind}
            seen = shared.api.post("/rerunCampaigns/actions/plan", body, status=200).json()
            assert [cell["plannedTime"] for cell in seen["cells"]] == times, (begin, kind)


def test_pause_resume_cancel_and_lists(shared):
    made = job(shared, "gated", [step("g", gate="gated")])
    first = campaign(shared, made, kind="SUPPLEMENT", name="first", concurrent=2)
    assert act(shared, first, "pause").json()["status"] == "PAUSED"
    shared.open_gate("gated")
    seen = eventually(lambda: (s := get(shared, first))["cellCounts"]["success"] == 2 and s, "two have ended")
    assert seen["status"] == "PAUSED" and seen["cellCounts"]["waiting"] == 4
    assert [c["key"] for c in shared.api.read("/rerunCampaigns", status="PAUSED")["items"]] == [first["key"]]
    shared.shut_gate("gated")
    assert act(shared, first, "resume").json()["status"] == "RUNNING"
    assert act(shared, first, "cancel").json()["status"] == "CANCELED"
    run = {"key": get(shared, first)["cells"][2]["jobRunKey"]}
    shared.api.wait_final(run, "CANCELED")
    assert pattern(get(shared, first)) == ["SUCCESS"] * 2 + ["CANCELED"] * 4
    refused(act(shared, first, "resume"), 409, "IncorrectState", "CANCELED")
    refused(act(shared, {"key": str(uuid.uuid4())}, "pause"), 404, "NotAuthorizedOrNotFound", "Rerun campaign")
    items = shared.api.read("/rerunCampaigns", name="first")["items"]
    assert [i["key"] for i in items] == [first["key"]] and "cells" not in items[0]
    assert items[0]["cellCounts"] == {"waiting": 0, "blocked": 0, "running": 0, "success": 2, "failed": 0, "skipped": 0, "canceled": 4}
    pages = shared.api.page_through("/rerunCampaigns", limit=2)
    assert len({p["key"] for p in pages}) == len(pages) >= 4
    cells = shared.api.get(f"/rerunCampaigns/{first['key']}", limit=4)
    rest = shared.api.read(f"/rerunCampaigns/{first['key']}", limit=4, page=cells.headers["opc-next-page"])
    assert [c["position"] for c in cells.json()["cells"] + rest["cells"]] == list(range(6))


def test_a_retry_token_answers_whatever_has_become_of_the_job(shared):
    def ask(body, token):
        return shared.api.post("/rerunCampaigns", body, headers={"opc-retry-token": token})

    made = job(shared, "once", [step("o")])
    body = {"jobKey": made["key"], **RANGE, "instances": "MISSING"}
    first = ask(body, "missing")
    assert first.status_code == 201, first.text
    done(shared, first.json())
    refused(ask(body, "another"), 409, "IncorrectState", "no instances to rerun")
    again = ask(body, "missing")
    assert (again.status_code, again.content) == (201, first.content)
    assert [again.headers[name] for name in ("etag", "location")] == [first.headers[name] for name in ("etag", "location")]
    refused(ask({**body, "concurrent": 2}, "missing"), 409, "InvalidatedRetryToken", "another body")
    assert len(shared.api.read("/rerunCampaigns", name=first.json()["name"])["items"]) == 1

    supplement = {"jobKey": made["key"], **RANGE, "kind": "SUPPLEMENT"}
    tasks = {"name": "once", "path": "Shared", "tasks": [step("o")]}
    for schedule, expected in (({}, 400), ({"schedule": RESTING}, 201), ({}, 201)):
        assert shared.api.put(f"/jobs/{made['key']}", {**tasks, **schedule}).status_code == 202
        answer = ask(supplement, "refused first")
        assert answer.status_code == expected, answer.text
    done(shared, answer.json())
    assert shared.api.delete(f"/jobs/{made['key']}").status_code == 204
    refused(ask(body, "missing"), 404, "NotAuthorizedOrNotFound")


def test_what_is_refused_and_what_is_sent_twice(shared):
    made = job(shared, "refused", [step("r")])
    body = {"jobKey": made["key"], **RANGE}
    for change, words in (({"concurrent": 0}, ["concurrent"]), ({"concurrent": 129}, ["concurrent"]),
                          ({"endTime": "2026-01-05T09:00:00Z"}, ["endTime"]), ({"where": "NODE"}, ["taskKey"]),
                          ({"taskKey": "r"}, ["taskKey"]), ({"where": "MIDDLE"}, ["where"]), ({"beginTime": 5}, ["beginTime"])):
        answer = shared.api.post("/rerunCampaigns", {**body, **change})
        assert answer.status_code == 400 and all(w in answer.json()["message"] for w in words), answer.text
    refused(shared.api.post("/rerunCampaigns", body), 409, "IncorrectState", "Job refused have no instances to rerun")
    refused(shared.api.post("/rerunCampaigns", {**body, "jobKey": str(uuid.uuid4())}), 404, "NotAuthorizedOrNotFound")
    refused(shared.api.post("/rerunCampaigns", {**body, "jobKeys": [str(uuid.uuid4())]}), 404, "NotAuthorizedOrNotFound")
    bare = shared.api.job([step("s")], name="bare")
    refused(shared.api.post("/rerunCampaigns", {**body, "jobKey": bare["key"], "kind": "SUPPLEMENT"}), 400, "InvalidParameter", "no schedule")
    token = {"opc-retry-token": str(uuid.uuid4())}
    answers = [shared.api.post("/rerunCampaigns", {**body, "kind": "SUPPLEMENT"}, headers=token) for _ in range(2)]
    assert [a.status_code for a in answers] == [201, 201] and answers[0].json()["key"] == answers[1].json()["key"]
    assert answers[0].headers["location"].endswith("/rerunCampaigns/" + answers[0].json()["key"])
    done(shared, answers[0].json())
    # An instance that was started by hand is no part of a rerun.
    by_hand = shared.api.run(made)
    shared.api.wait_final(by_hand, "SUCCESS")
    later = shared.api.made("/rerunCampaigns", {"jobKey": made["key"], "beginTime": SIX[5], "endTime": "2100-01-01T00:00:00Z"})
    assert pattern(done(shared, later)) == ["SUCCESS", "SKIPPED"]
    assert "by hand" in get(shared, later)["cells"][1]["reason"]
