"""The DataArts dialect: its jobs, scheduling and lists; refusals with their codes (CONTRACT §5, RULES §10)."""

import datetime
import json
import time

import pytest

import harness
from dataarts import EVERY_SECOND, DataArts, done, job, node, python, refused, shell
from harness import eventually

pytestmark = pytest.mark.sanitize


@pytest.fixture(scope="module")
def huawei(server):
    return DataArts(server)


EXAMPLE = {
    "basicConfig": {"customFields": {"k": "v"}, "executeUser": "", "instanceTimeout": 0, "owner": "user_test", "priority": 0,
                    "tags": ["nightly", "red"]},
    "directory": "/myJobs", "logPath": "obs://dlf-test-log", "name": "exampleJob", "singleNodeJobFlag": False,
    "params": [{"name": "city", "value": "Bonn", "type": "variable"}],
    "nodes": [
        {"failPolicy": "FAIL_CHILD", "location": {"x": "-45.5", "y": "-134.5"}, "maxExecutionTime": 360, "name": "Hive",
         "pollingInterval": 20, "preNodeName": [], "type": "Shell", "retryInterval": 120, "retryTimes": 0,
         "properties": [{"name": "scriptName", "value": "say.sh"}, {"name": "connectionName", "value": "mrs_hive_test"},
                        {"name": "arguments", "value": "test_var=111"}]},
        {"failPolicy": "FAIL", "location": {"x": 44, "y": -32.25}, "name": "OBS_Manager", "preNodeName": ["Hive"],
         "type": "OBSManager", "execTimeOutRetry": False,
         "properties": [{"name": "action", "value": "CREATE_PATH"}, {"name": "path", "value": "made/folder"}]}],
    "processType": "BATCH",
    "schedule": {"type": "CRON", "cron": {
        "expression": "0 0 0 * * ?", "expressionTimeZone": "GMT+8", "startTime": "2018-10-22T23:59:59+08", "endTime": "",
        "period": "1 days", "dependPrePeriod": False,
        "dependJobs": {"jobs": [], "dependPeriod": "SAME_PERIOD", "dependFailPolicy": "FAIL"}}},
}


def within(given, got):
    """Everything that was given is there, as it was."""
    if isinstance(given, dict):
        return all(name in got and within(value, got[name]) for name, value in given.items())
    if isinstance(given, list):
        return len(given) == len(got) and all(map(within, given, got))
    return given == got


def test_what_was_sent_comes_back(huawei):
    huawei.made(EXAMPLE)
    first = huawei.read1("jobs/exampleJob")
    assert within(EXAMPLE, first), first
    assert first["id"] > 0 and first["version"] == "1" and first["createUser"] == "admin"
    done(huawei.v1("PUT", "jobs/exampleJob", first), 204)
    second = huawei.read1("jobs/exampleJob")
    assert second == {**first, "version": "2"}
    assert within(EXAMPLE, huawei.read1("jobs/exampleJob", version=1))
    refused(huawei.v1("GET", "jobs/exampleJob", version=9), "DLF.3051", "version 9")


def test_jobs_that_depend_on_a_job(huawei):
    """`dependencies` adds the first level; what is sent back of it is not kept. Saving submits (reference §1.2)."""
    huawei.made(job("chain_a", [shell("a")]))
    for name, upstream in (("chain_b", "chain_a"), ("chain_c", "chain_b"), ("chain_d", "chain_a")):
        huawei.made(with_cron(dependJobs={"jobs": [upstream]}) | {"name": name})
    seen = huawei.read1("jobs/chain_a", dependencies="true")
    assert {d["jobName"] for d in seen["downstreamJobs"]} == {"chain_b", "chain_d"}
    assert {d["workSpace"] for d in seen["downstreamJobs"]} == {"default"}
    ids = {name: huawei.read1(f"jobs/{name}")["id"] for name in ("chain_b", "chain_d")}
    assert {d["jobName"]: d["jobId"] for d in seen["downstreamJobs"]} == ids
    assert huawei.read1("jobs/chain_c", dependencies="true")["downstreamJobs"] == []
    done(huawei.v1("PUT", "jobs/chain_a", seen), 204)
    for options in ({}, {"dependencies": "false"}, {"getJobSubmitVersion": "true"}, {"getJobSubmitVersion": "false"}):
        got = huawei.read1("jobs/chain_a", **options)
        assert "downstreamJobs" not in got and got["version"] == "2", options
    assert huawei.read1("jobs/chain_a", version=1, getJobSubmitVersion="true")["version"] == "1"
    for name in ("dependencies", "getJobSubmitVersion"):
        refused(huawei.v1("GET", "jobs/chain_a", **{name: "perhaps"}), "DLF.3051", name)


def test_v2_spells_otherwise_and_means_the_same(huawei):
    body = {"name": "snake", "process_type": "BATCH", "owner": "own", "priority": 1, "single_node_job_flag": "true",
            "basic_config": {"instance_timeout": "0", "custom_fields": {"camel_Case": "kept"}},
            "nodes": [{"name": "a", "type": "Shell", "location": {"x": 1, "y": "2"}, "pre_node_names": [], "retry_times": "2",
                       "retry_interval": 0, "fail_policy": "IGNORE", "exec_time_out_retry": "true", "unknown_field": 1,
                       "properties": [{"name": "statement", "value": "exit 3", "value_is_sensitive": False}]},
                      {"name": "b", "type": "Dummy", "location": {}, "pre_node_names": ["a"], "properties": [],
                       "conditions": {"pre_node_name": "a", "expression": "#{1 == 1}"}}],
            "schedule": {"type": "CRON", "cron": {"expression": "0 30 1 ? * 1", "period": "1 weeks", "depend_pre_period": False,
                                                  "start_time": "2018-10-22T23:59:59+08", "depend_jobs": []}}}
    done(huawei.v2("POST", "jobs", body), 204)
    seen = huawei.read1("jobs/snake")
    a, b = seen["nodes"]
    assert (a["retryTimes"], a["retryInterval"], a["failPolicy"], a["execTimeOutRetry"]) == (2, 0, "IGNORE", "true")
    assert b["preNodeName"] == ["a"] and b["conditions"] == [{"preNodeName": "a", "expression": "#{1 == 1}"}]
    assert seen["basicConfig"]["customFields"] == {"camel_Case": "kept"} and seen["singleNodeJobFlag"] is True
    instance = huawei.wait("snake", huawei.run("snake"))
    assert (instance["status"], instance["ignoreSuccess"]) == ("success", True)
    assert [n["retryTimes"] for n in instance["nodes"]] == [2, 0]
    assert [n["type"] for n in instance["nodes"]] == ["Shell", "Dummy"]
    listed = huawei.instances("snake", status="success", ignore_success="true")
    assert [i["instance_id"] for i in listed] == [instance["instanceId"]]
    assert huawei.instances("snake", status="success", force_success="true") == []


def test_a_job_of_either_dialect_is_one_of_the_other(server, huawei):
    huawei.made(job("mine", [shell("a", statement="echo ${who} >> $REPRISE_WORKSPACE/mine.txt"), python("b", "a")],
                    params=[{"name": "who", "value": "me"}]))
    found = server.api.read("/jobs", displayName="mine")["items"][0]
    whole = server.api.read(f"/jobs/{found['key']}")
    assert [t["type"] for t in whole["tasks"]] == ["SHELL_TASK", "SHELL_TASK"]
    assert (whole["maxConcurrentRuns"], whole["queue"], whole["schedule"]["pauseStatus"]) == (1, {"isEnabled": True}, "PAUSED")
    server.api.wait_final(server.api.run(found, parameters=harness.named(who="oracle")), "SUCCESS")
    assert (server.workspace / "mine.txt").read_text() == "oracle\n"
    instance, = huawei.instances("mine")
    assert (instance["instance_type"], instance["status"]) == (2, "success")
    # made there, shown and run here
    server.api.job([harness.step("x"), harness.if_else("q", "1 == 1", "x"), harness.step("y", ("q", "true"))],
                   name="theirs", parameters=harness.named(p="1"))
    seen = huawei.read1("jobs/theirs")
    assert [(n["name"], n["type"], n["preNodeName"]) for n in seen["nodes"]] == [
        ("x", "Python", []), ("q", "Dummy", ["x"]), ("y", "Python", ["q"])]
    assert seen["params"] == [{"name": "p", "value": "1", "type": "variable"}] and seen["schedule"] == {"type": "EXECUTE_ONCE"}
    assert huawei.wait("theirs", huawei.run("theirs"))["status"] == "success"
    # changed there: what was kept does not hold any more
    server.api.replace(found, [harness.step("only")], name="mine")
    assert [n["name"] for n in huawei.read1("jobs/mine")["nodes"]] == ["only"]


@pytest.mark.parametrize("kept,words", [
    ({"customFields": {"a": "x\0y"}}, ["NUL"]), ({"customFields": {"a\0": 1}}, ["NUL"]),
    ({"customFields": json.loads('{"a":' * 40 + "1" + "}" * 40)}, ["32 levels"])])
def test_what_could_not_be_read_again_is_refused(huawei, kept, words):
    refused(huawei.v1("POST", "jobs", {**job("unreadable", [shell("a")]), "basicConfig": kept}), "DLF.3051", *words)
    deep = {**shell("a"), "location": json.loads("[" * 59 + "]" * 59)}
    refused(huawei.v1("POST", "jobs", job("unreadable", [deep])), "DLF.3051", "32 levels")
    assert huawei.v1("GET", "jobs/unreadable").status_code == 400


def test_a_nul_does_not_come_by_the_other_dialect(server):
    for value in ({"a": "x\0y"}, json.loads('{"a":' * 50 + "1" + "}" * 50)):
        answer = server.api.post("/jobs", {"name": "nul", "path": "/", "tasks": [], "x-dataarts": value})
        harness.refused(answer, 400, "InvalidParameter", "x-dataarts")


def test_what_the_other_dialect_shows_can_be_sent_back_to_it(server, huawei):
    huawei.made(job("there_and_back", [shell("a", statement="echo ${day} > $REPRISE_WORKSPACE/back.txt")], "0 0 0 1 1 ?",
                    params=[{"name": "day", "value": "#{DateUtil.format(Job.planTime,\"yyyyMMdd\")}"}], basicConfig={"owner": "ann", "customFields": {"k": "v"}}))
    before = huawei.read1("jobs/there_and_back")
    key = next(j["key"] for j in server.api.page_through("/jobs", limit=1000) if j["name"] == "there_and_back")
    shown = server.api.read(f"/jobs/{key}")
    assert server.api.put(f"/jobs/{key}", shown).status_code == 202
    assert huawei.read1("jobs/there_and_back") == {**before, "version": "2"}
    number = huawei.run("there_and_back")
    assert huawei.wait("there_and_back", number)["status"] == "success"
    assert (server.workspace / "back.txt").read_text().strip().isdigit()


def key_of(server, name):
    return next(j["key"] for j in server.api.page_through("/jobs", limit=1000) if j["name"] == name)


def change_there(server, name, **changes):
    """By the other dialect: the definition as its versions show it, with changes, sent back."""
    path = f"/jobs/{key_of(server, name)}"
    version = server.api.read(path)["definitionVersion"]
    definition = server.api.read(f"{path}/versions/{version}")["definition"]
    done(server.api.put(path, {**definition, **changes}), 202)


def test_what_was_changed_there_is_shown_here_and_stays(server, huawei):
    """Of what was kept, everything holds but for the parts that somebody changed; a stop and a start undo none of it."""
    for name in ("upper", "other_upper"):
        huawei.made(job(name, [shell("a")]))
    given = with_cron(dependJobs={"jobs": ["upper"], "dependPeriod": "SAME_PERIOD"}, dependPrePeriod=True, period="1 days",
                      monitorObsPath="in/x", concurrent=2) | {
        "name": "both", "nodes": [shell("a"), node("s", "SubJob", "a", jobName="upper"),
                                  node("spark", "MRSSpark", "s", resourcePath="a.jar", jobClass="org.A")],
        "params": [{"name": "p", "value": "1", "type": "constants"}], "description": "before", "directory": "/here", "logPath": "obs://log",
        "basicConfig": {"instanceTimeout": 5, "owner": "o", "tags": ["t"]}}
    huawei.made(given)
    whole = server.api.read(f"/jobs/{key_of(server, 'both')}")
    on = {**whole["dependencies"][0], "jobKey": key_of(server, "other_upper"), "failPolicy": "IGNORE"}
    schedule = {**whole["schedule"], "quartzCronExpression": "0 0 5 * * ?"}
    tasks = [{**task, "maxRetries": 3, "minRetryIntervalMillis": 1000} if task["taskKey"] == "a" else task for task in whole["tasks"]]
    changes = (("description", "after"), ("path", "/there"), ("timeoutSeconds", 600), ("dependencies", [on]), ("maxConcurrentRuns", 3),
               ("dependsOnPreviousRun", False), ("schedule", schedule), ("tasks", tasks),
               ("parameters", [{"name": "p", "value": "2"}, {"name": "q", "value": ""}]))
    for field, value in changes:
        before = huawei.read1("jobs/both")
        change_there(server, "both", **{field: value})
        shown = huawei.read1("jobs/both")
        assert shown != {**before, "version": shown["version"]}, field
        huawei.start("both")
        huawei.stop("both")
        assert server.api.read(f"/jobs/{key_of(server, 'both')}").get(field, False) == value, field
        assert huawei.read1("jobs/both") == {**shown, "version": str(int(shown["version"]) + 2)}, field
    cron = shown["schedule"]["cron"]
    assert (shown["description"], shown["directory"], shown["basicConfig"]) == (
        "after", "/there", {"instanceTimeout": 10, "owner": "o", "tags": ["t"]})
    assert cron["dependJobs"] == {"jobs": ["other_upper"], "dependPeriod": "SAME_PERIOD", "dependFailPolicy": "IGNORE"}
    assert (cron["expression"], cron["concurrent"], cron["dependPrePeriod"]) == ("0 0 5 * * ?", 3, False)
    assert (cron["monitorObsPath"], cron["period"], shown["logPath"]) == ("in/x", "1 days", "obs://log")
    assert shown["nodes"][1:] == before["nodes"][1:] and shown["nodes"][0]["retryTimes"] == 3
    assert shown["params"] == [{"name": "p", "value": "2", "type": "constants"}, {"name": "q", "value": "", "type": "variable"}]
    done(huawei.v1("PUT", "jobs/both", shown), 204)  # what is shown can be sent back
    assert huawei.read1("jobs/both") == {**shown, "version": str(int(shown["version"]) + 3)}


def test_jobs_that_others_name_may_be_renamed(server, huawei):
    huawei.made(job("old-name", [shell("a")]))
    huawei.made(with_cron(dependJobs={"jobs": ["old-name"]}, period="1 days") | {
        "name": "names", "nodes": [node("s", "SubJob", jobName="old-name"), node("r", "MRSSpark", "s", resourcePath="a.jar")]})
    before = huawei.read1("jobs/names")
    whole = server.api.read(f"/jobs/{key_of(server, 'names')}")
    done(huawei.v1("PUT", "jobs/old-name", {**huawei.read1("jobs/old-name"), "name": "new-name"}), 204)
    shown = huawei.read1("jobs/names")
    assert shown["schedule"]["cron"]["dependJobs"]["jobs"] == ["new-name"] and shown["schedule"]["cron"]["period"] == "1 days"
    assert shown["nodes"][0]["properties"] == [{"name": "jobName", "value": "new-name"}] and shown["nodes"][1] == before["nodes"][1]
    done(huawei.v1("PUT", "jobs/names", shown), 204)
    after = server.api.read(f"/jobs/{key_of(server, 'names')}")
    assert (after["tasks"], after["dependencies"]) == (whole["tasks"], whole["dependencies"])


def theirs(server, name, *tasks, **fields):
    return server.api.made("/jobs", {"name": name, "path": "Shared", "tasks": tasks or [{"taskKey": "d", "type": "DUMMY_TASK"}], **fields})


def test_what_this_dialect_can_say_of_a_job_of_the_other_comes_back(server, huawei):
    theirs(server, "sayable_up")
    up = key_of(server, "sayable_up")
    params = [{"name": "p", "value": "1"}, {"name": "q", "value": "x=y"}]
    theirs(server, "sayable", {"taskKey": "s", "type": "SHELL_TASK", "script": "true", "timeoutSeconds": 120, "maxRetries": 2,
                               "minRetryIntervalMillis": 3000, "isRetryOnTimeout": True},
           {"taskKey": "j", "type": "JOB_TASK", "jobKey": up, "parameters": params, "dependsOn": [{"taskKey": "s"}]},
           {"taskKey": "h", "type": "HTTP_TASK", "url": "http://localhost/", "method": "POST", "body": "b",
            "headers": [{"name": "X-A", "value": "b"}, {"name": "X-C", "value": "d"}], "x-failPolicy": "IGNORE"},
           parameters=params, timeoutSeconds=3600, maxConcurrentRuns=4, description="words", dependsOnPreviousRun=True,
           dependencies=[{"jobKey": up, "period": "PRE_PERIOD", "failPolicy": "SUSPEND"}],
           schedule={"quartzCronExpression": "0 0 5 * * ?", "timezoneId": "UTC", "startTime": "2026-01-01T00:00:00.000Z"})
    before = server.api.read(f"/jobs/{key_of(server, 'sayable')}")
    shown = huawei.read1("jobs/sayable")
    done(huawei.v1("PUT", "jobs/sayable", shown), 204)
    after = server.api.read(f"/jobs/{key_of(server, 'sayable')}")
    for task in before["tasks"] + after["tasks"]:
        task.pop("x-expressionLanguage", None), task.setdefault("x-failPolicy", "FAIL_CHILD")
    same = [field for field in before if field not in ("definitionVersion", "timeUpdated", "queue", "nextRunTimes")]
    assert {field: after.get(field) for field in same} == {field: before[field] for field in same}
    assert huawei.read1("jobs/sayable") == {**shown, "version": "2"}


def test_a_start_of_a_job_of_the_other_dialect_takes_only_what_it_can_keep(server, huawei):
    """What a start says holds until the stop: there is no place for that beside a definition of the other dialect."""
    theirs(server, "other_start", schedule={"quartzCronExpression": "0 0 5 * * ?", "timezoneId": "UTC", "pauseStatus": "PAUSED"},
           parameters=harness.named(p="1"))
    before = server.api.read(f"/jobs/{key_of(server, 'other_start')}")
    for body, word in (({"jobParams": [{"name": "p", "value": "2"}]}, "jobParams"), ({"start_date": 20981231}, "start_date")):
        refused(huawei.v1("POST", "jobs/other_start/start", body), "DLF.3051", word, "other_start", "other dialect")
    assert server.api.read(f"/jobs/{key_of(server, 'other_start')}") == before
    huawei.start("other_start", {"jobParams": []})
    after = server.api.read(f"/jobs/{key_of(server, 'other_start')}")
    assert (after["parameters"], after["schedule"]["pauseStatus"]) == (before["parameters"], "UNPAUSED")


SHELL = {"taskKey": "s", "type": "SHELL_TASK", "script": "true"}
AT_FIVE = {"quartzCronExpression": "0 0 5 * * ?", "timezoneId": "UTC"}
UNSAYABLE = [
    ("a branch", [SHELL, harness.if_else("q", "1 == 1", "s"), {**SHELL, "taskKey": "t", "dependsOn": [{"taskKey": "q", "outcome": "true"}]}],
     {}, "task q"),
    ("a parameter over two lines", [{"taskKey": "j", "type": "JOB_TASK", "parameters": [{"name": "p", "value": "a\nb"}]}], {}, "node j"),
    ("secrets", [{**SHELL, "x-secrets": ["nothing"]}], {}, "x-secrets of the task s"),
    ("a rule", [SHELL, {**SHELL, "taskKey": "t", "runIf": "ALL_DONE", "dependsOn": [{"taskKey": "s"}]}], {}, "runIf of the task t"),
    ("half a minute", [SHELL], {"timeoutSeconds": 90}, "timeoutSeconds"),
    ("no slot", [SHELL], {"maxConcurrentRuns": 0, "queue": {"isEnabled": True}, "schedule": AT_FIVE}, "maxConcurrentRuns"),
    ("many slots", [SHELL], {"maxConcurrentRuns": 129, "schedule": AT_FIVE}, "maxConcurrentRuns"),
    ("many tries", [{**SHELL, "maxRetries": 101}], {}, "maxRetries of the task s"),
    ("a policy for what is missed", [SHELL], {"schedule": {**AT_FIVE, "missedRunPolicy": "ALL"}}, "schedule"),
    ("continuous", [SHELL], {"continuous": {"pauseStatus": "PAUSED"}}, "continuous"),
    ("upstream jobs and no schedule", [SHELL], {"dependencies": [{}]}, "dependencies"),
    ("no queue", [SHELL], {"queue": {"isEnabled": False}}, "queue"),
    ("references", [{**SHELL, "script": "echo {{job.name}}"}], {}, "x-expressionLanguage"),
    ("a variable of the shell", [{**SHELL, "script": "echo ${HOME}"}], {}, "x-expressionLanguage"),
    ("a jar", [{"taskKey": "j", "type": "JAR_TASK", "mainClass": "A", "dependentLibraries": ["a.jar"]}], {}, "resourcePath"),
]


@pytest.mark.parametrize("name, tasks, fields, word", UNSAYABLE, ids=[row[0] for row in UNSAYABLE])
def test_a_put_does_not_take_from_a_job_what_this_dialect_cannot_say(server, huawei, name, tasks, fields, word):
    name = "unsayable-" + "-".join(name.split())
    theirs(server, name + "-up")
    up = key_of(server, name + "-up")
    tasks = [{**task, "jobKey": up} if task["type"] == "JOB_TASK" else task for task in tasks]
    fields = {**fields, "dependencies": [{"jobKey": up}]} if "dependencies" in fields else fields
    if name == "unsayable-secrets":
        server.api.made("//reprise/v1/secrets", {"name": "nothing", "value": "x"})
    theirs(server, name, *tasks, **fields)
    before = server.api.read(f"/jobs/{key_of(server, name)}")
    shown = huawei.read1(f"jobs/{name}")
    refused(huawei.v1("PUT", f"jobs/{name}", shown), "DLF.3051")
    message = refused(huawei.v1("PUT", f"jobs/{name}", shown | {"nodes": [shell("new")], "schedule": {"type": "EXECUTE_ONCE"}}),
                      "DLF.3051", name, "other dialect", word)
    assert "task None" not in message
    assert server.api.read(f"/jobs/{key_of(server, name)}") == before
    if "schedule" in fields or "continuous" in fields:
        huawei.start(name)
        huawei.stop(name)
        after = server.api.read(f"/jobs/{key_of(server, name)}")
        assert [after[field] for field in ("tasks", "timeoutSeconds")] == [before[field] for field in ("tasks", "timeoutSeconds")]


@pytest.mark.parametrize("slots, told", [(0, None), (2, 2), (128, 128), (129, None), (1000, None)])
def test_of_slots_only_is_told_what_can_be_sent(server, huawei, slots, told):
    name = f"slots-{slots}"
    huawei.made(job(name, [shell("a")], "0 0 0 1 1 ?"))
    change_there(server, name, maxConcurrentRuns=slots)
    shown = huawei.read1(f"jobs/{name}")
    assert shown["schedule"]["cron"].get("concurrent") == told
    answer = huawei.v1("PUT", f"jobs/{name}", shown)
    if told is None:
        refused(answer, "DLF.3051", name, "other dialect", "maxConcurrentRuns")
    else:
        done(answer, 204)
    assert server.api.read(f"/jobs/{key_of(server, name)}")["maxConcurrentRuns"] == slots
    huawei.start(name)
    huawei.stop(name)
    assert server.api.read(f"/jobs/{key_of(server, name)}")["maxConcurrentRuns"] == slots


def test_a_job_that_names_what_is_gone_is_put_right(huawei):
    for name in ("gone-up", "gone-sub"):
        huawei.made(job(name, [shell("a")]))
    huawei.made(with_cron(dependJobs={"jobs": ["gone-up"]}) | {"name": "orphan", "nodes": [node("s", "SubJob", jobName="gone-sub")]})
    for name in ("gone-up", "gone-sub"):
        done(huawei.v1("DELETE", f"jobs/{name}"), 204)
    assert [n["name"] for n in huawei.read1("jobs/orphan")["nodes"]] == ["s"]
    done(huawei.v1("PUT", "jobs/orphan", job("orphan", [shell("a")])), 204)
    assert [n["name"] for n in huawei.read1("jobs/orphan")["nodes"]] == ["a"]


def test_what_is_wrong_is_called_by_this_dialects_names(huawei):
    for cron, nodes, code, words in (
            ({"monitorObsPath": "in/x"}, [shell("a"), shell("b", "zz")], "DLF.3051", "nodes[1]."),
            ({"monitorObsPath": "../x"}, [shell("a")], "DLF.3051", "schedule.cron.monitorObsPath: path must not"),
            ({}, [shell("a"), shell("b", "zz")], "DLF.3051", "nodes[1]."),
            ({"startTime": "2026-02-01T00:00:00+08", "endTime": "2026-01-01T00:00:00+08"}, [shell("a")], "DLF.3025",
             "schedule.cron.endTime must not be before schedule.cron.startTime"),
            ({}, [shell("b", "zz")], "DLF.3051", 'nodes[0].preNodeName[0] "zz" names no node of the job'),
            ({}, [shell("b", "b")], "DLF.3051", 'nodes[0].preNodeName[0] "b" names the node itself'),
            ({"monitorObsPath": "in/x"}, [shell("a"), shell("a")], "DLF.3051", 'nodes[1].name "a" is the name of nodes[0] already'),
            ({}, [shell("a", "b"), shell("b", "a")], "DLF.3051", "is a cycle of 2 nodes"),
            ({}, [shell("tasks[1]", "zz")], "DLF.3051", "nodes[0].preNodeName[0]"),
            ({}, [shell("n" * 101)], "DLF.3051", "nodes[0].name must be 1 to 100 characters long, not 101"),
            ({}, [node("a", "Shell", scriptName="../x")], "DLF.3051", "nodes[0]: the property scriptName must"),
            ({}, [shell("a", statement="#{Job.planTime +}")], "DLF.3051", "nodes[0]: the property statement"),
            ({}, [node("a", "RESTAPI", url="ftp://x")], "DLF.3051", "nodes[0]: the property url must"),
            ({}, [node("a", "DLISpark", resourcePath="a.py", jarArgs="#{Loop.x}")], "DLF.3051", "nodes[0]: the property jarArgs"),
            ({}, [shell("b"), shell("a", "b", conditions=[{"preNodeName": "b", "expression": "#{Loop.x}"}])], "DLF.3051",
             "nodes[1].conditions[0].expression")):
        refused(huawei.v1("POST", "jobs", with_cron(**cron) | {"nodes": nodes}), code, words)
    twice = [{"name": "p", "value": "1"}] * 2
    refused(huawei.v1("POST", "jobs", {**with_cron(), "params": twice}), "DLF.3051", 'params[1].name "p" is given twice')


def test_cycles_of_jobs_are_called_by_this_dialects_names(huawei):
    """That is the engine's to find, behind the answer's back."""
    huawei.made(job("ring-a", [shell("a")]))
    huawei.made(job("ring-c", [shell("a")]))
    for depend, where in (({"jobs": ["ring-c", "ring-a"]}, "jobs[1]"), ([{"jobs": ["ring-c"]}, {"jobs": ["ring-a"]}], "[1].jobs[0]"),
                          ({"sameWorkSpaceJobs": [{"jobName": "ring-a"}]}, "sameWorkSpaceJobs[0].jobName")):
        huawei.made(with_cron(dependJobs=depend) | {"name": "ring-b"})
        shown = huawei.read1("jobs/ring-a")
        shown["schedule"]["cron"]["dependJobs"] = {"jobs": ["ring-b"]}
        refused(huawei.v1("PUT", "jobs/ring-a", shown), "DLF.3025",
                "schedule.cron.dependJobs.jobs[0] names a job that depends on this one: a cycle")
        shown = huawei.read1("jobs/ring-b")
        text = json.dumps(shown["schedule"]["cron"]["dependJobs"]).replace("ring-a", "ring-b")
        shown["schedule"]["cron"]["dependJobs"] = json.loads(text)
        refused(huawei.v1("PUT", "jobs/ring-b", shown), "DLF.3025",
                f"schedule.cron.dependJobs{'' if where[0] == '[' else '.'}{where} names the job itself: dependPrePeriod says that")
        done(huawei.v1("DELETE", "jobs/ring-b"), 204)
    huawei.made(job("ring-b", [node("s", "SubJob", jobName="ring-c")], None))
    shown = {**huawei.read1("jobs/ring-c"), "nodes": [node("t", "SubJob", jobName="ring-b")]}
    shown["schedule"]["cron"]["monitorObsPath"] = "in/x"
    refused(huawei.v1("PUT", "jobs/ring-c", shown), "DLF.3051", "nodes[0]: the property jobName names a job that runs this one again")


def test_what_is_gone_garbles_nothing_and_keeps_nobody_from_stopping(server, huawei):
    for name in ("lost-up", "lost-sub"):
        huawei.made(job(name, [shell("a")]))
    huawei.made(with_cron(dependJobs={"jobs": ["lost-up"]}, expression="0 0 0 1 1 ?", period="1 years") | {
        "name": "bereft", "params": [{"name": "p", "value": "1", "type": "constants"}],
        "nodes": [node("s", "SubJob", jobName="lost-sub"), python("py", "s"), node("r", "MRSSpark", "s", resourcePath="a.jar")]})
    before = huawei.read1("jobs/bereft")
    lost = {name: key_of(server, name) for name in ("lost-up", "lost-sub")}
    huawei.start("bereft")
    for name in lost:
        done(huawei.v1("DELETE", f"jobs/{name}"), 204)
    huawei.stop("bereft")
    huawei.start("bereft", {"jobParams": [{"name": "p", "value": "2"}]})
    huawei.stop("bereft")
    for name in lost:  # another one may take the name: it is not the one that was meant
        huawei.made(job(name, [shell("a")]))
    huawei.start("bereft")
    huawei.stop("bereft")
    shown = huawei.read1("jobs/bereft")
    assert shown["nodes"][0]["properties"] == [{"name": "jobName", "value": lost["lost-sub"]}]
    assert shown["nodes"][1:] == before["nodes"][1:] and shown["params"] == before["params"]
    assert shown["schedule"]["cron"]["dependJobs"]["jobs"] == [lost["lost-up"]]
    assert shown["schedule"]["cron"]["period"] == "1 years"
    done(huawei.v1("PUT", "jobs/bereft", shown), 204)
    assert huawei.read1("jobs/bereft") == {**shown, "version": str(int(shown["version"]) + 1)}
    refused(huawei.v1("POST", "jobs", job("new", [node("s", "SubJob", jobName=lost["lost-sub"])])), "DLF.3051", "names no job")


def test_what_a_start_said_ends_with_the_stop_whatever_was_changed_meanwhile(server, huawei):
    huawei.made(job("said-sub", [shell("a")]))
    huawei.made(job("said", [shell("a"), shell("b", "a"), node("s", "SubJob", "b", jobName="said-sub")], "0 0 0 1 1 ?",
                    params=[{"name": "p", "value": "base"}]))
    huawei.start("said", {"jobParams": [{"name": "p", "value": "STARTED"}], "start_date": 20981231})
    path = f"/jobs/{key_of(server, 'said')}"
    whole = server.api.read(path)
    assert whole["parameters"] == [{"name": "p", "value": "STARTED"}] and whole["schedule"]["startTime"].startswith("2098")
    tasks = [{**task, "runIf": "ALL_DONE"} if task["taskKey"] == "b" else task for task in whole["tasks"]]
    change_there(server, "said", tasks=tasks)  # what this dialect has no words for
    done(huawei.v1("DELETE", "jobs/said-sub"), 204)
    huawei.stop("said")
    whole = server.api.read(path)
    assert whole["parameters"] == [{"name": "p", "value": "base"}] and whole["schedule"]["startTime"].startswith("2018")
    assert whole["tasks"][1]["runIf"] == "ALL_DONE" and whole["schedule"]["pauseStatus"] == "PAUSED"
    assert huawei.read1("jobs/said")["params"][0]["value"] == "base"


def test_a_schedule_that_was_never_started_submits_nothing(server, huawei):
    """submit_time is then when the version was saved; once started, when that was, whatever is saved."""
    huawei.made(job("unstarted", [shell("a")], "0 0 0 1 1 ?"))
    key = next(j["key"] for j in server.api.page_through("/jobs", limit=1000) if j["name"] == "unstarted")

    def submitted():
        number = huawei.run("unstarted")
        return next(i["submit_time"] for i in huawei.instances("unstarted") if i["instance_id"] == number)

    for _ in range(2):
        done(huawei.v1("PUT", "jobs/unstarted", huawei.read1("jobs/unstarted")), 204)
        saved = server.api.read(f"/jobs/{key}/versions", limit=1)["items"][0]["timeCreated"]
        assert submitted() == round(datetime.datetime.fromisoformat(saved.replace("Z", "+00:00")).timestamp() * 1000)
    huawei.start("unstarted")
    started = huawei.read2("jobs", job_name="unstarted")["jobs"][0]["start_time"]
    done(huawei.v1("PUT", "jobs/unstarted", huawei.read1("jobs/unstarted")), 204)
    assert submitted() == started


def test_start_and_stop(server, huawei):
    huawei.made(job("ticking", [shell("a", statement='echo "${day}-${more}" >> $REPRISE_WORKSPACE/ticking.txt')], EVERY_SECOND,
                    params=[{"name": "day", "value": "mon"}, {"name": "more", "value": "x", "type": "constants"}]))
    assert huawei.read2("jobs", job_name="ticking")["jobs"][0]["status"] == "STOPPED"
    before = time.time() * 1000
    huawei.start("ticking", {"jobParams": [{"name": "day", "value": "tue", "paramType": "variable"}], "start_date": 20181022,
                             "ignore_first_self_dependence": "true"})
    item = huawei.read2("jobs", job_name="tick", status="SCHEDULING")["jobs"][0]
    assert item["status"] == "SCHEDULING" and item["next_plan_time"] and item["start_time"] >= before - 1000
    done(huawei.v1("PUT", "jobs/ticking", huawei.read1("jobs/ticking")), 204)  # goes on as it was started
    first = huawei.wait_planned("ticking", 2)
    assert huawei.read1("jobs", jobName="ticking")["jobs"][0]["status"] == "STOPPED"
    assert {i["submit_time"] for i in first} == {item["start_time"]} and all(i["status"] == "success" for i in first)
    assert len({i["plan_time"] for i in first}) == len(first) and all(i["plan_time"] % 1000 == 0 for i in first)
    assert set((server.workspace / "ticking.txt").read_text().split()) == {"tue-x"}
    assert huawei.read1("jobs/ticking")["params"][0]["value"] == "mon"
    waits = job("waiting", [shell("a")])
    waits["schedule"]["cron"]["dependPrePeriod"] = True
    huawei.made(waits)
    huawei.start("waiting", {"ignore_first_self_dep": True})
    listed, = server.api.read("/jobs", displayName="waiting")["items"]
    whole = server.api.read(f"/jobs/{listed['key']}")
    assert whole["dependsOnPreviousRun"] is True and whole["previousRunsFrom"] <= whole["timeUpdated"]
    huawei.start("waiting", {})
    assert "previousRunsFrom" not in server.api.read(f"/jobs/{listed['key']}")
    huawei.stop("waiting")
    huawei.start("ticking", {"start_date": "20981231"})
    assert huawei.read2("jobs", job_name="ticking")["jobs"][0]["next_plan_time"] == "2098-12-30T16:00:00.000Z"
    huawei.stop("ticking")
    newest = huawei.read2("jobs", job_name="ticking")["jobs"][0]
    assert newest["last_instance_status"] == "success" and "next_plan_time" not in newest


def test_once(huawei):
    huawei.made(job("once", [shell("a")], None))
    huawei.start("once")
    found = eventually(lambda: huawei.instances("once"), "the one instance")
    assert [i["instance_type"] for i in found] == [7] and huawei.read2("jobs", job_name="once")["jobs"][0]["status"] == "SCHEDULING"
    assert huawei.wait("once", found[0]["instance_id"])["status"] == "success"
    huawei.stop("once")
    assert huawei.read2("jobs", job_name="once")["jobs"][0]["status"] == "STOPPED"
    assert len(huawei.instances("once")) == 1 and huawei.read1("jobs/once")["schedule"] == {"type": "EXECUTE_ONCE"}


def test_every_type_of_node(server, huawei):
    (server.workspace / "say.sh").write_text('echo "$1" > "$REPRISE_WORKSPACE/said.txt"\n')
    (server.workspace / "say.py").write_text("import sys\nassert sys.argv[1:] == ['in Köln', 'b']\n")
    huawei.made(job("below", [shell("z", statement='test "$REPRISE_PARAM_from" = above')], None))
    nodes = [node("shell", "Shell", scriptName="/say.sh", arguments="'a b'", statementOrScript="SCRIPT"),
             node("python", "Python", "shell", scriptName="say.py", arguments="'in ${town}' b"),
             node("dummy", "Dummy", "python"),
             node("http", "RESTAPI", "dummy", url=f"{server.url}/healthz", method="GET", headers="X-A=b\n"),
             node("obs", "OBS Manager", "http", action="CREATE_PATH", path="made/#{Job.name}"),
             node("gone", "OBSManager", "obs", action="DELETE_PATH", path="said.txt"),
             node("sub", "SubJob", "gone", jobName="below", jobParams="from=above")]
    huawei.made(job("types", nodes, None, params=[{"name": "town", "value": "Köln"}]))
    instance = huawei.wait("types", huawei.run("types"))
    assert instance["status"] == "success", instance
    assert [n["type"] for n in instance["nodes"]] == [n["type"] for n in nodes] and instance["total"] == 7
    assert (server.workspace / "made/types").is_dir() and not (server.workspace / "said.txt").exists()
    child, = huawei.instances("below")
    assert (child["instance_type"], child["status"], child["plan_time"]) == (6, "success", instance["planTime"])
    log = server.api.get("//" + next(n for n in instance["nodes"] if n["nodeName"] == "python")["logPath"].lstrip("/"))
    assert log.status_code == 200


def test_policies_and_states(server, huawei):
    huawei.made(job("held", [shell("a", statement="exit 1", failPolicy="SUSPEND"), shell("b", "a")], None))
    number = huawei.run("held")
    assert huawei.wait("held", number, "running-exception")["status"] == "running-exception"
    assert [i["instance_id"] for i in huawei.instances("held", status="running-exception")] == [number]
    assert huawei.instances("held", status="running") == []
    done(huawei.v1("POST", f"jobs/held/instances/{number}/stop", {}), 204)
    assert huawei.wait("held", number)["status"] == "manual-stop"
    refused(huawei.v1("POST", f"jobs/held/instances/{number}/stop"), "DLF.3051", "manual-stop")
    huawei.made(job("failing", [shell("a", statement="exit 1"), shell("b", "a"), shell("c")], None))  # FAIL is the default
    instance = huawei.wait("failing", huawei.run("failing"))
    assert instance["status"] == "fail" and instance["errorMessage"]
    assert next(n for n in instance["nodes"] if n["nodeName"] == "a")["errorMessage"] == "Exited with code 1"


def test_lists_of_instances(huawei):
    huawei.made(job("many", [node("a", "Dummy")], None))
    numbers = [huawei.run("many") for _ in range(5)]
    for number in numbers:
        huawei.wait("many", number)
    page = huawei.read2("jobs/many/instances/detail", limit=2, offset=1)
    assert page["total"] == 5 and [i["instance_id"] for i in page["instances"]] == numbers[-2:-4:-1]
    all_of_v1 = huawei.read1("jobs/instances/detail", jobName="man", limit=1000)
    assert [i["instanceId"] for i in all_of_v1["instances"]] == numbers[::-1]
    assert huawei.read1("jobs/instances/detail", jobName="man", preciseQuery="true") == {"total": 0, "instances": []}
    assert huawei.read1("jobs/instances/detail", jobName="many", preciseQuery="true", instanceType=2, status="success")["total"] == 5
    first = huawei.instances("many")[-1]
    window = huawei.read2("jobs/many/instances/detail", min_plan_time=first["plan_time"], max_plan_time=first["plan_time"])
    assert first["instance_id"] in [i["instance_id"] for i in window["instances"]] and window["total"] < 5
    assert huawei.instances("many", instance_type=0) == [] and huawei.instances("many", status="freeze") == []
    assert huawei.read2(f"jobs/many/instances/{numbers[0]}") == {
        name: first[name] for name in ("instance_id", "status", "plan_time", "start_time")}


def test_instances_are_listed_under_the_name_that_their_job_has(huawei):
    huawei.made(job("relabel-old", [node("a", "Dummy")]))
    first = huawei.run("relabel-old")
    huawei.wait("relabel-old", first)
    done(huawei.v1("PUT", "jobs/relabel-old", {**huawei.read1("jobs/relabel-old"), "name": "relabel-new"}), 204)
    huawei.made(job("relabel-old", [node("a", "Dummy")]))
    second = huawei.run("relabel-old")
    huawei.wait("relabel-old", second)
    listed = lambda **query: [(i["jobName"], i["instanceId"]) for i in huawei.read1("jobs/instances/detail", **query)["instances"]]
    assert listed(jobName="relabel-old", preciseQuery="true") == [("relabel-old", second)]
    assert listed(jobName="relabel-new", preciseQuery="true") == [("relabel-new", first)]
    assert listed(jobName="relabel-") == [("relabel-old", second), ("relabel-new", first)]
    assert listed(jobName="el-new") == [("relabel-new", first)]
    for name, number in listed(jobName="relabel-"):  # each is found where it is said to be
        assert huawei.instance(name, number)["status"] == "success"
    done(huawei.v1("DELETE", "jobs/relabel-old"), 204)
    assert listed(jobName="relabel-old", preciseQuery="true") == [("relabel-old", second)]


def test_lists_of_jobs(huawei):
    for name, tags in (("list-a", ["x", "y"]), ("list-b", ["y"]), ("list-c", [])):
        huawei.made(job(name, [node("n", "Dummy")], basicConfig={"tags": tags, "priority": "2"}))
    page = huawei.read1("jobs", jobName="list-", limit=2, offset=1)
    assert page["total"] == 3 and [j["name"] for j in page["jobs"]] == ["list-b", "list-a"] and page["jobs"][0]["priority"] == 2
    ids = {j["name"]: j["job_id"] for j in huawei.read2("jobs", limit=1000)["jobs"]}
    chosen = huawei.read2("jobs", job_id=f"{ids['list-a']},{ids['list-c']}")
    assert [j["name"] for j in chosen["jobs"]] == ["list-c", "list-a"]
    assert [j["name"] for j in huawei.read2("jobs", tags="x,y")["jobs"]] == ["list-b", "list-a"]
    assert [j["name"] for j in huawei.read2("jobs", tags="x,y", match_all_tags="true")["jobs"]] == ["list-a"]
    assert huawei.read2("jobs", job_type="REAL_TIME") == {"total": 0, "jobs": []}
    done(huawei.v1("DELETE", "jobs/list-a", {"approvers": []}), 204)
    assert huawei.read1("jobs", jobName="list-")["total"] == 2
    refused(huawei.v1("GET", "jobs/list-a"), "DLF.0100")


def test_a_continuous_job_is_scheduling_as_long_as_it_goes_on(server, huawei):
    server.api.job([harness.step("a", exit=1)], name="continuously", continuous={"pauseStatus": "PAUSED"})
    for step, status in ((None, "STOPPED"), (huawei.start, "SCHEDULING"), (huawei.stop, "STOPPED")):
        if step:
            step("continuously")
        for shown in (huawei.read1("jobs", jobName="continuously"), huawei.read2("jobs", job_name="continuously", status=status)):
            assert [j["status"] for j in shown["jobs"]] == [status]
        assert huawei.read2("jobs", job_name="continuously", status="STOPPED" if status == "SCHEDULING" else "SCHEDULING")["total"] == 0


def test_names(server, huawei):
    huawei.made(job("taken", [node("a", "Dummy")], None))
    refused(huawei.v1("POST", "jobs", job("taken", [node("b", "Dummy")], None)), "DLF.0102", "name")
    server.api.job([harness.step("x")], name="twice")
    server.api.job([harness.step("y")], name="twice")
    assert [n["name"] for n in huawei.read1("jobs/twice")["nodes"]] == ["x"]
    refused(huawei.v1("PUT", "jobs/taken", job("twice", [node("a", "Dummy")], None)), "DLF.0102")
    done(huawei.v1("PUT", "jobs/taken", job("renamed", [node("a", "Dummy")], None)), 204)
    refused(huawei.v1("GET", "jobs/taken"), "DLF.0100")
    assert huawei.read1("jobs/renamed")["name"] == "renamed"


def test_once_not_before_the_day_of_its_start(huawei):
    huawei.made(job("once_later", [shell("a")], None))
    huawei.start("once_later", {"start_date": 20981231})
    shown, = huawei.read2("jobs", job_name="once_later")["jobs"]
    assert shown["status"] == "SCHEDULING" and shown["next_plan_time"] == "2098-12-31T00:00:00.000Z"
    refused(huawei.v1("POST", "jobs/once_later/start", {"start_date": 22000101}), "DLF.3051", "start_date", "21991231")
    refused(huawei.v1("POST", "jobs/once_later/start", {"start_date": 20981399}), "DLF.3051", "start_date", "20981399")
    assert huawei.instances("once_later") == []
    huawei.stop("once_later")
    assert huawei.read1("jobs/once_later")["schedule"] == {"type": "EXECUTE_ONCE"}
    huawei.start("once_later", {"start_date": 20181231})  # that day has begun
    found = eventually(lambda: huawei.instances("once_later"), "the one instance")
    huawei.wait("once_later", found[0]["instance_id"], "success")


def test_what_a_start_said_holds_until_a_stop(server, huawei):
    """A second start changes what it says, and nothing else."""
    huawei.made(job("restarted", [shell("a")], "0 0 0 1 1 ?", params=[{"name": "p", "value": "base"}, {"name": "q", "value": "base"}]))
    path = f"/jobs/{key_of(server, 'restarted')}"
    values = lambda: ({p["name"]: p["value"] for p in server.api.read(path)["parameters"]}, server.api.read(path)["schedule"]["startTime"][:4])
    param = lambda name, value: {"jobParams": [{"name": name, "value": value}]}
    huawei.start("restarted", {**param("p", "1"), "start_date": 20981231})
    huawei.start("restarted")
    assert values() == ({"p": "1", "q": "base"}, "2098")
    huawei.start("restarted", {**param("q", "2"), "start_date": 20971231})
    assert values() == ({"p": "1", "q": "2"}, "2097")
    huawei.start("restarted", param("p", "3"))
    assert values() == ({"p": "3", "q": "2"}, "2097")
    twice = param("p", "4")["jobParams"] * 2
    refused(huawei.v1("POST", "jobs/restarted/start", {"jobParams": twice}), "DLF.3051", "jobParams[1].name", "twice")
    huawei.stop("restarted")
    assert values() == ({"p": "base", "q": "base"}, "2018")
    huawei.start("restarted")
    assert values() == ({"p": "base", "q": "base"}, "2018")
    huawei.start("restarted", param("p", "5"))
    change_there(server, "restarted", description="changed there")
    whole = server.api.read(path)
    tasks = [{**task, "runIf": "ALL_DONE"} for task in whole["tasks"]]
    change_there(server, "restarted", tasks=tasks)  # what this dialect has no words for
    huawei.start("restarted")
    assert values()[0]["p"] == "5"
    huawei.stop("restarted")
    assert values()[0]["p"] == "base"


def changed(**more):
    return {**job("bad", [shell("a")]), **more}


def with_node(**more):
    return changed(nodes=[{**shell("a"), **more}])


def with_cron(**more):
    body = job("bad", [shell("a")])
    body["schedule"]["cron"].update(more)
    return body


BAD_JOBS = [
    ("no name", changed(name=None), "DLF.3004", []),
    ("a name of other letters", changed(name="1 a"), "DLF.3018", []),
    ("a name that is too long", changed(name="a" * 129), "DLF.3018", ["128"]),
    ("no nodes", changed(nodes=[]), "DLF.1006", []),
    ("nodes that are none", changed(nodes="x"), "DLF.3051", ["nodes"]),
    ("a node twice", changed(nodes=[shell("a"), shell("a")]), "DLF.3051", ["nodes[1]", "a"]),
    ("an unknown node before", changed(nodes=[shell("a", "z")]), "DLF.3051", ["z"]),
    ("a cycle", changed(nodes=[shell("a", "b"), shell("b", "a")]), "DLF.3051", ["cycle"]),
    ("a type that is not run", with_node(type="CDMJob"), "DLF.2014", ["CDMJob", "node a"]),
    ("no script", with_node(properties=[]), "DLF.3051", ["scriptName"]),
    ("a path that leads outside", with_node(properties=[{"name": "scriptName", "value": "../x"}]), "DLF.3051", ["nodes[0]"]),
    ("EL that is none", with_node(properties=[{"name": "statement", "value": "#{Job.planTime +}"}]), "DLF.3051", ["nodes[0]"]),
    ("EL of an unknown name", with_node(properties=[{"name": "statement", "value": "#{Loop.offset}"}]), "DLF.3051", ["Loop"]),
    ("a condition of a stranger", with_node(conditions=[{"preNodeName": "q", "expression": "#{true}"}]), "DLF.3051", ["q"]),
    ("two conditions of one node", changed(nodes=[shell("b"), shell("a", "b", conditions=[
        {"preNodeName": "b", "expression": "#{1 == 1}"}, {"preNodeName": "b", "expression": "#{1 == 2}"}])]), "DLF.3051", ["conditions[1]", "&&"]),
    ("a policy that is none", with_node(failPolicy="MAYBE"), "DLF.3051", ["failPolicy"]),
    ("too many tries", with_node(retryTimes="101"), "DLF.3051", ["retryTimes", "100"]),
    ("too long an execution", with_node(maxExecutionTime=7201), "DLF.3051", ["maxExecutionTime", "7200"]),
    ("a dry run", changed(emptyRunningJob="1"), "DLF.3051", ["emptyRunningJob", "not supported"]),
    ("neither a dry run nor none", changed(emptyRunningJob="2"), "DLF.3051", ["emptyRunningJob", "0 or 1"]),
    ("OBS itself", changed(nodes=[node("a", "OBSManager", action="CREATE_PATH", path="obs://b/c")]), "DLF.0803", ["OBS"]),
    ("a sub-job that is not there", changed(nodes=[node("a", "SubJob", jobName="nobody")]), "DLF.0100", ["nobody"]),
    ("real time", changed(processType="REAL_TIME"), "DLF.3051", ["REAL_TIME"]),
    ("events", changed(schedule={"type": "EVENT", "event": {"eventType": "KAFKA"}}), "DLF.3025", ["EVENT"]),
    ("a bad expression", with_cron(expression="0 0 25 * * ?"), "DLF.3025", ["expression"]),
    ("an unknown zone", with_cron(expressionTimeZone="Mars/Olympus"), "DLF.3025", ["expressionTimeZone"]),
    ("a bad start", with_cron(startTime="soon"), "DLF.3025", ["startTime"]),
    ("an end before the start", with_cron(endTime="2001-01-01T00:00:00+08"), "DLF.3025", ["endTime"]),
    ("an unknown upstream job", with_cron(dependJobs={"jobs": ["nobody"]}), "DLF.3025", ["nobody"]),
    ("no truth", with_node(execTimeOutRetry="perhaps"), "DLF.3051", ["execTimeOutRetry", "true or false"]),
    ("upstream jobs as a word", with_cron(dependJobs="exampleJob"), "DLF.3025", ["dependJobs", "object"]),
    ("a name in place of names", with_cron(dependJobs={"jobs": "exampleJob"}), "DLF.3025", ["dependJobs.jobs", "array"]),
    ("a period that is none", with_cron(dependJobs={"jobs": [], "dependPeriod": "LAST"}), "DLF.3025", ["dependPeriod", "PRE_PERIOD"]),
    ("jobs of another workspace", with_cron(dependJobs={"otherWorkSpaceJobs": [{"jobName": "a"}]}), "DLF.3025", ["otherWorkSpaceJobs"]),
    ("an upstream job of another workspace", with_cron(dependJobs={"sameWorkSpaceJobs": [{"jobName": "a", "workSpaceId": "0" * 32}]}),
     "DLF.3025", ["sameWorkSpaceJobs[0].workSpaceId"]),
    ("several periods before", with_cron(dependJobs={"sameWorkSpaceJobs": [{"jobName": "a", "dependOnLastNPeriodValue": 2}]}),
     "DLF.3025", ["dependOnLastNPeriodValue"]),
    ("no expression", changed(schedule={"type": "CRON", "cron": {}}), "DLF.3051", ["expression"]),
    ("no cron", changed(schedule={"type": "CRON"}), "DLF.3025", ["cron"]),
]


def test_upstream_jobs_in_all_spellings(server, huawei):
    huawei.made(job("spelled_up", [node("a", "Dummy")]))
    asked = {"depend_jobs": [{"jobs": ["spelled_up"], "depend_period": "PRE_PERIOD", "depend_fail_policy": "IGNORE"}]}
    newer = {"dependJobs": {"sameWorkSpaceJobs": [{"jobName": "spelled_up", "workSpaceId": huawei.workspace, "dependOnLastPeriod": "true"}],
                            "dependFailPolicy": "IGNORE"}}
    for name, given in (("spelled_v2", asked), ("spelled_newer", newer), ("spelled_v1", {"dependJobs": {
            "jobs": ["spelled_up"], "dependPeriod": "PRE_PERIOD", "dependFailPolicy": "IGNORE"}})):
        body = with_cron(**given) | {"name": name}
        made = huawei.v2("POST", "jobs", body) if name == "spelled_v2" else huawei.v1("POST", "jobs", body)
        assert made.status_code in (200, 204), made.text
        shown = huawei.read1(f"jobs/{name}")["schedule"]["cron"]["dependJobs"]
        assert not any("_" in field for group in (shown if isinstance(shown, list) else [shown]) for field in group), shown
        mine = [j["key"] for j in server.api.page_through("/jobs") if j["name"] == name]
        waits = server.api.read(f"/jobs/{mine[0]}")["dependencies"]
        assert [(w["period"], w["failPolicy"]) for w in waits] == [("PRE_PERIOD", "IGNORE")], name
        done(huawei.v1("PUT", f"jobs/{name}", huawei.read1(f"jobs/{name}")), 204)  # what is shown can be sent back
        assert server.api.read(f"/jobs/{mine[0]}")["dependencies"] == waits


def test_a_job_that_keeps_its_name_may_be_changed_beside_a_namesake(server, huawei):
    huawei.made(job("twin", [shell("a")]))
    server.api.job([harness.step("x")], name="twin")
    done(huawei.v1("PUT", "jobs/twin", huawei.read1("jobs/twin")), 204)
    huawei.made(job("single", [shell("a")]))
    refused(huawei.v1("PUT", "jobs/single", {**huawei.read1("jobs/single"), "name": "twin"}), "DLF.0102")


def test_a_put_names_the_job_that_it_is_about(huawei):
    huawei.made(job("numbered", [shell("a", maxExecutionTime=7200)], emptyRunningJob="0"))
    shown = huawei.read1("jobs/numbered")
    assert shown["nodes"][0]["maxExecutionTime"] == 7200
    refused(huawei.v1("PUT", "jobs/numbered", {**shown, "id": shown["id"] + 1}), "DLF.3051", "id", str(shown["id"]))
    for number in (shown["id"], str(shown["id"]), 0, None):
        done(huawei.v1("PUT", "jobs/numbered", {**shown, "id": number}), 204)
        assert huawei.read1("jobs/numbered")["id"] == shown["id"]


def test_approvers_in_the_spelling_of_v1(huawei):
    assert huawei.v2("POST", "jobs", {**job("approved", [shell("a")]), "approvers": [{"approver_name": "q"}]}).status_code in (200, 204)
    assert huawei.read1("jobs/approved")["approvers"] == [{"approverName": "q"}]


def test_a_word_for_a_truth(server, huawei):
    given = [True, "false", "True", False]
    huawei.made(job("worded", [shell(f"n{i}", execTimeOutRetry=value) for i, value in enumerate(given)] + [shell("without")]))
    assert [n.get("execTimeOutRetry") for n in huawei.read1("jobs/worded")["nodes"]] == [*given, None]
    key = [j["key"] for j in server.api.page_through("/jobs") if j["name"] == "worded"][0]
    assert [t["isRetryOnTimeout"] for t in server.api.read(f"/jobs/{key}")["tasks"]] == [True, False, True, False, False]


def test_what_is_listed_when_less_is_asked(huawei):
    huawei.made(job("asked", [node("a", "Dummy")]))
    huawei.wait("asked", huawei.run("asked"))
    now, day = int(time.time() * 1000), 86400000
    total = lambda **window: huawei.read2("jobs/asked/instances/detail", **window)["total"]
    assert total() == total(max_plan_time=now + day) == total(min_plan_time=now - day) == 1
    assert total(max_plan_time=now - day) == 0
    for number, longest in ((1, 7), (2, 31)):  # as long as may be, by the caller's clock
        path = "jobs/instances/detail" if number == 1 else "jobs/asked/instances/detail"
        name = "minPlanTime" if number == 1 else "min_plan_time"
        call = huawei.v1 if number == 1 else huawei.v2
        done_so = call("GET", path, **{name: int(time.time() * 1000) - longest * day})
        assert done_so.status_code == 200, done_so.text
        refused(call("GET", path, **{name: int(time.time() * 1000) - (longest + 1) * day}), "DLF.3051", name)


@pytest.mark.parametrize("name, body, code, words", BAD_JOBS, ids=[row[0] for row in BAD_JOBS])
def test_jobs_that_are_refused(huawei, name, body, code, words):
    refused(huawei.v1("POST", "jobs", body), code, *words)
    refused(huawei.v1("GET", "jobs/bad"), "DLF.0100")


def test_other_refusals(server, huawei):
    huawei.made(job("plain", [node("a", "Dummy")], None))
    for method, path in (("GET", "jobs/nobody"), ("PUT", "jobs/nobody"), ("DELETE", "jobs/nobody"), ("POST", "jobs/nobody/start"),
                         ("POST", "jobs/nobody/stop"), ("POST", "jobs/nobody/run-immediate"), ("GET", "jobs/nobody/instances/1"),
                         ("POST", "jobs/nobody/instances/1/restart")):
        refused(huawei.v1(method, path, job("nobody", [node("a", "Dummy")]) if method == "PUT" else None), "DLF.0100")
    refused(huawei.v2("GET", "jobs/nobody/instances/detail"), "DLF.0100")
    for number in ("999999", "x", "1" * 30):
        refused(huawei.v1("GET", f"jobs/plain/instances/{number}"), "DLF.30137")
        refused(huawei.v2("GET", f"jobs/plain/instances/{number}"), "DLF.30137")
        refused(huawei.v1("POST", f"jobs/plain/instances/{number}/stop"), "DLF.30137")
    for name, value in (("limit", "1001"), ("offset", "-1"), ("status", "x"), ("min_plan_time", "1"), ("instance_type", "9")):
        refused(huawei.v2("GET", "jobs/plain/instances/detail", **{name: value}), "DLF.3051", name)
    refused(huawei.v2("GET", "jobs", job_id="1,x"), "DLF.3051", "job_id")
    refused(huawei.v2("GET", "jobs", status="ASLEEP"), "DLF.3051", "status")
    server.api.job([harness.step("x")], name="unplanned")
    refused(huawei.v1("POST", "jobs/unplanned/start"), "DLF.30111", "unplanned")
    refused(huawei.v1("POST", "jobs/exampleJob/start", {"start_date": 20261399}), "DLF.3051", "start_date")


def test_who_may_and_from_where(server, huawei):
    refused(DataArts(server, token=None).v2("GET", "jobs"), "APIGW.0301",
            "Incorrect IAM authentication information: x-auth-token not found", status=401)
    refused(DataArts(server, token="rpr_wrong").v1("GET", "jobs"), "APIGW.0301",
            "Incorrect IAM authentication information: decrypt token fail", status=401)
    refused(DataArts(server, project="0" * 32).v2("GET", "jobs"), "APIGW.0301", "project_id", status=401)
    refused(huawei.v2("GET", "nowhere"), "APIGW.0101", status=404)
    refused(huawei.v1("GET", "nowhere"), "APIGW.0101", status=404)
    refused(huawei.v2("PUT", "jobs", {}), "APIGW.0101", status=404)
    refused(huawei.v2("GET", "jobs", headers={"workspace": None}), "APIGW.0106", "workspace, required")
    done(huawei.v1("GET", "jobs", headers={"workspace": None}), 200)
    refused(huawei.v2("GET", "jobs", headers={"workspace": "0" * 32}), "DLF.0819")
    refused(huawei.v1("GET", "jobs", headers={"workspace": "default"}), "DLF.0819")
    server.api.made("//reprise/v1/users", {"name": "olga", "role": "OPERATOR", "password": "correct horse"})
    token = huawei.call("POST", "/v3/auth/tokens", {"auth": {
        "identity": {"methods": ["password"], "password": {"user": {"name": "olga", "password": "correct horse",
                                                                    "domain": {"name": "d"}}}},
        "scope": {"project": {"id": huawei.project}}}})
    assert token.status_code == 201
    olga = DataArts(server, token=token.headers["X-Subject-Token"])
    huawei.made(job("olgas", [node("a", "Dummy")]))
    done(olga.v1("GET", "jobs"), 200)
    assert olga.wait("olgas", olga.run("olgas"))["status"] == "success"
    for answer in (olga.v1("POST", "jobs", job("x", [node("a", "Dummy")])), olga.v1("POST", "jobs/olgas/start"),
                   olga.v1("DELETE", "jobs/olgas")):
        refused(answer, "DLF.6888", "Invalid account permissions")
    given = huawei.v1("GET", "jobs", headers={"X-Request-Id": "my-id_1"})
    assert given.headers["X-Request-Id"] == "my-id_1" and "opc-request-id" not in given.headers


def test_bodies_that_cannot_be_read(server, huawei):
    url = f"{server.url}/v1/{huawei.project}/jobs"
    for data, headers, code in ((b"{", {"content-type": "application/json"}, "DLF.3051"),
                                (b"[]", {"content-type": "application/json;charset=UTF-8"}, "DLF.3051"),
                                (b"{}", {}, "APIGW.0106"), (b"{}", {"content-type": "text/plain"}, "APIGW.0106")):
        answer = huawei.session.post(url, data=data, headers=headers)
        refused(answer, code)
        assert answer.headers["X-Request-Id"]
