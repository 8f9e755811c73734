"""Cancelling and deleting runs (RULES §3, §7)."""

import pytest
from harness import eventually, refused, statuses, step
from seeds import JOB_RUN, check, check_lifecycle

pytestmark = pytest.mark.sanitize

ZERO = "00000000-0000-7000-8000-000000000000"


def test_cancel_answers_200_with_the_run(api):
    run = api.run(api.job([step("a", gate="never"), step("b", "a"), step("c", "a", runIf="ALL_DONE")]))
    api.wait_task(run, "a", "RUNNING")
    answer = api.post(f"/jobRuns/{run['key']}/actions/cancel")
    assert answer.status_code == 200
    seen = check(answer.json(), JOB_RUN)
    assert answer.headers["etag"]
    assert seen["state"]["status"] in ("CANCELING", "CANCELED")
    assert seen["state"]["isUserCanceledOrTimedOut"] is True
    done = check(api.wait_final(run, "CANCELED"), JOB_RUN)
    assert statuses(done) == {"a": "CANCELED", "b": "CANCELED", "c": "CANCELED"}, "nothing new starts, whatever its runIf"
    assert done["state"]["isUserCanceledOrTimedOut"] is True
    assert "admin" in done["state"]["stateMessage"], "it says who"
    check_lifecycle(done["lifecycleStates"], done["state"])
    assert [s["status"] for s in done["lifecycleStates"]] == ["PENDING", "RUNNING", "CANCELING", "CANCELED"]
    assert [s["isUserCanceledOrTimedOut"] for s in done["lifecycleStates"]] == [False, False, True, True]
    a = api.task_run(done, "a")
    assert [s["status"] for s in a["lifecycleStates"]][-2:] == ["CANCELING", "CANCELED"]
    assert a["state"]["isUserCanceledOrTimedOut"] is True


def test_a_task_is_cancelled_alone(server, api):
    run = api.run(api.job([step("stuck", gate="never"), step("good", gate="open"), step("next", "stuck"), step("last", "good")]))
    api.wait_task(run, "stuck", "RUNNING")
    path = f"/jobRuns/{run['key']}/actions/cancelTasks"
    assert "taskKeys[0]" in refused(api.post(path, {"taskKeys": ["nope"]}), 400, "InvalidParameter")
    refused(api.post(path, {"taskKeys": []}), 400, "InvalidParameter", "taskKeys")
    refused(api.post(path, {}), 400, "MissingParameter", "taskKeys")
    refused(api.post(path, {"taskKeys": ["stuck"]}, headers={"if-match": "stale"}), 412, "NoEtagMatch")
    answer = api.post(path, {"taskKeys": ["stuck"]})
    assert answer.status_code == 200 and check(answer.json(), JOB_RUN)["state"]["status"] == "RUNNING"
    api.wait_task(run, "stuck", "CANCELED")
    server.open_gate("open")
    done = api.wait_final(run, "CANCELED")
    assert statuses(done) == {"stuck": "CANCELED", "good": "SUCCESS", "next": "UPSTREAM_CANCELED", "last": "SUCCESS"}
    assert api.task_run(done, "stuck")["state"]["stateMessage"] == "Canceled by admin"
    assert api.post(path, {"taskKeys": ["stuck"]}).json() == done, "of what has ended nothing changes"
    refused(api.post(path, {"taskKeys": ["nope"]}), 400, "InvalidParameter", "taskKeys[0]")


def test_cancelling_a_final_run_changes_nothing(api):
    run = api.go([step("a")], "SUCCESS")
    answer = api.post(f"/jobRuns/{run['key']}/actions/cancel")
    assert answer.status_code == 200
    assert answer.json() == run
    assert answer.headers["etag"] == api.etag(run)


def test_cancelling_twice_is_once(server, api):
    run = api.run(api.job([step("twice", gate="never", stubborn=1)]))
    server.wait_witness("start", "twice")
    first = api.cancel(run)
    second = api.cancel(run)
    assert first["state"]["status"] == second["state"]["status"] == "CANCELING"
    assert len(second["lifecycleStates"]) == len(first["lifecycleStates"])
    server.sweep()  # do not wait out the grace
    api.wait_final(run, "CANCELED")


def test_a_queued_run_is_cancelled_at_once(server, api):
    job = api.job([step("a", gate="never")], queue={"isEnabled": True})
    holder, queued = api.run(job), api.run(job)
    assert queued["state"]["status"] == "QUEUED"
    seen = api.cancel(queued)
    assert seen["state"]["status"] == "CANCELED" and statuses(seen) == {"a": "CANCELED"}
    assert [s["status"] for s in seen["lifecycleStates"]] == ["QUEUED", "CANCELED"]
    assert seen["startTime"] is None
    api.cancel(holder)
    api.wait_final(holder, "CANCELED")


def test_a_cancelled_run_can_be_repaired(server, api):
    run = api.run(api.job([step("before"), step("a", "before", gate="second-time")]))
    api.wait_task(run, "a", "RUNNING")
    api.cancel(run)
    api.wait_final(run, "CANCELED")
    server.open_gate("second-time")
    again = api.repair(run)
    assert again["repairedTasks"] == ["a"]
    assert again["state"]["isUserCanceledOrTimedOut"] is False
    api.wait_final(run, "SUCCESS")


def test_an_unknown_run_is_404(api):
    for key in ("nonsense", ZERO):
        refused(api.post(f"/jobRuns/{key}/actions/cancel"), 404, "NotAuthorizedOrNotFound")
        refused(api.delete(f"/jobRuns/{key}"), 404, "NotAuthorizedOrNotFound")


def test_cancel_and_delete_hold_if_match(server, api):
    run = api.run(api.job([step("a", gate="never")]))
    api.wait_task(run, "a", "RUNNING")
    refused(api.post(f"/jobRuns/{run['key']}/actions/cancel", headers={"if-match": "stale"}), 412, "NoEtagMatch")
    assert api.get_run(run)["state"]["status"] == "RUNNING"
    api.cancel(run, headers={"if-match": api.etag(run)})
    api.wait_final(run, "CANCELED")
    refused(api.delete(f"/jobRuns/{run['key']}", headers={"if-match": "stale"}), 412, "NoEtagMatch")
    assert api.delete(f"/jobRuns/{run['key']}", headers={"if-match": f'"{api.etag(run)}"'}).status_code == 204


def test_delete_takes_the_run_and_all_of_it(server, api):
    run = api.go([step("a", out="hello")], "SUCCESS")
    other = api.go([step("a")], "SUCCESS")
    folder = server.data / "runs" / run["key"]
    task_run = run["taskToTaskRunMap"]["a"]
    answer = api.delete(f"/jobRuns/{run['key']}")
    assert (answer.status_code, answer.text) == (204, "")
    for path in (f"/jobRuns/{run['key']}", f"/taskRuns/{task_run}", f"/taskRuns/{task_run}/retries",
                 f"/taskRuns/{task_run}/logs", f"/jobRuns/{run['key']}/repairHistory", f"/jobRuns/{run['key']}/events",
                 f"/jobRuns/{run['key']}/explanation"):
        refused(api.get(path), 404, "NotAuthorizedOrNotFound")
    refused(api.delete(f"/jobRuns/{run['key']}"), 404, "NotAuthorizedOrNotFound")
    assert run["key"] not in {i["key"] for i in api.page_through("/jobRuns", jobKey=run["jobKey"])}
    assert api.read("/recentJobRuns", jobKey=run["jobKey"])["items"] == []
    eventually(lambda: not folder.exists(), "the run's folder is gone")
    assert api.get_run(other) == other


@pytest.mark.parametrize("state", ["RUNNING", "QUEUED"])
def test_an_active_run_is_not_deleted(api, state):
    job = api.job([step("a", gate="never")], queue={"isEnabled": True})
    runs = {"RUNNING": api.run(job), "QUEUED": api.run(job)}
    refused(api.delete(f"/jobRuns/{runs[state]['key']}"), 409, "IncorrectState")
    for run in (runs["QUEUED"], runs["RUNNING"]):
        api.cancel(run)
        api.wait_final(run, "CANCELED")
        assert api.delete(f"/jobRuns/{run['key']}").status_code == 204
