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


def integers(schema):
    low, high = schema.get("minimum", -2 ** 31), schema.get("maximum", 2 ** 31 - 1)
    return st.one_of(st.integers(low, high), st.sampled_from([low, high, low - 1, high + 1, 0, -1, 2 ** 63, -2 ** 63]))


def values(schema, depth=0):
    """Mostly what a schema says, now and then something else."""
    if "enum" in schema or "const" in schema:
        good = st.sampled_from(schema.get("enum") or [schema["const"]])
    elif "oneOf" in schema or "anyOf" in schema:
        good = st.one_of([values(choice, depth) for choice in schema.get("oneOf") or schema["anyOf"]])
    else:
        kind = schema.get("type", "string")
        kind = kind[0] if isinstance(kind, list) else kind
        good = {"string": lambda: TEXT, "boolean": st.booleans, "integer": lambda: integers(schema), "null": st.none,
                "array": lambda: st.lists(values(schema.get("items", {}), depth + 1), max_size=2),
                "object": lambda: objects(schema, depth)}[kind]()
    return st.one_of(good, good, good, WRONG) if depth < 3 else good


def objects(schema, depth):
    fields = {name: values(field, depth + 1) for name, field in schema.get("properties", {}).items()}
    needed = {name: fields[name] for name in schema.get("required", ()) if name in fields}
    whole = st.fixed_dictionaries(needed, optional={name: field for name, field in fields.items() if name not in needed})
    return st.one_of(whole, whole, st.fixed_dictionaries({}, optional=fields))


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


def requests_of(operation):
    """(query, headers, body) of an operation."""
    parts = {"query": {}, "header": {}}
    for parameter in operation["parameters"]:
        parameter = openapi.expand(parameter)
        if parameter["in"] in parts:
            schema = parameter["schema"]
            text = values(schema, 2).filter(lambda value: not isinstance(value, dict))
            if parameter["in"] == "header":
                text = st.one_of(st.sampled_from(["true", "false", "x", "*", '"1"', "y" * 65, ""]), st.integers().map(str))
            parts[parameter["in"]][parameter["name"]] = text
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    body = values(openapi.expand(content["schema"])) if content else st.none()
    return st.tuples(st.fixed_dictionaries({}, optional=parts["query"]), st.fixed_dictionaries({}, optional=parts["header"]), body)


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
    @given(requests_of(operation))
    def ask(request):
        query, headers, body = request
        answer = server.api.call(method, "/" + path, body, headers=headers, **{k: text_of(v) for k, v in query.items()})
        assert answer.status_code < 500, f"{answer.status_code}: {answer.text[:500]}"

    ask()
