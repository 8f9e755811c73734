"""Bodies, fields, paths and headers that are wrong: the right status, the right code, the field's name (CONTRACT §4)."""

import json

import pytest
import requests
from harness import DEADLINE_S, eventually, named, refused, step, task

pytestmark = pytest.mark.sanitize

ZERO = "00000000-0000-7000-8000-000000000000"
MIB = 1 << 20


@pytest.fixture(scope="module", autouse=True)
def goes_on(server):
    """After all of it the server works as before."""
    yield
    assert server.api.get("//readyz").status_code == 200
    server.api.go([task("a")], "SUCCESS")


@pytest.fixture(scope="module")
def job(server):
    return server.api.job([step("a")], maxConcurrentRuns=1000)


# --- bodies -----------------------------------------------------------------------------------------------------------

NOT_JSON = {
    "empty": b"", "blank": b"  \n", "word": b"hello", "open": b"{", "open string": b'{"a": "b', "comma": b'{"a": 1,}',
    "single quotes": b"{'a': 1}", "comment": b'{"a": 1} // x', "two": b"{} {}", "tail": b"{}x", "bom": b"\xef\xbb\xbf{}",
    "utf-16": "{}".encode("utf-16"), "latin-1": '{"jobKey": "\u00e9"}'.encode("latin-1"), "overlong": b'{"a": "\xc0\xaf"}',
    "surrogate": b'{"a": "\xed\xa0\x80"}', "lone escape": b'{"a": "\\ud800"}', "truncated": b'{"a": "\xe2\x82"}',
    "NUL byte": b'{"a": "\0"}', "NUL after": b"{}\0", "control": b'{"a": "\x01"}', "bad escape": b'{"a": "\\x41"}',
    "nan": b'{"a": NaN}', "infinity": b'{"a": 1e999}', "plus": b'{"a": +1}', "leading zero": b'{"a": 01}', "hex": b'{"a": 0x1}',
    "duplicate": b'{"jobKey": "a", "jobKey": "b"}', "nested duplicate": b'{"queue": {"isEnabled": true, "isEnabled": false}}',
    "too deep": b'{"x": ' + b"[" * 65 + b"]" * 65 + b"}", "very deep": b"[" * 100000, "deep objects": b'{"a":' * 100000,
}


@pytest.mark.parametrize("name", NOT_JSON)
@pytest.mark.parametrize("path", ["/jobs", "/jobRuns", f"/jobRuns/{ZERO}/actions/repair"])
def test_not_json(api, path, name):
    if name == "empty" and path.endswith("repair"):
        return  # no field is required there: test_repairs.py
    answer = api.post(path, data=NOT_JSON[name])
    if name == "empty":
        refused(answer, 400, answer.json()["code"])
        assert answer.json()["code"] in ("CannotParseRequest", "MissingParameter")
    else:
        refused(answer, 400, "CannotParseRequest")


@pytest.mark.parametrize("body", ["[]", '"x"', "1", "true", "null", "[{}]"])
@pytest.mark.parametrize("path", ["/jobs", "/jobRuns", f"/jobRuns/{ZERO}/actions/repair"])
def test_json_that_is_no_object(api, path, body):
    answer = api.post(path, data=body)
    assert answer.status_code in ((400, 404) if body == "null" else (400,))
    refused(answer, answer.status_code, answer.json()["code"])


def test_depth_64_can_be_read(api, job):
    inner = "[" * 63 + "]" * 63
    answer = api.post("/jobRuns", data='{"jobKey": "%s", "x": %s}' % (job["key"], inner))
    assert answer.status_code == 201, "unknown fields are ignored"
    refused(api.post("/jobRuns", data='{"jobKey": "%s", "x": [[%s]]}' % (job["key"], inner)), 400, "CannotParseRequest")


def test_a_message_does_not_repeat_what_is_long(api):
    for body in ({"name": "x" * 100000}, {"name": "job", "tasks": [task("a", type="T" * 100000)]},
                 {"name": "job", "parameters": [{"name": " " * 100000}]}):
        assert len(refused(api.post("/jobs", body), 400, "InvalidParameter")) < 2000


def test_messages_are_json_whatever_was_sent(api):
    for value in ("\u0001", "\u007f", '"\\', "\u2028", "\U0001f600", "\ufffe", "<script>", "\r\nset-cookie: x"):
        answer = api.post("/jobs", {"name": value})
        refused(answer, 400, "InvalidParameter", "name")
        assert "set-cookie" not in answer.headers


WRONG_TYPES = [None, 1, -1, 1.5, True, "x", "", [], {}, [[]], [{}], [None]]
KINDS = {  # field of CreateJobRunDetails -> the kinds that may be right
    "jobKey": (str,), "originalAttemptRunId": (str,), "parameters": (list,), "queue": (dict,), "schedule": (dict,),
    "repairHistory": (list,), "key": (str,),
}


@pytest.mark.parametrize("field", KINDS)
@pytest.mark.parametrize("value", WRONG_TYPES, ids=repr)
def test_types_of_create_job_run(api, job, field, value):
    if value is None or isinstance(value, KINDS[field]) and not (value and isinstance(value, (list, dict))):
        return
    answer = api.post("/jobRuns", {"jobKey": job["key"], field: value})
    if isinstance(value, list) and field == "repairHistory" and answer.status_code == 201:
        return  # an empty object may be a RepairHistory: no field of it is required
    code = answer.json().get("code")
    assert code in ("InvalidParameter", "MissingParameter"), answer.text
    refused(answer, 400, code, field)


@pytest.mark.parametrize("history", [[{"type": "AGAIN"}], [{"key": "x"}], [{"startTime": "now"}], [{"repairedTasks": 1}],
                                     [{"state": {"status": "DONE"}}], [{"state": 1}], [{"parameters": {}}], [1], ["x"],
                                     [{"lifecycleStates": [{"status": 1}]}], [{"taskToTaskRunMap": []}], [{"key": 2 ** 31}]])
def test_types_in_a_repair_history(api, job, history):
    answer = api.post("/jobRuns", {"jobKey": job["key"], "repairHistory": history})
    refused(answer, 400, "InvalidParameter", "repairHistory")


@pytest.mark.parametrize("schedule", [
    {"quartzCronExpression": 1, "timezoneId": "UTC"}, {"quartzCronExpression": "x", "timezoneId": 1},
    {"quartzCronExpression": "0 0 3 * * ?", "timezoneId": "UTC", "pauseStatus": "paused"},
    {"quartzCronExpression": "", "timezoneId": "UTC"}, {"quartzCronExpression": "0 0 3 * * ?", "timezoneId": ""},
])
def test_a_bad_schedule(api, job, schedule):
    refused(api.post("/jobRuns", {"jobKey": job["key"], "schedule": schedule}), 400, "InvalidParameter", "schedule")


@pytest.mark.parametrize("schedule", [{"quartzCronExpression": "every day", "timezoneId": "UTC"},
                                      {"quartzCronExpression": "0 0 3 * * ?", "timezoneId": "Moon/Crater"}])
def test_a_schedule_that_means_nothing(api, job, schedule):
    refused(api.post("/jobRuns", {"jobKey": job["key"], "schedule": schedule}), 400, "InvalidParameter", "schedule")


@pytest.mark.parametrize("parameters,word", [
    ([{"name": "a"}, {"name": "a"}], "a"), ([{"value": "x"}], "name"), ([{"name": ""}], "name"), ([{"name": "a b"}], "name"),
    ([{"name": "a\n"}], "name"), ([{"name": "\u00e9"}], "name"), ([{"name": 1}], "name"), ([{"name": "a", "value": 1}], "value"),
    ([{"name": "a", "value": ["x"]}], "value"), ([{"name": "a", "value": "x" * 65537}], "value"),
    ([{"name": "a", "value": "\u20ac" * 21846}], "value"),
    (named(**{f"p{n}": "" for n in range(1001)}), "parameters"), ("a=b", "parameters"), ({"a": "b"}, "parameters"),
])
def test_bad_parameters(api, job, parameters, word):
    answer = api.post("/jobRuns", {"jobKey": job["key"], "parameters": parameters})
    code = answer.json().get("code")
    assert code in ("InvalidParameter", "MissingParameter", "LimitExceeded"), answer.text
    refused(answer, 400, code, word)


def test_parameters_at_their_limits(api, job):
    run = api.run(job, parameters=named(a="x" * 65536))
    assert run["parameters"] == named(a="x" * 65536)
    many = named(**{f"p{n}": str(n) for n in range(1000)})
    assert api.run(job, parameters=many)["parameters"] == many
    assert api.run(job, parameters=[{"name": "a"}])["parameters"] == named(a=""), "absent = ''"


def test_the_field_is_named_with_its_place(api):
    tasks = [task("a"), task("b"), task("c", maxRetries=999)]
    message = refused(api.post("/jobs", {"name": "job", "tasks": tasks}), 400, "InvalidParameter", "maxRetries")
    assert "2" in message or "c" in message, "which of the tasks"


@pytest.mark.parametrize("body", [
    {"name": "j", "tasks": [task("a", **{"unknown": 1})]}, {"name": "j", "unknown": {"deep": [1, 2]}},
    {"name": "j", "queue": {"isEnabled": True, "unknown": 1}}, {"name": "j", "parameters": [{"name": "a", "unknown": 1}]},
])
def test_unknown_fields(api, body):
    assert api.post("/jobs", body).status_code == 201
    refused(api.post("/jobs", body, strict="true"), 400, "InvalidParameter", "unknown")


@pytest.mark.parametrize("value", ["yes", "", "1"])
def test_strict_is_a_boolean(api, value):
    refused(api.post("/jobs", {"name": "j"}, strict=value), 400, "InvalidParameter", "strict")


# --- content type and size --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data",
                                  "application/jsonx", "json", "/", "application/json+x"])
def test_another_content_type_is_415(api, job, kind):
    answer = api.post("/jobRuns", data=json.dumps({"jobKey": job["key"]}), headers={"content-type": kind})
    assert answer.status_code == 415, answer.text
    assert set(answer.json()) == {"code", "message"}


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON",
                                  "application/json;charset=UTF-8"])
def test_a_content_type_that_is_json(api, job, kind):
    answer = api.post("/jobRuns", data=json.dumps({"jobKey": job["key"]}), headers={"content-type": kind})
    assert answer.status_code == 201, answer.text


def test_a_body_at_the_limit_is_read_and_one_over_it_is_413(api, job):
    body = json.dumps({"jobKey": job["key"], "x": ""})
    fits = body[:-2] + "y" * (16 * MIB - len(body)) + body[-2:]
    assert len(fits) == 16 * MIB
    assert api.post("/jobRuns", data=fits).status_code == 201
    refused(api.post("/jobRuns", data=fits + " "), 413, "PayloadTooLarge")


def test_what_comes_before_the_size_of_a_body(server, api):
    """RULES §7: 401, unknown path 404, 405, then 413; with a length that is told, and with chunks."""
    def chunks():
        for _ in range(17):
            yield b" " * MIB

    for body in (b" " * (17 * MIB), None):
        def send(method, path, token, code):
            headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
            answer = requests.request(method, server.url + api.path(path), data=body or chunks(), headers=headers, timeout=DEADLINE_S)  # noqa: B023
            assert answer.status_code == code and answer.json()["code"], (method, path, answer.status_code, answer.text)

        send("POST", "/jobRuns", None, 401)
        send("POST", "/jobRuns", "nonsense", 401)
        send("POST", "/nowhere", server.token, 404)
        send("PATCH", "/jobs", server.token, 405)
        send("POST", "/jobRuns", server.token, 413)


@pytest.mark.parametrize("count,status", [(365, 200), (400, 414), (450, 414), (700, 414), (1000, 414)])
def test_many_parameters_are_answered(server, api, count, status):
    key = "01a21bec-3453-7000-8004-d6cb876a23c1"
    answer = requests.get(server.url + api.path("/jobRuns") + "?" + "&".join([f"jobKey={key}"] * count),
                          headers={"authorization": f"Bearer {server.token}"}, timeout=DEADLINE_S)
    assert answer.status_code == status and answer.headers["opc-request-id"]
    assert status == 200 or answer.json()["code"] == "LimitExceeded"


def test_a_body_of_too_many_values_is_413(api):
    """Its tree would take eighty times its length, of whoever has any credential at all."""
    refused(api.post("/jobRuns", data=b'{"x": [' + b"{}," * 5_000_000 + b"{}]}"), 413, "PayloadTooLarge", "values")


def test_a_chunked_body_over_the_limit_is_413(api):
    def endless():
        for _ in range(17):
            yield b" " * MIB

    refused(api.post("/jobRuns", data=endless()), 413, "PayloadTooLarge")


def test_a_chunked_body_is_a_body(api, job):
    def pieces():
        yield b'{"jobKey": '
        yield f'"{job["key"]}"}}'.encode()

    assert api.post("/jobRuns", data=pieces()).status_code == 201


# --- paths and methods ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", [
    "//x", "//healthz/", "//healthz/x", "//20260430", "//20260430/", "/", "/x", "/jobRuns/", "/jobRuns//", "/jobRuns/a/b",
    f"/jobRuns/{ZERO}/actions", f"/jobRuns/{ZERO}/actions/", f"/jobRuns/{ZERO}/actions/run", "/jobs/a/b/c", "/JOBRUNS",
    "~/", "~/workspace", "//api/", "//v9/x", "//20260430/aiDataPlatforms", "//..%2f..%2fetc/passwd", "/jobs/" + "x/" * 200,
])
def test_an_unknown_path_is_404(api, path):
    answer = api.get(path)
    assert answer.status_code == 404, answer.text
    assert answer.json()["code"] in ("NotFound", "NotAuthorizedOrNotFound")


@pytest.mark.parametrize("method,path", [
    ("PUT", "/jobRuns"), ("PATCH", "/jobRuns"), ("DELETE", "/jobRuns"), ("PUT", f"/jobRuns/{ZERO}"), ("POST", f"/jobRuns/{ZERO}"),
    ("GET", f"/jobRuns/{ZERO}/actions/cancel"), ("GET", f"/jobRuns/{ZERO}/actions/repair"), ("PUT", "/jobs"),
    ("POST", "/recentJobRuns"), ("POST", "/taskRuns"), ("DELETE", f"/taskRuns/{ZERO}"), ("POST", "//healthz"),
    ("DELETE", f"/jobRuns/{ZERO}/events"), ("OPTIONS", "/jobRuns"), ("TRACE", "/jobRuns"), ("BREW", "/jobRuns"),
])
def test_a_wrong_method_is_405(api, method, path):
    answer = api.call(method, path)
    if method in ("OPTIONS", "TRACE", "BREW") and answer.status_code in (501, 404):
        return  # a method that HTTP or the server does not know at all
    refused(answer, 405, "MethodNotAllowed")


def test_head_has_no_body(api, job):
    answer = api.call("HEAD", f"/jobs/{job['key']}")
    assert answer.status_code in (200, 405) and answer.content == b""


@pytest.mark.parametrize("path", ["//healthz%00", "//%", "//%zz", "/jobs%00", "/%ff"])
def test_a_path_that_cannot_be_decoded(api, path):
    answer = api.get(path)
    assert answer.status_code in (400, 404), answer.text
    assert set(answer.json()) == {"code", "message"}


@pytest.mark.parametrize("key", ["%", "%2", "%zz", "%00", "%ff", "%c0%af", "..", "%2e%2e", "%2F", "a%2Fb", "'", '"', "%27%20OR%201=1",
                                 "*", "\u20ac", "x" * 2000, "%E2%82%AC"])
def test_odd_keys(api, key):
    answer = api.get(f"/jobRuns/{key}")
    assert answer.status_code in (400, 404), answer.text
    assert set(answer.json()) == {"code", "message"}


@pytest.mark.parametrize("query", ["limit=%", "limit=%zz", "limit=%00", "displayName=%ff", "displayName=%c0%af", "limit=1&limit=2",
                                   "sortBy=timeCreated&sortBy=status", "page=a&page=b", "sortOrder=ASC&sortOrder=ASC"])
def test_odd_queries(api, query):
    answer = api.get("/jobRuns?" + query)
    refused(answer, 400, answer.json().get("code"), query.split("=")[0])
    assert answer.json()["code"] in ("InvalidParameter", "CannotParseRequest")


@pytest.mark.parametrize("query", ["", "&", "&&limit=1&", "limit=1&", "=", "=x", "colour", "colour=", "%20=1"])
def test_empty_parts_of_a_query_mean_nothing(api, query):
    assert api.get("/jobRuns?" + query).status_code == 200


def test_an_error_leaks_no_path_of_the_machine(server, api):
    seen = [api.post("/jobs", data=b"{").text, api.get("/jobRuns/%00").text, api.get("//x").text,
            api.post("/jobs", {"name": "job", "tasks": [task("a", filePath="../../etc/passwd")]}).text]
    for text in seen:
        assert str(server.folder) not in text and "/src/" not in text


# --- headers ----------------------------------------------------------------------------------------------------------

def test_a_header_that_is_too_large(api):
    answer = api.get("/jobRuns", headers={"x-large": "y" * 200_000})
    assert answer.status_code == 431, answer.text


def test_a_target_that_is_too_long(api):
    answer = api.get("/jobRuns?x=" + "y" * 200_000)
    assert answer.status_code in (400, 414, 431), answer.text


def test_many_headers(api):
    answer = api.get("/jobRuns", headers={f"x-{n}": "y" for n in range(90)})
    assert answer.status_code in (200, 431)


def test_what_was_refused_left_nothing(api, job):
    eventually(lambda: all(i["endTime"] for i in api.page_through("/jobRuns", jobKey=job["key"], limit=1000)), "all end")
    assert {i["state"]["status"] for i in api.page_through("/jobRuns", jobKey=job["key"], limit=1000)} == {"SUCCESS"}
