"""Requests made from the OpenAPI document, right and wrong in every field: never a 5xx, never a hang, never an answer that
the document does not have (the client of these tests holds each to it).

A failure prints the request, and hypothesis prints what repeats it.
"""

import os
from urllib.parse import quote

import openapi
import pytest
from harness import step, task
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.sanitize

MANY = settings(max_examples=150 if os.environ.get("REPRISE_TEST_LONG") else 10, deadline=None, database=None,
                print_blob=True, suppress_health_check=list(HealthCheck))

TEXT = st.one_of(st.text(max_size=12), st.sampled_from(["", "a", "ok.py", "é𝄞", "{{job.name}}", "\u2028", "a" * 300, "%00", "'\""]))
WRONG = st.one_of(st.none(), st.booleans(), st.integers(-2 ** 65, 2 ** 65), st.floats(allow_nan=False, allow_infinity=False), TEXT,
                  st.lists(st.integers(), max_size=2), st.dictionaries(TEXT, TEXT, max_size=2))
# Runs and jobs of these keys are asked for; what deletes everything is called with keys of nothing.
SPARED = {"deleteWorkspace"}


def integer(draw, schema):
    low, high = schema.get("minimum", -2 ** 31), schema.get("maximum", 2 ** 31 - 1)
    edges = st.sampled_from([low, high, low - 1, high + 1, 0, -1, 2 ** 63, -2 ** 63])
    return draw(edges if draw(st.booleans()) else st.integers(low, high))


def value(draw, schema, depth=0):
    """Mostly what a schema says, now and then something else. Drawn step by step: a strategy for the whole of a schema as wide
    as that of a job takes hypothesis minutes and gigabytes before the first request."""
    if depth < 3 and draw(st.integers(0, 5)) == 5:
        return draw(WRONG)
    schema = follow(schema)
    choices = schema.get("oneOf") or schema.get("anyOf")
    if "enum" in schema or "const" in schema:
        return draw(st.sampled_from(schema.get("enum") or [schema["const"]]))
    if choices:
        return value(draw, choices[draw(st.integers(0, len(choices) - 1))], depth)
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "array":
        return [value(draw, schema.get("items", {}), depth + 1) for _ in range(draw(st.integers(0, 2)))]
    if kind == "object":
        return {name: value(draw, schema["properties"][name], depth + 1) for name in fields(draw, schema)}
    return integer(draw, schema) if kind == "integer" else draw(
        {"string": TEXT, "boolean": st.booleans(), "null": st.none(), "number": st.floats(-1e9, 1e9)}[kind])


def fields(draw, schema):
    """Names of an object's fields: mostly those that it must have, and some others."""
    names = sorted(schema.get("properties", {}))
    if not names:
        return []
    needed = [name for name in schema.get("required", ()) if name in names] if draw(st.integers(0, 2)) else []
    more = draw(st.lists(st.sampled_from(names), max_size=10, unique=True))
    return list(dict.fromkeys(needed + more))


def follow(schema):
    while "$ref" in schema:
        schema = openapi.follow(schema["$ref"])
    return schema


def operations():
    for path, item in openapi.document()["paths"].items():
        for method, operation in item.items():
            if operation["operationId"] not in SPARED:
                yield pytest.param(method.upper(), path, operation, id=operation["operationId"])


@pytest.fixture(scope="module")
def known(server):
    """Keys that exist, by the name of the path's parameter."""
    api = server.api
    run = api.go([step("a", exit=1)], "FAILED")
    task_run = api.task_run(run, "a")
    cluster = api.made("/clusters", {"displayName": "c", "type": "USER", "driverConfig": {}})
    return {"aiDataPlatformId": server.endpoint["aiDataPlatformId"], "workspaceKey": server.endpoint["workspaceKey"],
            "jobKey": run["jobKey"], "jobRunKey": run["key"], "taskRunKey": task_run["key"], "clusterKey": cluster["key"],
            "taskRunOutputKey": task_run["outputKey"]}


@pytest.fixture(scope="module", autouse=True)
def goes_on(server):
    yield
    assert server.api.get("//readyz").status_code == 200
    server.api.go([task("a")], "SUCCESS")


class Named:
    """An operation that prints as its name: hypothesis prints what it is given."""

    def __init__(self, operation):
        self.operation = operation

    def __repr__(self):
        return self.operation["operationId"]


HEADER = st.one_of(st.sampled_from(["true", "false", "x", "*", '"1"', "y" * 65, ""]), st.integers().map(str))


@st.composite
def requests_of(draw, named):
    """(query, headers, body) of an operation."""
    parts = {"query": {}, "header": {}}
    for parameter in map(follow, named.operation["parameters"]):
        if parameter["in"] not in parts or not draw(st.booleans()):
            continue
        given = draw(HEADER) if parameter["in"] == "header" else value(draw, parameter["schema"], 2)
        if not isinstance(given, dict):
            parts[parameter["in"]][parameter["name"]] = given
    content = named.operation.get("requestBody", {}).get("content", {}).get("application/json")
    return parts["query"], parts["header"], value(draw, content["schema"]) if content else None


def text_of(value):
    if isinstance(value, list):
        return [text_of(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


@pytest.mark.parametrize("method, path, operation", operations())
def test_whatever_is_asked_is_answered_as_documented(server, known, method, path, operation):
    if method == "DELETE":
        known = {**known, **{name: "01900000-0000-7000-8000-000000000000" for name in ("jobKey", "jobRunKey", "clusterKey")}}
    for name, key in known.items():
        path = path.replace("{" + name + "}", quote(key))
    path = path.replace("{asyncOperationKey}", known["jobKey"])

    @MANY
    @given(requests_of(Named(operation)))
    def ask(request):
        query, headers, body = request
        answer = server.api.call(method, "/" + path, body, headers=headers, **{k: text_of(v) for k, v in query.items()})
        assert answer.status_code < 500, f"{answer.status_code}: {answer.text[:500]}"

    ask()
