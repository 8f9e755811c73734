"""A job's tasks against its runs in one answer: letters, pages, and what is sent again (GET …/jobs/{k}/grid)."""

import pytest
from harness import Client, if_else, refused, statuses, step, task

ZERO = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def job(server):
    """Four tasks; two runs that succeeded but for a branch, then one that failed."""
    tasks = [step("load", until="mended", exit=1), if_else("decide", "1 == 2", "load"), step("yes", ("decide", "true")),
             step("no", ("decide", "false"))]
    job = server.api.job(tasks)
    server.open_gate("mended")
    for _ in range(2):
        server.api.wait_final(server.api.run(job), "SUCCESS")
    server.shut_gate("mended")
    server.api.wait_final(server.api.run(job), "FAILED")
    return job


def grid(api, job, **params):
    return api.read(f"/jobs/{job['key']}/grid", **params)


def by_task(answer, run):
    """taskKey -> status, as the other calls have it."""
    letters = answer["letters"] | {"-": None}
    assert len(run["states"]) == len(answer["taskKeys"])
    return {key: letters[letter] for key, letter in zip(answer["taskKeys"], run["states"])}


def listed(api, job):
    return api.page_through("/jobRuns", jobKey=job["key"])


@pytest.mark.sanitize
def test_letters_are_the_states_of_all_tasks_newest_run_first(api, job):
    answer = grid(api, job)
    assert answer["taskKeys"] == ["load", "decide", "yes", "no"]
    assert len(set(answer["letters"])) == len(answer["letters"]) == 15
    runs = listed(api, job)
    assert [r["key"] for r in answer["runs"]] == [r["key"] for r in runs]
    for column, run in zip(answer["runs"], runs):
        assert by_task(answer, column) == statuses(api.get_run(run))
        assert column["status"] == run["state"]["status"]
        for name in ("startTime", "endTime", "executionDuration", "launched", "timeCreated", "timeUpdated", "createdByName"):
            assert column[name] == run[name], name
        assert "taskStartTime" not in column


def test_pages_go_back_in_time_and_a_later_run_is_on_none(api, job):
    all_keys = [r["key"] for r in listed(api, job)]
    first = api.get(f"/jobs/{job['key']}/grid", limit=1)
    api.wait_final(api.run(job))
    seen = [r["key"] for r in first.json()["runs"]]
    token = first.headers["opc-next-page"]
    while token:
        page = api.get(f"/jobs/{job['key']}/grid", limit=2, page=token)
        seen += [r["key"] for r in page.json()["runs"]]
        token = page.headers.get("opc-next-page")
    assert seen == all_keys
    other = api.job([task("a")])
    refused(api.get(f"/jobs/{other['key']}/grid", page=first.headers["opc-next-page"]), 400, "InvalidParameter", "page")


@pytest.mark.parametrize("query, words", [
    ({"limit": 0}, "limit"), ({"limit": 101}, "limit"), ({"after": -1}, "after"), ({"after": "x"}, "after"), ({"page": "x"}, "page"),
    ({"taskKey": ""}, "taskKey")])
def test_bad_parameters_are_named(api, job, query, words):
    refused(api.get(f"/jobs/{job['key']}/grid", **query), 400, "InvalidParameter", words)


def test_only_what_has_changed_since_is_sent(server, api, job):
    before = grid(api, job)
    same = grid(api, job, after=before["lastEvent"])
    assert [r["states"] for r in same["runs"]] == [None] * len(before["runs"])
    repaired = next(r for r in before["runs"] if r["status"] == "FAILED")
    server.open_gate("mended")
    api.repair(repaired["key"])
    api.wait_final(repaired["key"], "SUCCESS")
    server.shut_gate("mended")
    now = grid(api, job, after=before["lastEvent"])
    assert now["lastEvent"] > before["lastEvent"]
    changed = [r for r in now["runs"] if r["states"] is not None]
    assert [r["key"] for r in changed] == [repaired["key"]]
    assert changed[0]["status"] == "SUCCESS"
    assert by_task(now, changed[0]) == {"load": "SUCCESS", "decide": "SUCCESS", "yes": "EXCLUDED", "no": "SUCCESS"}


def test_a_run_that_goes_on_is_sent_while_its_tasks_move(server, api):
    job = api.job([step("first"), step("second", "first", gate="grid")])
    run = api.run(job)
    api.wait_task(run, "second", "RUNNING")
    answer = grid(api, job)
    assert by_task(answer, answer["runs"][0]) == {"first": "SUCCESS", "second": "RUNNING"}
    server.open_gate("grid")
    api.wait_final(run, "SUCCESS")
    later = grid(api, job, after=answer["lastEvent"])
    assert by_task(later, later["runs"][0]) == {"first": "SUCCESS", "second": "SUCCESS"}


def test_one_task_with_its_times_also_one_that_is_gone(api):
    job = api.job([step("kept"), step("gone", "kept")])
    run = api.wait_final(api.run(job), "SUCCESS")
    api.replace(job, [step("new"), step("kept", "new")])
    answer = grid(api, job)
    assert answer["definitionVersion"] == 2 and answer["taskKeys"] == ["new", "kept"]
    assert by_task(answer, answer["runs"][0]) == {"new": None, "kept": "SUCCESS"}
    for key in ("kept", "gone"):
        one = grid(api, job, taskKey=key)
        assert one["taskKeys"] == [key] and by_task(one, one["runs"][0]) == {key: "SUCCESS"}
        whole = api.task_run(run, key)
        assert (one["runs"][0]["taskStartTime"], one["runs"][0]["taskEndTime"]) == (whole["startTime"], whole["endTime"])
    # a repair by the new definition: what it has not is gone from the run as well
    api.repair(run, definition="CURRENT", taskKeys=["new"])
    api.wait_final(run, "SUCCESS")
    assert by_task(answer := grid(api, job), answer["runs"][0]) == {"new": "SUCCESS", "kept": "SUCCESS"}
    assert by_task(answer := grid(api, job, taskKey="gone"), answer["runs"][0]) == {"gone": None}


def test_a_run_that_was_skipped_has_no_tasks(api):
    job = api.job([task("a"), task("b")], maxConcurrentRuns=0)
    assert api.wait_final(api.run(job))["state"]["status"] == "SKIPPED"
    answer = grid(api, job)
    assert [(r["status"], r["states"]) for r in answer["runs"]] == [("SKIPPED", "--")]


def test_there_is_none_of_a_job_that_is_not_there(server, api):
    refused(api.get(f"/jobs/{ZERO}/grid"), 404, "NotAuthorizedOrNotFound")
    refused(api.get("/jobs/nonsense/grid"), 404, "NotAuthorizedOrNotFound")
    gone = api.job([task("a")])
    assert grid(api, gone)["runs"] == []
    assert api.delete(f"/jobs/{gone['key']}").status_code == 204
    refused(api.get(f"/jobs/{gone['key']}/grid"), 404, "NotAuthorizedOrNotFound")
    nobody = Client(server.endpoint, "")
    refused(nobody.get(f"/jobs/{gone['key']}/grid"), 401, "NotAuthenticated")
