"""Jobs: create, get, replace, delete; every field, limit and default (RULES §6, §7; reference/oracle-api.md)."""

import pytest
from harness import Client, if_else, named, refused, step, task
from seeds import JOB, check

pytestmark = pytest.mark.sanitize


def body(**fields):
    return {"name": "job", "path": "Shared", "tasks": [task("a")], **fields}


def without(fields, *names):
    return {name: value for name, value in fields.items() if name not in names}


def test_create_and_get_show_every_field(api):
    answer = api.post("/jobs", body())
    assert answer.status_code == 201
    job = check(answer.json(), JOB)
    assert answer.headers["location"] == answer.headers["content-location"] == f"{api.place}/jobs/{job['key']}"
    seen = api.get(f"/jobs/{job['key']}")
    assert seen.status_code == 200
    assert seen.json() == job
    assert seen.headers["etag"] == answer.headers["etag"]


def test_defaults(api):
    job = api.made("/jobs", {"name": "bare", "path": "Shared"})
    assert job["tasks"] == [] and job["parameters"] == [] and job["jobClusters"] == []
    assert job["maxConcurrentRuns"] == 1 and job["timeoutSeconds"] == 0
    assert job["schedule"] is None and job["queue"] is None and job["continuous"] is None
    only = api.job([{"taskKey": "a", "type": "PYTHON_TASK", "filePath": "ok.py"}])["tasks"][0]
    assert only["runIf"] == "ALL_SUCCESS" and only["dependsOn"] == [] and only["source"] == "WORKSPACE"
    assert only["maxRetries"] == 0 and only["minRetryIntervalMillis"] == 0 and only["isRetryOnTimeout"] is False


def test_null_is_absent(api):
    plain = api.made("/jobs", body())
    job = api.made("/jobs", body(schedule=None, queue=None, parameters=None, maxConcurrentRuns=None,
                                 timeoutSeconds=None, description=None))
    own = ("key", "timeCreated", "timeUpdated")
    assert without(job, *own) == without(plain, *own)


def test_a_put_replaces_all_and_moves_the_etag(api):
    first = api.post("/jobs", body(description="one", parameters=named(a="1")))
    path = f"/jobs/{first.json()['key']}"
    etag = api.replace(first.json(), [task("b")], name="other")
    job = check(api.read(path), JOB)
    assert (job["name"], job["description"], job["parameters"]) == ("other", None, [])
    assert [t["taskKey"] for t in job["tasks"]] == ["b"]
    assert job["definitionVersion"] == 2
    assert job["timeCreated"] == first.json()["timeCreated"]
    assert api.get(path).headers["etag"] == etag != first.headers["etag"]


def test_a_put_answers_202(api):
    job = api.job([task("a")])
    answer = api.put(f"/jobs/{job['key']}", body(name="other"))
    check(answer.json(), JOB)
    assert answer.status_code == 202


def test_a_put_needs_a_name(api):
    job = api.job([task("a")])
    for fields in ({"path": "Shared"}, {"name": None}):
        refused(api.put(f"/jobs/{job['key']}", fields), 400, "InvalidParameter", "name must not be null")


def test_if_match_on_put_and_delete(api):
    made = api.post("/jobs", body())
    path, etag = f"/jobs/{made.json()['key']}", made.headers["etag"]
    refused(api.put(path, body(), headers={"if-match": "stale"}), 412, "NoEtagMatch")
    assert api.put(path, body(name="second"), headers={"if-match": f'"{etag}"'}).ok
    refused(api.put(path, body(), headers={"if-match": etag}), 412, "NoEtagMatch")
    refused(api.delete(path, headers={"if-match": etag}), 412, "NoEtagMatch")
    assert api.put(path, body(name="third"), headers={"if-match": "*"}).ok
    etag = api.get(path).headers["etag"]
    assert api.delete(path, headers={"if-match": etag}).status_code == 204
    refused(api.get(path), 404, "NotAuthorizedOrNotFound")


def test_delete_answers_without_a_body_and_runs_stay_readable(api):
    job = api.job([step("a", exit=1)])
    run = api.wait_final(api.run(job), "FAILED")
    answer = api.delete(f"/jobs/{job['key']}")
    assert (answer.status_code, answer.text) == (204, "")
    refused(api.get(f"/jobs/{job['key']}"), 404, "NotAuthorizedOrNotFound")
    refused(api.post("/jobRuns", {"jobKey": job["key"]}), 404, "NotAuthorizedOrNotFound")
    assert api.get_run(run)["jobName"] == "job"


@pytest.mark.parametrize("fields", [{"name": "a\u0000b"}, {"parameters": named(a="\u0000")}, {"maxConcurrentRuns": 10 ** 30},
                                    {"tasks": [task("a\u0000")]}])
def test_what_no_field_can_hold_is_400(api, fields):
    """The papers give the status; whether it is the field that is wrong or the text that cannot be read, they do not."""
    answer = api.post("/jobs", body(**fields))
    assert answer.json()["code"] in ("InvalidParameter", "CannotParseRequest")
    refused(answer, 400, answer.json()["code"])


def test_a_run_of_a_deleted_job_can_be_repaired_from_its_snapshot(server, api):
    job = api.job([step("a", exit=1, until="deleted-job")])
    run = api.wait_final(api.run(job), "FAILED")
    assert api.delete(f"/jobs/{job['key']}").status_code == 204
    server.open_gate("deleted-job")
    api.repair(run)
    api.wait_final(run, "SUCCESS")


def test_a_deleted_job_has_no_current_definition(api):
    job = api.job([step("a", exit=1)])
    run = api.wait_final(api.run(job), "FAILED")
    assert api.delete(f"/jobs/{job['key']}").status_code == 204
    refused(api.post(f"/jobRuns/{run['key']}/actions/repair", {"definition": "CURRENT"}), 409, "IncorrectState")


def test_a_job_with_an_active_run_is_not_deleted(server, api):
    job = api.job([step("a", gate="active")])
    run = api.run(job)
    refused(api.delete(f"/jobs/{job['key']}"), 409, "IncorrectState")
    server.open_gate("active")
    api.wait_final(run)
    assert api.delete(f"/jobs/{job['key']}").status_code == 204


def test_names_may_repeat(api):
    assert api.made("/jobs", body(name="twice"))["key"] != api.made("/jobs", body(name="twice"))["key"]


@pytest.mark.parametrize("name", ["a", "A.b_c-9", "etl_daily.job", "x" * 255])
def test_good_names(api, name):
    assert api.made("/jobs", body(name=name))["name"] == name


@pytest.mark.parametrize("name", ["", "1a", "_a", "-a", ".a", "a b", "a/b", "\u00e4b", "x" * 256, 7, ["a"], {},
                                  True])
def test_bad_names(api, name):
    refused(api.post("/jobs", body(name=name)), 400, "InvalidParameter", "name")


def test_a_missing_name_is_missing(api):
    refused(api.post("/jobs", {"path": "Shared"}), 400, "MissingParameter", "name")


@pytest.mark.parametrize("field,value", [
    ("maxConcurrentRuns", -1), ("maxConcurrentRuns", 1001), ("maxConcurrentRuns", "1"), ("maxConcurrentRuns", 1.5),
    ("maxConcurrentRuns", True), ("maxConcurrentRuns", 2 ** 40), ("maxConcurrentRuns", 1e3),
    ("timeoutSeconds", 1), ("timeoutSeconds", 59), ("timeoutSeconds", 172801), ("timeoutSeconds", -60),
    ("timeoutSeconds", "60"),
    ("description", "x" * 1025), ("description", 5),
    ("queue", True), ("queue", {"isEnabled": "yes"}), ("queue", []),
    ("tasks", {}), ("tasks", "a"), ("tasks", [1]), ("tasks", [None]),
    ("parameters", {"a": "b"}), ("parameters", [{"value": "x"}]), ("parameters", [{"name": "a b", "value": "x"}]),
    ("parameters", [{"name": "", "value": "x"}]), ("parameters", [{"name": "a", "value": 5}]),
    ("parameters", [{"name": "\u00e4", "value": "x"}]),
    ("parameters", named(a="1") + named(a="2")),
    ("parameters", named(**{f"p{n}": "" for n in range(1001)})), ("parameters", named(a="x" * 65537)),
    ("schedule", {"timezoneId": "UTC"}), ("schedule", {"quartzCronExpression": "0 0 3 * * ?"}), ("schedule", "daily"),
    ("schedule", {"quartzCronExpression": "0 0 3 * * ?", "timezoneId": "UTC", "pauseStatus": "MAYBE"}),
    ("gitConfig", {"provider": "SVN"}), ("gitConfig", []),
])
def test_a_bad_field_is_named(api, field, value):
    answer = api.post("/jobs", body(**{field: value}))
    code = answer.json().get("code")
    assert code in ("InvalidParameter", "MissingParameter", "LimitExceeded"), answer.text
    refused(answer, 400, code, field)


@pytest.mark.parametrize("field,value", [
    ("maxConcurrentRuns", 0), ("maxConcurrentRuns", 1000), ("timeoutSeconds", 0), ("timeoutSeconds", 60),
    ("timeoutSeconds", 172800), ("description", "\u20ac" * 1024), ("parameters", named(a="x" * 65536)),
    ("parameters", named(**{f"p{n}": "" for n in range(1000)})), ("parameters", [{"name": "a.b-c_D9", "value": None}]),
    ("queue", {"isEnabled": False}), ("queue", {}), ("gitConfig", {"provider": "GITLAB", "repositoryUrl": "https://x/y", "branch": "b"}),
])
def test_a_value_at_its_limit_is_kept(api, field, value):
    job = check(api.made("/jobs", body(**{field: value})), JOB)
    if field == "parameters":
        value = [{"name": p["name"], "value": p["value"] or ""} for p in value]
    if field == "gitConfig":
        value = {**value, "credential": None}
    if field == "queue":
        value = {"isEnabled": False}  # a required field with a default may be omitted
    assert job[field] == value


@pytest.mark.parametrize("change,words", [
    ({"taskKey": ""}, ["taskKey"]), ({"taskKey": "x" * 101}, ["taskKey"]), ({"taskKey": 1}, ["taskKey"]),
    ({"taskKey": None}, ["taskKey"]),
    ({"type": "NOTEBOOK_TASK"}, ["notebookPath"]), ({"cluster": {"newCluster": {"numWorkers": 0}}}, ["newCluster.numWorkers"]),
    ({"type": "COBOL_TASK"}, ["type"]), ({"type": None}, ["type"]), ({"type": 3}, ["type"]),
    ({"runIf": "SOMETIMES"}, ["runIf"]), ({"runIf": 1}, ["runIf"]),
    ({"maxRetries": -1}, ["maxRetries"]), ({"maxRetries": 301}, ["maxRetries"]), ({"maxRetries": "3"}, ["maxRetries"]),
    ({"minRetryIntervalMillis": -1}, ["minRetryIntervalMillis"]),
    ({"minRetryIntervalMillis": 600001}, ["minRetryIntervalMillis"]),
    ({"isRetryOnTimeout": "no"}, ["isRetryOnTimeout"]),
    ({"filePath": None}, ["filePath"]), ({"filePath": ""}, ["filePath"]), ({"filePath": "../x.py"}, ["filePath"]),
    ({"filePath": "a/../../x.py"}, ["filePath"]), ({"filePath": 1}, ["filePath"]),
    ({"commandLineArguments": "'open"}, ["commandLineArguments"]),
    ({"commandLineArguments": '"open'}, ["commandLineArguments"]),
    ({"commandLineArguments": ["a"]}, ["commandLineArguments"]),
    ({"commandLineArguments": "{{job.naem}}"}, ["naem"]),
    ({"commandLineArguments": "{{tasks.ghost.result_state}}"}, ["ghost"]),
    ({"commandLineArguments": "{{tasks.b.result_state}}"}, ["b"]),
    ({"dependsOn": [{"taskKey": "ghost"}]}, ["ghost"]), ({"dependsOn": [{"taskKey": "a"}]}, ["a"]),
    ({"dependsOn": ["b"]}, ["dependsOn"]), ({"dependsOn": [{}]}, ["taskKey"]),
    ({"dependsOn": [{"taskKey": "b"}, {"taskKey": "b"}]}, ["b"]),
    ({"dependsOn": [{"taskKey": "b", "outcome": "true"}]}, ["outcome"]),
    ({"source": "FTP"}, ["source"]),
])
def test_a_bad_task_is_named(api, change, words):
    answer = api.post("/jobs", body(tasks=[task("a", **change), task("b")]))
    code = answer.json().get("code")
    assert code in ("InvalidParameter", "MissingParameter"), answer.text
    refused(answer, 400, code, *words)


def test_a_cycle_is_refused(api):
    tasks = [task("a", after="c"), task("b", after="a"), task("c", after="b")]
    refused(api.post("/jobs", body(tasks=tasks)), 400, "InvalidParameter", "cycle")


def test_a_task_key_twice_is_refused(api):
    refused(api.post("/jobs", body(tasks=[task("a"), task("a")])), 400, "InvalidParameter", "a")


@pytest.mark.parametrize("change,words", [
    ({"expressions": []}, ["expressions"]), ({"condition": None}, ["condition"]), ({"condition": ""}, ["condition"]),
    ({"condition": "A AND"}, ["condition"]), ({"condition": "B"}, ["B"]), ({"condition": "(A"}, ["condition"]),
    ({"condition": "(" * 65 + "A" + ")" * 65}, ["condition"]),
    ({"expressions": [{"key": "A", "value": "no operator"}]}, ["value"]),
    ({"expressions": [{"key": "AND", "value": "1==1"}]}, ["key"]),
    ({"expressions": [{"key": "a b", "value": "1==1"}]}, ["key"]),
    ({"expressions": [{"key": "A", "value": "1==1"}, {"key": "A", "value": "2==2"}]}, ["A"]),
])
def test_a_bad_condition_is_named(api, change, words):
    answer = api.post("/jobs", body(tasks=[if_else("decide", "1==1", **change)]))
    code = answer.json().get("code")
    assert code in ("InvalidParameter", "MissingParameter"), answer.text
    refused(answer, 400, code, *words)


@pytest.mark.parametrize("outcome", ["TRUE", "yes", "", 1])
def test_an_outcome_is_true_or_false(api, outcome):
    tasks = [if_else("decide", "1==1"), task("a", dependsOn=[{"taskKey": "decide", "outcome": outcome}])]
    refused(api.post("/jobs", body(tasks=tasks)), 400, "InvalidParameter", "outcome")


@pytest.mark.parametrize("missing", ["filePath", "type", "taskKey"])
def test_a_required_field_of_a_task_is_required(api, missing):
    refused(api.post("/jobs", body(tasks=[without(task("a"), missing)])), 400, "MissingParameter", missing)


def test_two_names_with_one_variable_are_refused(api):
    job_level = named(**{"a.b": "1", "a-b": "2"})
    answer = api.post("/jobs", body(parameters=job_level))
    if answer.status_code == 201:  # then, at the latest, no run of it
        answer = api.post("/jobRuns", {"jobKey": answer.json()["key"]})
    refused(answer, 400, "InvalidParameter")


def test_task_keys_count_code_points(api):
    job = api.made("/jobs", body(tasks=[task("\u20ac" * 100)]))
    assert job["tasks"][0]["taskKey"] == "\u20ac" * 100


def test_the_workspace_and_platform_of_the_path_must_be_ours(server, api):
    job = api.job([task("a")])
    for field in ("workspaceKey", "aiDataPlatformId"):
        elsewhere = Client({**server.endpoint, field: "00000000-0000-7000-8000-000000000000"}, server.token)
        refused(elsewhere.get(f"/jobs/{job['key']}"), 404, "NotAuthorizedOrNotFound")


def test_cancel_job_runs_cancels_all_active_ones(api):
    job = api.job([step("a", gate="never")], maxConcurrentRuns=2, queue={"isEnabled": True})
    runs = [api.run(job) for _ in range(4)]
    answer = api.post(f"/jobs/{job['key']}/actions/cancelJobRuns")
    assert answer.status_code == 202 and answer.content == b""
    operation = api.read(f"~/asyncOperations/{answer.headers['opc-work-request-id']}")
    assert operation["actionType"] == "CANCEL_RUNS" and operation["resourceKey"] == job["key"]
    for run in runs:
        done = api.wait_final(run, "CANCELED")
        assert "with all runs of the job" in done["state"]["stateMessage"]


def test_cancel_job_runs_again_by_its_token_cancels_nothing_new(api):
    job = api.job([step("a", gate="never")], maxConcurrentRuns=2)
    first, path = api.run(job), f"/jobs/{job['key']}/actions/cancelJobRuns"
    headers = {"opc-retry-token": "cancel-once"}
    answer = api.post(path, headers=headers)
    assert answer.status_code == 202
    api.wait_final(first, "CANCELED")
    second = api.run(job)
    again = api.post(path, headers=headers)
    assert again.status_code == 202 and again.content == b""
    assert again.headers["opc-work-request-id"] == answer.headers["opc-work-request-id"]
    assert api.get_run(second)["state"]["status"] in ("PENDING", "RUNNING")
    assert api.post(path, headers={"if-match": "no-such"}).status_code == 412
    assert api.post(path).status_code == 202
    api.wait_final(second, "CANCELED")
    refused(api.post("/jobs/00000000-0000-7000-8000-000000000000/actions/cancelJobRuns"), 404, "NotAuthorizedOrNotFound")


def test_the_first_byte_of_a_large_job_is_as_good_as_the_last(api):
    tasks = [task(f"t{n:04}", after=[f"t{n - 1:04}"] if n else []) for n in range(1000)]
    job = api.made("/jobs", body(tasks=tasks))
    assert api.read(f"/jobs/{job['key']}")["tasks"] == job["tasks"]
    assert len(job["tasks"]) == 1000
