"""What we add to the page's calls, and what stands at the root (CONTRACT §4, §6)."""

import pytest
from harness import Client, eventually, if_else, refused, step, task
from seeds import ASYNC_OPERATION, check
from sse import Stream, check_items

ZERO = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def run(server):
    tasks = [step("load", exit=1), step("note", "load"), if_else("decide", "1 == 2"), step("no", ("decide", "true"))]
    return server.api.go(tasks, "FAILED")


def test_the_work_request_of_a_create_is_an_operation_that_succeeded(api):
    job = api.job([task("a")])
    for answer in (api.post("/jobRuns", {"jobKey": job["key"]}),
                   api.post("/jobs", {"name": "other", "path": "Shared"})):
        key = answer.headers["opc-work-request-id"]
        operation = check(api.read(f"~/asyncOperations/{key}"), ASYNC_OPERATION)
        assert operation["key"] == key
        assert operation["status"] == "SUCCEEDED"
        assert operation["timeFinished"]
    api.wait_final(api.page_through("/jobRuns", jobKey=job["key"])[0])


def test_the_work_request_of_a_repair_is_an_operation_that_succeeded(api, run):
    answer = api.post(f"/jobRuns/{run['key']}/actions/repair", {})
    key = answer.headers["opc-work-request-id"]
    assert check(api.read(f"~/asyncOperations/{key}"), ASYNC_OPERATION)["status"] == "SUCCEEDED"
    api.wait_final(run)


def test_operations_are_listed(api):
    key = api.post("/jobs", {"name": "listed", "path": "Shared"}).headers["opc-work-request-id"]
    operation = api.read(f"~/asyncOperations/{key}")
    items = api.page_through("~/asyncOperations", resourceType=operation["resourceType"], limit=10)
    assert operation in items
    for item in items:
        check(item, ASYNC_OPERATION)


def test_an_unknown_operation_is_404(api):
    for key in ("nonsense", ZERO):
        refused(api.get(f"~/asyncOperations/{key}"), 404, "NotAuthorizedOrNotFound")


def test_the_explanation_says_why_each_task_is_where_it_is(server, api, run):
    seen = {t["taskKey"]: t for t in api.read(f"/jobRuns/{run['key']}/explanation")["tasks"]}
    for entry in seen.values():
        assert set(entry) >= {"taskKey", "status", "reason", "decisions"}
        assert entry["reason"]
    assert seen["note"]["status"] == "UPSTREAM_FAILED" and "load" in seen["note"]["reason"]
    assert seen["no"]["status"] == "EXCLUDED" and "decide" in seen["no"]["reason"]
    assert seen["note"]["decisions"] and seen["no"]["decisions"]
    waiting = api.run(api.job([step("first", gate="explain"), step("then", "first")]))
    seen = {t["taskKey"]: t for t in api.read(f"/jobRuns/{waiting['key']}/explanation")["tasks"]}
    assert seen["then"]["status"] == "BLOCKED" and "first" in seen["then"]["reason"]
    server.open_gate("explain")
    api.wait_final(waiting, "SUCCESS")


def test_runs_say_for_which_planned_times_they_stand(api, run):
    schedule = {"quartzCronExpression": "0 0 3 * * ?", "timezoneId": "Europe/Berlin"}
    job = api.job([step("a")], schedule=schedule, maxConcurrentRuns=4)
    by_hand = api.wait_final(api.run(job))
    made = api.made("/rerunCampaigns", {"jobKey": job["key"], "kind": "SUPPLEMENT", "concurrent": 4, "beginTime": "2026-03-28T00:00:00Z",
                                        "endTime": "2026-03-30T00:00:00Z"})
    cells = {cell["jobRunKey"]: cell["plannedTime"] for cell in eventually(lambda: campaign_over(api, made), "the campaign is over")["cells"]}
    assert sorted(cells.values()) == ["2026-03-28T02:00:00.000Z", "2026-03-29T01:00:00.000Z"]
    asked = api.read("/plannedRuns", jobRunKey=[*cells, by_hand["key"], run["key"], ZERO, "nonsense"])["items"]
    assert {item["jobRunKey"]: item["plannedTime"] for item in asked} == cells, "a run by hand stands for none"
    assert all(item["schedule"]["timezoneId"] == "Europe/Berlin" for item in asked)
    grid = api.read(f"/jobs/{job['key']}/grid")["runs"]
    assert {item["key"]: item.get("plannedTime") for item in grid} == {**cells, by_hand["key"]: None}
    # and which campaign asked for it
    for key in cells:
        about = api.read(f"/jobRuns/{key}/explanation")["run"]["decisions"]
        assert [d["campaignKey"] for d in about if d["kind"] == "CAMPAIGN"] == [made["key"]]
    assert not any("campaignKey" in item for item in asked)
    listed = {one["key"]: one["plannedTime"] for one in api.read("/jobRuns", limit=1000)["items"]}
    assert {listed[one["jobRunKey"]] for one in asked} == {one["plannedTime"] for one in asked} and listed[by_hand["key"]] is None
    asked = api.read("/plannedRuns", jobRunKey=list(cells), withCampaign="true")["items"]
    assert [item["campaignKey"] for item in asked] == [made["key"]] * 2
    refused(api.get("/plannedRuns"), 400, "MissingParameter")
    refused(api.get("/plannedRuns", jobRunKey=[ZERO] * 101), 400, "InvalidParameter")


def campaign_over(api, made):
    campaign = api.read(f"/rerunCampaigns/{made['key']}")
    return campaign if campaign["status"] == "SUCCESS" else None


def test_a_continuous_job_says_when_it_goes_on(api):
    job = api.job([step("a", exit=1)], name="always", continuous={})
    eventually(lambda: api.read(f"/jobs/{job['key']}")["nextRunTimes"], "it waits after its failure")
    listed = [item for item in api.page_through("/jobs") if item["key"] == job["key"]][0]
    assert listed["continuous"] == {"pauseStatus": "UNPAUSED"}
    api.replace(job, [step("a", exit=1)], name="always", continuous={"pauseStatus": "PAUSED"})
    assert api.read(f"/jobs/{job['key']}")["nextRunTimes"] == []
    listed = [item for item in api.page_through("/jobs") if item["key"] == job["key"]][0]
    assert listed["continuous"] == {"pauseStatus": "PAUSED"} and listed["nextRunTime"] is None


def test_events_tell_the_whole_story_in_order(api, run):
    items = api.read(f"/jobRuns/{run['key']}/events")["items"]
    for item in items:
        assert set(item) >= {"id", "time", "taskKey", "type", "from", "to", "reason"}
    assert [i["id"] for i in items] == sorted({i["id"] for i in items})
    assert [i["time"] for i in items] == sorted(i["time"] for i in items)
    moves = [(i["from"], i["to"]) for i in items if i["taskKey"] == "load" and i["to"]]
    assert moves[:4] == [(None, "BLOCKED"), ("BLOCKED", "QUEUED"), ("QUEUED", "PENDING"), ("PENDING", "RUNNING")]
    assert ("RUNNING", "FAILED") in moves
    runs = [(i["from"], i["to"]) for i in items if i["taskKey"] is None and i["to"]]
    assert runs[:3] == [(None, "PENDING"), ("PENDING", "RUNNING"), ("RUNNING", "FAILED")]


def test_events_are_streamed(api, run):
    with Stream(api, f"/jobRuns/{run['key']}/events") as stream:
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        heard = list(stream.events())
    check_items(heard, api.read(f"/jobRuns/{run['key']}/events")["items"])
    assert heard[-1]["event"] == "end"


@pytest.mark.parametrize("path", ["explanation", "events", "repairHistory"])
def test_an_unknown_run_is_404(api, path):
    for key in ("nonsense", ZERO):
        refused(api.get(f"/jobRuns/{key}/{path}"), 404, "NotAuthorizedOrNotFound")


@pytest.mark.parametrize("path", ["//healthz", "//readyz"])
def test_probes_need_no_credential(server, path):
    for token in (None, "wrong", server.token):
        answer = Client(server.endpoint, token).get(path)
        assert answer.status_code == 200
        assert answer.headers["opc-request-id"]


@pytest.mark.parametrize("path", ["//metrics", "//"])
def test_what_stands_at_the_root(api, path):
    assert api.get(path).status_code == 200


@pytest.mark.parametrize("headers", [
    {}, {"authorization": "Bearer"}, {"authorization": "Bearer "}, {"authorization": "Bearer wrong"},
    {"authorization": "Basic YWRtaW46YWRtaW4="}, {"authorization": "bearer"}, {"x-auth-token": "wrong"},
    {"x-auth-token": ""}, {"authorization": "Bearer " + "x" * 5000}, {"authorization": "Bearer \u00e9"},
])
def test_a_bad_credential_is_401(server, headers):
    headers = {name: value.encode("latin-1") for name, value in headers.items()}
    refused(Client(server.endpoint, None).get("/jobs", headers=headers), 401, "NotAuthenticated")


def test_both_kinds_of_token_header(server):
    anonymous = Client(server.endpoint, None)
    for headers in ({"authorization": f"Bearer {server.token}"}, {"x-auth-token": server.token},
                    {"authorization": f"bearer {server.token}"}):
        assert anonymous.get("/jobs", headers=headers).status_code == 200


def test_an_empty_token_header_is_none(server):
    """The page: it has 0 to 4096 characters."""
    bearer = {"authorization": f"Bearer {server.token}"}
    anonymous = Client(server.endpoint, None)
    assert anonymous.get("/jobs", headers={**bearer, "x-auth-token": ""}).status_code == 200
    refused(anonymous.get("/jobs", headers={"x-auth-token": ""}), 401, "NotAuthenticated", "a credential is required")
    refused(anonymous.get("/jobs", headers={**bearer, "x-auth-token": server.token}), 401, "NotAuthenticated", "exactly one")


def test_part_of_the_token_is_not_the_token(server):
    for token in (server.token[:-1], server.token + "x", server.token.swapcase(), server.token[::-1]):
        if token == server.token:
            continue
        answer = Client(server.endpoint, None).get("/jobs", headers={"authorization": f"Bearer {token}"})
        refused(answer, 401, "NotAuthenticated")


def test_the_token_file_is_the_owners_alone(server):
    assert (server.data / "admin.token").stat().st_mode & 0o777 == 0o600
    assert len((server.data / "admin.token").read_text().splitlines()) == 1


def test_the_endpoint_file_says_where_and_who(server):
    assert set(server.endpoint) >= {"url", "aiDataPlatformId", "workspaceKey", "projectId", "pid"}
    assert server.endpoint["pid"] == server.process.pid
    assert server.endpoint["url"] == server.url
    assert server.endpoint["aiDataPlatformId"].startswith("ocid1.datalake.")
    assert len(server.endpoint["projectId"]) == 32


def test_the_earlier_prefix_is_served_too(server, api):
    assert eventually(lambda: Client(server.endpoint, server.token, prefix="/api/20260430").get("/jobs").ok, "served")


def test_events_of_a_run_come_in_pages(api):
    run = api.go([step(f"s{i}") for i in range(12)], "SUCCESS")
    whole = api.read(f"/jobRuns/{run['key']}/events", limit=1000)["items"]
    first = api.get(f"/jobRuns/{run['key']}/events", limit=5)
    assert [e["id"] for e in first.json()["items"]] == [e["id"] for e in whole[:5]] and first.headers["opc-next-page"]
    assert [e["id"] for e in api.page_through(f"/jobRuns/{run['key']}/events", limit=5)] == [e["id"] for e in whole]
    assert "opc-next-page" not in api.get(f"/jobRuns/{run['key']}/events", limit=len(whole)).headers
    after = api.get(f"/jobRuns/{run['key']}/events", limit=5, after=whole[3]["id"])
    assert [e["id"] for e in after.json()["items"]] == [e["id"] for e in whole[4:9]]
    refused(api.get(f"/jobRuns/{run['key']}/events", page="x"), 400, "InvalidParameter", "page")
    other = api.go([step("a")], "SUCCESS")
    refused(api.get(f"/jobRuns/{other['key']}/events", page=first.headers["opc-next-page"]), 400, "InvalidParameter", "page")


def test_what_waits_in_line_says_for_whom_as_of_now(server, api):
    job = api.job([step("a", gate="first")], queue={"isEnabled": True}, name="line")
    first, second, third = api.run(job), api.run(job), api.run(job)
    api.wait_for(first, "RUNNING")

    def said(run):
        listed = [r for r in api.read("/jobRuns", jobKey=job["key"])["items"] if r["key"] == run["key"]][0]
        texts = {api.get_run(run)["state"]["stateMessage"], listed["state"]["stateMessage"],
                 api.read(f"/jobRuns/{run['key']}/explanation")["run"]["reason"]}
        assert len(texts) == 1, texts
        return texts.pop()

    assert said(third) == f"Queued, 2nd in line: 1 of 1 run slots is held by run {first['key']}"
    api.cancel(first)
    api.wait_final(first, "CANCELED")
    api.wait_for(second, "RUNNING")
    assert said(third) == f"Queued, 1st in line: 1 of 1 run slots is held by run {second['key']}"
    body = api.read(f"/jobs/{job['key']}")
    assert api.put(f"/jobs/{job['key']}", {**body, "maxConcurrentRuns": 0}).status_code == 202
    assert said(third) == f"Queued, 1st in line: 1 of 0 run slots is held by run {second['key']}"
    server.open_gate("first")
    api.wait_final(second, "SUCCESS")
    assert said(third) == "Queued, 1st in line: the job has no run slots (maxConcurrentRuns is 0)"
    api.cancel(third)
