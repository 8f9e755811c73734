"""simulate and validate: what would be, without saving or running anything (CONTRACT §6)."""

import re

import pytest
from harness import if_else, named, refused, step, task

pytestmark = pytest.mark.sanitize

ZERO = "00000000-0000-7000-8000-000000000000"


def definition(tasks, **fields):
    return {"name": "what-if", "path": "Shared", "tasks": tasks, **fields}


def simulate(api, **body):
    answer = api.post("/jobs/actions/simulate", body)
    assert answer.status_code == 200, answer.text[:500]
    return answer.json()["attempts"]


def assume(**outcomes):
    return [{"taskKey": key, "outcome": outcome} for key, outcome in outcomes.items()]


def ends(attempt):
    return {t["taskKey"]: t["status"] for t in attempt["tasks"]}


def validate(api, body, **options):
    answer = api.post("/jobs/actions/validate", body, **options)
    assert answer.status_code == 200, answer.text[:500]
    return answer.json()


# --- simulate ---------------------------------------------------------------------------------------------------------

def test_a_simulation_says_what_a_run_then_does(server, api):
    """The same definition, simulated and run: states, reasons of what does not run, and the repair."""
    tasks = [step("load"), step("clean", "load", exit=4, until="what-if"), step("merge", "clean"),
             if_else("big", "{{job.parameters.rows}} > 10", "load"), step("bulk", ("big", "true")),
             step("one", ("big", "false")), step("note", ["merge", "bulk"], runIf="ALL_DONE")]
    whole = definition(tasks, parameters=named(rows="12"))
    first, second = simulate(api, definition=whole, assumptions=assume(clean="FAILED"), repairs=[{}])
    run = api.go(tasks, parameters=named(rows="12"))
    assert first["status"] == run["state"]["status"] and first["reason"] == run["state"]["stateMessage"]
    shown = {t["taskKey"]: t["state"] for t in run["taskRunSummaryMap"].values()}
    assert ends(first) == {key: state["status"] for key, state in shown.items()}
    for t in first["tasks"]:
        if t["status"] in ("UPSTREAM_FAILED", "EXCLUDED"):
            assert t["reason"] == shown[t["taskKey"]]["stateMessage"]
    plan = api.plan(run)["tasks"]
    assert second["plan"] == plan, "one planner"
    server.open_gate("what-if")
    done = api.wait_final(api.repair(run))
    assert second["status"] == done["state"]["status"]
    assert ends(second) == {t["taskKey"]: t["state"]["status"] for t in done["taskRunSummaryMap"].values()}
    assert api.read("/jobs")["items"] and all(j["name"] != "what-if" for j in api.read("/jobs")["items"])


def test_order_times_and_attempts(api):
    whole = definition([step("a", maxRetries=2, minRetryIntervalMillis=60000), step("b", "a"), step("c"), if_else("d", "1 == 1", "c")])
    attempt, = simulate(api, definition=whole, assumptions=[
        {"taskKey": "a", "outcome": "FAILED", "times": 1}, {"taskKey": "c", "durationMillis": 5000}])
    tasks = {t["taskKey"]: t for t in attempt["tasks"]}
    assert {k: t["order"] for k, t in tasks.items()} == {"a": 1, "c": 2, "d": 3, "b": 4}
    assert tasks["a"]["attempts"] == 2 and tasks["a"]["endOffsetMillis"] == 61000
    assert tasks["c"]["endOffsetMillis"] == tasks["d"]["startOffsetMillis"] == 5000
    assert tasks["d"]["outcome"] is True and tasks["b"]["outcome"] is None
    assert (attempt["key"], attempt["startOffsetMillis"], attempt["endOffsetMillis"]) == (0, 0, 62000)
    assert attempt["plan"] == []


def test_values_are_assumed_or_unknown(api):
    whole = definition([task("load"), task("use", after="load", commandLineArguments="{{tasks.load.values.rows}}"),
                        if_else("d", "{{tasks.load.values.rows}} > 10", after="load"), task("big", after=("d", "true"))])
    attempt, = simulate(api, definition=whole)
    load, use, decide, big = attempt["tasks"]
    assert attempt["status"] == "SUCCESS" and big["status"] == "EXCLUDED"
    assert load["unknownValues"] == [] and use["unknownValues"] == decide["unknownValues"] == ["{{tasks.load.values.rows}}"]
    assert "taken as false" in decide["reason"]
    attempt, = simulate(api, definition=whole, assumptions=[{"taskKey": "load", "values": [{"name": "rows", "value": "11"}]}])
    assert [t["status"] for t in attempt["tasks"]] == ["SUCCESS"] * 4 and not any(t["unknownValues"] for t in attempt["tasks"])
    for values, word in (([{"name": "a=b"}], "name"), ([{"name": "a", "value": "x\ny"}], "value"),
                         ([{"name": "a"}, {"name": "a"}], "twice")):
        answer = api.post("/jobs/actions/simulate", {"definition": whole, "assumptions": [{"taskKey": "load", "values": values}]})
        refused(answer, 400, "InvalidParameter", "assumptions[0].values", word)


def test_decisions_are_assumed_or_decided(api):
    whole = definition([if_else("d", "{{job.parameters.x}} == 1"), step("yes", ("d", "true")), step("no", ("d", "false"))])
    attempt, = simulate(api, definition=whole, parameters=named(x="1"))
    assert ends(attempt) == {"d": "SUCCESS", "yes": "SUCCESS", "no": "EXCLUDED"}
    attempt, = simulate(api, definition=whole, assumptions=assume(d="false"))
    assert ends(attempt) == {"d": "SUCCESS", "yes": "EXCLUDED", "no": "SUCCESS"}
    attempt, = simulate(api, definition=whole)
    assert ends(attempt)["d"] == "INTERNAL_ERROR", "an operand that is not known is told"


def test_repairs_of_a_simulation(api):
    whole = definition([step("a"), step("b", "a"), step("c", "b")])
    first, second, third = simulate(api, definition=whole, assumptions=assume(b="FAILED"), repairs=[
        {"taskKeys": ["c"]},
        {"repairTasks": [{"taskKey": "b", "shouldIncludeUpstream": True}], "assumptions": assume(a="FAILED")}])
    assert ends(second) == ends(first) == {"a": "SUCCESS", "b": "FAILED", "c": "UPSTREAM_FAILED"}
    assert {t["taskKey"]: t["verdict"] for t in second["plan"]} == {"a": "KEEP", "b": "KEEP", "c": "RUN"}
    assert "select it too" in second["plan"][2]["reason"] and second["plan"][2]["willStart"] is False
    assert {t["taskKey"]: t["verdict"] for t in third["plan"]} == {"a": "RUN", "b": "RUN", "c": "REEVALUATE"}
    assert ends(third) == {"a": "FAILED", "b": "UPSTREAM_FAILED", "c": "UPSTREAM_FAILED"}


def test_a_saved_job_is_simulated_as_it_is_now(api):
    job = api.job([step("a")])
    api.replace(job, [step("a"), step("b", "a")])
    attempt, = simulate(api, jobKey=job["key"], assumptions=assume(a="TIMED_OUT"))
    assert ends(attempt) == {"a": "TIMED_OUT", "b": "UPSTREAM_FAILED"}
    assert api.read("/jobRuns", jobKey=job["key"])["items"] == []
    for key in (ZERO, "nonsense"):
        refused(api.post("/jobs/actions/simulate", {"jobKey": key}), 404, "NotAuthorizedOrNotFound", "Job")


@pytest.mark.parametrize("body,code,words", [
    ({}, "MissingParameter", ["definition", "jobKey"]),
    ({"definition": definition([]), "jobKey": ZERO}, "InvalidParameter", ["exactly one"]),
    ({"definition": []}, "InvalidParameter", ["definition must be an object"]),
    ({"definition": definition([step("a", maxRetries=-1)])}, "InvalidParameter", ["definition: tasks[0].maxRetries"]),
    ({"definition": definition([])}, "InvalidParameter", ["no tasks"]),
    ({"definition": definition([step("a")]), "assumptions": assume(b="FAILED")}, "InvalidParameter",
     ["assumptions[0].taskKey", "b"]),
    ({"definition": definition([step("a")]), "assumptions": assume(a="CANCELED")}, "InvalidParameter",
     ["assumptions[0].outcome", "TIMED_OUT"]),
    ({"definition": definition([step("a")]), "assumptions": assume(a="true")}, "InvalidParameter", ["assumptions[0].outcome"]),
    ({"definition": definition([step("a")]), "assumptions": [{"taskKey": "a", "times": -1}]}, "InvalidParameter", ["times"]),
    ({"definition": definition([step("a")]), "parameters": named(a="1") + named(a="2")}, "InvalidParameter", ["parameters[1]"]),
    ({"definition": definition([step("a")]), "repairs": [{"parameters": [{"name": "a b"}]}]}, "InvalidParameter",
     ["repairs[0].parameters[0]"]),
    ({"definition": definition([step("a")]), "repairs": [{}] * 11}, "InvalidParameter", ["repairs"]),
    ({"definition": definition([step("a")]), "repairs": [{"repairMode": "RERUN", "taskKeys": ["z"]}]}, "InvalidParameter",
     ["repairs[0]", "z"]),
])
def test_what_cannot_be_simulated_is_named(api, body, code, words):
    refused(api.post("/jobs/actions/simulate", body), 400, code, *words)


def test_a_repair_that_is_refused(api):
    body = {"definition": definition([step("a")]), "repairs": [{}]}
    refused(api.post("/jobs/actions/simulate", body), 409, "IncorrectState", "repairs[0]", "nothing to repair")


def test_a_simulation_is_bounded(api):
    tasks = [step(f"t{n}", maxRetries=300) for n in range(200)]
    body = {"definition": definition(tasks), "assumptions": assume(**{f"t{n}": "FAILED" for n in range(200)})}
    refused(api.post("/jobs/actions/simulate", body), 400, "LimitExceeded")
    big = definition([step("a")], parameters=[{"name": f"p{n}", "value": "x" * 65000} for n in range(80)])
    refused(api.post("/jobs/actions/simulate", {"definition": big}), 400, "LimitExceeded", "too large")


def test_a_wide_and_a_long_definition(api):
    wide = definition([step(f"t{n}") for n in range(1000)])
    attempt, = simulate(api, definition=wide)
    assert attempt["status"] == "SUCCESS" and len(attempt["tasks"]) == 1000
    long = definition([step(f"t{n}", f"t{n - 1}" if n else ()) for n in range(1000)])
    attempt, = simulate(api, definition=long, assumptions=assume(t500="FAILED"))
    assert attempt["status"] == "FAILED" and attempt["tasks"][501]["status"] == "UPSTREAM_FAILED"
    assert attempt["tasks"][999]["reason"] == "Not run: upstream task t500 ended FAILED"


# --- validate ---------------------------------------------------------------------------------------------------------

def test_what_could_be_saved_is_valid(api):
    before = len(api.read("/jobs", limit=1000)["items"])
    whole = definition([step("a"), if_else("b", "1 == 1", "a")])
    answer = validate(api, whole)
    wanted = answer.pop("definition")
    assert answer == {"isValid": True, "errors": [], "warnings": []}
    assert validate(api, definition([]))["isValid"] is True
    assert len(api.read("/jobs", limit=1000)["items"]) == before, "nothing is saved"
    job = api.made("/jobs", whole)
    saved = api.read(f"/jobs/{job['key']}/versions/1")["definition"]
    assert saved == wanted and saved["tasks"][0]["maxRetries"] == 0, "what saving makes of it, defaults filled in"


@pytest.mark.parametrize("schedule,words", [
    ({"quartzCronExpression": "0 3 * * *", "timezoneId": "UTC"},
     ["schedule.quartzCronExpression, column 10: the expression must have the six or seven fields of Quartz, seconds first; "
      'what crontab means by it is "0 0 3 * * ?"']),
    ({"quartzCronExpression": "@daily", "timezoneId": "UTC"}, ['is "0 0 0 * * ?"']),
    ({"quartzCronExpression": "0 0 3 * * ?", "timezoneId": "Berlin"}, ["schedule.timezoneId is no known time zone; did you mean Europe/Berlin?"]),
    ({"quartzCronExpression": "0 0 25 * * ?", "timezoneId": "Berlin", "pauseStatus": "NO"}, ["pauseStatus", "column 5", "timezoneId"]),
    ({"quartzCronExpression": 5, "timezoneId": ""}, ["quartzCronExpression must be a string", "timezoneId must be 1 to"]),
])
def test_schedules_are_checked_as_saving_does(api, schedule, words):
    body = definition([step("a")], schedule=schedule)
    answer = validate(api, body)
    messages = [e["message"] for e in answer["errors"]]
    assert answer["isValid"] is False and answer["definition"] is None
    assert len(messages) == len(words) and all(word in message for word, message in zip(words, messages)), messages
    assert refused(api.post("/jobs", body), 400, "InvalidParameter") in messages


def test_everything_that_is_wrong_is_listed(api):
    body = definition([step("a", maxRetries=301), {"taskKey": "b", "type": "PYTHON_TASK"}, step("c")], timeoutSeconds=5)
    answer = validate(api, body)
    assert answer["isValid"] is False
    messages = [e["message"] for e in answer["errors"]]
    assert [next(m for m in messages if word in m) for word in ("timeoutSeconds", "tasks[0].maxRetries", "tasks[1].filePath")]
    assert len(messages) == 3
    assert {e["code"] for e in answer["errors"]} == {"InvalidParameter", "MissingParameter"}
    saved = api.post("/jobs", body)
    assert saved.status_code == 400 and saved.json()["message"] in messages, "what saving says is among them"


@pytest.mark.parametrize("tasks,words", [
    ([step("a", "x"), step("b", "y")], ["tasks[0].dependsOn[0]", "tasks[1].dependsOn[0]"]),
    ([step("a", "b"), step("b", "a")], ["cycle"]),
    ([task("a", commandLineArguments="'"), task("b", commandLineArguments="{{tasks.z.run_id}}")], ["tasks[0]", "tasks[1]"]),
    ([step("a"), step("a")], ["tasks[1].taskKey"]),
    ([if_else("a", "1 = 1")], ["tasks[0].expressions[0]"]),
    ([step("a", type="NO_TASK")], ["tasks[0].type"]),
    (["a", 7], ["tasks[0]", "tasks[1]"]),
])
def test_problems_of_tasks(api, tasks, words):
    messages = [e["message"] for e in validate(api, definition(tasks))["errors"]]
    assert len(messages) == len(words)
    for word, message in zip(words, messages):
        assert word in message


def test_strict_refuses_unknown_fields(api):
    body = definition([step("a", colour="red")], shape="round")
    answer = validate(api, body)
    assert answer["isValid"] is True
    assert [w["message"] for w in answer["warnings"]] == ["shape is not a field of CreateJobDetails", "tasks[0].colour is not a field of Task"]
    messages = [e["message"] for e in validate(api, body, strict="true")["errors"]]
    assert len(messages) == 2 and "shape" in messages[0] and "colour" in messages[1]


def test_a_body_that_is_none(api):
    refused(api.post("/jobs/actions/validate", data="{"), 400, "CannotParseRequest")
    refused(api.post("/jobs/actions/validate", []), 400, "InvalidParameter")
    refused(api.get("/jobs/actions/validate"), 405, "MethodNotAllowed", "POST")
    assert validate(api, {})["errors"][0]["code"] == "MissingParameter"


def test_jobs_that_are_not_there_are_told(api):
    """As saving would: JOB tasks and what the job depends on."""
    there = api.job([task("a")], name="there")
    gone = api.job([task("a")], name="gone")
    assert api.delete(f"/jobs/{gone['key']}").status_code == 204
    def nested(key, child):
        return {"taskKey": key, "type": "JOB_TASK", "jobKey": child}
    tasks = [nested("a", there["key"]), nested("b", gone["key"]), nested("c", ZERO)]
    whole = definition(tasks, dependencies=[{"jobKey": ZERO[:-1] + "1"}])
    told = [e["message"] for e in validate(api, whole)["errors"]]
    assert told == [f"{place} names no job of the workspace" for place in ("tasks[1].jobKey", "tasks[2].jobKey", "dependencies[0].jobKey")]
    refused(api.post("/jobs", whole), 400, "InvalidParameter", "jobKey names no job of the workspace")
    assert validate(api, definition(tasks[:1]))["isValid"]


def test_parameters_that_only_a_run_could_bring_are_warned_of(api):
    whole = definition([task("a", commandLineArguments="{{job.parameters.rows}} {{ job.parameters.rowss }} \\{{job.parameters.none}}"),
                        if_else("d", "{{job.parameters.region}} == x", "a", expressions=[{"key": "k", "value": "{{job.parameters.region}} == x"}], condition="k"),
                        step("b", "d", parameters=named(p="{{job.parameters.`rows`}}{{job.parameters.Rows}}")),
                        {"taskKey": "s", "type": "SHELL_TASK", "script": "echo '\\{{job.parameters.zz}}'"}], parameters=named(rows="1"))
    answer = validate(api, whole)
    assert answer["isValid"] and [w["message"] for w in answer["warnings"]] == [
        "tasks[0].commandLineArguments: the job has no parameter rowss (did you mean rows?): a run would have to give it",
        "tasks[1].expressions[0].value: the job has no parameter region: a run would have to give it",
        "tasks[2].parameters[0].value: the job has no parameter Rows (did you mean rows?): a run would have to give it",
        "tasks[3].script: the job has no parameter zz: a run would have to give it"]
    assert [w["message"] for w in validate(api, whole, strict="true")["warnings"]] == [w["message"] for w in answer["warnings"]]


def test_failures_that_no_run_shows_are_warned_of(api):
    hides = definition([step("load"), step("clean", "load", runIf="ALL_DONE")])
    answer = validate(api, hides)
    assert answer["isValid"] and [w["message"] for w in answer["warnings"]] == [
        "tasks[1].runIf is ALL_DONE: when load fails, the run still ends SUCCESS; if it should fail then, "
        "give it another end behind that task, such as a DUMMY_TASK"]
    assert validate(api, hides, strict="true")["isValid"]
    result = {"taskKey": "result", "type": "DUMMY_TASK", "dependsOn": [{"taskKey": "load"}]}
    assert validate(api, definition([*hides["tasks"], result]))["warnings"] == []


def test_a_large_definition_is_looked_through_within_bounds(api):
    tasks = [step(f"t{n}", *([f"t{n - 1}"] if n else []), runIf="ALL_DONE") for n in range(5000)]
    answer = validate(api, definition(tasks))
    told = answer["warnings"][0]["message"]
    assert answer["isValid"] and "when t" in told and told.endswith("tasks further up were not looked at")
    assert 0 < int(re.search(r"one of (\d+) others", told)[1]) < 1000, "of its end, at least"


def test_dependencies_that_hold_nothing_are_warned_of(api):
    there = api.job([task("a")], name="upstream")["key"]
    def warnings(**more):
        answer = validate(api, definition([step("a")], dependencies=[{"jobKey": there}], **more))
        assert answer["isValid"]
        return [w["message"] for w in answer["warnings"]]
    assert warnings() == warnings(continuous={}) == [
        "dependencies: the job has no schedule: they hold none of its runs and start none, for only runs that a schedule fires wait for others"]
    assert warnings(schedule={"quartzCronExpression": "0 0 5 * * ?", "timezoneId": "UTC"}) == []


@pytest.mark.parametrize("fields", [
    {"dependencies": [{"jobKey": ZERO}]},
    {"dependencies": [{"jobKey": ZERO}], "schedule": {"quartzCronExpression": "0 0 5 * * ?", "timezoneId": "UTC"}, "dependsOnPreviousRun": True},
    {"schedule": {"quartzCronExpression": "* * * * * ?", "timezoneId": "UTC"}}, {"continuous": {"pauseStatus": "UNPAUSED"}},
    {"queue": {"isEnabled": True}}, {"timeoutSeconds": 60},
])
def test_what_belongs_to_other_runs_is_no_part_of_a_simulation(api, fields):
    """Jobs that it depends on, the run before it, its schedule: none of them is there, and it waits for none."""
    attempt, = simulate(api, definition=definition([step("a"), {"taskKey": "b", "type": "JOB_TASK", "jobKey": ZERO, "dependsOn": [{"taskKey": "a"}]}], **fields))
    assert attempt["status"] == "SUCCESS" and [t["status"] for t in attempt["tasks"]] == ["SUCCESS"] * 2
    assert api.get("//healthz").status_code == 200
