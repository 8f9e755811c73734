"""SHELL_TASK, HTTP_TASK, PATH_TASK, DUMMY_TASK, and EL in their texts: each through a real server."""

import http.server
import os
import threading

import pytest
from harness import Server, eventually, named, node, refused, statuses, summary_of, task

pytestmark = pytest.mark.sanitize


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"), "--el.variables=REGION=north 'NAME=two words'", env={"TZ": "Asia/Tokyo"})
    server.start()
    yield server
    server.close()


def shell(key, script, after=(), **fields):
    return node(key, "SHELL_TASK", after, script=script, **fields)


def path(key, action, place, after=(), **fields):
    return node(key, "PATH_TASK", after, action=action, path=place, **fields)


def el(body):
    return {**body, "x-expressionLanguage": "EL"}


def log(api, run, key, stream="stdout"):
    return api.get(f"/taskRuns/{run['taskToTaskRunMap'][key]}/logs", stream=stream).text


def trace(api, run, key):
    return api.task_run(run, key)["state"]["errorTrace"]


# --- SHELL_TASK -------------------------------------------------------------------------------------------------------

def test_a_shell_task_runs_its_script(server, api):
    server.script("bin/tell.sh", "echo file $0 $# $1\n")
    server.script("bin/tell.py", "#!/usr/bin/env -S python3 -I\r\nimport sys; print(sys.argv[1:], sys.flags.isolated)\n")
    run = api.go([
        shell("plain", "false\necho \"<$1> <$2> $REPRISE_PARAM_p $(pwd -P)\"; echo rows=3 > $REPRISE_OUTPUT", commandLineArguments="'a b' {{job.parameters.p}}"),
        shell("python", "#! /usr/bin/python3 -I \nimport sys; print(sys.argv[1:], sys.flags.isolated)", commandLineArguments="x"),
        node("file", "SHELL_TASK", filePath="/Workspace/bin/tell.sh", commandLineArguments="one two"),
        node("shebang", "SHELL_TASK", filePath="bin/tell.py", commandLineArguments="z"),
        shell("reads", "echo got {{tasks.plain.values.rows}}", after="plain"),
        shell("fails", "echo no >&2; exit 7", runIf="ALL_DONE"),
        shell("missing", "#!/no/such/interpreter\n"),
        node("nowhere", "SHELL_TASK", filePath="no.sh"),
    ], parameters=named(p="it's $HOME"))
    assert log(api, run, "plain") == f"<a b> <it's $HOME> it's $HOME {server.data.resolve()}/runs/{run['key']}/work\n"
    assert log(api, run, "python") == "['x'] 1\n"
    assert log(api, run, "file") == f"file {server.workspace.resolve()}/bin/tell.sh 2 one\n"
    assert log(api, run, "shebang") == "['z'] 1\n"
    assert log(api, run, "reads") == "got 3\n"
    assert statuses(run) == {"plain": "SUCCESS", "python": "SUCCESS", "file": "SUCCESS", "shebang": "SUCCESS", "reads": "SUCCESS",
                             "fails": "FAILED", "missing": "INTERNAL_ERROR", "nowhere": "INTERNAL_ERROR"}
    assert summary_of(run, "fails")["state"]["stateMessage"] == "Exited with code 7"
    assert trace(api, run, "fails") == "no\n"
    assert "no.sh" in summary_of(run, "nowhere")["state"]["stateMessage"]
    assert "/no/such/interpreter" in summary_of(run, "missing")["state"]["stateMessage"]


@pytest.mark.parametrize("fields,words", [
    ({}, ["tasks[0]", "either script or filePath"]),
    ({"script": "true", "filePath": "a.sh"}, ["tasks[0]", "either script or filePath"]),
    ({"filePath": "../a.sh"}, ["tasks[0].filePath", "'..'"]),
    ({"script": "echo {{tasks.no.run_id}}"}, ["tasks[0].script", "no"]),
])
def test_a_bad_shell_task_is_refused(api, fields, words):
    refused(api.post("/jobs", {"name": "j", "path": "/", "tasks": [node("a", "SHELL_TASK", **fields)]}), 400, "InvalidParameter", *words)


# --- HTTP_TASK --------------------------------------------------------------------------------------------------------

class Answer(http.server.BaseHTTPRequestHandler):
    """Says what it was asked; /status/N answers so, /move leads elsewhere, /line and /crlf end their line, /slow waits for the gate."""

    protocol_version = "HTTP/1.1"
    release = threading.Event()

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        kind = self.path.split("?")[0].split("/")
        if kind[1] == "slow":
            self.release.wait(60)
        text = f"{self.command} {self.path} {self.headers.get('content-type')} {self.headers.get('x-mark')} <{body}>".encode()
        text += {"line": b"\n", "crlf": b"\r\n"}.get(kind[1], b"")
        self.send_response(int(kind[2]) if kind[1] == "status" else 302 if kind[1] == "move" else 200)
        if kind[1] == "move":
            self.send_header("location", "/elsewhere")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def url():
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listener.server_port}"
    Answer.release.set()
    listener.shutdown()
    listener.server_close()


def call(key, address, after=(), **fields):
    return node(key, "HTTP_TASK", after, url=address, **fields)


def test_an_http_task_sends_its_request(api, url):
    mark = [{"name": "X-Mark", "value": "{{job.name}}"}]
    run = api.go([
        call("get", f"{url}/a?b=c"),
        call("post", f"{url}/a", method="POST", headers=mark, body='{"n": "{{job.parameters.n}}"}'),
        call("put", f"{url}/a", method="PUT", headers=[{"name": "content-type", "value": "text/plain"}, {"name": "X-Mark"}], body="x"),
        call("delete", f"{url}/a", method="DELETE"),
        call("empty", f"{url}/a", method="POST"),
        shell("reads", "echo '{{tasks.get.values.status}} {{tasks.get.values.body}}'", after="get"),
        call("created", f"{url}/status/201"),
        call("missing", f"{url}/status/404?token=secret", maxRetries=1),
        call("moved", f"{url}/move"),
        call("refused", "http://127.0.0.1:1/x?token=secret"),
        call("file", "{{job.parameters.file}}"),
        call("blank", f"{url}/a?q={{{{job.parameters.blank}}}}"),
        call("port", "http://127.0.0.1:99999/"),
        call("line", f"{url}/line"),
        call("crlf", f"{url}/crlf"),
        shell("lines", "echo '<{{tasks.line.values.body}}> <{{tasks.crlf.values.body}}>'", after=["line", "crlf"]),
        call("split", f"{url}/a", headers=[{"name": "X-Mark", "value": "{{job.parameters.lines}}"}]),
        call("slow", f"{url}/slow", timeoutSeconds=1),
    ], name="caller", parameters=named(n="5", blank="two words", file="file:///etc/passwd", lines="a\r\nX-Evil: 1"))
    assert log(api, run, "get") == "GET /a?b=c None None <>"
    assert log(api, run, "post") == 'POST /a application/json caller <{"n": "5"}>'
    assert log(api, run, "put") == "PUT /a text/plain  <x>"
    assert log(api, run, "delete") == "DELETE /a None None <>"
    assert log(api, run, "empty").startswith("POST /a ")
    assert log(api, run, "reads") == "200 GET /a?b=c None None <>\n"
    assert log(api, run, "lines") == "<GET /line None None <>> <GET /crlf None None <>>\n", "the end of a line is no part of it"
    good = {"get", "post", "put", "delete", "empty", "reads", "created", "line", "crlf", "lines"}
    assert {key for key, status in statuses(run).items() if status == "SUCCESS"} == good
    assert {status for key, status in statuses(run).items() if key not in good} == {"FAILED", "TIMED_OUT"}
    assert statuses(run)["slow"] == "TIMED_OUT"
    missing = trace(api, run, "missing")
    assert missing.startswith("GET /status/404") and missing.endswith(f"\nGET {url}/status/404 answered 404\n")
    assert api.task_run(run, "missing")["retryAttempt"] == 1
    assert "answered 302, which points elsewhere" in trace(api, run, "moved")
    assert "http://127.0.0.1:1/x: " in trace(api, run, "refused") and "secret" not in trace(api, run, "refused")
    assert trace(api, run, "file") == "url must be an address that begins with http:// or https://\n"
    assert trace(api, run, "blank").startswith("url has a blank, a line end or another control character in it")
    assert trace(api, run, "port").startswith("url is no address: ")
    assert trace(api, run, "split") == "headers must have values of one line\n"


@pytest.mark.parametrize("fields,words", [
    ({"url": "ftp://x/"}, ["tasks[0].url", "http://"]),
    ({}, ["tasks[0].url"]),
    ({"url": "http://x/", "method": "PATCH"}, ["tasks[0].method", "GET, POST, PUT, DELETE"]),
    ({"url": "http://x/", "headers": [{"name": "a b"}]}, ["tasks[0].headers[0].name", "name of a header"]),
    ({"url": "http://x/", "headers": [{"name": "a", "value": "b\nc"}]}, ["tasks[0].headers[0].value", "one line"]),
    ({"url": "http://x/", "body": "{{tasks.no.run_id}}"}, ["tasks[0].body"]),
])
def test_a_bad_http_task_is_refused(api, fields, words):
    answer = api.post("/jobs", {"name": "j", "path": "/", "tasks": [node("a", "HTTP_TASK", **fields)]})
    refused(answer, 400, answer.json()["code"], *words)


# --- PATH_TASK --------------------------------------------------------------------------------------------------------

def test_paths_are_made_and_removed(server, api, tmp_path):
    home = server.workspace
    outside = tmp_path / "outside"
    (outside / "kept").mkdir(parents=True)
    deep = home / "old"
    for level in range(300):
        deep = deep / "d"
    os.makedirs(deep)
    (home / "old/d/d/file").write_text("x")
    os.symlink(outside, home / "old/d/link")
    os.symlink(outside, home / "out")
    os.symlink("inside", home / "within")
    (home / "inside").mkdir()
    (home / "one").write_text("x")
    run = api.go([
        path("make", "CREATE_PATH", "/Workspace/new/{{job.name}}/"),
        path("again", "CREATE_PATH", "new/paths", after="make"),
        path("inside", "CREATE_PATH", "within/a"),
        path("tree", "DELETE_PATH", "old"),
        path("file", "DELETE_PATH", "one"),
        path("none", "DELETE_PATH", "never/there"),
        path("over", "CREATE_PATH", "ok.py/sub"),
        path("escape", "CREATE_PATH", "out/new"),
        path("escape2", "DELETE_PATH", "out/kept"),
        path("escape3", "WAIT_PATH", "out/kept"),
    ], name="paths")
    good = {"make", "again", "inside", "tree", "file", "none"}
    assert {key for key, status in statuses(run).items() if status == "SUCCESS"} == good, statuses(run)
    assert (home / "new/paths").is_dir() and (home / "inside/a").is_dir()
    assert not (home / "old").exists() and not (home / "one").exists()
    assert (outside / "kept").is_dir() and not (outside / "new").exists()
    for key, place in (("escape", "out/new"), ("escape2", "out/kept"), ("escape3", "out/kept")):
        assert trace(api, run, key) == f"{place} leads outside the workspace\n"
    assert trace(api, run, "over").startswith("ok.py/sub cannot be made: ")
    assert api.go([path("link", "DELETE_PATH", "out")])["state"]["status"] == "SUCCESS"
    assert not os.path.lexists(home / "out") and (outside / "kept").is_dir()


def test_a_path_is_waited_for(server, api):
    home = server.workspace
    run = api.run(api.job([
        path("file", "WAIT_PATH", "in/2024/ready", pollIntervalSeconds=3600),
        path("there", "WAIT_PATH", "ok.py"),
        path("late", "WAIT_PATH", "never", timeoutSeconds=1),
        shell("behind", "cat $REPRISE_WORKSPACE/in/2024/ready", after="file"),
    ]))
    api.wait_task(run, "late", "TIMED_OUT")
    assert statuses(api.get_run(run)) == {"file": "RUNNING", "there": "SUCCESS", "late": "TIMED_OUT", "behind": "BLOCKED"}
    # Told by the file system, folder by folder: it would look again in an hour.
    (home / "in").mkdir()
    (home / "in/2024").mkdir()
    (home / "in/2024/part").write_text("data")
    os.rename(home / "in/2024/part", home / "in/2024/ready")
    api.wait_task(run, "file", "SUCCESS")
    run = api.wait_final(run, "FAILED")
    assert log(api, run, "behind") == "data"
    assert trace(api, run, "late") == "Waiting for never in the workspace\n", "what it wanted is told"
    assert log(api, run, "there") == "WAIT_PATH: ok.py\n", "it did not wait"


@pytest.mark.parametrize("place", ["..", "a/../b", "/", "", "/Workspace/"])
def test_a_path_outside_is_refused(api, place):
    answer = api.post("/jobs", {"name": "j", "path": "/", "tasks": [path("a", "DELETE_PATH", place)]})
    refused(answer, 400, "InvalidParameter", "tasks[0].path")


# --- DUMMY_TASK -------------------------------------------------------------------------------------------------------

def test_a_dummy_task_passes_at_once(api):
    run = api.go([node("first", "DUMMY_TASK"), node("next", "DUMMY_TASK", after="first"), task("last", after="next")], "SUCCESS")
    told = api.task_run(run, "next")
    assert told["startTime"] == told["endTime"] and told["retries"] == [] and told["outputKey"] is None
    refused(api.post(f"/taskRuns/{told['key']}/actions/fetchOutput"), 400, "InvalidParameter", "DUMMY_TASK")
    run = api.wait_final(api.repair(run, taskKeys=["next"]), "SUCCESS")
    assert run["repairedTasks"] == ["next"]


# --- EL ---------------------------------------------------------------------------------------------------------------

def test_expressions_are_put_into_texts(server, api):
    tasks = [
        el(shell("date", "echo ${day} #{DateUtil.format(DateUtil.addDays(DateUtil.parseDate(Job.getParam('day'),'yyyy-MM-dd'),1),'yyyyMMdd')} "
                         "$1 ${HOME:-none} {{job.name}} #{Env.get('NAME')}",
                 commandLineArguments="'#{Job.name} #{\"a b\"}' x")),
        el(task("python", "args.py", commandLineArguments="${day} '#{1 + 1}'", parameters=named(own="#{Job.getParam('n') * 2}"))),
        shell("plain", "echo '#{Job.name} ${day}'"),
    ]
    server.script("args.py", "import os, sys; print(sys.argv[1:], os.environ['REPRISE_PARAM_own'])\n")
    fields = {"x-expressionLanguage": "EL", "parameters": named(day="#{DateUtil.format(Job.planTime, 'yyyy-MM-dd')}", n="4")}
    run = api.go(tasks, "SUCCESS", name="el", run_fields={"parameters": named(day="#{true ? '2024-02-28' : ''}")}, **fields)
    assert log(api, run, "date") == f"2024-02-28 20240229 el a b {os.environ.get('HOME', 'none')} {{{{job.name}}}} two words\n"
    assert log(api, run, "python") == "['2024-02-28', '2'] 8\n"
    assert log(api, run, "plain") == "#{Job.name} ${day}\n"
    assert {"name": "day", "value": "2024-02-28"} in run["unifiedJobAndJobRunParameters"]
    assert {"name": "own", "value": "8"} in api.task_run(run, "python")["parameters"]
    why = {told["taskKey"]: told for told in api.read(f"/jobRuns/{run['key']}/explanation")["tasks"]}
    used = {use["reference"]: (use["field"], use["value"], use["source"]) for use in why["date"]["references"]}
    assert used["#{Job.name}"] == ("commandLineArguments", "el", None)
    assert used["${day}"] == ("script", "2024-02-28", "RUN")
    assert used["#{Env.get('NAME')}"] == ("script", None, None)
    assert "{{job.name}}" not in used and "${HOME:-none}" not in used


def test_dates_are_in_the_zone_of_the_schedule_else_the_servers(api):
    zoned = el(shell("a", "echo #{DateUtil.format(Job.planTime, 'XXX')}"))
    schedule = {"quartzCronExpression": "0 0 3 1 1 ? 2099", "timezoneId": "Asia/Kolkata", "pauseStatus": "PAUSED"}
    assert log(api, run := api.go([zoned], "SUCCESS", schedule=schedule), "a") == "+05:30\n", run
    assert log(api, run := api.go([zoned], "SUCCESS"), "a") == "+09:00\n", run


def test_a_condition_of_an_edge_may_be_an_expression(api):
    def edge(key, condition):
        return el({**node(key, "DUMMY_TASK"), "dependsOn": [{"taskKey": "first", "x-condition": condition}]})
    run = api.go([
        shell("first", "true"),
        edge("yes", "#{Job.getNodeStatus('first') == 'success'}"),
        edge("no", "#{Job.getNodeStatus('first') == 'fail'}"),
        edge("bad", "#{Job.getParam('none') == 1}"),
    ])
    assert statuses(run) == {"first": "SUCCESS", "yes": "SUCCESS", "no": "EXCLUDED", "bad": "FAILED"}
    assert "there is no parameter \"none\"" in summary_of(run, "bad")["state"]["stateMessage"]


def test_what_an_expression_cannot_yield_fails_the_task(api):
    run = api.go([
        el(shell("bad", "echo\n#{Job.getParam('none')}", maxRetries=3)),
        el(task("args", commandLineArguments="x #{1 / 0}")),
        el(shell("ignored", "#{Env.get('PATH')}", **{"x-failPolicy": "IGNORE"})),
    ])
    assert statuses(run) == {"bad": "FAILED", "args": "FAILED", "ignored": "FAILED"}
    told = api.task_run(run, "bad")
    assert told["state"]["stateMessage"] == "script Job.getParam at character 8: there is no parameter \"none\""
    assert told["retries"] == [] and told["startTime"] == told["endTime"]
    assert summary_of(run, "args")["state"]["stateMessage"].startswith("commandLineArguments The operator at character 5: nothing can")
    run = api.wait_final(api.repair(run, taskKeys=["bad"], parameters=named(none="ok")))
    assert statuses(run)["bad"] == "FAILED"  # "ok" is no command, and that is sh's word
    assert api.task_run(run, "bad")["retryAttempt"] == 3


@pytest.mark.parametrize("tasks,fields,words", [
    ([el(shell("a", "echo #{Job.foo}"))], {}, ["tasks[0].script: Job.foo at character 8 is not known here: Job has name"]),
    ([el(shell("a", "echo #{1 +}"))], {}, ["tasks[0].script", "character 11"]),
    ([el(path("a", "WAIT_PATH", "#{DateUtil.format(Job.planTime,'yyyy-bb')}/x"))], {}, ["tasks[0].path", "b is no letter"]),
    ([el(call("a", "http://x/", body="#{Job.getNodeStatus('zz')}"))], {}, ["tasks[0].body", "must name a task upstream"]),
    ([el(shell("a", "true", commandLineArguments="'#{Job.name"))], {}, ["tasks[0].commandLineArguments"]),
    ([shell("a", "true")], {"x-expressionLanguage": "EL", "parameters": named(p="#{Job.getNodeStatus('a')}")},
     ["parameters[0].value", "where there are no tasks"]),
    ([el({**node("a", "DUMMY_TASK")}), el({**node("b", "DUMMY_TASK"), "dependsOn": [{"taskKey": "a", "x-condition": "#{1 ==}"}]})], {},
     ["tasks[1].dependsOn[0].x-condition", "character 7"]),
    ([el({**node("a", "IF_ELSE_TASK"), "expressions": [{"key": "A", "value": "1 == 1"}], "condition": "A"})], {},
     ["tasks[0].x-expressionLanguage", "IF_ELSE_TASK"]),
])
def test_what_is_wrong_with_an_expression_is_said_at_save(api, tasks, fields, words):
    refused(api.post("/jobs", {"name": "j", "path": "/", "tasks": tasks, **fields}), 400, "InvalidParameter", *words)


def test_a_run_is_refused_whose_parameters_cannot_be_put_together(api):
    job = api.job([shell("a", "true")], **{"x-expressionLanguage": "EL", "parameters": named(p="#{Job.getParam('q')}")})
    refused(api.post("/jobRuns", {"jobKey": job["key"]}), 400, "InvalidParameter", "parameter p: Job.getParam at character 3", "\"q\"")
    assert api.wait_final(api.run(job, parameters=named(q="1")), "SUCCESS")


def test_what_was_put_in_stays_over_a_restart(server):
    api = server.api
    job = api.job([path("wait", "WAIT_PATH", "again"), el(shell("late", "echo ${stamp}", after="wait"))],
                  **{"x-expressionLanguage": "EL", "parameters": named(stamp="#{DateUtil.getTime(DateUtil.now())}")})
    run = api.run(job)
    api.wait_task(run, "wait", "RUNNING")
    server.restart()
    api = server.api
    before = {p["name"]: p["value"] for p in api.get_run(run)["unifiedJobAndJobRunParameters"]}["stamp"]
    (server.workspace / "again").touch()
    run = api.wait_final(run, "SUCCESS")
    assert log(api, run, "late") == f"{before}\n"
    eventually(lambda: not server.processes(), "nothing is left")
