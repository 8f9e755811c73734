"""What differs between two attempts of a run (CONTRACT §7, run diff)."""

import pytest
from harness import named, refused, step

pytestmark = pytest.mark.sanitize

ZERO = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def run(server):
    """Attempts 0 (FAILED), 1 (FAILED, another parameter), 2 (SUCCESS, the current definition)."""
    api = server.api
    job = api.job([step("kept"), step("a", "kept", exit=1), step("b", "a"), step("gone")], parameters=named(p="1", q="1"))
    run = api.wait_final(api.run(job), "FAILED")
    api.wait_final(api.repair(run, parameters=named(p="2")), "FAILED")
    api.replace(job, [step("kept"), step("a", "kept"), step("b", "a"), step("new")], parameters=named(p="3", q="1", r="{{job.name}}"))
    return api.wait_final(api.repair(run, definition="CURRENT"), "SUCCESS")


def diff(api, run, **numbers):
    return api.read(f"/jobRuns/{run['key']}/diff", **numbers)


def of(answer):
    return {t["taskKey"]: (t["from"] and t["from"]["status"], t["to"] and t["to"]["status"]) for t in answer["tasks"]}


def test_two_attempts(api, run):
    answer = diff(api, run, **{"from": 0, "to": 1})
    history = run["repairHistory"]
    for side, entry in (("from", history[0]), ("to", history[1])):
        assert answer[side]["key"] == entry["key"] and answer[side]["status"] == entry["state"]["status"]
        for name in ("startTime", "endTime", "executionDuration", "definitionVersion"):
            assert answer[side][name] == entry[name]
    assert of(answer) == {"a": ("FAILED", "FAILED"), "b": ("UPSTREAM_FAILED", "UPSTREAM_FAILED")}
    assert answer["keptTasks"] == 2
    assert answer["parameters"] == [{"name": "p", "old": "1", "new": "2"}]
    assert answer["definition"]["fromVersion"] == answer["definition"]["toVersion"] == 1
    a = answer["tasks"][0]
    for side, entry in (("from", history[0]), ("to", history[1])):
        task_run = api.read(f"/taskRuns/{entry['taskToTaskRunMap']['a']}")
        assert a[side]["taskRunKey"] == task_run["key"] and a[side]["attempts"] == 1
        for name in ("startTime", "endTime", "executionDuration"):
            assert a[side][name] == task_run[name]
        assert a[side]["stateMessage"] == task_run["state"]["stateMessage"]


def test_another_definition(api, run):
    answer = diff(api, run)
    assert (answer["from"]["key"], answer["to"]["key"]) == (1, 2), "the newest, and the one before"
    assert of(answer) == {"a": ("FAILED", "SUCCESS"), "b": ("UPSTREAM_FAILED", "SUCCESS"), "new": (None, "SUCCESS"),
                          "gone": ("SUCCESS", None)}
    assert answer["keptTasks"] == 1
    assert answer["parameters"] == [{"name": "r", "old": None, "new": "job"}], "resolved; p stays as the repair gave it"
    assert answer["definition"]["added"] == ["new"] and answer["definition"]["removed"] == ["gone"]
    assert [t["taskKey"] for t in answer["definition"]["changed"]] == ["a"]


def test_backwards_and_with_itself(api, run):
    back = diff(api, run, **{"from": 2, "to": 0})
    assert of(back)["new"] == ("SUCCESS", None) and of(back)["gone"] == (None, "SUCCESS")
    same = diff(api, run, **{"from": 1, "to": 1})
    assert same["tasks"] == [] and same["keptTasks"] == 4 and same["parameters"] == []
    assert diff(api, run, to=0)["from"]["key"] == 0, "there is none before the original"


def test_what_cannot_be_compared(api, run):
    path = f"/jobRuns/{run['key']}/diff"
    for bad in ({"from": 3}, {"to": 3}, {"from": -1}, {"to": "x"}):
        refused(api.get(path, **bad), 400, "InvalidParameter", *bad)
    for key in (ZERO, "nonsense"):
        refused(api.get(f"/jobRuns/{key}/diff"), 404, "NotAuthorizedOrNotFound")


def test_while_it_runs(server, api):
    job = api.job([step("a", exit=1, until="diff-open"), step("b", "a", gate="diff-gate")])
    run = api.wait_final(api.run(job), "FAILED")
    server.open_gate("diff-open")
    api.repair(run)
    api.wait_task(run, "b", "RUNNING")
    answer = diff(api, run)
    assert of(answer) == {"a": ("FAILED", "SUCCESS"), "b": ("UPSTREAM_FAILED", "RUNNING")}
    assert answer["to"]["status"] == "RUNNING" and answer["to"]["executionDuration"] is None
    server.open_gate("diff-gate")
    api.wait_final(run, "SUCCESS")
