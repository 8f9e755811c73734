"""Task runs: every field of the page, attempts, output, logs (RULES §3, §12; CONTRACT §6)."""

import pytest
from harness import if_else, named, refused, statuses, step, task
from seeds import TASK_RUN, TASK_RUN_RETRY, TASK_RUN_SUMMARY, check, check_lifecycle, listing, record, maybe, TEXT

pytestmark = pytest.mark.sanitize


@pytest.fixture(scope="module")
def run(server):
    job = server.api.job([step("good", out="to*stdout", err="to*stderr"),
                          step("bad", exit=3, err="oh*no", maxRetries=2), step("after", "bad"),
                          if_else("decide", "1 == 2"), step("no", ("decide", "true"))],
                         parameters=named(p="job"))
    return server.api.wait_final(server.api.run(job, parameters=named(q="run")), "FAILED")


def of(api, run, key):
    return api.task_run(run, key)


@pytest.mark.parametrize("key", ["good", "bad", "after", "decide", "no"])
def test_every_field_of_the_page(api, run, key):
    seen = check(of(api, run, key), TASK_RUN)
    check_lifecycle(seen["lifecycleStates"], seen["state"])
    assert seen["name"] == seen["taskKey"] == key
    assert seen["jobRunKey"] == seen["rootJobRunKey"] == run["key"]
    assert seen["parentJobRunKey"] is None
    assert seen["jobKey"] == run["jobKey"]
    for retry in seen["retries"]:
        check(retry, TASK_RUN_RETRY)


def test_get_answers_with_an_etag(api, run):
    answer = api.get(f"/taskRuns/{run['taskToTaskRunMap']['good']}")
    assert answer.status_code == 200 and answer.headers["etag"] and answer.headers["opc-request-id"]


def test_a_good_task(api, run):
    good = of(api, run, "good")
    assert [s["status"] for s in good["lifecycleStates"]] == ["BLOCKED", "QUEUED", "PENDING", "RUNNING", "SUCCESS"]
    assert good["retryAttempt"] == 0 and len(good["retries"]) == 1
    assert good["outputKey"] and good["externalId"]
    assert good["executionDuration"] == good["endTime"] - good["startTime"] - good["setupDuration"]
    assert good["task"]["taskKey"] == "good" and good["task"]["filePath"] == "step.py"
    assert good["startTime"] >= good["clusterValidationStartTime"]


def test_the_task_run_mirrors_its_newest_attempt(api, run):
    bad = of(api, run, "bad")
    assert bad["retryAttempt"] == 2
    assert [r["retryNumber"] for r in bad["retries"]] == [0, 1, 2]
    newest = bad["retries"][-1]
    for field in ("startTime", "endTime", "executionDuration", "setupDuration", "cleanupDuration", "externalId",
                  "outputKey", "clusterValidationStartTime"):
        assert bad[field] == newest[field], field
    assert len({r["outputKey"] for r in bad["retries"]}) == 3, "an outputKey per attempt"
    for retry in bad["retries"]:
        assert retry["state"]["status"] == "FAILED"
        assert retry["state"]["errorTrace"] == "oh*no\n"
    assert bad["state"]["stateMessage"]


def test_a_task_that_never_started_has_no_attempt(api, run):
    after = of(api, run, "after")
    assert after["retries"] == [] and after["retryAttempt"] is None
    for field in ("startTime", "externalId", "outputKey", "setupDuration", "executionDuration", "cleanupDuration",
                  "clusterValidationStartTime"):
        assert after[field] is None, field
    assert after["state"]["status"] == "UPSTREAM_FAILED"
    assert "bad" in after["state"]["stateMessage"]


def test_if_else_is_decided_without_an_attempt(api, run):
    decide = of(api, run, "decide")
    assert decide["state"]["status"] == "SUCCESS"
    assert decide["startTime"] == decide["endTime"]
    assert decide["retryAttempt"] == 0 and decide["retries"] == [] and decide["outputKey"] is None
    assert decide["clusterValidationStartTime"] is None
    excluded = of(api, run, "no")["state"]
    assert excluded["status"] == "EXCLUDED"
    assert "decide" in excluded["stateMessage"]


def test_parameters_are_what_it_started_with(api, run):
    good = of(api, run, "good")
    assert {p["name"]: p["value"] for p in good["parameters"]} == {"p": "job", "q": "run"}
    assert good["systemParameters"]["task.name"] == "good"
    assert good["systemParameters"]["task.run_id"] == good["key"]
    assert good["systemParameters"]["task.execution_count"] == "1"
    assert of(api, run, "bad")["systemParameters"]["task.execution_count"] == "3"
    assert good["version"] == 1


def test_retries_pages_all_attempts(api):
    run = api.go([step("bad", exit=1, maxRetries=12)], "FAILED")
    bad = of(api, run, "bad")
    assert [r["retryNumber"] for r in bad["retries"]] == list(range(3, 13)), "the newest 10, ascending"
    pages = api.page_through(f"/taskRuns/{bad['key']}/retries", limit=5)
    assert [r["retryNumber"] for r in pages] == list(range(13))
    assert pages[3:] == bad["retries"]


def test_the_list_of_a_run(api, run):
    items = api.page_through("/taskRuns", jobRunKey=run["key"], limit=2)
    assert {i["taskKey"]: i["state"]["status"] for i in items} == statuses(run)
    for item in items:
        check(item, TASK_RUN_SUMMARY)
        assert item == run["taskRunSummaryMap"][item["key"]]


def test_the_list_filters(api, run):
    path = "/taskRuns"
    failed = api.page_through(path, jobRunKey=run["key"], status=["FAILED", "EXCLUDED"])
    assert {i["taskKey"] for i in failed} == {"bad", "no"}
    assert [i["taskKey"] for i in api.page_through(path, jobRunKey=run["key"], displayName="good")] == ["good"]
    assert api.page_through(path, jobRunKey=run["key"], displayName="goo") == []
    assert len(api.page_through(path, jobRunKey=run["key"], rootJobRunKey=run["key"])) == 5
    names = [i["name"] for i in api.page_through(path, jobRunKey=run["key"], sortBy="displayName")]
    assert names == sorted(names)
    back = [i["name"] for i in api.page_through(path, jobRunKey=run["key"], sortBy="displayName", sortOrder="DESC")]
    assert back == names[::-1]


def test_the_list_needs_its_run(api, run):
    refused(api.get("/taskRuns"), 400, "MissingParameter", "jobRunKey")
    for params, word in (({"limit": 0}, "limit"), ({"limit": 1001}, "limit"), ({"limit": "x"}, "limit"),
                         ({"status": "DONE"}, "status"), ({"sortBy": "colour"}, "sortBy"),
                         ({"sortOrder": "UP"}, "sortOrder"), ({"page": "forged"}, "page"),
                         ({"repairKey": 1}, "repairKey"), ({"repairKey": "x"}, "repairKey")):
        refused(api.get("/taskRuns", jobRunKey=run["key"], **params), 400, "InvalidParameter", word)


@pytest.mark.parametrize("path", ["", "/retries", "/logs"])
def test_an_unknown_task_run_is_404(api, path):
    for key in ("nonsense", "00000000-0000-7000-8000-000000000000"):
        refused(api.get(f"/taskRuns/{key}{path}"), 404, "NotAuthorizedOrNotFound")


def test_logs_are_raw_bytes(server, api):
    raw = bytes(range(256)) * 40
    server.script("raw.py", f"import sys\nsys.stdout.buffer.write(bytes(range(256)) * 40)\nprint('e', file=sys.stderr)\n")
    key = api.task_run(api.go([task("a", "raw.py")], "SUCCESS"), "a")["key"]
    answer = api.get(f"/taskRuns/{key}/logs")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.content == raw
    assert answer.headers["x-reprise-next-offset"] == str(len(raw))
    rest = api.get(f"/taskRuns/{key}/logs", offset=10000)
    assert rest.content == raw[10000:] and rest.headers["x-reprise-next-offset"] == str(len(raw))
    end = api.get(f"/taskRuns/{key}/logs", offset=len(raw))
    assert (end.status_code, end.content) == (200, b"")
    assert api.get(f"/taskRuns/{key}/logs", stream="stderr").content == b"e\n"


def test_logs_of_each_attempt(server, api):
    server.script("count.py", "import os\nprint(os.environ['REPRISE_ATTEMPT_TOKEN'].split('.')[3])\nraise SystemExit(1)\n")
    key = api.task_run(api.go([task("a", "count.py", maxRetries=2)], "FAILED"), "a")["key"]
    assert api.get(f"/taskRuns/{key}/logs").text == "2\n", "the newest"
    assert [api.get(f"/taskRuns/{key}/logs", attempt=n).text for n in range(3)] == ["0\n", "1\n", "2\n"]


def test_bad_questions_for_logs(api, run):
    key = run["taskToTaskRunMap"]["good"]
    for params in ({"stream": "both"}, {"offset": -1}, {"offset": "x"}, {"attempt": "x"}, {"attempt": -1},
                   {"follow": "maybe"}):
        refused(api.get(f"/taskRuns/{key}/logs", **params), 400, "InvalidParameter", *params)


def test_following_a_log_ends_with_the_attempt(server, api):
    server.script("slow.py", "import os, time\nprint('one', flush=True)\n"
                             "while not os.path.exists(os.environ['REPRISE_WORKSPACE'] + '/gates/follow'): time.sleep(.01)\n"
                             "print('two', flush=True)\n")
    run = api.run(api.job([task("a", "slow.py")]))
    key = run["taskToTaskRunMap"]["a"]
    api.wait_task(run, "a", "RUNNING")
    with api.session.get(server.url + api.path(f"/taskRuns/{key}/logs?follow=true"), stream=True, timeout=30) as answer:
        lines = answer.iter_lines()
        assert next(lines) == b"one"
        server.open_gate("follow")
        assert list(lines) == [b"two"]
    api.wait_final(run, "SUCCESS")
    never = api.get(f"/taskRuns/{key}/logs", follow="true", attempt=1, offset=7)
    assert (never.status_code, never.content, never.headers["x-reprise-offset"]) == (200, b"", "7")


def test_fetch_output(api, run):
    good = of(api, run, "good")
    output = record(key=TEXT, taskType=TEXT, isTruncated={"type": "boolean"}, errorTrace=maybe(TEXT),
                    data=listing(record(type=TEXT, value=maybe(TEXT))), outputParameters={"type": "array"})
    for body in ({"outputKey": good["outputKey"]}, {}):
        answer = api.post(f"/taskRuns/{good['key']}/actions/fetchOutput", body)
        assert answer.status_code == 200, answer.text
        seen = check(answer.json(), output)
        assert seen["key"] == good["outputKey"]
        assert seen["taskType"] == "PYTHON_TASK"
        assert "to*stdout" in seen["data"][0]["value"]
        assert seen["outputParameters"] == []
    for key in ("nonsense", f"{good['key']}.1", f"{good['key']}.00", f"{good['key']}.", of(api, run, "bad")["outputKey"]):
        refused(api.post(f"/taskRuns/{good['key']}/actions/fetchOutput", {"outputKey": key}), 404, "NotAuthorizedOrNotFound")
    refused(api.post(f"/taskRuns/{good['key']}/actions/fetchOutput", {"outputKey": "x" * 101}), 400,
            "InvalidParameter", "outputKey")


def test_fetch_output_of_each_attempt(api, run):
    bad = of(api, run, "bad")
    path = f"/taskRuns/{bad['key']}/actions/fetchOutput"
    for retry in bad["retries"]:
        seen = api.post(path, {"outputKey": retry["outputKey"]}).json()
        assert seen["key"] == retry["outputKey"] and seen["errorTrace"] == retry["state"]["errorTrace"]
    assert api.post(path).json()["key"] == bad["outputKey"], "the newest, without a body"


def test_fetch_output_of_what_has_none(api, run):
    decide = run["taskToTaskRunMap"]["decide"]
    refused(api.post(f"/taskRuns/{decide}/actions/fetchOutput", {}), 400, "InvalidParameter", "IF_ELSE_TASK")
    for key in ("after", "no"):
        path = f"/taskRuns/{run['taskToTaskRunMap'][key]}/actions/fetchOutput"
        refused(api.post(path, {}), 409, "IncorrectState", "no output")
    refused(api.post("/taskRuns/nonsense/actions/fetchOutput", {}), 404, "NotAuthorizedOrNotFound")


def test_the_end_of_a_long_output(server, api):
    server.script("long.py", "import sys\nsys.stdout.buffer.write('é'.encode() * 600000 + b' the end')\n")
    run = api.go([task("a", "long.py")], "SUCCESS")
    seen = api.post(f"/taskRuns/{run['taskToTaskRunMap']['a']}/actions/fetchOutput", {}).json()
    assert seen["isTruncated"] is True
    value = seen["data"][0]["value"]
    assert value.endswith("é the end") and value.strip("é") == " the end", "cut between characters"
    assert len(value.encode()) == int(seen["data"][0]["length"]) <= 1 << 20
