"""Secrets that tasks are given (x-secrets, `secret` of a header): in the environment of the attempt, and nowhere else."""

import hashlib
import http.server
import threading

import pytest
from harness import Client, Server, eventually, node, refused, statuses, summary_of, task
from kept import ACCOUNTS, assert_no_trace, everything_said, keep_secret

pytestmark = pytest.mark.sanitize

SECRET = "s3cr3t-" + "Qx7pL" * 6
TELL = """\
import hashlib, os
for name in sorted(os.environ):
    if name.startswith("REPRISE_SECRET_"):
        print(name, hashlib.sha256(os.environ[name].encode()).hexdigest())
"""


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def log(api, run, key):
    return api.get(f"/taskRuns/{api.get_run(run)['taskToTaskRunMap'][key]}/logs").text


def tell(key, *names, **fields):
    return task(key, "tell.py", **{"x-secrets": list(names)}, **fields)


@pytest.fixture(autouse=True)
def script(server):
    server.script("tell.py", TELL)


def test_a_task_has_the_secrets_that_it_names_and_no_other(server, api):
    keep_secret(api, "warehouse.main", SECRET)
    keep_secret(api, "other", "not asked for")
    run = api.go([tell("a", "warehouse.main"), tell("both", "other", "warehouse.main"), tell("none"),
                  node("shell", "SHELL_TASK", script="printf %s \"$REPRISE_SECRET_other\" | tr a-z A-Z", **{"x-secrets": ["other"]})], "SUCCESS")
    assert log(api, run, "a") == f"REPRISE_SECRET_warehouse_main {digest(SECRET)}\n"
    assert log(api, run, "both") == f"REPRISE_SECRET_other {digest('not asked for')}\nREPRISE_SECRET_warehouse_main {digest(SECRET)}\n"
    assert log(api, run, "none") == ""
    assert log(api, run, "shell") == "NOT ASKED FOR"
    shown = api.task_run(run, "a")["task"]
    assert shown["x-secrets"] == ["warehouse.main"]
    assert "x-secrets" not in api.task_run(run, "none")["task"] or api.task_run(run, "none")["task"]["x-secrets"] == []
    assert_no_trace(server, SECRET, *everything_said(api, run))


def test_a_repair_has_the_value_of_its_time(server, api):
    gate = "import os, sys\nsys.exit(os.environ['REPRISE_SECRET_rotated'] != 'new')\n"
    server.script("gate.py", gate)
    keep_secret(api, "rotated", "old")
    run = api.go([task("a", "gate.py", **{"x-secrets": ["rotated"]})], "FAILED")
    keep_secret(api, "rotated", "new")
    api.repair(run)
    api.wait_final(run, "SUCCESS")


def test_a_secret_that_is_not_there_is_the_reason(api):
    run = api.go([tell("a", "nobody-has-it", maxRetries=1, minRetryIntervalMillis=0), node("b", "DUMMY_TASK", after=["a"])])
    assert statuses(run) == {"a": "INTERNAL_ERROR", "b": "UPSTREAM_FAILED"}
    assert summary_of(run, "a")["state"]["stateMessage"] == "Cannot start: there is no secret nobody-has-it"


def test_a_secret_is_its_workspaces_own(server, api):
    place = f"~/workspaces/{api.made('~/workspaces', {'displayName': 'apart'})['key']}"
    keep_secret(api, "mine", SECRET)
    job = api.made(f"{place}/jobs", {"name": "j", "path": "/", "tasks": [node("a", "SHELL_TASK", script="env", **{"x-secrets": ["mine"]})]})
    run = api.made(f"{place}/jobRuns", {"jobKey": job["key"]})

    def ended():
        shown = api.read(f"{place}/jobRuns/{run['key']}")
        return shown["state"]["status"] == "INTERNAL_ERROR" and shown

    assert "there is no secret mine" in summary_of(eventually(ended, "its end"), "a")["state"]["stateMessage"]


@pytest.mark.parametrize("fields,words", [
    ({"x-secrets": ["a b"]}, ["tasks[0].x-secrets[0]", "name of a secret"]),
    ({"x-secrets": [""]}, ["tasks[0].x-secrets[0]", "name of a secret"]),
    ({"x-secrets": ["{{job.parameters.which}}"]}, ["tasks[0].x-secrets[0]", "name of a secret"]),
    ({"x-secrets": ["a", "a"]}, ["tasks[0].x-secrets[1]", "given twice"]),
    ({"x-secrets": ["a.b", "a-b"]}, ["tasks[0]", "REPRISE_SECRET_", "a.b", "a-b"]),
    ({"x-secrets": [f"s{i}" for i in range(101)]}, ["tasks[0].x-secrets", "100"]),
    ({"x-secrets": "a"}, ["tasks[0].x-secrets"]),
])
def test_bad_names_are_refused(api, fields, words):
    refused(api.post("/jobs", {"name": "j", "path": "/", "tasks": [task("a", "ok.py", **fields)]}), 400, "InvalidParameter", *words)


def test_validate_tells_who_may_list_secrets_of_those_that_are_not_there(server, api):
    keep_secret(api, "there", "v")
    body = {"name": "j", "path": "/", "gitConfig": {"repositoryUrl": "https://host/x", "credential": "no_git"}, "tasks": [
        task("a", "ok.py", **{"x-secrets": ["there", "no_env"]}), task("b", "ok.py", **{"x-secrets": ["no_env", "there"]}),
        node("c", "HTTP_TASK", url="http://host/", headers=[{"name": "X", "secret": "no_header"}])]}
    answer = api.post("/jobs/actions/validate", body).json()
    assert answer["isValid"] and answer["errors"] == []
    assert [(w["code"], w["message"]) for w in answer["warnings"]] == [("NotAuthorizedOrNotFound", f"{place}: there is no secret {name} in the workspace")
        for place, name in (("gitConfig.credential", "no_git"), ("tasks[0]", "no_env"), ("tasks[2]", "no_header"))]
    api.made(f"{ACCOUNTS}/users", {"name": "viewer-of-jobs", "role": "VIEWER"})
    token = api.made(f"{ACCOUNTS}/tokens", {"name": "t", "user": "viewer-of-jobs"})["token"]
    answer = Client(server.endpoint, token).post("/jobs/actions/validate", body).json()
    assert answer["isValid"] and answer["warnings"] == []


def test_what_needs_no_secret_is_given_none(api):
    for body in (node("a", "DUMMY_TASK"), node("a", "PATH_TASK", action="CREATE_PATH", path="x")):
        answer = api.post("/jobs/actions/validate", {"name": "j", "path": "/", "tasks": [{**body, "x-secrets": ["a"]}]}).json()
        assert any("x-secrets" in w["message"] for w in answer["warnings"]), answer


def test_every_type_that_has_a_process_has_them(tmp_path, api):
    server = Server(tmp_path / "kinds")
    for place in ("java", "spark/bin"):
        (tmp_path / place).mkdir(parents=True)
    for program in (tmp_path / "java/java", tmp_path / "spark/bin/spark-submit"):
        program.write_text("#!/bin/sh\nprintf 'it is %s' \"$REPRISE_SECRET_one\" | tr a-z A-Z\n")
        program.chmod(0o755)
    (tmp_path / "spark/jars").mkdir()
    server.start(f"--exec.java={tmp_path}/java/java", f"--exec.spark-home={tmp_path}/spark")
    try:
        own = server.api
        (server.workspace / "a.jar").write_bytes(b"")
        server.script("tell.py", TELL)
        keep_secret(own, "one", "this")
        names = {"x-secrets": ["one"]}
        run = own.go([node("jar", "JAR_TASK", mainClass="A", dependentLibraries=["a.jar"], **names),
                      node("submit", "SPARK_SUBMIT_TASK", commandLineArguments="a.py", **names)], "SUCCESS")
        assert log(own, run, "jar") == log(own, run, "submit") == "IT IS THIS"

        def warm():
            run = own.go([tell("a", "one", **{"x-warmPython": True})], "SUCCESS")
            assert log(own, run, "a") == f"REPRISE_SECRET_one {digest('this')}\n"
            tasks = own.read(f"/jobRuns/{run['key']}/explanation")["tasks"]
            return tasks[0]["attempts"][-1]["launch"] == "WARM"

        eventually(warm, "a warm start", pause_s=0.05)
    finally:
        server.close()


# --- HTTP_TASK --------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def listener():
    asked = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, self.headers.get("authorization"), self.headers.get("x-key")))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    listener.asked, listener.url = asked, f"http://127.0.0.1:{listener.server_port}"
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    yield listener
    listener.shutdown()
    listener.server_close()


def call(key, url, *headers):
    return node(key, "HTTP_TASK", url=url, headers=list(headers))


def test_a_header_ends_with_the_secret_that_it_names(server, api, listener):
    keep_secret(api, "api.token", SECRET)
    bearer, key = {"name": "Authorization", "value": "Bearer ", "secret": "api.token"}, {"name": "X-Key", "secret": "api.token"}
    run = api.go([call("a", f"{listener.url}/a", bearer, key)], "SUCCESS")
    assert listener.asked == [("/a", f"Bearer {SECRET}", SECRET)]
    assert_no_trace(server, SECRET, *everything_said(api, run))
    assert api.task_run(run, "a")["task"]["headers"][0] == bearer
    run = api.go([call("a", f"{listener.url}/a", {"name": "X-Key", "secret": "nobody"})], "INTERNAL_ERROR")
    assert "there is no secret nobody" in summary_of(run, "a")["state"]["stateMessage"]
    keep_secret(api, "lines", "one\r\nX-Evil: 1")
    run = api.go([call("a", f"{listener.url}/a", {"name": "X-Key", "secret": "lines"})], "FAILED")
    assert api.task_run(run, "a")["state"]["errorTrace"] == "the secret of a header must be one line\n"
    assert len(listener.asked) == 1


@pytest.mark.parametrize("host,is_good", [
    ({"value": "host.example:80"}, True), ({"value": "{{job.parameters.p}}"}, False), ({"value": "a.#{Env.get('x')}"}, False), ({"value": "a.${p}"}, False),
    ({"value": "x", "secret": "s"}, False),
])
def test_nor_the_host_that_a_secret_is_for(api, host, is_good):
    header = {"name": "hOST", **host}
    body = {"name": "j", "path": "/", "tasks": [call("a", "http://host/", header, {"name": "X-Key", "secret": "s"})], "parameters": [{"name": "p", "value": ""}]}
    answer = api.post("/jobs/actions/validate", body).json()
    assert answer["isValid"] == is_good, answer
    assert is_good or any("tasks[0].headers: Host" in e["message"] for e in answer["errors"]), answer


@pytest.mark.parametrize("url,is_good", [
    ("http://host/{{job.parameters.p}}", True),
    ("http://host:80/a?{{job.parameters.p}}#{{job.parameters.p}}", True),
    ("https://host", True),
    ("{{job.parameters.p}}/a", False),
    ("http://{{job.parameters.p}}/a", False),
    ("http://host{{job.parameters.p}}/a", False),
    ("http://host?{{job.parameters.p}}", False),
    ("http://host#{Env.get('x')}/a", False),
    ("http://host\\{{job.parameters.p}}/a", False),
    ("http:///{{job.parameters.p}}/a", False),
])
def test_who_gives_parameters_does_not_choose_where_a_secret_goes(api, url, is_good):
    body = {"name": "j", "path": "/", "tasks": [call("a", url, {"name": "X-Key", "secret": "s"})], "parameters": [{"name": "p", "value": ""}]}
    answer = api.post("/jobs/actions/validate", body).json()
    assert answer["isValid"] == is_good, answer
    assert is_good or any("tasks[0].url" in e["message"] and "a secret is sent there" in e["message"] for e in answer["errors"]), answer
    del body["tasks"][0]["headers"]
    assert api.post("/jobs/actions/validate", body).json()["isValid"], "else it would be refused anyway"
