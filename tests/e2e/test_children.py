"""JOB_TASKs over HTTP: child runs, their results, repair, cancel, and a server that dies meanwhile (RULES §6, §8.6)."""

import pytest
from harness import named, refused, statuses, step, summary_of, task
from seeds import JOB_RUN, TASK_RUN, check, check_lifecycle

pytestmark = pytest.mark.sanitize


def runs(key, job, after=(), **fields):
    """A JOB_TASK."""
    body = {**task(key, after=after), "type": "JOB_TASK", "jobKey": job if isinstance(job, str) else job["key"], **fields}
    del body["filePath"]
    return body


def child_of(api, run, key):
    """The newest child of a JOB_TASK, which is its externalId."""
    return api.get_run(summary_of(api.get_run(run), key)["externalId"])


def test_a_childs_result_is_the_tasks(server):
    api = server.api
    lower = api.job([step("x", err="why", exit="{{job.parameters.code}}")], name="lower", maxConcurrentRuns=9,
                    parameters=named(code="0"))
    upper = api.job([runs("c", lower, parameters=named(code="{{job.parameters.code}}")), step("d", "c")], name="upper",
                    parameters=named(code="0"))
    run = api.wait_final(api.run(upper), "SUCCESS")
    assert statuses(run) == {"c": "SUCCESS", "d": "SUCCESS"}
    child = check(child_of(api, run, "c"), JOB_RUN)
    assert child["parentJobRunKey"] == run["key"] == child["rootJobRunKey"]
    assert child["parentTaskRunKey"] == run["taskToTaskRunMap"]["c"]
    assert child["launched"] == "MANUAL" and child["systemParameters"]["job.trigger.type"] == "run_job_task"
    assert child["parameters"] == named(code="0")
    seen = check(api.task_run(run, "c"), TASK_RUN)
    assert seen["retryAttempt"] == 0 and len(seen["retries"]) == 1 and seen["outputKey"] == f"{seen['key']}.0"
    output = api.post(f"/taskRuns/{seen['key']}/actions/fetchOutput", {"outputKey": seen["outputKey"]}).json()
    assert output["taskType"] == "JOB_TASK" and output["data"][0]["value"] == f"The output is that of job run {child['key']}.\n"
    exported = api.post(f"/taskRuns/{seen['key']}/outputs/{seen['outputKey']}/actions/export").json()
    assert exported["format"] == "HTML" and child["key"] in exported["contents"]
    assert seen["clusterValidationStartTime"] is None and seen["externalId"] == child["key"]
    check_lifecycle(seen["lifecycleStates"], seen["state"])
    assert {r["parentJobRunKey"] for r in [api.task_run(child, "x")]} == {run["key"]}

    failed = api.wait_final(api.run(upper, parameters=named(code="3")), "FAILED")
    assert statuses(failed) == {"c": "FAILED", "d": "UPSTREAM_FAILED"}
    assert "why" in failed["state"]["errorTrace"]
    assert child_of(api, failed, "c")["key"] in summary_of(failed, "c")["state"]["stateMessage"]


def test_a_repair_repairs_the_child(server):
    api = server.api
    lower = api.job([step("good"), step("bad", "good", exit="{{job.parameters.code}}")], name="lower", maxConcurrentRuns=9,
                    parameters=named(code="3"))
    upper = api.job([runs("c", lower, parameters=named(code="{{job.parameters.code}}"))], name="upper",
                    parameters=named(code="3"))
    run = api.wait_final(api.run(upper), "FAILED")
    child = child_of(api, run, "c")
    kept = api.task_run(child, "good")
    plan = api.plan(run)
    assert [t["verdict"] for t in plan["tasks"]] == ["RUN"]
    api.repair(run, parameters=named(code="0"))
    run = api.wait_final(run, "SUCCESS")
    repaired = check(child_of(api, run, "c"), JOB_RUN)
    assert repaired["key"] == child["key"] and repaired["version"] == 2
    assert repaired["state"]["status"] == "SUCCESS" and repaired["repairedTasks"] == ["bad"]
    assert repaired["parentTaskRunKey"] == run["taskToTaskRunMap"]["c"] != child["parentTaskRunKey"]
    assert api.task_run(repaired, "good") == kept, "kept tasks are untouched"
    assert repaired["repairHistory"][1]["parameters"] == named(code="0")


def test_a_rerun_starts_a_new_child(server):
    api = server.api
    lower = api.job([step("x", exit=1)], name="lower", maxConcurrentRuns=9)
    run = api.wait_final(api.run(api.job([runs("c", lower)], name="upper")), "FAILED")
    first = child_of(api, run, "c")
    api.repair(run, taskKeys=["c"], repairMode="RERUN")
    run = api.wait_final(run, "FAILED")
    assert child_of(api, run, "c")["key"] != first["key"]
    assert api.get_run(first)["version"] == 1


def test_a_child_repaired_directly_leaves_its_parent(server):
    api = server.api
    server.script("fragile.py", "import os, sys\nsys.exit(os.environ['REPRISE_PARAM_ok'] != 'yes')\n")
    lower = api.job([task("x", "fragile.py")], name="lower", maxConcurrentRuns=9, parameters=named(ok="no"))
    run = api.wait_final(api.run(api.job([runs("c", lower), step("d", "c")], name="upper")), "FAILED")
    before = api.get_run(run)
    child = child_of(api, run, "c")
    api.repair(child, parameters=named(ok="yes"))
    api.wait_final(child, "SUCCESS")
    assert api.get_run(run) == before
    api.repair(run)
    done = api.wait_final(run, "SUCCESS")
    assert statuses(done) == {"c": "SUCCESS", "d": "SUCCESS"}
    assert api.get_run(child)["version"] == 2, "it had succeeded: taken as it was"


def test_cancel_goes_down(server):
    api = server.api
    lowest = api.job([step("x", gate="never-opened")], name="lowest", maxConcurrentRuns=9)
    middle = api.job([runs("c", lowest)], name="middle", maxConcurrentRuns=9)
    run = api.run(api.job([runs("c", middle), step("d", "c")], name="upper"))
    api.wait_task(run, "c", "RUNNING")
    child = child_of(api, run, "c")
    api.wait_task(child, "c", "RUNNING")
    grandchild = child_of(api, child, "c")
    api.wait_task(grandchild, "x", "RUNNING")
    assert grandchild["rootJobRunKey"] == run["key"] and grandchild["parentJobRunKey"] == child["key"]
    api.cancel(run)
    for one in (run, child, grandchild):
        done = api.wait_final(one, "CANCELED")
        assert set(statuses(done).values()) == {"CANCELED"}
        assert done["state"]["isUserCanceledOrTimedOut"]


def test_a_skipped_child_is_a_failure(server):
    api = server.api
    lower = api.job([step("x", gate="skipped-open")], name="lower")
    busy = api.run(lower)
    run = api.wait_final(api.run(api.job([runs("c", lower)], name="upper")), "FAILED")
    assert "Skipped" in summary_of(run, "c")["state"]["stateMessage"]
    server.open_gate("skipped-open")
    api.wait_final(busy, "SUCCESS")


def test_cycles_and_strangers_are_refused(server):
    api = server.api
    first = api.job([step("x")], name="first")
    second = api.job([runs("c", first)], name="second")
    body = {"name": "first", "path": "Shared", "tasks": [step("x"), runs("c", second)]}
    refused(api.put(f"/jobs/{first['key']}", body), 400, "InvalidParameter", "tasks[1].jobKey", "cycle")
    body["tasks"][1]["jobKey"] = first["key"]
    refused(api.put(f"/jobs/{first['key']}", body), 400, "InvalidParameter", "tasks[1].jobKey", "itself")
    body["tasks"][1]["jobKey"] = first["key"][:-1] + ("0" if first["key"][-1] != "0" else "1")
    refused(api.post("/jobs", body), 400, "InvalidParameter", "tasks[1].jobKey", "no job")
    body["tasks"][1]["jobKey"] = "nightly"
    refused(api.post("/jobs", body), 400, "InvalidParameter", "tasks[1].jobKey", "36 characters")


def test_a_deleted_job_is_an_internal_error(server):
    api = server.api
    lower = api.job([step("x")], name="lower")
    run = api.run(api.job([step("a", gate="deleted-open"), runs("c", lower, "a")], name="upper"))
    assert api.delete(f"/jobs/{lower['key']}").status_code == 204
    server.open_gate("deleted-open")
    run = api.wait_final(run, "INTERNAL_ERROR")
    seen = check(api.task_run(run, "c"), TASK_RUN)
    assert "there is no job" in seen["state"]["stateMessage"] and seen["externalId"] is None


def test_kill9_while_a_child_runs(own):
    api = own.api
    lower = api.job([step("x", gate="go"), step("y", "x")], name="lower", maxConcurrentRuns=9)
    run = api.run(api.job([runs("c", lower, timeoutSeconds=600), step("d", "c")], name="upper"))
    own.wait_witness("start", "x")
    before, child = api.get_run(run), child_of(api, run, "c")
    for _ in range(2):
        own.kill9()
        own.restart()
        assert statuses(own.api.get_run(run)) == {"c": "RUNNING", "d": "BLOCKED"}
        assert own.api.get_run(run)["taskToTaskRunMap"] == before["taskToTaskRunMap"]
        assert child_of(own.api, run, "c")["key"] == child["key"]
    own.open_gate("go")
    done = own.api.wait_final(run, "SUCCESS")
    assert own.api.get_run(child)["state"]["status"] == "SUCCESS"
    assert [w.name for w in own.witness("start")] == ["x", "y", "d"]
    assert len(own.api.task_run(done, "c")["retries"]) == 1


def test_a_child_that_ended_while_the_server_was_down(own):
    api = own.api
    lower = api.job([step("x", gate="go", exit=4)], name="lower", maxConcurrentRuns=9)
    run = api.run(api.job([runs("c", lower)], name="upper"))
    own.wait_witness("start", "x")
    own.kill9()
    own.open_gate("go")
    own.wait_witness("end", "x")
    own.restart()
    done = own.api.wait_final(run, "FAILED")
    own.api.repair(done)
    done = own.api.wait_final(run, "FAILED")
    assert child_of(own.api, done, "c")["version"] == 2
