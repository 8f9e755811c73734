"""/metrics: its form, held to what Prometheus demands; that its numbers are true; and who may read it."""

import re
import socket
from urllib.parse import urlsplit

import pytest

from harness import ROOT, Client, eventually, refused, step, task
from prometheus import parse
from sse import Stream

RUN = "/20260430/aiDataPlatforms/{}/workspaces/{}/jobRuns/{}"


def scrape(api):
    answer = api.get("//metrics")
    assert answer.status_code == 200, answer.text[:300]
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return parse(answer.text)


def settled(api, what, probe):
    """A scrape for which `probe` holds: gauges follow the commit that answered."""
    last = {}

    def look():
        last["families"] = scrape(api)
        return probe(last["families"])

    eventually(look, what)
    return last["families"]


def test_the_form_and_what_is_there(server):
    families = scrape(server.api)
    for name in ("runs", "queue_oldest_wait_seconds", "runs_created_total", "runs_finished_total", "tasks_finished_total",
                 "repairs_total", "schedule_lateness_seconds", "schedule_skipped_total", "attempts_started_total",
                 "attempts_finished_total", "attempts_running", "tasks_waiting", "supervisors_idle",
                 "commit_duration_seconds", "commit_rows", "commit_failures_total", "http_requests_total",
                 "http_request_duration_seconds", "http_connections", "streams", "store_bytes", "data_free_bytes",
                 "ready", "build_info"):
        assert f"reprise_{name}" in families, name
    for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"):
        assert families[name].value() > 0, name
    assert families["reprise_ready"].value() == 1
    assert families["reprise_build_info"].value(version=server.api.read("//reprise/v1")["version"]) == 1
    assert families["reprise_store_bytes"].value(file="database") == (server.data / "reprise.db").stat().st_size


def test_guide_and_dashboard_speak_of_what_is_there_and_the_guide_of_all_of_it(server):
    families = scrape(server.api)
    ours = {name for name in families if name.startswith("reprise_")}
    for path in ("docs/guide/operations.md", "dist/grafana-dashboard.json"):
        named = {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"reprise_[a-z_]+", (ROOT / path).read_text())}
        assert named <= ours, path
        if path.endswith(".md"):
            assert named == ours, "not told in the guide"


def test_the_alerts_of_the_guide_leave_out_no_bad_end(server):
    rules = (ROOT / "docs/guide/operations.md").read_text().split("groups:\n")[1].split("```")[0]
    watched = {state for states in re.findall(r'reprise_runs_finished_total\{state=~?\\"([A-Z_|]+)', rules) for state in states.split("|")}
    states = set(re.findall(r'reprise_runs_finished_total\{state="([A-Z_]+)"', server.api.get("//metrics").text))
    assert watched == states - {"SUCCESS"}


def test_work_is_counted_as_it_was_committed(server):
    api = server.api
    before = scrape(api)
    slow = api.job([step("hold", gate="count"), step("after", after="hold")], name="counted", queue={"isEnabled": True})
    first, second = api.run(slow), api.run(slow)
    api.wait_task(first, "hold", "RUNNING")
    now = settled(api, "one attempt runs", lambda f: f["reprise_attempts_running"].value() == 1)
    assert now["reprise_runs"].value(state="RUNNING") == 1
    assert now["reprise_runs"].value(state="QUEUED") == 1
    assert settled(api, "the wait grows", lambda f: f["reprise_queue_oldest_wait_seconds"].value() > 0)
    server.open_gate("count")
    for run in (first, second):
        api.wait_final(run, "SUCCESS")
    failed = api.go([task("bad", "fail.py"), step("then", after="bad")], "FAILED")
    api.repair(failed)
    api.wait_final(failed, "FAILED")
    api.go([task("gone", "no-such-file.py")], "INTERNAL_ERROR")
    after = settled(api, "nothing runs", lambda f: f["reprise_attempts_running"].value() == 0)

    def more(name, suffix="", **labels):
        return after[name].value(suffix, **labels) - before[name].value(suffix, **labels)

    assert more("reprise_runs_created_total", launched="MANUAL") == 4
    assert more("reprise_runs_finished_total", state="SUCCESS") == 2
    assert more("reprise_runs_finished_total", state="FAILED") == 2, "once as the original, once as the repair"
    assert more("reprise_runs_finished_total", state="INTERNAL_ERROR") == 1
    assert more("reprise_repairs_total") == 1
    assert more("reprise_tasks_finished_total", state="SUCCESS") == 4
    assert more("reprise_tasks_finished_total", state="UPSTREAM_FAILED") == 2
    assert more("reprise_attempts_finished_total", cause="exited") == 6
    assert more("reprise_attempts_finished_total", cause="cannot_start") == 1
    assert more("reprise_attempts_finished_total", cause="lost") == 0
    assert more("reprise_attempts_started_total") == 7
    assert more("reprise_commit_duration_seconds", "_count") == more("reprise_commit_rows", "_count") > 0
    assert more("reprise_commit_duration_seconds", "_sum") > 0
    assert after["reprise_queue_oldest_wait_seconds"].value() == 0
    assert after["reprise_runs"].value() == 0, "every run is final"


def test_requests_are_counted_by_route_and_never_by_what_was_asked(server):
    api = server.api
    run = api.go([step("one")], "SUCCESS", name="secretive")
    before = scrape(api)
    for _ in range(3):
        api.get_run(run)
    api.get("/jobRuns/nonsense")
    api.get("//no/such/path/secretive")
    Client(server.endpoint, None).get(f"/jobRuns/{run['key']}")
    api.call("POST", "//metrics")
    too_much = b"GET /" + b"x" * 17000 + b" HTTP/1.1\r\nhost: x\r\n\r\n"
    with socket.create_connection(urlsplit(server.url).netloc.split(":")) as client:  # refused before anyone asks what it is
        client.sendall(too_much)
        assert b" 414 " in client.recv(100)
    api.get("//")
    text = api.get("//metrics").text
    after = parse(text)

    def more(**labels):
        return [after[f"reprise_http_{name}"].value(suffix, **labels) - before[f"reprise_http_{name}"].value(suffix, **labels)
                for name, suffix in (("requests_total", ""), ("request_duration_seconds", "_count"))]

    assert more(route=RUN, status="200")[0] == 3
    assert more(route=RUN, status="404")[0] == 1
    assert more(route=RUN, status="401")[0] == 1
    assert more(route=RUN, method="GET") == [5, 5]
    assert more(route="none", status="404")[0] == 1
    assert more(route="none", status="405")[0] == 1
    assert more(route="none", status="414")[0] == 1
    assert more(route="page", status="200")[0] == 1
    assert 0 < after["reprise_http_request_duration_seconds"].value("_sum", route=RUN) < 60
    for word in (run["key"], run["jobKey"], "secretive", "nonsense", server.endpoint["workspaceKey"], server.token):
        assert word not in text, "a name of somebody's makes no time series"


def test_schedules_and_streams(server):
    api = server.api
    assert scrape(api)["reprise_streams"].value() == 0
    with Stream(api, "/events") as stream:
        assert stream.status == 200
        assert settled(api, "the stream is counted", lambda f: f["reprise_streams"].value() == 1)
    job = api.job([], name="ticks", schedule={"quartzCronExpression": "* * * * * ?", "timezoneId": "UTC"})
    try:
        families = settled(api, "a schedule fires or is refused", lambda f: f["reprise_schedule_lateness_seconds"].value("_count")
                           + f["reprise_schedule_skipped_total"].value() > 0)
    finally:
        api.delete(f"/jobs/{job['key']}")
    made = families["reprise_runs_created_total"].value(launched="SCHEDULED")
    assert families["reprise_schedule_lateness_seconds"].value("_count") == made
    settled(api, "the stream has ended", lambda f: f["reprise_streams"].value() == 0)


def test_who_may_read_it(server):
    stranger = Client(server.endpoint, None)
    refused(stranger.get("//metrics"), 401, "NotAuthenticated")
    accounts = "//reprise/v1"
    server.api.made(f"{accounts}/users", {"name": "scraper", "role": "VIEWER"})
    token = server.api.made(f"{accounts}/tokens", {"user": "scraper", "name": "prometheus"})["token"]
    assert Client(server.endpoint, token).get("//metrics").status_code == 200
    workspace = server.api.made("~/workspaces", {"displayName": "elsewhere"})
    server.api.made(f"{accounts}/users", {"name": "other", "role": "ADMIN", "workspaceKey": workspace["key"]})
    token = server.api.made(f"{accounts}/tokens", {"user": "other", "name": "t"})["token"]
    refused(Client(server.endpoint, token).get("//metrics"), 404, "NotAuthorizedOrNotFound")


@pytest.fixture
def open_server(servers):
    return servers("--http.public-metrics=true").start()


def test_it_is_public_where_the_configuration_says_so(open_server):
    """And numbers begin anew with every server; what is stored does not."""
    stranger = Client(open_server.endpoint, None)
    open_server.api.go([step("one")], "SUCCESS")
    assert scrape(stranger)["reprise_runs_finished_total"].value() == 1
    refused(stranger.get("/jobs"), 401, "NotAuthenticated")
    run = open_server.api.run(open_server.api.job([step("hold", gate="never")]))
    open_server.api.wait_task(run, "hold", "RUNNING")
    open_server.restart()
    families = scrape(Client(open_server.endpoint, None))
    assert families["reprise_runs_finished_total"].value() == 0
    assert families["reprise_runs"].value(state="RUNNING") == 1
    settled(Client(open_server.endpoint, None), "the attempt was adopted", lambda f: f["reprise_attempts_running"].value() == 1)
