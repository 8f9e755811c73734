"""When a request is wrong in two ways, the earlier check of RULES §7 is the one that speaks.

401 · unknown path 404, 405, 413, 415 · syntax, headers, fields 400 · resource or role 404 · token · if-match 412 ·
state 409 · fields that need the run 400 · nothing to repair 409
"""

import uuid

import pytest
from harness import Client, named, refused, step

pytestmark = pytest.mark.sanitize

ZERO = "00000000-0000-7000-8000-000000000000"
STALE = {"if-match": "stale"}
TEXT = {"content-type": "text/plain"}
BAD_TOKEN = {"opc-retry-token": "x" * 65}


@pytest.fixture(scope="module")
def runs(server):
    """A run that goes on, one that failed, one that succeeded, and a token used for a repair of each of the last two."""
    api, token = server.api, {"opc-retry-token": uuid.uuid4().hex}
    found = {"active": api.run(api.job([step("a", gate="order")])),
             "failed": api.go([step("a", exit=1), step("b")], "FAILED"),
             "good": api.go([step("a")], "SUCCESS")}
    api.wait_task(found["active"], "a", "RUNNING")
    for name in ("failed", "good"):
        path = f"/jobRuns/{found[name]['key']}/actions/repair"
        assert api.post(path, {"repairMode": "RERUN"}, headers=token).status_code == 201
        api.wait_final(found[name])
    yield {**{name: f"/jobRuns/{run['key']}/actions/repair" for name, run in found.items()}, "token": token}
    server.open_gate("order")


@pytest.mark.parametrize("method,path,body", [
    ("GET", "/nowhere", None), ("PATCH", "/jobRuns", None), ("POST", "/jobRuns", "{"), ("POST", "/jobRuns", "x" * 100),
    ("GET", f"/jobRuns/{ZERO}", None), ("GET", "/jobRuns?limit=0", None), ("GET", "//nowhere", None),
])
def test_401_comes_first(server, method, path, body):
    for token in (None, "wrong"):
        answer = Client(server.endpoint, token).call(method, path, data=body)
        refused(answer, 401, "NotAuthenticated")


def test_unknown_path_before_method_size_and_type(api):
    for method in ("GET", "POST", "PATCH", "DELETE"):
        refused(api.call(method, "/nowhere"), 404, "NotFound")
    refused(api.post("/nowhere", data="{", headers=TEXT), 404, "NotFound")


def test_method_before_type_and_syntax(api):
    refused(api.put("/jobRuns", data="{", headers=TEXT), 405, "MethodNotAllowed")
    refused(api.call("PATCH", f"/jobRuns/{ZERO}", data="{"), 405, "MethodNotAllowed")


def test_type_before_syntax_headers_fields_and_resource(api):
    path = f"/jobRuns/{ZERO}/actions/repair"
    for body in ("{", '{"taskKeys": 1}', "{}"):
        answer = api.post(path, data=body, headers={**TEXT, **BAD_TOKEN})
        assert answer.status_code == 415, answer.text
        assert set(answer.json()) == {"code", "message"}


def test_syntax_and_headers_before_fields(api):
    path = f"/jobRuns/{ZERO}/actions/repair"
    answer = api.post(path, data="{", headers=BAD_TOKEN)
    refused(answer, 400, answer.json()["code"])  # of these two either may come first: one word of the rule names both
    refused(api.post(path, {"taskKeys": 1}, headers=BAD_TOKEN), 400, "InvalidParameter", "opc-retry-token")


def test_fields_before_resource(api):
    refused(api.post(f"/jobRuns/{ZERO}/actions/repair", {"taskKeys": 1}), 400, "InvalidParameter", "taskKeys")
    refused(api.post(f"/jobRuns/{ZERO}/actions/repair", {}, headers=BAD_TOKEN), 400, "InvalidParameter",
            "opc-retry-token")
    refused(api.post("/jobRuns", {"jobKey": ZERO, "parameters": [{"name": "a b"}]}), 400, "InvalidParameter", "name")
    refused(api.get("/taskRuns", jobRunKey=ZERO, limit=0), 400, "InvalidParameter", "limit")
    refused(api.get(f"/jobRuns/{ZERO}/repairHistory", limit=0), 400, "InvalidParameter", "limit")


def test_resource_before_if_match(api):
    refused(api.post(f"/jobRuns/{ZERO}/actions/repair", {}, headers=STALE), 404, "NotAuthorizedOrNotFound")
    refused(api.post(f"/jobRuns/{ZERO}/actions/cancel", headers=STALE), 404, "NotAuthorizedOrNotFound")
    refused(api.delete(f"/jobs/{ZERO}", headers=STALE), 404, "NotAuthorizedOrNotFound")


def test_resource_before_token(api):
    """Repeating a create whose job is gone is 404, repeating one whose run is gone is 409."""
    job, headers = api.job([step("a")]), {"opc-retry-token": uuid.uuid4().hex}
    run = api.post("/jobRuns", {"jobKey": job["key"]}, headers=headers).json()
    api.wait_final(run)
    assert api.delete(f"/jobs/{job['key']}").status_code == 204
    refused(api.post("/jobRuns", {"jobKey": job["key"]}, headers=headers), 404, "NotAuthorizedOrNotFound")


def test_token_before_if_match(api, runs):
    answer = api.post(runs["failed"], {"taskKeys": ["a"]}, headers={**runs["token"], **STALE})
    refused(answer, 409, "InvalidatedRetryToken")


def test_token_before_state_and_run_fields(api, runs):
    answer = api.post(runs["good"], {"taskKeys": ["ghost"]}, headers=runs["token"])
    refused(answer, 409, "InvalidatedRetryToken")


def test_if_match_before_state(api, runs):
    refused(api.post(runs["active"], {}, headers=STALE), 412, "NoEtagMatch")


def test_if_match_before_run_fields_and_before_nothing_to_repair(api, runs):
    refused(api.post(runs["failed"], {"taskKeys": ["ghost"]}, headers=STALE), 412, "NoEtagMatch")
    refused(api.post(runs["good"], {}, headers=STALE), 412, "NoEtagMatch")


def test_state_before_run_fields(api, runs):
    refused(api.post(runs["active"], {"taskKeys": ["ghost"]}), 409, "IncorrectState")


def test_run_fields_before_nothing_to_repair(api, runs):
    refused(api.post(runs["good"], {"taskKeys": ["a", "ghost"], "repairMode": "RESUME"}), 400, "InvalidParameter",
            "ghost")


def test_size_before_type(api):
    answer = api.post("/jobRuns", data=b"x" * ((16 << 20) + 1), headers=TEXT)
    refused(answer, 413, "PayloadTooLarge")


def test_a_delete_of_a_stale_active_run(api, runs):
    path = runs["active"].removesuffix("/actions/repair")
    refused(api.delete(path, headers=STALE), 412, "NoEtagMatch")
    refused(api.delete(path), 409, "IncorrectState")


def test_the_parameters_of_a_refused_repair_are_forgotten(api, runs):
    refused(api.post(runs["good"], {"parameters": named(x="1")}), 409, "IncorrectState")
    assert api.read(runs["good"].removesuffix("/actions/repair"))["unifiedJobAndJobRunParameters"] == []
