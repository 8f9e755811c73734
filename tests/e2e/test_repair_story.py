"""A nightly run that fails, its plan, its repair with one changed parameter: what ran, by the tasks' own witness."""

import pytest
from harness import Client, named, refused, statuses, step, task
from seeds import JOB_RUN, check

pytestmark = pytest.mark.sanitize

LOAD = '''
import os, subprocess, sys
region = sys.argv[1]
open("loaded", "a").write(region + "\\n")
print("loading", region, "after", open("fetched").read().strip())
sys.exit(0 if region == "eu" else "no such region: " + region)
'''
FETCH = "open('fetched', 'a').write('rows ')\n"


def nightly(server, **fields):
    server.script("fetch.py", FETCH)
    server.script("load.py", LOAD)
    tasks = [task("fetch", "fetch.py"), step("check", "fetch"),
             task("load", "load.py", "check", commandLineArguments="{{job.parameters.region}}"),
             step("report", "load"), step("always", "load", runIf="ALL_DONE"), step("alone")]
    return server.api.job(tasks, name="nightly", parameters=named(region="moon", rows="10"), **fields)


def log(api, run, task_key, stream="stdout"):
    return api.get(f"/taskRuns/{run['taskToTaskRunMap'][task_key]}/logs", stream=stream).text


def test_from_failure_to_success(server, api):
    run = api.wait_final(api.run(nightly(server)), "FAILED")
    assert statuses(run) == {"fetch": "SUCCESS", "check": "SUCCESS", "load": "FAILED", "report": "UPSTREAM_FAILED",
                             "always": "SUCCESS", "alone": "SUCCESS"}
    assert "no such region: moon" in run["state"]["errorTrace"]
    kept = {k: api.get(f"/taskRuns/{run['taskToTaskRunMap'][k]}").content for k in ("fetch", "check", "alone", "always")}
    witnessed = len(server.witness())

    plan = api.plan(run, parameters=named(region="eu"))
    assert {t["taskKey"]: t["verdict"] for t in plan["tasks"]} == {
        "fetch": "KEEP", "check": "KEEP", "load": "RUN", "report": "RUN", "always": "KEEP", "alone": "KEEP"}
    assert [(p["name"], p["old"], p["new"]) for p in plan["parameters"]] == [("region", "moon", "eu")]
    assert len(server.witness()) == witnessed and api.get_run(run) == run

    answer = api.post(f"/jobRuns/{run['key']}/actions/repair", {"parameters": named(region="eu")},
                      headers={"if-match": plan["etag"]})
    assert answer.status_code == 201
    assert answer.json()["repairedTasks"] == ["load", "report"]
    done = check(api.wait_final(run, "SUCCESS"), JOB_RUN)
    assert set(statuses(done).values()) == {"SUCCESS"}
    for task_key, body in kept.items():
        assert api.get(f"/taskRuns/{done['taskToTaskRunMap'][task_key]}").content == body
    new = [(w.what, w.name) for w in server.witness()[witnessed:]]
    assert new == [("start", "report"), ("end", "report")], "of the steps only report ran again"

    work = server.data / "runs" / run["key"] / "work"
    assert (work / "loaded").read_text() == "moon\neu\n", "one folder for the run and its repairs"
    assert (work / "fetched").read_text() == "rows ", "fetch ran once"
    assert log(api, run, "load") == "loading moon after rows\n", "the first output is still there"
    assert log(api, done, "load") == "loading eu after rows\n"
    assert [h["type"] for h in done["repairHistory"]] == ["ORIGINAL", "REPAIR"]
    assert done["repairHistory"][0] == run["repairHistory"][0]
    assert done["repairHistory"][1]["parameters"] == named(region="eu")


def test_the_plan_of_a_run_that_changed_is_refused(server, api):
    run = api.wait_final(api.run(nightly(server)), "FAILED")
    plan = api.plan(run, parameters=named(region="eu"))
    other = Client(server.endpoint, server.token)
    other.wait_final(other.repair(run, parameters=named(region="mars")), "FAILED")
    witnessed = len(server.witness())
    answer = api.post(f"/jobRuns/{run['key']}/actions/repair", {"parameters": named(region="eu")},
                      headers={"if-match": plan["etag"]})
    refused(answer, 412, "NoEtagMatch")
    assert api.get_run(run)["version"] == 2 and len(server.witness()) == witnessed
    again = api.plan(run, parameters=named(region="eu"))
    assert again["etag"] != plan["etag"]
    answer = api.post(f"/jobRuns/{run['key']}/actions/repair", {"parameters": named(region="eu")},
                      headers={"if-match": again["etag"]})
    assert answer.status_code == 201
    done = api.wait_final(run, "SUCCESS")
    assert (server.data / "runs" / run["key"] / "work" / "loaded").read_text() == "moon\nmars\neu\n"
    assert [h["parameters"] for h in done["repairHistory"]] == [[], named(region="mars"), named(region="eu")]


def test_a_repair_inherits_the_parameters_of_the_one_before(server, api):
    run = api.wait_final(api.run(nightly(server), parameters=named(region="sun")), "FAILED")
    api.wait_final(api.repair(run, taskKeys=["alone"], parameters=named(region="eu")))
    done = api.wait_final(api.repair(run), "SUCCESS")
    assert (server.data / "runs" / run["key"] / "work" / "loaded").read_text() == "sun\neu\n"
    assert done["repairHistory"][-1]["parameters"] == []


def test_a_history_can_be_looked_into(server, api):
    run = api.wait_final(api.run(nightly(server)), "FAILED")
    done = api.wait_final(api.repair(run, parameters=named(region="eu")), "SUCCESS")
    for number, entry in enumerate(done["repairHistory"]):
        items = api.page_through("/taskRuns", jobRunKey=run["key"], repairKey=number)
        assert {i["taskKey"]: i["key"] for i in items} == entry["taskToTaskRunMap"]
    states = {i["taskKey"]: i["state"]["status"] for i in api.page_through("/taskRuns", jobRunKey=run["key"],
                                                                          repairKey=0)}
    assert states["load"] == "FAILED" and states["report"] == "UPSTREAM_FAILED"


def test_the_job_may_change_the_repair_does_not(server, api):
    job = nightly(server)
    run = api.wait_final(api.run(job), "FAILED")
    api.replace(job, [task("load", "fail.py")], name="nightly", parameters=named(region="void"))
    done = api.wait_final(api.repair(run, parameters=named(region="eu")), "SUCCESS")
    assert len(done["taskToTaskRunMap"]) == 6
