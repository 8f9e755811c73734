"""Repairs by another definition, and the versions of a job (RULES §8.7, CONTRACT §6)."""

import pytest
from harness import named, refused, statuses, step, task
from seeds import JOB_RUN, check

pytestmark = pytest.mark.sanitize

ZERO = "00000000-0000-7000-8000-000000000000"


def test_current_takes_the_job_as_of_now(api):
    job = api.job([step("load"), step("a", "load", exit=1), step("gone")], parameters=named(p="old", q="old"))
    run = api.wait_final(api.run(job, parameters=named(q="run")), "FAILED")
    api.replace(job, [step("load", out="edited"), step("a", "load"), step("new", "a")], timeoutSeconds=600,
                parameters=named(p="new", q="new", r="new"))
    assert api.get_run(run)["tasks"] == run["tasks"], "a run keeps what it was made with"
    done = check(api.wait_final(api.repair(run, definition="CURRENT"), "SUCCESS"), JOB_RUN)
    assert done["definitionVersion"] == 2 and done["timeoutSeconds"] == 600
    assert [t["taskKey"] for t in done["tasks"]] == ["load", "a", "new"], "shown as of the newest attempt"
    assert list(done["taskToTaskRunMap"]) == ["load", "a", "new"]
    assert len(done["taskRunSummaryMap"]) == 3
    assert done["repairedTasks"] == ["a", "new"]
    unified = {p["name"]: p["value"] for p in done["unifiedJobAndJobRunParameters"]}
    assert unified == {"p": "new", "q": "run", "r": "new"}
    first, second = done["repairHistory"]
    assert first == run["repairHistory"][0], "what happened stays"
    assert set(first["taskToTaskRunMap"]) == {"load", "a", "gone"}
    assert second["taskToTaskRunMap"] == done["taskToTaskRunMap"]
    gone = api.read(f"/taskRuns/{first['taskToTaskRunMap']['gone']}")
    assert gone["state"]["status"] == "SUCCESS" and gone["task"]["taskKey"] == "gone"
    kept = api.task_run(done, "load")
    assert kept["key"] == first["taskToTaskRunMap"]["load"]
    assert "edited" not in kept["task"]["commandLineArguments"], "what it started with"
    items = api.read("/taskRuns", jobRunKey=run["key"], repairKey=0)["items"]
    assert {i["taskKey"] for i in items} == {"load", "a", "gone"}
    assert {i["taskKey"] for i in api.read("/taskRuns", jobRunKey=run["key"])["items"]} == {"load", "a", "new"}


def test_any_version_and_back(api):
    job = api.job([step("a", exit=1)])
    run = api.wait_final(api.run(job), "FAILED")
    api.replace(job, [step("a", exit=1), step("b")])
    api.replace(job, [step("a", exit=1), step("c")])
    second = api.wait_final(api.repair(run, definition=2), "FAILED")
    assert statuses(second) == {"a": "FAILED", "b": "SUCCESS"} and second["definitionVersion"] == 2
    again = api.wait_final(api.repair(run), "FAILED")
    assert again["definitionVersion"] == 2, "absent: the newest attempt's"
    assert again["taskToTaskRunMap"]["b"] == second["taskToTaskRunMap"]["b"]
    original = api.wait_final(api.repair(run, definition="ORIGINAL"), "FAILED")
    assert list(original["taskToTaskRunMap"]) == ["a"] and original["definitionVersion"] == 1
    back = api.wait_final(api.repair(run, definition=2), "FAILED")
    assert back["taskToTaskRunMap"]["b"] != second["taskToTaskRunMap"]["b"], "it comes back as a new one"
    assert api.task_run(back, "b")["systemParameters"]["task.execution_count"] == "2"
    assert [h["definitionVersion"] for h in back["repairHistory"]] == [1, 2, 2, 1, 2]
    every = [h["taskToTaskRunMap"] for h in back["repairHistory"]]
    assert [set(m) for m in every] == [{"a"}, {"a", "b"}, {"a", "b"}, {"a"}, {"a", "b"}]
    assert len({m["a"] for m in every}) == 5


def test_a_crash_changes_nothing(own):
    """The run is loaded anew, with another definition than its own."""
    api = own.api
    job = api.job([step("a", exit=1), step("b", "a")])
    run = api.wait_final(api.run(job), "FAILED")
    api.replace(job, [step("c"), step("a", "c", gate="restarted"), step("b", "a")])
    api.repair(run, definition="CURRENT")
    api.wait_task(run, "a", "RUNNING")
    own.restart()
    api = own.api
    own.open_gate("restarted")
    done = api.wait_final(run, "SUCCESS")
    assert statuses(done) == {"a": "SUCCESS", "b": "SUCCESS", "c": "SUCCESS"}
    again = api.wait_final(api.repair(done, definition=1, taskKeys=["b"]), "SUCCESS")
    assert again["taskToTaskRunMap"]["a"] == done["taskToTaskRunMap"]["a"]


def test_the_plan_shows_what_differs(api):
    job = api.job([step("a"), step("b", "a", exit=1), step("gone"), step("c")], parameters=named(p="1", q="1"))
    run = api.wait_final(api.run(job), "FAILED")
    api.replace(job, [step("a", maxRetries=2), step("b", ["a", "new"]), step("c"), step("new")],
                parameters=named(p="2", r="1"), maxConcurrentRuns=3)
    plan = api.plan(run, definition="CURRENT", parameters=named(s="x"))
    definition = plan["definition"]
    assert (definition["fromVersion"], definition["toVersion"]) == (1, 2)
    assert definition["added"] == ["new"] and definition["removed"] == ["gone"]
    assert definition["rewired"] == [{"taskKey": "b", "gained": ["new"], "lost": []}]
    assert definition["changed"] == [{"taskKey": "a", "fields": ["maxRetries"]},
                                     {"taskKey": "b", "fields": ["commandLineArguments"]}]
    assert definition["fields"] == ["maxConcurrentRuns"]
    assert {(p["name"], p["old"], p["new"]) for p in definition["parameters"]} == {
        ("p", "1", "2"), ("r", None, "1"), ("q", "1", None)}
    assert {(p["name"], p["old"], p["new"]) for p in plan["parameters"]} == {
        ("p", "1", "2"), ("r", None, "1"), ("s", None, "x"), ("q", "1", None)}
    tasks = {t["taskKey"]: t for t in plan["tasks"]}
    assert {k: t["verdict"] for k, t in tasks.items()} == {"a": "KEEP", "b": "RUN", "c": "KEEP", "new": "RUN"}
    assert "maxRetries" in tasks["a"]["reason"] and tasks["a"]["hazards"] and not tasks["c"]["hazards"]
    assert "new in version 2" in tasks["new"]["reason"]
    same = api.plan(run)["definition"]
    assert same["fromVersion"] == same["toVersion"] == 1 and not same["added"] and not same["changed"]
    assert api.get_run(run) == run


@pytest.mark.parametrize("definition,body,status,word", [
    (2, {"taskKeys": ["a"]}, 400, "no version 2"),
    ("CURRENT", {"taskKeys": ["ghost"]}, 400, "ghost"),
    ("ORIGINAL", {"repairTasks": [{"taskKey": "ghost"}]}, 400, "ghost"),
])
def test_plan_and_repair_refuse_alike(api, definition, body, status, word):
    run = api.go([step("a", exit=1)], "FAILED")
    for action in ("repair", "planRepair"):
        answer = api.post(f"/jobRuns/{run['key']}/actions/{action}", {"definition": definition, **body})
        refused(answer, status, "InvalidParameter", word)
    assert api.get_run(run) == run


def test_a_task_that_the_definition_lacks(api):
    job = api.job([step("a", exit=1), step("b", exit=1)])
    run = api.wait_final(api.run(job), "FAILED")
    api.replace(job, [step("a")])
    for action in ("repair", "planRepair"):
        path = f"/jobRuns/{run['key']}/actions/{action}"
        refused(api.post(path, {"definition": "CURRENT", "taskKeys": ["b"]}), 400, "InvalidParameter", "b", "version 2")
    api.replace(job, [])
    for action in ("repair", "planRepair"):
        path = f"/jobRuns/{run['key']}/actions/{action}"
        refused(api.post(path, {"definition": "CURRENT"}), 400, "InvalidParameter", "no tasks")


def test_parameters_are_held_against_the_definition_that_is_used(api):
    job = api.job([step("a", exit=1)])
    run = api.wait_final(api.run(job, parameters=named(**{"x.y": "1"})), "FAILED")
    api.replace(job, [task("a", parameters=named(x_y="1"), type="PYTHON_TASK")])
    for action in ("repair", "planRepair"):
        answer = api.post(f"/jobRuns/{run['key']}/actions/{action}", {"definition": "CURRENT"})
        refused(answer, 400, "InvalidParameter", "x_y")
    api.wait_final(api.repair(run), "FAILED")


def test_a_deleted_job_still_has_its_versions_for_its_runs(api):
    job = api.job([step("a", exit=1)])
    run = api.wait_final(api.run(job), "FAILED")
    api.replace(job, [step("a"), step("b")])
    assert api.delete(f"/jobs/{job['key']}").status_code == 204
    for action in ("repair", "planRepair"):
        answer = api.post(f"/jobRuns/{run['key']}/actions/{action}", {"definition": "CURRENT"})
        refused(answer, 409, "IncorrectState", "deleted")
    done = api.wait_final(api.repair(run, definition=2), "SUCCESS")
    assert statuses(done) == {"a": "SUCCESS", "b": "SUCCESS"}


# --- versions ---------------------------------------------------------------------------------------------------------

def test_versions_of_a_job(api):
    job = api.job([step("a")], description="first")
    for number in range(2, 6):
        api.replace(job, [step("a")], description=f"number {number}")
    path = f"/jobs/{job['key']}/versions"
    every = api.read(path)["items"]
    assert [v["version"] for v in every] == [5, 4, 3, 2, 1], "newest first"
    assert [v["isCurrent"] for v in every] == [True, False, False, False, False]
    assert api.page_through(path, limit=2) == every
    for item in every:
        assert item["jobKey"] == job["key"] and item["createdBy"] and item["timeCreated"]
        assert "definition" not in item
        whole = api.read(f"{path}/{item['version']}")
        assert {k: v for k, v in whole.items() if k != "definition"} == item
    first = api.read(f"{path}/1")["definition"]
    assert first["description"] == "first" and first["tasks"][0]["runIf"] == "ALL_SUCCESS", "defaults filled in"
    now = api.read(f"/jobs/{job['key']}")
    assert api.read(f"{path}/5")["definition"]["tasks"] == now["tasks"]


def test_what_versions_are_not_there(api):
    job = api.job([step("a")])
    path = f"/jobs/{job['key']}/versions"
    for number in ("2", "0", "-1", "01", "x", "99999999999999999999"):
        refused(api.get(f"{path}/{number}"), 404, "NotAuthorizedOrNotFound", "Version")
    for key in (ZERO, "nonsense"):
        refused(api.get(f"/jobs/{key}/versions"), 404, "NotAuthorizedOrNotFound", "Job")
        refused(api.get(f"/jobs/{key}/versions/1"), 404, "NotAuthorizedOrNotFound", "Job")
    for bad in ({"limit": 0}, {"page": "forged"}):
        refused(api.get(path, **bad), 400, "InvalidParameter", *bad)
    assert api.delete(f"/jobs/{job['key']}").status_code == 204
    refused(api.get(path), 404, "NotAuthorizedOrNotFound")
    refused(api.get(f"{path}/1"), 404, "NotAuthorizedOrNotFound")
