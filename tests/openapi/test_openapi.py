"""The OpenAPI document: committed as it is made, served as it is committed, valid, and of use to who writes clients."""

import json
import os
import subprocess
from pathlib import Path

import openapi
import pytest
import requests

HERE = Path(__file__).resolve().parent
COMMITTED = openapi.ROOT / "docs/api/openapi.json"
WORKSPACE = "/20260430/aiDataPlatforms/{aiDataPlatformId}/workspaces/{workspaceKey}"


def operations():
    for path, item in openapi.document()["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def test_the_committed_document_is_what_the_binary_prints():
    printed = subprocess.run([openapi.BINARY, "openapi"], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert COMMITTED.read_text() == printed, "docs/api/openapi.json is stale: reprise openapi > docs/api/openapi.json"


def test_it_is_served_without_a_credential(server):
    answer = requests.get(f"{server.url}/openapi.json", timeout=10)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == openapi.document()


def test_every_reference_leads_somewhere():
    def walk(part):
        if isinstance(part, list):
            for item in part:
                walk(item)
        elif isinstance(part, dict):
            if "$ref" in part:
                assert openapi.follow(part["$ref"])
            for item in part.values():
                walk(item)

    walk(openapi.document())


def test_no_enum_has_a_value_twice():
    def walk(part):
        if isinstance(part, list):
            for item in part:
                walk(item)
        elif isinstance(part, dict):
            values = part.get("enum")
            if isinstance(values, list):
                assert len(values) == len(set(values)), values
            for item in part.values():
                walk(item)

    walk(openapi.document())


def test_a_call_names_the_servers_that_it_is_served_under(server):
    document = openapi.document()
    assert [s["url"] for s in document["servers"]] == ["/"]
    for path, _, operation in operations():
        urls = [s["url"] for s in operation.get("servers", document["servers"])]
        assert urls == (["/", "/api"] if path.startswith("/20260430/") else ["/"]), path
    path = server.api.path("~/workspaces")
    for url, status in (("/healthz", 200), ("/api/healthz", 404), (path, 200), ("/api" + path, 200)):
        assert server.api.get("/" + url).status_code == status, url


def test_operations_have_names_of_their_own_and_every_path_parameter():
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(names) == len(set(names))
    for path, _, operation in operations():
        given = {p["name"] for p in operation["parameters"] if p.get("in") == "path"}
        assert given == {part[1:-1] for part in path.split("/") if part.startswith("{")}, path
        kinds = [(p.get("in"), p.get("name")) for p in operation["parameters"] if "name" in p]
        assert len(kinds) == len(set(kinds)), f"{operation['operationId']} names a parameter twice"


def test_what_is_ours_is_marked_and_nothing_else():
    ours = {operation["operationId"] for _, _, operation in operations() if operation.get("x-reprise-extension")}
    assert {"planRepair", "explainJobRun", "listJobRunEvents", "getTaskRunLogs", "getOpenApi"} <= ours
    assert not ours & {"createJob", "createJobRun", "repairJobRun", "getTaskRun", "listRecentJobRuns"}
    run = openapi.document()["components"]["schemas"]["JobRun"]["properties"]
    assert {name for name, field in run.items() if field.get("x-reprise-extension")} == {"definitionVersion"}


def test_limits_defaults_patterns_and_types_are_there():
    schemas = openapi.document()["components"]["schemas"]
    job = schemas["CreateJobDetails"]
    assert job["required"] == ["name"]
    assert job["properties"]["name"] | {"description": ""} == {
        "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[A-Za-z][A-Za-z0-9_.-]*$", "description": ""}
    assert job["properties"]["maxConcurrentRuns"]["default"] == 1
    assert job["properties"]["maxConcurrentRuns"]["maximum"] == 1000
    task = schemas["TaskInput"]
    assert task["discriminator"]["mapping"]["PYTHON_TASK"] == "#/components/schemas/PythonTaskInput"
    assert schemas["PythonTaskInput"]["properties"]["type"]["const"] == "PYTHON_TASK"
    assert set(schemas["PythonTaskInput"]["required"]) == {"taskKey", "type", "filePath"}
    recent = openapi.document()["paths"][WORKSPACE + "/recentJobRuns"]["get"]["parameters"]
    count = next(p for p in recent if p.get("name") == "recordCount")
    assert count["schema"] == {"type": "integer", "format": "int32", "minimum": 1, "maximum": 10, "default": 5}
    keys = next(p for p in recent if p.get("name") == "jobKey")
    assert keys["required"] and keys["explode"] and keys["schema"]["type"] == "array"


@pytest.fixture(scope="module")
def node():
    if not (HERE / "node_modules").is_dir():
        pytest.skip("the npm packages of tests/openapi are not installed: scripts/setup test")

    def run(*words, folder=HERE):
        done = subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
                              env={**os.environ, "NO_COLOR": "1"})
        assert done.returncode == 0, done.stdout
        return done.stdout

    return run


def test_it_is_valid_by_the_meta_schema(node):
    said = json.loads(node("node", HERE / "validate.js", COMMITTED))
    assert said == {"version": "3.1", "valid": True}, said


def test_typescript_types_made_from_it_are_of_use(node, tmp_path):
    types, client = tmp_path / "api.d.ts", tmp_path / "client.ts"
    node(HERE / "node_modules/.bin/openapi-typescript", COMMITTED, "--default-non-nullable=false", "-o", types)
    client.write_text((HERE / "client.ts").read_text())
    compile_it = [HERE / "node_modules/.bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", client]
    node(*compile_it)
    client.write_text(client.read_text().replace("filePath: ", "filePathh: "))
    done = subprocess.run(compile_it, stdout=subprocess.PIPE, text=True, timeout=120, check=False)
    assert done.returncode != 0 and "filePath" in done.stdout, "a wrong field goes unnoticed"
