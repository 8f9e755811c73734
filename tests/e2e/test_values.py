"""Values that tasks publish for others: REPRISE_OUTPUT and {{tasks.T.values.KEY}} (RULES §5)."""

import json

import pytest
from harness import eventually, if_else, statuses, task
from seeds import TASK_RUN, check

pytestmark = pytest.mark.sanitize

PUBLISH = '''
import os, sys, time
gate = os.path.join(os.environ["REPRISE_WORKSPACE"], "gates", "publish")
while "wait" in sys.argv and not os.path.exists(gate):
    time.sleep(.01)
with open(os.environ["REPRISE_OUTPUT"], "a") as out:
    for word in sys.argv[2:]:
        print(word, file=out)
sys.exit(int(sys.argv[1]))
'''
SAY = "import sys, json\njson.dump(sys.argv[1:], sys.stdout)\n"


def scripts(server):
    server.script("publish.py", PUBLISH)
    server.script("say.py", SAY)


def said(api, run, key):
    return json.loads(api.get(f"/taskRuns/{run['taskToTaskRunMap'][key]}/logs").text)


def test_values_between_tasks(server):
    scripts(server)
    run = server.api.go([
        task("count", "publish.py", commandLineArguments="0 rows=7 rows=12 'two words=a b' quote=\"it's\""),
        if_else("many", "{{tasks.count.values.rows}} > 10", "count"),
        task("say", "say.py", ("many", "true"),
             commandLineArguments="{{tasks.count.values.rows}} {{tasks.count.values.`two words`}} {{tasks.count.values.quote}}"),
    ], "SUCCESS")
    assert said(server.api, run, "say") == ["12", "a b", "it's"]
    seen = check(server.api.task_run(run, "count"), TASK_RUN)
    assert seen["values"] == {"rows": "12", "two words": "a b", "quote": "it's"}
    assert server.api.task_run(run, "say")["values"] == {}


def test_values_of_a_failed_task(server):
    scripts(server)
    run = server.api.go([
        task("bad", "publish.py", commandLineArguments="3 why=disk"),
        task("tell", "say.py", "bad", runIf="AT_LEAST_ONE_FAILED", commandLineArguments="{{tasks.bad.values.why}}"),
    ], "SUCCESS")
    assert said(server.api, run, "tell") == ["disk"]


def test_an_unknown_value_is_an_internal_error_that_names_it(server):
    scripts(server)
    run = server.api.go([
        task("a", "publish.py", commandLineArguments="0 x=1 broken"),
        task("b", "say.py", "a", maxRetries=3, commandLineArguments="{{tasks.a.values.y}}"),
    ], "INTERNAL_ERROR")
    seen = server.api.task_run(run, "b")
    assert "{{tasks.a.values.y}}" in seen["state"]["stateMessage"]
    assert seen["retries"] == []
    assert "line 2 is not KEY=VALUE" in server.api.task_run(run, "a")["state"]["stateMessage"]


def test_values_published_while_the_server_was_down(own):
    scripts(own)
    run = own.api.run(own.api.job([
        task("a", "publish.py", commandLineArguments="0 wait late=yes"),
        task("b", "say.py", "a", commandLineArguments="{{tasks.a.values.late}}"),
    ]))
    own.api.wait_task(run, "a", "RUNNING")
    own.kill9()
    own.open_gate("publish")
    own.restart()
    run = own.api.wait_final(run, "SUCCESS")
    assert said(own.api, run, "b") == ["yes"]
    assert own.api.task_run(run, "a")["values"]["late"] == "yes"


def test_a_kept_tasks_values_serve_its_repair(server):
    scripts(server)
    server.script("fragile.py", "import os, sys\nsys.exit(os.environ['REPRISE_PARAM_ok'] != 'yes')\n")
    api = server.api
    run = api.go([
        task("a", "publish.py", commandLineArguments="0 x=kept"),
        task("b", "fragile.py", "a"),
        task("c", "say.py", "b", commandLineArguments="{{tasks.a.values.x}}"),
    ], "FAILED", parameters=[{"name": "ok", "value": "no"}])
    api.repair(run, parameters=[{"name": "ok", "value": "yes"}])
    run = api.wait_final(run, "SUCCESS")
    assert statuses(run) == {"a": "SUCCESS", "b": "SUCCESS", "c": "SUCCESS"}
    assert said(api, run, "c") == ["kept"]
    eventually(lambda: api.task_run(run, "a")["values"] == {"x": "kept"}, "the values are kept")
