"""Random bodies, paths and headers: never a 500, never a hang, always an error that is one (CONTRACT §4).

A failure prints the input, and hypothesis prints what repeats it.
"""

import json
import os

import pytest
from harness import eventually, step, task
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.sanitize

MANY = settings(max_examples=1500 if os.environ.get("REPRISE_TEST_LONG") else 120, deadline=None, database=None,
                print_blob=True, suppress_health_check=list(HealthCheck))

FIELDS = ["name", "path", "tasks", "parameters", "queue", "schedule", "maxConcurrentRuns", "timeoutSeconds", "description",
          "gitConfig", "jobClusters", "continuous", "runAs", "taskKey", "type", "filePath", "dependsOn", "runIf", "outcome",
          "maxRetries", "minRetryIntervalMillis", "isRetryOnTimeout", "commandLineArguments", "expressions", "condition",
          "key", "value", "isEnabled", "source", "cluster", "clusterName", "jobKey", "originalAttemptRunId", "repairHistory",
          "taskKeys", "repairMode", "repairTasks", "shouldIncludeDownstream", "definition", "assumptions", "repairs", "state", "status", "lifecycleStates", "taskToTaskRunMap"]
WORDS = ["a", "b", "job", "PYTHON_TASK", "IF_ELSE_TASK", "ALL_DONE", "ok.py", "true", "false", "WORKSPACE", "A", "A AND B",
         "1 == 1", "{{job.parameters.x}}", "{{tasks.a.result_state}}", "'", "{{", "RERUN", "RESUME", "ORIGINAL", "local", "*"]
TEXT = st.one_of(st.sampled_from(WORDS), st.text(max_size=20))
LEAF = st.one_of(st.none(), st.booleans(), st.integers(-2 ** 70, 2 ** 70), st.floats(allow_nan=False, allow_infinity=False), TEXT,
                 st.sampled_from([0, 1, -1, 2 ** 31, 2 ** 31 - 1, 2 ** 63, -2 ** 63, 60, 300, 1000]))
KEYS = st.one_of(st.sampled_from(FIELDS), st.text(max_size=5))
JSON = st.recursive(LEAF, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
                    max_leaves=10)
BODY = st.dictionaries(KEYS, JSON, max_size=6)
TASK = st.fixed_dictionaries({"taskKey": st.sampled_from("abc"), "type": st.sampled_from(["PYTHON_TASK", "IF_ELSE_TASK"])},
                             optional={name: JSON for name in FIELDS[16:30]} | {"filePath": TEXT})
JOB = st.fixed_dictionaries({"name": st.one_of(st.just("job"), TEXT), "tasks": st.lists(TASK, max_size=3)},
                            optional={name: JSON for name in FIELDS[1:13] if name != "tasks"})


def sane(answer):
    """A success, or a client's error that says what was wrong."""
    assert answer.status_code < 500, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["opc-request-id"]
    if answer.status_code >= 400:
        body = answer.json()
        assert set(body) == {"code", "message"} and body["message"]
    return answer


@pytest.fixture(scope="module")
def job(server):
    return server.api.job([step("a")], maxConcurrentRuns=1000)


@pytest.fixture(scope="module")
def run(server):
    return server.api.go([step("a", exit=1)], "FAILED")


@pytest.fixture(scope="module", autouse=True)
def goes_on(server):
    yield
    assert server.api.get("//readyz").status_code == 200
    server.api.go([task("a")], "SUCCESS")


@MANY
@given(st.one_of(BODY, JOB))
def test_jobs(server, body):
    answer = sane(server.api.post("/jobs", body))
    assert answer.status_code in (201, 400), answer.text
    if answer.status_code == 201:  # what was accepted can be read, saved again as it was shown, and run
        made = answer.json()
        assert {**server.api.read(f"/jobs/{made['key']}"), "nextRunTimes": None} == {**made, "nextRunTimes": None}  # those are as of now
        again = server.api.post("/jobs", made)
        assert again.status_code == 201, again.text
        own = ("key", "timeCreated", "timeUpdated", "nextRunTimes")
        assert {k: v for k, v in again.json().items() if k not in own} == {k: v for k, v in made.items() if k not in own}
        ran = sane(server.api.post("/jobRuns", {"jobKey": made["key"]}))
        assert ran.status_code in (201, 400)


@MANY
@given(st.one_of(BODY, JOB), st.booleans())
def test_what_is_valid_can_be_saved_and_simulated(server, body, strict):
    """validate says what saving says, and the first thing that saving finds is among what it finds."""
    options = {"strict": "true"} if strict else {}
    said = sane(server.api.post("/jobs/actions/validate", body, **options))
    saved = sane(server.api.post("/jobs", body, **options))
    if said.status_code != 200:  # no JSON that could be looked at
        assert said.json() == saved.json() and said.json()["code"] == "CannotParseRequest"
        return
    assert said.json()["isValid"] == (saved.status_code == 201) == (not said.json()["errors"]), (said.text, saved.text)
    if saved.status_code == 400:
        assert saved.json() in said.json()["errors"]
    simulated = sane(server.api.post("/jobs/actions/simulate", {"definition": body}, **options))
    assert simulated.status_code in ((200, 400) if saved.status_code == 201 else (400,))


@MANY
@given(BODY)
def test_simulations(server, job, body):
    assert sane(server.api.post("/jobs/actions/simulate", {"jobKey": job["key"], **body})).status_code in (200, 400, 404, 409)


@MANY
@given(BODY)
def test_runs(server, job, body):
    assert sane(server.api.post("/jobRuns", {"jobKey": job["key"], **body})).status_code in (201, 400, 404)


@MANY
@given(BODY, st.sampled_from(["repair", "planRepair"]))
def test_repairs(server, run, body, action):
    assert sane(server.api.post(f"/jobRuns/{run['key']}/actions/{action}", body)).status_code in (200, 201, 400, 409)


@MANY
@given(st.binary(max_size=200))
def test_bytes_as_a_body(server, data):
    answer = sane(server.api.post("/jobs", data=data))
    try:
        parsed = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        parsed = None
    assert answer.status_code == 400 or isinstance(parsed, dict)


@MANY
@given(st.text(alphabet=st.characters(blacklist_categories=("Cs",), blacklist_characters="\r\n\0"), max_size=60),
       st.sampled_from(["GET", "POST", "PUT", "DELETE"]))
def test_paths(server, path, method):
    answer = server.api.call(method, "/jobRuns/" + path.replace("#", "%23"))
    assert answer.status_code < 500
    answer = server.api.call(method, "//" + path.replace("#", "%23").lstrip("/"))
    assert answer.status_code < 500


@MANY
@given(st.dictionaries(st.sampled_from(["jobKey", "limit", "page", "sortBy", "sortOrder", "status", "displayName", "recordCount",
                                        "timeCreatedLessThanOrEqualTo", "jobRunKey", "strict", "repairKey", "path", "x"]),
                       st.one_of(TEXT, st.lists(TEXT, max_size=3), st.integers()), max_size=5),
       st.sampled_from(["/jobRuns", "/jobs", "/recentJobRuns", "/taskRuns", "~/asyncOperations"]))
def test_queries(server, params, path):
    url = server.url + server.api.path(path)
    answer = sane(server.api.session.get(url, params=params, timeout=60))
    assert answer.status_code in (200, 400, 404)


@MANY
@given(st.dictionaries(st.sampled_from(["if-match", "opc-retry-token", "opc-request-id", "should-update-recent", "accept", "content-type",
                                        "x-auth-token", "cookie", "range", "accept-encoding"]),
                       st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7e), max_size=80).map(str.strip), max_size=4))
def test_headers(server, job, headers):
    answer = server.api.post("/jobRuns", {"jobKey": job["key"]}, headers=headers)
    assert sane(answer).status_code in (201, 400, 401, 409, 415), answer.text


def test_what_was_made_ends(server, job):
    def ended():
        items = server.api.page_through("/jobRuns", jobKey=job["key"], limit=1000)
        return all(i["endTime"] for i in items)

    eventually(ended, "all runs end")
