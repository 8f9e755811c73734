"""The statuses that the pages list, each called forth on a real server, page by page; and what HTTP asks beside them: Allow,
HEAD, encodings. A 500 is no answer that can be asked for: tests/wire/test_wire.c has it."""

import gzip
import uuid
import zlib

import pytest
import requests
from harness import DEADLINE_S, Client, refused, step

ZERO = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def finished(server):
    """A run that failed, and its job."""
    return server.api.go([step("a", exit=1)], "FAILED")


# Page of the seeds -> (method, path, body), of a run; {} are its keys.
CREATE = ("POST", "/jobRuns", {"jobKey": "{job}"})
REPAIR = ("POST", "/jobRuns/{run}/actions/repair", {"taskKeys": ["a"]})
TASK_RUN = ("GET", "/taskRuns/{task}", None)
RECENT = ("GET", "/recentJobRuns?jobKey={job}", None)
PAGES = {"create": CREATE, "repair": REPAIR, "task run": TASK_RUN, "recent": RECENT}


def call(client, page, keys, **more):
    method, path, body = PAGES[page]
    body = {name: value.format(**keys) if isinstance(value, str) else value for name, value in body.items()} if body else None
    return client.call(method, path.format(**keys), body, **more)


def keys_of(run):
    return {"run": run["key"], "job": run["jobKey"], "task": run["taskToTaskRunMap"]["a"]}


@pytest.mark.parametrize("page,status", [("create", 201), ("repair", 201), ("task run", 200), ("recent", 200)])
def test_success(api, finished, page, status):
    answer = call(api, page, keys_of(finished))
    assert answer.status_code == status, answer.text
    assert answer.headers["opc-request-id"]
    if status == 201:
        assert {"etag", "location", "content-location", "opc-work-request-id"} <= {name.lower() for name in answer.headers}
    api.wait_final(answer.json()) if page == "create" else None
    api.wait_final(finished) if page == "repair" else None


@pytest.mark.parametrize("page,change,word", [
    ("create", {"jobKey": 1}, "jobKey"), ("repair", {"taskKeys": "a"}, "taskKeys"), ("task run", None, "percent"),
    ("recent", None, "recordCount"),
])
def test_400(api, finished, page, change, word):
    method, path, _ = PAGES[page]
    path = path.format(**keys_of(finished))
    if page == "task run":  # the one parameter is its key
        refused(api.get("/taskRuns/%00"), 400, "InvalidParameter", word)
        return
    answer = api.call(method, path + ("&recordCount=11" if page == "recent" else ""), change)
    refused(answer, 400, "InvalidParameter", word)


@pytest.mark.parametrize("page", PAGES)
def test_401(server, finished, page):
    answer = call(Client(server.endpoint, "rpr_nobody"), page, keys_of(finished))
    refused(answer, 401, "NotAuthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("page", PAGES)
def test_404(server, api, finished, page):
    keys = {"run": ZERO, "job": ZERO, "task": ZERO}
    if page == "recent":  # unknown jobs contribute nothing; what is not found is the workspace
        elsewhere = Client({**server.endpoint, "workspaceKey": str(uuid.uuid4())}, server.token)
        refused(call(elsewhere, page, keys), 404, "NotAuthorizedOrNotFound")
        return
    refused(call(api, page, keys), 404, "NotAuthorizedOrNotFound")


def test_409(api, finished):
    token = {"opc-retry-token": uuid.uuid4().hex}
    job = {"jobKey": finished["jobKey"]}
    api.wait_final(api.post("/jobRuns", job, headers=token).json())
    refused(api.post("/jobRuns", {**job, "parameters": []}, headers=token), 409, "InvalidatedRetryToken")
    good = api.go([step("a")], "SUCCESS")
    refused(api.post(f"/jobRuns/{good['key']}/actions/repair", {}), 409, "IncorrectState", "nothing to repair")


def test_412(api, finished):
    refused(call(api, "repair", keys_of(finished), headers={"if-match": "stale"}), 412, "NoEtagMatch")


def test_429(servers):
    """Every page says when to come again, and is served when that is over."""
    limited = servers("--http.rate-limit", "1").start()
    for page in PAGES:
        answers = [call(limited.api, page, {"run": ZERO, "job": ZERO, "task": ZERO}) for _ in range(6)]
        last = answers[-1]
        refused(last, 429, "TooManyRequests", "requests")
        assert 1 <= int(last.headers["retry-after"]) <= 2


# --- methods ---


@pytest.mark.parametrize("method,path,allowed", [
    ("DELETE", "/jobRuns", {"GET", "HEAD", "POST"}), ("PUT", f"/jobRuns/{ZERO}", {"GET", "HEAD", "DELETE"}),
    ("GET", f"/jobRuns/{ZERO}/actions/repair", {"POST"}), ("POST", "/recentJobRuns", {"GET", "HEAD"}),
    ("PATCH", f"/jobs/{ZERO}", {"GET", "HEAD", "PUT", "DELETE"}), ("GET", f"/jobs/{ZERO}/actions/cancelJobRuns", {"POST"}),
])
def test_405_says_what_is_allowed(api, method, path, allowed):
    answer = api.call(method, path)
    refused(answer, 405, "MethodNotAllowed")
    assert {word.strip() for word in answer.headers["allow"].split(",")} == allowed


def test_head_has_the_headers_of_get(api, finished):
    for path in (f"/jobRuns/{finished['key']}", f"/jobs/{finished['jobKey']}", "/jobRuns?limit=1", "//openapi.json"):
        for encoding in ("identity", "gzip"):
            got = api.get(path, headers={"accept-encoding": encoding})
            head = api.call("HEAD", path, headers={"accept-encoding": encoding})
            assert head.status_code == 200 and head.content == b""
            for name in ("etag", "content-type", "content-length", "content-encoding", "vary", "opc-next-page"):
                assert head.headers.get(name) == got.headers.get(name), (path, encoding, name)
    refused(api.get(f"/jobRuns/{ZERO}"), 404, "NotAuthorizedOrNotFound")
    missing = api.call("HEAD", f"/jobRuns/{ZERO}")
    assert missing.status_code == 404 and missing.content == b""


# --- encodings ---


def raw(server, path, **headers):
    """Status, headers and the bytes as they were sent."""
    headers = {"authorization": f"Bearer {server.token}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    with requests.get(server.url + server.api.path(path), headers=headers, stream=True, timeout=DEADLINE_S) as answer:
        return answer, answer.raw.read(decode_content=False)


def test_large_answers_are_packed_for_who_takes_it(server):
    plain, text = raw(server, "//openapi.json", accept_encoding="identity")
    assert plain.status_code == 200 and "content-encoding" not in plain.headers and len(text) > 16384
    packed, data = raw(server, "//openapi.json", accept_encoding="br, gzip;q=0.5")
    assert packed.headers["content-encoding"] == "gzip" and len(data) < len(text) / 4
    assert int(packed.headers["content-length"]) == len(data)
    assert gzip.decompress(data) == text
    for answer in (plain, packed):
        assert answer.headers["vary"].lower() == "accept-encoding"
    refuses, data = raw(server, "//openapi.json", accept_encoding="gzip;q=0")
    assert "content-encoding" not in refuses.headers and data == text
    small, data = raw(server, "/jobRuns?limit=1", accept_encoding="gzip")
    assert "content-encoding" not in small.headers and data.startswith(b"{")


def test_an_etag_is_good_in_every_encoding(server, api):
    """It names a version of the resource: what was read packed can be named in if-match."""
    job = api.made("/jobs", {"name": "wide", "path": "p", "description": "d" * 1000,
                             "parameters": [{"name": f"p{n}", "value": "x" * 100} for n in range(200)]})
    packed, _ = raw(server, f"/jobs/{job['key']}", accept_encoding="gzip")
    plain, _ = raw(server, f"/jobs/{job['key']}", accept_encoding="identity")
    assert packed.headers["content-encoding"] == "gzip" and packed.headers["etag"] == plain.headers["etag"]
    assert api.delete(f"/jobs/{job['key']}", headers={"if-match": packed.headers["etag"]}).status_code == 204


def test_streams_and_followed_logs_are_not_packed(server, api):
    run = api.go([step("a", out="x" * 50)], "SUCCESS")
    stream, data = raw(server, f"/jobRuns/{run['key']}/events", accept="text/event-stream", accept_encoding="gzip")
    assert stream.status_code == 200 and "content-encoding" not in stream.headers and b"event: end" in data
    followed, data = raw(server, f"/taskRuns/{run['taskToTaskRunMap']['a']}/logs?follow=true", accept_encoding="gzip")
    assert "content-encoding" not in followed.headers and data == b"x" * 50 + b"\n"


def test_packed_requests_are_refused_unread(api):
    """A bomb of 16 KiB would be 16 MiB of blanks."""
    bomb = zlib.compress(b'{"jobKey":"' + b" " * (16 << 20) + b'"}', 9)
    for encoding in ("gzip", "deflate", "br", "GZIP", "gzip, identity"):
        answer = api.call("POST", "/jobRuns", data=bomb, headers={"content-encoding": encoding, "content-type": "application/json"})
        refused(answer, 415, "UnsupportedMediaType", "content-encoding")
    assert api.post("/jobRuns", {"jobKey": ZERO}, headers={"content-encoding": "identity"}).status_code == 404
