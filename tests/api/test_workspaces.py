"""Workspaces made over HTTP really work: jobs run in folders of their own, across a restart; and they can be deleted."""

import os
import resource
import sqlite3
import threading

import pytest
from harness import Client, eventually, refused, step, task
from sse import Stream, run_is, until

pytestmark = pytest.mark.sanitize


def inside(server, workspace):
    """A client of that workspace."""
    return Client({**server.endpoint, "workspaceKey": workspace["key"]}, server.token)


def made(api, name="team", **fields):
    return api.made("~/workspaces", {"displayName": name, **fields})


def test_the_default_workspace_is_listed(own):
    listed = own.api.read("~/workspaces")["items"]
    assert [(w["displayName"], w["type"], w["key"]) for w in listed] == [("default", "DEFAULT", own.endpoint["workspaceKey"])]
    assert own.api.read(f"~/workspaces/{own.endpoint['workspaceKey']}") == listed[0]


def test_a_job_runs_in_a_new_workspace_and_is_not_seen_elsewhere(own):
    workspace = made(own.api, description="of the team")
    assert workspace["lifecycleState"] == "ACTIVE" and workspace["type"] == "USER" and workspace["description"] == "of the team"
    there = inside(own, workspace)
    folder = own.data / "workspaces" / workspace["key"]
    (folder / "where.py").write_text("import os; print(os.environ['REPRISE_WORKSPACE'], flush=True)\n")
    run = there.go([task("a", "where.py")], "SUCCESS")
    key = run["taskToTaskRunMap"]["a"]
    assert there.get(f"/taskRuns/{key}/logs").text.strip() == str(folder)
    refused(own.api.get(f"/jobRuns/{run['key']}"), 404, "NotAuthorizedOrNotFound", "job run")
    assert own.api.read("/jobs")["items"] == []
    assert [j["key"] for j in there.read("/jobs")["items"]] == [run["jobKey"]]


def test_it_is_there_after_a_restart_with_what_was_running(own):
    workspace = made(own.api)
    there = inside(own, workspace)
    folder = own.data / "workspaces" / workspace["key"]
    (folder / "slow.py").write_text("import os, time\nwhile not os.path.exists(os.environ['REPRISE_WORKSPACE'] + '/go'):"
                                    "\n    time.sleep(0.01)\n")
    run = there.run(there.job([task("a", "slow.py")]))
    there.wait_task(run, "a", "RUNNING")
    own.restart()
    there = inside(own, workspace)
    assert there.get_run(run)["state"]["status"] == "RUNNING"
    (folder / "go").touch()
    there.wait_final(run, "SUCCESS")


def test_streams_are_told_of_their_own_workspace(own):
    workspace = made(own.api)
    there = inside(own, workspace)
    with Stream(there, "/events", onlyNew="true") as stream:
        first = stream.events()
        own.api.go([step("elsewhere")], "SUCCESS")
        (own.data / "workspaces" / workspace["key"] / "a.py").write_text("print('a')\n")
        run = there.go([task("a", "a.py")], "SUCCESS")
        heard = until(first, run_is("SUCCESS"))
        assert {event["data"]["jobRunKey"] for event in heard} == {run["key"]}
        # deleted while somebody listens: nothing is told any more, and the server goes on
        assert own.api.delete(f"~/workspaces/{workspace['key']}").status_code == 204
        refused(there.get("/events"), 404, "NotAuthorizedOrNotFound", "workspace")
    own.api.go([step("b")], "SUCCESS")


def test_etags_updates_and_operations(own):
    answer = own.api.post("~/workspaces", {"displayName": "one"})
    key, etag = answer.json()["key"], answer.headers["etag"]
    assert answer.headers["location"].endswith(f"/workspaces/{key}")
    operation = own.api.read(f"~/asyncOperations/{answer.headers['opc-work-request-id']}")
    assert (operation["resourceType"], operation["actionType"], operation["status"]) == ("WORKSPACE", "CREATE", "SUCCEEDED")
    changed = own.api.put(f"~/workspaces/{key}", {"displayName": "two"}, headers={"if-match": etag})
    assert changed.status_code == 200 and changed.json()["displayName"] == "two" and changed.headers["etag"] != etag
    refused(own.api.put(f"~/workspaces/{key}", {"displayName": "x"}, headers={"if-match": etag}), 412, "NoEtagMatch")
    assert own.api.read(f"~/workspaces/{key}")["displayName"] == "two"


def test_the_default_one_may_be_described_and_not_deleted(own):
    key = own.endpoint["workspaceKey"]
    assert own.api.put(f"~/workspaces/{key}", {"displayName": "home", "description": "d"}).status_code == 200
    own.restart()
    assert own.api.read(f"~/workspaces/{key}")["displayName"] == "home"
    refused(own.api.delete(f"~/workspaces/{key}"), 409, "IncorrectState", "default")
    own.api.go([task("a")], "SUCCESS")


def test_delete_waits_for_no_run_and_lasts(own):
    workspace = made(own.api)
    there = inside(own, workspace)
    folder = own.data / "workspaces" / workspace["key"]
    (folder / "slow.py").write_text("import time\ntime.sleep(60)\n")
    run = there.run(there.job([task("a", "slow.py")]))
    refused(own.api.delete(f"~/workspaces/{workspace['key']}"), 409, "IncorrectState", "1 active run")
    there.cancel(run)
    there.wait_final(run, "CANCELED")
    assert own.api.delete(f"~/workspaces/{workspace['key']}").status_code == 204
    refused(own.api.get(f"~/workspaces/{workspace['key']}"), 404, "NotAuthorizedOrNotFound", "workspace")
    refused(there.get("/jobs"), 404, "NotAuthorizedOrNotFound", "workspace")
    own.restart()
    refused(own.api.get(f"~/workspaces/{workspace['key']}"), 404, "NotAuthorizedOrNotFound")
    assert len(own.api.read("~/workspaces")["items"]) == 1


def test_the_operation_of_a_workspace_that_is_gone_is_found(own):
    def stranger(name, workspace):
        own.api.made("//reprise/v1/users", {"name": name, "role": "ADMIN", "workspaceKey": workspace["key"]})
        return Client(own.endpoint, own.api.made("//reprise/v1/tokens", {"user": name, "name": "t"})["token"])

    one, two, three = (made(own.api, name) for name in ("one", "two", "three"))
    theirs, others = stranger("ann", two), stranger("bob", three)
    for api, workspace in ((own.api, one), (theirs, two)):
        answer = api.delete(f"~/workspaces/{workspace['key']}")
        assert answer.status_code == 204
        path = f"~/asyncOperations/{answer.headers['opc-work-request-id']}"
        for reader in (api, own.api):
            seen = reader.read(path)
            assert (seen["resourceType"], seen["actionType"], seen["status"]) == ("WORKSPACE", "DELETE", "SUCCEEDED")
            assert (seen["resourceKey"], seen["resourceName"]) == (workspace["key"], workspace["displayName"])
        assert seen in own.api.read("~/asyncOperations", resourceType="WORKSPACE")["items"]
        refused(others.get(path), 404, "NotAuthorizedOrNotFound")
    assert theirs.read("~/asyncOperations")["items"] == []
    own.restart()
    assert own.api.read(path) == seen


def test_retry_tokens_make_one(own):
    token = {"opc-retry-token": "once"}
    body = {"displayName": "once"}
    first = own.api.post("~/workspaces", body, headers=token)
    own.restart()
    again = own.api.post("~/workspaces", body, headers=token)
    assert (first.status_code, again.status_code) == (201, 201) and first.content == again.content
    for name in ("etag", "location", "content-location", "opc-work-request-id"):
        assert first.headers[name] == again.headers[name], name
    assert len(own.api.read("~/workspaces")["items"]) == 2
    refused(own.api.post("~/workspaces", {"displayName": "other"}, headers=token), 409, "InvalidatedRetryToken", "another body")
    assert own.api.delete(f"~/workspaces/{first.json()['key']}").status_code == 204
    refused(own.api.post("~/workspaces", body, headers=token), 409, "InvalidatedRetryToken", "deleted")

    # The same token of another call is another one; a name that is taken is no answer to keep.
    one = own.api.post("/clusters", CLUSTER, headers=token)
    two = own.api.post("/clusters", CLUSTER, headers=token)
    assert one.status_code == two.status_code == 201 and one.content == two.content
    refused(own.api.post("/clusters", CLUSTER, headers={"opc-retry-token": "twice"}), 409, "NotAuthorizedOrResourceAlreadyExists")
    assert own.api.delete(f"/clusters/{one.json()['key']}").status_code == 204
    refused(own.api.post("/clusters", CLUSTER, headers=token), 409, "InvalidatedRetryToken", "deleted")
    assert own.api.post("/clusters", CLUSTER, headers={"opc-retry-token": "twice"}).status_code == 201
    refused(own.api.post("/clusters", CLUSTER, headers={"opc-retry-token": "x" * 65}), 400, "InvalidParameter", "64")


def test_what_cannot_be_started_is_not_made(own):
    """Without descriptors left there is no pump for it: nothing stays of it, and the same request makes it afterwards."""
    token = {"opc-retry-token": "once"}
    body = {"displayName": "late"}
    assert len(own.api.read("~/workspaces")["items"]) == 1  # the connection and a reader of the store are there from now on
    before = resource.prlimit(own.process.pid, resource.RLIMIT_NOFILE)
    taken = {int(name) for name in os.listdir(f"/proc/{own.process.pid}/fd")}
    lowest = next(fd for fd in range(before[0]) if fd not in taken)  # 0 would be too few for poll itself
    resource.prlimit(own.process.pid, resource.RLIMIT_NOFILE, (lowest, before[1]))
    try:
        for _ in range(2):
            answer = own.api.post("~/workspaces", body, headers=token)
            assert answer.status_code in (500, 503), answer.text
            assert len(own.api.read("~/workspaces")["items"]) == 1
    finally:
        resource.prlimit(own.process.pid, resource.RLIMIT_NOFILE, before)
    workspace = own.api.post("~/workspaces", body, headers=token)
    assert workspace.status_code == 201, workspace.text
    there = inside(own, workspace.json())
    assert there.read("/jobs")["items"] == []
    with sqlite3.connect(own.data / "reprise.db") as db:
        assert db.execute("SELECT count(*) FROM workspace").fetchone() == (2,)
    own.restart()
    assert len(own.api.read("~/workspaces")["items"]) == 2


def test_lists_filter_sort_and_page(own):
    names = ["b", "a", "c", "ab"]
    for name in names:
        made(own.api, name)
    read = lambda **query: [w["displayName"] for w in own.api.page_through("~/workspaces", **query)]  # noqa: E731
    assert read(limit=2) == ["ab", "c", "a", "b", "default"]
    assert read(sortBy="displayName", limit=1) == ["a", "ab", "b", "c", "default"]
    assert read(sortBy="displayName", sortOrder="DESC", type="USER") == ["c", "b", "ab", "a"]
    assert read(displayNameContains="b", type="USER") == ["ab", "b"]
    assert read(displayName="c") == ["c"] and read(type="DEFAULT") == ["default"] and read(lifecycleState="FAILED") == []


@pytest.mark.parametrize("body, word", [({}, "displayName"), ({"displayName": ""}, "displayName"), ({"displayName": 7}, "displayName"),
                                        ({"displayName": "a" * 256}, "displayName"), ({"displayName": "x", "description": 1}, "description"),
                                        ({"displayName": "x", "networkConfigurationDetails": False}, "networkConfigurationDetails")])
def test_bad_details_are_named(api, body, word):
    answer = api.post("~/workspaces", body)
    refused(answer, 400, "MissingParameter" if not body else "InvalidParameter", word)


# ---- clusters ----

CLUSTER = {"displayName": "etl_1", "type": "USER", "driverConfig": {"shape": "small"}, "autoTerminationMinutes": 30}


def test_a_cluster_is_made_changed_and_deleted(own):
    api = own.api
    (local,) = api.read("/clusters")["items"]
    assert (local["displayName"], local["lifecycleState"], local["type"]) == ("local", "ACTIVE", "LOCAL")
    made_one = api.post("/clusters", CLUSTER)
    assert made_one.status_code == 201
    body = made_one.json()
    assert {k: body[k] for k in CLUSTER} == CLUSTER and body["workerConfig"] is None
    path = f"/clusters/{body['key']}"
    assert api.read(path) == body
    changed = api.put(path, {**CLUSTER, "displayName": "etl_2"}, headers={"if-match": made_one.headers["etag"]})
    assert changed.status_code == 200 and changed.json()["displayName"] == "etl_2"
    refused(api.put(path, CLUSTER, headers={"if-match": made_one.headers["etag"]}), 412, "NoEtagMatch")
    own.restart()
    assert own.api.read(path) == changed.json()
    assert [c["displayName"] for c in own.api.read("/clusters", sortBy="displayName")["items"]] == ["etl_2", "local"]
    assert own.api.delete(path).status_code == 204
    refused(own.api.get(path), 404, "NotAuthorizedOrNotFound", "cluster")


def test_what_a_task_ran_on_is_told_by_its_key(own):
    """Also where the definition names the cluster by its name (seed ClusterSpec: existingClusterKey)."""
    quick = own.api.made("/clusters", {"displayName": "quick", "type": "USER", "driverConfig": {}})
    local = next(c["key"] for c in own.api.read("/clusters")["items"] if c["displayName"] == "local")
    named = {"a": {"clusterName": "quick"}, "b": {"clusterKey": quick["key"]}, "c": {"clusterName": "local"}}
    run = own.api.go([task(key, cluster=cluster) for key, cluster in named.items()] + [task("d")], "SUCCESS")
    shown = {key: own.api.task_run(run, key)["clusterSpec"] for key in "abcd"}
    assert [shown[key]["existingClusterKey"] for key in "abc"] == [quick["key"], quick["key"], local] and shown["d"] is None


def test_a_cluster_that_was_never_asked_for_is_not_shown(own):
    """Seed ClusterInstance: set once the request for a new cluster was submitted."""
    cluster = {"newCluster": {"sparkVersion": "0.0.0", "numWorkers": 1}}
    run = own.api.go([task("a", "nowhere.py", cluster=cluster)], "INTERNAL_ERROR")
    assert run["clusterInstance"] is None


def test_start_stop_and_restart_follow_the_state(own):
    api = own.api
    path = f"/clusters/{api.made('/clusters', CLUSTER)['key']}"
    refused(api.post(f"{path}/actions/start"), 409, "IncorrectState", "STOPPED")
    for action, state in (("restart", "ACTIVE"), ("stop", "STOPPED"), ("start", "ACTIVE")):
        answer = api.post(f"{path}/actions/{action}")
        assert answer.status_code == 202 and answer.json()["lifecycleState"] == state
        operation = api.read(f"~/asyncOperations/{answer.headers['opc-work-request-id']}")
        assert (operation["resourceType"], operation["actionType"]) == ("CLUSTER", action.upper())
    assert [c["displayName"] for c in api.read("/clusters", lifecycleState="STOPPED")["items"]] == []


def test_local_does_not_change(api):
    local = next(c for c in api.read("/clusters")["items"] if c["displayName"] == "local")
    for call in (lambda p: api.post(f"{p}/actions/stop"), api.delete, lambda p: api.put(p, CLUSTER)):
        refused(call(f"/clusters/{local['key']}"), 409, "IncorrectState", "local")


@pytest.mark.parametrize("change, word", [({"displayName": "a-b"}, "displayName"), ({"displayName": "1a"}, "displayName"),
                                          ({"type": None}, "type"), ({"driverConfig": None}, "driverConfig"),
                                          ({"autoTerminationMinutes": -1}, "autoTerminationMinutes")])
def test_bad_clusters_are_named(api, change, word):
    answer = api.post("/clusters", {**CLUSTER, **change})
    assert answer.status_code == 400 and word in answer.json()["message"], answer.text


def test_a_name_is_taken_once(own):
    """A client that tries again on IncorrectState, as OCI's do, need not where it creates what is there."""
    one = own.api.made("/clusters", CLUSTER)
    for name in (CLUSTER["displayName"], "local"):
        refused(own.api.post("/clusters", {**CLUSTER, "displayName": name}), 409, "NotAuthorizedOrResourceAlreadyExists", "displayName")
    refused(own.api.put(f"/clusters/{one['key']}", {**CLUSTER, "displayName": "local"}), 409, "IncorrectState", "displayName")


def test_the_place_names_workspaces_as_they_are_called(own):
    def names():
        return [w["displayName"] for w in own.api.read("//reprise/v1")["workspaces"]]

    assert names() == ["default"]
    key = own.api.made("~/workspaces", {"displayName": "second"})["key"]
    assert names() == ["default", "second"]
    assert own.api.put(f"~/workspaces/{key}", {"displayName": "renamed"}).status_code == 200
    assert names() == ["default", "renamed"]


def test_deletion_beside_streams_that_begin(own):
    """Who begins to watch while the workspace goes is told that it is gone, or of its end; the server goes on."""
    statuses = []

    def watch(workspace, stop):
        while not stop.is_set():
            with Stream(inside(own, workspace), "/events") as stream:
                statuses.append(stream.status)

    for i in range(40):
        workspace, stop = made(own.api, f"watched-{i}"), threading.Event()
        watchers = [threading.Thread(target=watch, args=(workspace, stop)) for _ in range(4)]
        for watcher in watchers:
            watcher.start()
        eventually(lambda: len(statuses) > 4, "they watch", pause_s=0.001)
        assert own.api.delete(f"~/workspaces/{workspace['key']}").status_code == 204
        statuses.clear()
        eventually(lambda: 404 in statuses, "it is gone", pause_s=0.001)
        stop.set()
        for watcher in watchers:
            watcher.join()
        assert set(statuses) <= {200, 404}
    assert own.api.get("//readyz").status_code == 200


def test_execution_slots_are_the_servers_and_go_round(servers, tmp_path):
    """With one slot for all, no two tasks are at work at the same time, and each workspace comes to something."""
    server = servers("--exec.max-running=1").start()
    script = f"mkdir {tmp_path}/lock || exit 1\nwhile [ ! -e {tmp_path}/all ]; do sleep 0.02; done\necho $REPRISE_WORKSPACE >> {tmp_path}/order\nrmdir {tmp_path}/lock"
    tasks = [{"taskKey": f"t{i}", "type": "SHELL_TASK", "script": script} for i in range(6)]
    places = [""] + [f"~/workspaces/{server.api.made('~/workspaces', {'displayName': f'w{i}'})['key']}" for i in range(2)]
    runs = []
    for place in places:
        job = server.api.made(f"{place}/jobs", {"name": "j", "path": "/", "tasks": tasks})
        runs.append((place, server.api.made(f"{place}/jobRuns", {"jobKey": job["key"]})["key"]))

    server.kill9()  # whose task goes on: with it, no more may be started by any of them
    server.start()
    (tmp_path / "all").touch()

    def ended(place, run):
        shown = server.api.read(f"{place}/jobRuns/{run}")
        return shown["state"]["status"] in ("SUCCESS", "FAILED") and shown

    for place, run in runs:
        assert eventually(lambda: ended(place, run), "its end")["state"]["status"] == "SUCCESS"  # noqa: B023
    order = (tmp_path / "order").read_text().split()
    assert len(order) == 18 and {order.count(name) for name in order} == {6}
    assert len(set(order[:9])) > 1, "the first has not kept the others out"
