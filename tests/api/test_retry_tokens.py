"""opc-retry-token: one token, one effect, the same answer for 24 hours (RULES §7)."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness import Client, named, refused, step, task

pytestmark = pytest.mark.sanitize


def token():
    return {"opc-retry-token": uuid.uuid4().hex}


def same(first, second):
    """The stored answer: status, body, etag, location; only the request id is new."""
    assert second.status_code == first.status_code
    assert second.content == first.content
    for name in ("etag", "location", "content-location", "opc-work-request-id"):
        assert second.headers.get(name) == first.headers.get(name), name
    assert second.headers["opc-request-id"] != first.headers["opc-request-id"]


def test_a_create_is_replayed_after_the_run_moved_on(api):
    job, headers = api.job([step("a")]), token()
    first = api.post("/jobRuns", {"jobKey": job["key"]}, headers=headers)
    assert first.status_code == 201
    done = api.wait_final(first.json(), "SUCCESS")
    same(first, api.post("/jobRuns", {"jobKey": job["key"]}, headers=headers))
    assert api.etag(done) != first.headers["etag"]
    assert len(api.page_through("/jobRuns", jobKey=job["key"])) == 1


def test_a_job_is_made_once(api):
    headers, body = token(), {"name": "once", "path": "Shared", "tasks": [task("a")]}
    first = api.post("/jobs", body, headers=headers)
    same(first, api.post("/jobs", body, headers=headers))


def test_another_body_is_refused(api):
    job, headers = api.job([step("a")], maxConcurrentRuns=5), token()
    assert api.post("/jobRuns", {"jobKey": job["key"]}, headers=headers).status_code == 201
    refused(api.post("/jobRuns", {"jobKey": job["key"], "parameters": []}, headers=headers), 409,
            "InvalidatedRetryToken")


def test_the_same_fields_in_other_bytes_are_another_body(api):
    job, headers = api.job([step("a")], maxConcurrentRuns=5), token()
    body = json.dumps({"jobKey": job["key"]})
    assert api.post("/jobRuns", data=body, headers=headers).status_code == 201
    refused(api.post("/jobRuns", data=body + " ", headers=headers), 409, "InvalidatedRetryToken")


def test_a_deleted_run_invalidates_its_token(api):
    job, headers = api.job([step("a")]), token()
    run = api.post("/jobRuns", {"jobKey": job["key"]}, headers=headers).json()
    api.wait_final(run)
    assert api.delete(f"/jobRuns/{run['key']}").status_code == 204
    refused(api.post("/jobRuns", {"jobKey": job["key"]}, headers=headers), 409, "InvalidatedRetryToken")


def test_a_deleted_job_invalidates_the_token_that_made_it(api):
    token, body = {"opc-retry-token": "job-that-goes"}, {"name": "goes", "path": "Shared"}
    job = api.made("/jobs", body, headers=token)
    assert api.post("/jobs", body, headers=token).json()["key"] == job["key"]
    assert api.delete(f"/jobs/{job['key']}").status_code in (202, 204)
    refused(api.post("/jobs", body, headers=token), 409, "InvalidatedRetryToken", "deleted")


def test_a_repair_is_done_once(server, api):
    run = api.go([step("a", exit=1)], "FAILED")
    path, headers, body = f"/jobRuns/{run['key']}/actions/repair", token(), {"parameters": named(x="1")}
    first = api.post(path, body, headers=headers)
    assert first.status_code == 201
    api.wait_final(run, "FAILED")
    same(first, api.post(path, body, headers=headers))
    assert api.get_run(run)["version"] == 2
    refused(api.post(path, {"parameters": named(x="2")}, headers=headers), 409, "InvalidatedRetryToken")


def test_a_replay_comes_before_if_match_and_state(api):
    """Token before if-match before state: what was accepted once is answered again, though the run has moved on."""
    run = api.go([step("a", exit=1)], "FAILED")
    path, headers = f"/jobRuns/{run['key']}/actions/repair", {**token(), "if-match": api.etag(run)}
    first = api.post(path, {}, headers=headers)
    assert first.status_code == 201
    same(first, api.post(path, {}, headers=headers))
    api.wait_final(run, "FAILED")
    same(first, api.post(path, {}, headers=headers))


def test_a_cancel_is_replayed(api):
    run = api.run(api.job([step("a", gate="never")]))
    path, headers = f"/jobRuns/{run['key']}/actions/cancel", token()
    first = api.post(path, headers=headers)
    api.wait_final(run, "CANCELED")
    same(first, api.post(path, headers=headers))


def test_the_scope_is_operation_and_path(api):
    job, headers = api.job([step("a", exit=1)], maxConcurrentRuns=9), token()
    one = api.post("/jobRuns", {"jobKey": job["key"]}, headers=headers)
    assert one.status_code == 201
    two = api.wait_final(api.run(job), "FAILED")
    assert api.wait_final(one.json(), "FAILED")
    for run in (one.json(), two):
        answer = api.post(f"/jobRuns/{run['key']}/actions/repair", {}, headers=headers)
        assert answer.status_code == 201, "the same token for another path is another request"
        assert answer.json()["key"] == run["key"]
        api.wait_final(run, "FAILED")
    assert api.post(f"/jobRuns/{two['key']}/actions/cancel", headers=headers).status_code == 200
    assert api.post("/jobs", {"name": "other", "path": "Shared"}, headers=headers).status_code == 201


def test_only_success_is_kept(server, api):
    job, headers = api.job([step("a", gate="token-409", exit=1)]), token()
    run = api.run(job)
    path = f"/jobRuns/{run['key']}/actions/repair"
    refused(api.post(path, {}, headers=headers), 409, "IncorrectState")
    refused(api.post(path, {"taskKeys": 1}, headers=headers), 400, "InvalidParameter", "taskKeys")
    server.open_gate("token-409")
    api.wait_final(run, "FAILED")
    assert api.post(path, {}, headers=headers).status_code == 201
    api.wait_final(run, "FAILED")


@pytest.mark.parametrize("good", ["x", "y" * 64, "with-dash_and.dot"])
def test_lengths_that_are_right(api, good):
    job = api.job([step("a")])
    assert api.post("/jobRuns", {"jobKey": job["key"]}, headers={"opc-retry-token": good}).status_code == 201


@pytest.mark.parametrize("bad", ["", "x" * 65])
def test_lengths_that_are_wrong(api, bad):
    job = api.job([step("a")])
    answer = api.post("/jobRuns", {"jobKey": job["key"]}, headers={"opc-retry-token": bad})
    refused(answer, 400, "InvalidParameter", "opc-retry-token")
    assert api.page_through("/jobRuns", jobKey=job["key"]) == []


def test_twenty_at_once_make_one_run(server, api):
    job, headers = api.job([step("a")], maxConcurrentRuns=100), token()

    def create(_):
        return Client(server.endpoint, server.token).post("/jobRuns", {"jobKey": job["key"]}, headers=headers)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(create, range(20)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.content for a in answers}) == 1
    assert len({a.headers["etag"] for a in answers}) == 1
    assert len({a.headers["opc-request-id"] for a in answers}) == 20
    assert len(api.page_through("/jobRuns", jobKey=job["key"])) == 1
    api.wait_final(answers[0].json(), "SUCCESS")


def test_twenty_at_once_repair_once(server, api):
    run = api.go([step("a", exit=1)], "FAILED")
    headers, path = token(), f"/jobRuns/{run['key']}/actions/repair"

    def repair(_):
        return Client(server.endpoint, server.token).post(path, {}, headers=headers)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(repair, range(20)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.content for a in answers}) == 1
    assert api.wait_final(run, "FAILED")["version"] == 2


def test_without_tokens_one_of_many_repairs_wins(server, api):
    run = api.run(api.job([step("a", exit=1), step("b", gate="wins")]))
    api.wait_task(run, "a", "FAILED")
    server.open_gate("wins")
    api.wait_final(run, "FAILED")
    server.shut_gate("wins")
    etag = api.etag(run)

    def repair(_):
        other = Client(server.endpoint, server.token)
        return other.post(f"/jobRuns/{run['key']}/actions/repair", {"taskKeys": ["b"]}, headers={"if-match": etag})

    with ThreadPoolExecutor(10) as pool:
        codes = sorted(a.status_code for a in pool.map(repair, range(10)))
    assert codes == [201] + [412] * 9
    server.open_gate("wins")
    api.wait_final(run, "FAILED")


def test_tokens_survive_a_restart(own):
    api = own.api
    job, headers = api.job([step("a")]), token()
    first = api.post("/jobRuns", {"jobKey": job["key"]}, headers=headers)
    assert first.status_code == 201
    own.restart()
    api = own.api
    same(first, api.post("/jobRuns", {"jobKey": job["key"]}, headers=headers))
    refused(api.post("/jobRuns", {"jobKey": job["key"], "key": "x"}, headers=headers), 409, "InvalidatedRetryToken")
    assert len(api.page_through("/jobRuns", jobKey=job["key"])) == 1
    api.wait_final(first.json(), "SUCCESS")
