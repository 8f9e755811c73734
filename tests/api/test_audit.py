"""The audit: every accepted change leaves exactly one row, with the request id of its answer; nothing else does. Runs that are repaired
together have a row each besides."""

import datetime
import uuid

import pytest
import requests

import openapi
from dataarts import EVERY_SECOND, DataArts, job, shell
from harness import DEADLINE_S, Client, eventually, key_of, refused, step
from sign import OciKey

AUDIT = "//reprise/v1/audit"
ACCOUNTS = "//reprise/v1"
# Calls that are no GET, and change nothing.
READS = {"validateJob", "simulateJob", "planRepair", "planRerunCampaign", "fetchOutput", "exportTaskRunOutput"}
RANGE = {"beginTime": "2026-01-05T00:00:00Z", "endTime": "2026-01-05T02:00:00Z"}
DAILY = {"quartzCronExpression": "0 0 * * * ?", "timezoneId": "UTC"}


def id_of(answer):
    return answer.headers.get("opc-request-id") or answer.headers["x-request-id"]


def rows_of(api, answer):
    return [e for e in api.read(AUDIT, limit=30)["items"] if e["requestId"] == id_of(answer)]


def row_of(api, answer, type_=None, others=0):
    """The one row of the change, or the one about that type among `others` of runs."""
    found = rows_of(api, answer)
    rows = [row for row in found if type_ in (None, row["resourceType"])]
    assert len(rows) == 1 and len(found) == 1 + others, (answer.request.method, answer.request.url, found)
    return rows[0]


class Book:
    """Takes down each call, and finds its row."""

    def __init__(self, server):
        self.server, self.api, self.seen = server, server.api, set()
        self.workspace = server.endpoint["workspaceKey"]

    def did(self, answer, action, target=None, resource=None, user="admin", workspace=..., runs=0):
        assert answer.ok, (answer.status_code, answer.text[:500])
        row = row_of(self.api, answer, "JOB" if runs else None, runs)
        assert (row["outcome"], row["action"], row["userName"], row["address"]) == ("DONE", action, user, "127.0.0.1"), row
        kind = action.split(".")[0].upper().replace("-", "_")
        assert row["resourceType"] == {"RUN": "JOB_RUN", "CAMPAIGN": "RERUN_CAMPAIGN"}.get(kind, kind)
        if target is not None:
            assert row["target"] == target, row
        assert row["resourceKey"] == resource, row
        if workspace is ...:
            workspace = self.workspace if resource or kind == "SECRET" else None
        assert row["workspaceKey"] == workspace, row
        self.seen.add(openapi.find(answer.request.method, answer.request.path_url)[1]["operationId"])
        return answer.json() if answer.content else None


@pytest.fixture(scope="module")
def book(server):
    return Book(server)


def page_call(server, session, method, path, **options):
    answer = session.request(method, f"{server.url}/reprise/v1/{path}", timeout=DEADLINE_S, **options)
    assert answer.ok, answer.text
    return answer


def accounts(book):
    api = book.api
    book.did(api.post(f"{ACCOUNTS}/users", {"name": "aude", "role": "VIEWER"}), "user.create", "aude", workspace=book.workspace)
    book.did(api.put(f"{ACCOUNTS}/users/aude", {"role": "ADMIN", "password": "a long password"}), "user.update", "aude",
             workspace=book.workspace)
    token = book.did(api.post(f"{ACCOUNTS}/tokens", {"name": "t", "user": "aude"}), "token.create")
    book.did(api.delete(f"{ACCOUNTS}/tokens/{token['key']}"), "token.revoke", token["key"])
    key = book.did(api.post(f"{ACCOUNTS}/keys", {"user": "aude", "publicKey": OciKey().public_pem}), "key.create")
    book.did(api.delete(f"{ACCOUNTS}/keys/{key['key'].replace('/', '%2F')}"), "key.delete", key["key"])
    access = book.did(api.post(f"{ACCOUNTS}/accessKeys", {"user": "aude"}), "access-key.create")
    book.did(api.delete(f"{ACCOUNTS}/accessKeys/{access['key']}"), "access-key.delete", access["key"])
    book.did(api.post(f"{ACCOUNTS}/secrets", {"name": "git", "value": "v"}), "secret.create", "git")
    book.did(api.put(f"{ACCOUNTS}/secrets/git", {"value": "w"}), "secret.update", "git")
    book.did(api.delete(f"{ACCOUNTS}/secrets/git"), "secret.delete", "git")
    code = book.did(api.post(f"{ACCOUNTS}/session/codes"), "session.create-code", "admin")["code"]
    page = requests.Session()
    page.trust_env = False
    answer = page_call(book.server, page, "POST", "session", json={"code": code})
    book.did(answer, "session.create", "admin")
    # what the page does is done by whoever has signed in to it
    page.headers["x-reprise-csrf"] = answer.json()["csrfToken"]
    made = page.post(book.server.url + api.path("/jobs"), json={"name": "by_page", "path": "p"}, timeout=DEADLINE_S)
    book.did(made, "job.create", "by_page", made.json()["key"])
    book.did(page_call(book.server, page, "DELETE", "session"), "session.delete", "admin")
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "aude", "password": "a long password"}}}}}
    book.did(api.post("//v3/auth/tokens", body), "token.create", "aude", user="aude")


def resources(book):
    api = book.api
    details = {"displayName": "spark", "type": "USER", "driverConfig": {}, "workerConfig": {}, "clusterRuntimeConfig": {}}
    made = book.did(api.post("/clusters", details), "cluster.create", "spark", ANY)["key"]
    for method, path, action in (("PUT", "", "update"), ("POST", "/actions/stop", "stop"), ("POST", "/actions/start", "start"),
                                 ("POST", "/actions/restart", "restart"), ("DELETE", "", "delete")):
        answer = api.call(method, f"/clusters/{made}{path}", details if method == "PUT" else None)
        book.did(answer, f"cluster.{action}", "spark", made)
    answer = api.post("~/workspaces", {"displayName": "team"})
    made = answer.json()["key"]
    book.did(answer, "workspace.create", "team", made, workspace=made)
    book.did(api.put(f"~/workspaces/{made}", {"displayName": "crew"}), "workspace.update", "crew", made, workspace=made)
    there = Client({**book.server.endpoint, "workspaceKey": made}, book.server.token)
    answer = there.post("/jobs", {"name": "elsewhere", "path": "p"})
    book.did(answer, "job.create", "elsewhere", answer.json()["key"], workspace=made)
    book.did(api.delete(f"~/workspaces/{made}"), "workspace.delete", "crew", made, workspace=made)
    assert row_of(api, answer)["target"] == "elsewhere", "its rows stay when a workspace goes"


class Any:
    def __eq__(self, other):
        return bool(other)


ANY = Any()


def oracle(book):
    api = book.api
    body = {"name": "one", "path": "p", "tasks": [step("a", gate="one")], "schedule": {**DAILY, "pauseStatus": "PAUSED"},
            "maxConcurrentRuns": 9}
    made = book.did(api.post("/jobs", body), "job.create", "one", ANY)["key"]
    book.did(api.put(f"/jobs/{made}", {**body, "name": "uno"}), "job.update", "uno", made)
    given = {"assignees": {"type": "ROLE", "targets": ["VIEWER"]}, "permissions": ["USE"]}
    book.did(api.post(f"/jobs/{made}/actions/managePermission", {"assignJobPermissionDetails": given}), "job.manage-permission", "uno", made)
    run = book.did(api.post("/jobRuns", {"jobKey": made}), "run.create", "uno", ANY)["key"]
    book.did(api.post(f"/jobRuns/{run}/actions/cancel"), "run.cancel", "uno", run)
    api.wait_final(run, "CANCELED")
    book.did(api.post(f"/jobRuns/{run}/actions/repair", {}), "run.repair", "uno", run)
    book.did(api.post(f"/jobRuns/{run}/actions/cancelTasks", {"taskKeys": ["a"]}), "run.cancel-tasks", "uno", run)
    book.did(api.post(f"/jobs/{made}/actions/cancelJobRuns"), "job.cancel-runs", "uno", made)
    api.wait_final(run, "CANCELED")
    book.did(api.delete(f"/jobRuns/{run}"), "run.delete", None, run)
    campaign = book.did(api.post("/rerunCampaigns", {"jobKey": made, **RANGE, "kind": "SUPPLEMENT"}), "campaign.create", None, ANY)["key"]
    for action in ("pause", "resume", "cancel"):
        book.did(api.post(f"/rerunCampaigns/{campaign}/actions/{action}"), f"campaign.{action}", None, campaign)
    eventually(lambda: api.read(f"/rerunCampaigns/{campaign}")["status"] not in ("PENDING", "RUNNING", "CANCELING"), "its end")
    eventually(lambda: not [r for r in api.read("/jobRuns", jobKey=made)["items"]
                            if r["state"]["status"] not in ("CANCELED", "SUCCESS")], "its runs' end")
    book.did(api.delete(f"/jobs/{made}"), "job.delete", "uno", made)


def dataarts(book):
    huawei = DataArts(book.server)
    nodes = [shell("a", statement="exit 1")]

    def jobs():
        return {j["name"]: j["key"] for j in book.api.read("/jobs", limit=100)["items"]}

    answers = [huawei.v1("POST", "jobs", job("tick", nodes, EVERY_SECOND)),
               huawei.v2("POST", "jobs", job("tock", [shell("a", statement="sleep 60")]))]
    for name, answer in zip(("tick", "tock"), answers):
        book.did(answer, "job.create", name, jobs()[name])
    key = jobs()["tick"]
    book.did(huawei.v1("PUT", "jobs/tick", job("tick", nodes, EVERY_SECOND)), "job.update", "tick", key)
    book.did(huawei.v1("POST", "jobs/tick/start"), "job.start", "tick", key)
    planned = huawei.wait_planned("tick", 2)
    book.did(huawei.v1("POST", "jobs/tick/stop"), "job.stop", "tick", key)
    for one in planned:
        huawei.wait("tick", one["instance_id"])
    chosen = [{name: one[name] for name in ("job_id", "plan_time", "submit_time")} for one in planned[:2]]
    retry = {"retry_location": "errorNode", "retry_task_version": "original_version"}
    answer = huawei.v2("POST", "jobs/tick/instances/retry", {**retry, "task_retrys": chosen})
    book.did(answer, "job.repair-runs", "tick", key, runs=2)
    assert "2 runs" in row_of(book.api, answer, "JOB", 2)["detail"]
    # also from the run one finds who repaired it
    runs = [row["resourceKey"] for row in rows_of(book.api, answer) if row["resourceType"] == "JOB_RUN"]
    assert len(set(runs)) == 2
    for run in runs:
        (row,) = book.api.read(AUDIT, resourceKey=run)["items"]
        assert (row["action"], row["target"], row["userName"], row["requestId"]) == ("run.repair", "tick", "admin", id_of(answer))
    for one in planned[:2]:
        huawei.wait("tick", one["instance_id"])
    book.did(huawei.v1("POST", f"jobs/tick/instances/{planned[0]['instance_id']}/restart"), "run.repair", "tick", ANY)
    huawei.wait("tick", planned[0]["instance_id"])
    times = [one["plan_time"] for one in planned]
    answer = huawei.v2("POST", "jobs/tick/instances/retry", {**retry, "begin_time": min(times), "end_time": max(times)})
    book.did(answer, "campaign.create", None, answer.headers["x-reprise-campaign"])
    number = book.did(huawei.v1("POST", "jobs/tock/run-immediate"), "run.create", "tock", ANY)["instanceId"]
    book.did(huawei.v1("POST", f"jobs/tock/instances/{number}/stop"), "run.cancel", "tock", ANY)
    huawei.wait("tock", number)
    given = {"name": "P_tock", "job_name": "tock", "start_date": "2026-01-05T00:00:00 +00", "end_date": "2026-01-06T00:00:00 +00", "parallel": 1}
    campaign = huawei.v2("POST", "supplement-data", given)
    book.did(campaign, "campaign.create", "P_tock", campaign.headers["x-reprise-campaign"])
    book.did(huawei.v2("POST", "supplement-data/P_tock/stop"), "campaign.cancel", "P_tock", campaign.headers["x-reprise-campaign"])
    eventually(lambda: huawei.read2("supplement-data", name="P_tock")["rows"][0]["status"] != "RUNNING", "its end")
    eventually(lambda: huawei.v1("DELETE", "jobs/tock").status_code == 204, "no run of it is active")
    assert [e["action"] for e in book.api.read(AUDIT, resourceKey=key, limit=100)["items"]] == [
        "job.repair-runs", "job.stop", "job.stop", "job.start", "job.update", "job.create"], "what fires is nobody's change"


def test_every_change_leaves_one_row(book):
    accounts(book)
    resources(book)
    oracle(book)
    dataarts(book)
    book.seen.add("deleteDataArtsJob")  # the answer that was awaited above
    gone = book.api.read(AUDIT, action="job.delete", limit=1)["items"][0]
    assert (gone["target"], gone["userName"]) == ("tock", "admin")
    changing = {o["operationId"] for path in openapi.document()["paths"].values() for method, o in path.items()
                if method in ("post", "put", "delete")} - READS
    assert book.seen == changing, "each call of the document: a new one has to be written down, and here"


def test_a_retry_token_that_replays_is_no_second_change(server):
    made = server.api.job([step("a")], "once")
    token = {"opc-retry-token": "audited-once"}
    answers = [server.api.post("/jobRuns", {"jobKey": key_of(made)}, headers=token) for _ in range(3)]
    assert len({answer.content for answer in answers}) == 1
    assert [len(rows_of(server.api, answer)) for answer in answers] == [1, 0, 0]
    cluster = {"displayName": "once", "type": "USER", "driverConfig": {}, "workerConfig": {}, "clusterRuntimeConfig": {}}
    answers = [server.api.post("/clusters", cluster, headers=token) for _ in range(2)]
    assert [len(rows_of(server.api, answer)) for answer in answers] == [1, 0]


def test_what_is_refused_is_no_change(server):
    api = server.api
    made = api.job([step("a", gate="never")], "kept")
    run = api.run(made)
    before = api.read(AUDIT, outcome="DONE", limit=1)["items"][0]["key"]
    refused(api.delete(f"/jobs/{key_of(made)}"), 409, "IncorrectState")
    refused(api.put(f"/jobs/{key_of(made)}", {"name": "x", "path": "p"}, headers={"if-match": "other"}), 412, "NoEtagMatch")
    refused(api.post(f"/jobRuns/{key_of(run)}/actions/repair", {}), 409, "IncorrectState")
    refused(api.post("/jobRuns", {"jobKey": str(uuid.uuid4())}), 404, "NotAuthorizedOrNotFound")
    refused(api.post("/jobs", {"path": "p"}), 400, "MissingParameter")
    refused(api.delete(f"/clusters/{uuid.uuid4()}"), 404, "NotAuthorizedOrNotFound")
    assert api.read(AUDIT, outcome="DONE", limit=1)["items"][0]["key"] == before
    api.cancel(run)


def test_filters_and_pages(server):
    api = server.api
    api.made(f"{ACCOUNTS}/users", {"name": "fil", "role": "ADMIN"})
    fil = Client(server.endpoint, api.made(f"{ACCOUNTS}/tokens", {"name": "t", "user": "fil"})["token"])
    made = fil.job([step("a")], "filtered")
    runs = [fil.run(made) for _ in range(5)]
    api.cancel(runs[0])

    def found(**query):
        return [(e["userName"], e["action"]) for e in api.page_through(AUDIT, **query)]

    everything = [("fil", "run.create")] * 5 + [("fil", "job.create")]
    assert found(user="fil", limit=2) == everything
    id_ = api.read(f"{ACCOUNTS}/users/fil")["key"]
    assert found(user=id_, action="run.create") == found(user="fil", action="run") == everything[:5]
    assert found(user="fil", action="ru") == []
    assert found(resourceKey=key_of(runs[0])) == [("admin", "run.cancel"), ("fil", "run.create")]
    assert found(resourceKey=key_of(runs[0]), limit=1) == [("admin", "run.cancel"), ("fil", "run.create")]
    assert found(resourceKey=key_of(made)) == [("fil", "job.create")]
    assert found(resourceKey=str(uuid.uuid4())) == []
    assert found(user="fil", workspaceKey=server.endpoint["workspaceKey"]) == everything
    assert found(user="fil", workspaceKey=str(uuid.uuid4())) == found(user="fil", outcome="REFUSED") == []
    times = [e["time"] for e in api.read(AUDIT, user="fil", limit=100)["items"]]
    assert len(found(user="fil", timeGreaterThanOrEqualTo=times[-1])) == 6
    assert found(user="fil", timeLessThanOrEqualTo=times[-1])[-1] == everything[-1]
    early = datetime.datetime.fromisoformat(times[-1].replace("Z", "+00:00")) - datetime.timedelta(seconds=1)
    assert found(user="fil", timeLessThanOrEqualTo=early.strftime("%Y-%m-%dT%H:%M:%SZ")) == []
    refused(api.get(AUDIT, resourceKey="none"), 400, "InvalidParameter", "resourceKey")
    refused(api.get(AUDIT, workspaceKey="none"), 400, "InvalidParameter", "workspaceKey")
    refused(api.get(AUDIT, outcome="MAYBE"), 400, "InvalidParameter", "outcome")
