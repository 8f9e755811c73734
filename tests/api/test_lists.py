"""The lists of jobs, job runs and recent job runs: filters, order, pages (RULES §9; CONTRACT §4)."""

import time

import pytest
from harness import Client, refused, step, task
from seeds import JOB_RUN_SUMMARY, JOB_SUMMARY, check

pytestmark = pytest.mark.sanitize

ZERO = "00000000-0000-7000-8000-000000000000"
RUN_STATUSES = ["PENDING", "QUEUED", "RUNNING", "SKIPPED", "INTERNAL_ERROR", "BLOCKED", "SUCCESS", "FAILED", "CANCELING",
                "CANCELED", "UPSTREAM_CANCELED", "UPSTREAM_FAILED", "EXCLUDED", "TIMED_OUT", "PAUSED_MAINTENANCE"]


@pytest.fixture(scope="module")
def made(server):
    """Three jobs. `beta` has 7 successes, `alpha` 3 failures, `gamma` one of each of SUCCESS and SKIPPED."""
    api = server.api
    jobs = {"beta": api.job([task("a")], name="beta"), "alpha": api.job([step("a", exit=1)], name="alpha"),
            "gamma": api.job([step("a", gate="gamma")], name="gamma")}
    runs = {"beta": [api.wait_final(api.run(jobs["beta"])) for _ in range(7)],
            "alpha": [api.wait_final(api.run(jobs["alpha"])) for _ in range(3)]}
    runs["gamma"] = [api.run(jobs["gamma"]), api.run(jobs["gamma"])]
    server.open_gate("gamma")
    runs["gamma"] = [api.wait_final(run) for run in runs["gamma"]]
    return jobs, runs


def keys(items):
    return [item["key"] for item in items]


def newest_first(runs):
    return keys(sorted(runs, key=lambda r: (r["timeCreated"], r["key"]), reverse=True))


def every(runs):
    return [run for of_job in runs.values() for run in of_job]


# --- job runs ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("path", ["/jobRuns", "/recentJobRuns"])
def test_items_are_summaries_of_the_runs(api, made, path):
    jobs, runs = made
    items = api.page_through(path, jobKey=[j["key"] for j in jobs.values()])
    by_key = {run["key"]: run for run in every(runs)}
    for item in items:
        check(item, JOB_RUN_SUMMARY)
        run = by_key[item["key"]]
        for field in JOB_RUN_SUMMARY["properties"]:
            assert item[field] == run[field], field


def test_all_runs_newest_first(api, made):
    _, runs = made
    assert keys(api.page_through("/jobRuns", limit=5)) == newest_first(every(runs))


def test_a_full_last_page_ends_the_list(api, made):
    jobs, _ = made
    first = api.get("/jobRuns", jobKey=jobs["alpha"]["key"], limit=3)
    assert len(first.json()["items"]) == 3
    if "opc-next-page" in first.headers:  # a page may be empty while a header led to it
        rest = api.get("/jobRuns", jobKey=jobs["alpha"]["key"], limit=3, page=first.headers["opc-next-page"])
        assert rest.json()["items"] == [] and "opc-next-page" not in rest.headers


def test_filters_of_job_runs(api, made):
    jobs, runs = made
    alpha, beta = jobs["alpha"]["key"], jobs["beta"]["key"]
    assert keys(api.page_through("/jobRuns", jobKey=alpha)) == newest_first(runs["alpha"])
    both = api.page_through("/jobRuns", jobKey=[alpha, beta, alpha, "nonsense", ZERO], limit=4)
    assert keys(both) == newest_first(runs["alpha"] + runs["beta"])
    assert api.page_through("/jobRuns", jobKey="nonsense") == []
    assert keys(api.page_through("/jobRuns", displayName="alpha")) == newest_first(runs["alpha"])
    assert api.page_through("/jobRuns", displayName="alph") == []
    skipped = [r for r in every(runs) if r["state"]["status"] in ("SKIPPED", "FAILED")]
    assert keys(api.page_through("/jobRuns", status=["SKIPPED", "FAILED"], limit=2)) == newest_first(skipped)
    assert api.page_through("/jobRuns", status="RUNNING") == []
    middle = sorted(runs["beta"], key=lambda r: r["timeCreated"])[3]["timeCreated"]
    later = [r for r in runs["beta"] if r["timeCreated"] >= middle]
    earlier = [r for r in runs["beta"] if r["timeCreated"] <= middle]
    assert keys(api.page_through("/jobRuns", jobKey=beta, timeCreatedGreaterThanOrEqualTo=middle)) == newest_first(later)
    assert keys(api.page_through("/jobRuns", jobKey=beta, timeCreatedLessThanOrEqualTo=middle)) == newest_first(earlier)


@pytest.mark.parametrize("status", RUN_STATUSES)
def test_a_filter_takes_every_status(api, made, status):
    _, runs = made
    expected = [r for r in every(runs) if r["state"]["status"] == status]
    assert keys(api.page_through("/jobRuns", status=status)) == newest_first(expected)


@pytest.mark.parametrize("sort,reverse", [("timeCreated", None), ("timeCreated", "ASC"), ("timeCreated", "DESC"),
                                          ("displayName", None), ("displayName", "DESC"), ("status", None),
                                          ("status", "ASC"), ("status", "DESC")])
@pytest.mark.parametrize("path,limit", [("/jobRuns", 5), ("/jobRuns", 100), ("/recentJobRuns", 4)])
def test_orders(api, made, path, limit, sort, reverse):
    jobs, runs = made
    params = {"sortBy": sort, "limit": limit, "jobKey": [j["key"] for j in jobs.values()],
              **({"sortOrder": reverse} if reverse else {})}
    if path == "/recentJobRuns":
        params["recordCount"] = 10
    descending = (reverse or ("DESC" if sort == "timeCreated" else "ASC")) == "DESC"
    # ties: timeCreated DESC, then key (which way it goes is not said; runs of one millisecond are compared as a set)
    expected = sorted(every(runs), key=lambda r: r["timeCreated"], reverse=True)
    by = {"timeCreated": lambda r: r["timeCreated"], "displayName": lambda r: r["name"],
          "status": lambda r: r["state"]["status"]}[sort]
    expected = sorted(expected, key=by, reverse=descending)
    seen = api.page_through(path, **params)
    assert [(by(i), i["timeCreated"]) for i in seen] == [(by(i), i["timeCreated"]) for i in expected]
    assert sorted(keys(seen)) == sorted(keys(expected))


@pytest.mark.parametrize("path,most", [("/jobRuns", 1000), ("/jobs", 1000), ("/recentJobRuns", 25)])
def test_limits(api, made, path, most):
    jobs, _ = made
    needed = {"jobKey": jobs["beta"]["key"]} if path == "/recentJobRuns" else {}
    for right in (1, most):
        assert api.get(path, limit=right, **needed).status_code == 200
    for wrong in (0, -1, most + 1, "x", "", "1.5", "99999999999999999999"):
        refused(api.get(path, limit=wrong, **needed), 400, "InvalidParameter", "limit")


@pytest.mark.parametrize("path", ["/jobRuns", "/jobs", "/recentJobRuns"])
@pytest.mark.parametrize("name,value", [("sortBy", "colour"), ("sortBy", ""), ("sortOrder", "asc"), ("sortOrder", "UP"),
                                        ("page", ""), ("page", "forged"), ("page", "AAAA"), ("page", "x" * 3000)])
def test_bad_parameters_are_named(api, made, path, name, value):
    jobs, _ = made
    needed = {"jobKey": jobs["beta"]["key"]} if path == "/recentJobRuns" else {}
    refused(api.get(path, **{name: value}, **needed), 400, "InvalidParameter", name)


@pytest.mark.parametrize("name,value", [("status", "DONE"), ("status", "success"),
                                        ("timeCreatedGreaterThanOrEqualTo", "yesterday"),
                                        ("timeCreatedLessThanOrEqualTo", "2026-13-01T00:00:00Z")])
def test_bad_filters_are_named(api, name, value):
    refused(api.get("/jobRuns", **{name: value}), 400, "InvalidParameter", name)


# --- page tokens ------------------------------------------------------------------------------------------------------

def token_of(api, path, **params):
    return api.get(path, **params).headers["opc-next-page"]


@pytest.mark.parametrize("path", ["/jobRuns", "/jobs", "/recentJobRuns", "/taskRuns"])
def test_a_changed_token_is_refused(api, made, path):
    jobs, runs = made
    needed = {"/recentJobRuns": {"jobKey": jobs["beta"]["key"]}, "/jobs": {}, "/jobRuns": {}}.get(path)
    if needed is None:
        run = api.go([task("a"), task("b")], "SUCCESS")
        needed = {"jobRunKey": run["key"]}
    token = token_of(api, path, limit=1, **needed)
    assert api.get(path, limit=1, page=token, **needed).status_code == 200
    for place in range(0, len(token), max(1, len(token) // 20)):
        other = "B" if token[place] == "A" else "A"
        forged = token[:place] + other + token[place + 1:]
        answer = api.get(path, limit=1, page=forged, **needed)
        refused(answer, 400, "InvalidParameter", "page")
    for forged in (token[:-1], token + "A", token[::-1], token * 2, token.upper() + "="):
        refused(api.get(path, limit=1, page=forged, **needed), 400, "InvalidParameter", "page")


def test_a_token_belongs_to_its_list_its_filter_and_its_order(api, made):
    jobs, runs = made
    beta, alpha = jobs["beta"]["key"], jobs["alpha"]["key"]
    token = token_of(api, "/jobRuns", limit=1, jobKey=beta)
    other = [("/jobRuns", {"jobKey": alpha}), ("/jobRuns", {}), ("/jobRuns", {"jobKey": beta, "status": "SUCCESS"}),
             ("/jobRuns", {"jobKey": beta, "sortBy": "displayName"}), ("/jobRuns", {"jobKey": beta, "sortOrder": "ASC"}),
             ("/jobRuns", {"jobKey": beta, "displayName": "beta"}), ("/jobs", {}), ("/recentJobRuns", {"jobKey": beta}),
             ("/taskRuns", {"jobRunKey": runs["beta"][0]["key"]})]
    for path, params in other:
        refused(api.get(path, limit=1, page=token, **params), 400, "InvalidParameter", "page")
    recent = token_of(api, "/recentJobRuns", limit=1, jobKey=beta)
    refused(api.get("/recentJobRuns", limit=1, page=recent, jobKey=beta, recordCount=2), 400, "InvalidParameter", "page")
    refused(api.get("/recentJobRuns", limit=1, page=recent, jobKey=alpha), 400, "InvalidParameter", "page")


def test_a_token_of_another_server_is_refused(api, own, made):
    for _ in range(2):
        own.api.wait_final(own.api.run(own.api.job([task("a")])))
    token = token_of(own.api, "/jobRuns", limit=1)
    refused(api.get("/jobRuns", limit=1, page=token), 400, "InvalidParameter", "page")


def test_a_page_may_have_another_limit(api, made):
    _, runs = made
    first = api.get("/jobRuns", limit=2)
    rest = api.get("/jobRuns", limit=1000, page=first.headers["opc-next-page"])
    assert rest.status_code == 200
    assert len(first.json()["items"] + rest.json()["items"]) >= len(every(runs))


@pytest.mark.parametrize("sort", ["timeCreated", "displayName", "status"])
@pytest.mark.parametrize("order", ["ASC", "DESC"])
@pytest.mark.parametrize("path", ["/jobRuns", "/recentJobRuns"])
def test_no_run_twice_while_new_ones_are_made(api, path, sort, order):
    job = api.job([task("a")], name="moving", maxConcurrentRuns=100)
    old = [api.wait_final(api.run(job)) for _ in range(5)]
    params = {"jobKey": job["key"], "limit": 1, "sortBy": sort, "sortOrder": order}
    seen, page = [], None
    while True:
        answer = api.get(path, **params, **({"page": page} if page else {}))
        assert answer.status_code == 200, answer.text
        seen += keys(answer.json()["items"])
        page = answer.headers.get("opc-next-page")
        if page is None:
            break
        time.sleep(0.002)  # the next run is of a later millisecond
        api.run(job)
    assert len(seen) == len(set(seen)), "a run twice"
    assert sorted(seen) == sorted(keys(old)), "exactly what was there at the first page"


@pytest.mark.parametrize("order", ["ASC", "DESC"])
@pytest.mark.parametrize("path", ["/jobRuns", "/recentJobRuns"])
def test_no_run_twice_while_its_status_changes(server, api, path, order):
    gate = f"status{path[1:]}{order}"
    job = api.job([step("a", gate=gate)], name="changing", maxConcurrentRuns=100)
    runs = [api.run(job) for _ in range(4)]
    for run in runs:
        api.wait_task(run, "a", "RUNNING")
    params = {"jobKey": job["key"], "limit": 1, "sortBy": "status", "sortOrder": order}
    first = api.get(path, **params)
    seen, page = keys(first.json()["items"]), first.headers["opc-next-page"]
    server.open_gate(gate)
    for run in runs:
        api.wait_final(run, "SUCCESS")
    while page:
        answer = api.get(path, **params, page=page)
        seen += keys(answer.json()["items"])
        page = answer.headers.get("opc-next-page")
    assert len(seen) == len(set(seen)), "a run twice"


def test_a_deleted_run_does_not_break_the_pages(api):
    job = api.job([task("a")])
    runs = [api.wait_final(api.run(job)) for _ in range(4)]
    first = api.get("/jobRuns", jobKey=job["key"], limit=1)
    assert keys(first.json()["items"]) == [runs[3]["key"]]
    for gone in (runs[3], runs[2]):
        assert api.delete(f"/jobRuns/{gone['key']}").status_code == 204
    rest = api.page_through("/jobRuns", jobKey=job["key"], limit=1, page=first.headers["opc-next-page"])
    assert keys(rest) == [runs[1]["key"], runs[0]["key"]]


# --- recent runs ------------------------------------------------------------------------------------------------------

def test_recent_is_the_newest_of_each_job(api, made):
    jobs, runs = made
    params = {"jobKey": [jobs["beta"]["key"], jobs["alpha"]["key"], jobs["beta"]["key"], "nonsense", ZERO]}
    expected = newest_first(runs["beta"][-5:] + runs["alpha"])
    assert keys(api.page_through("/recentJobRuns", **params)) == expected, "recordCount is 5"
    assert keys(api.page_through("/recentJobRuns", limit=3, **params)) == expected
    expected = newest_first(runs["beta"][-2:] + runs["alpha"][-2:])
    assert keys(api.page_through("/recentJobRuns", recordCount=2, **params)) == expected
    assert len(api.read("/recentJobRuns", recordCount=10, **params)["items"]) == 10, "limit is 10"


def test_recent_needs_a_job(api):
    refused(api.get("/recentJobRuns"), 400, "MissingParameter", "jobKey")
    assert api.read("/recentJobRuns", jobKey=ZERO) == {"items": []}
    assert api.read("/recentJobRuns", jobKey="nonsense") == {"items": []}


def test_recent_takes_100_jobs(api, made):
    jobs, _ = made
    many = [jobs["beta"]["key"]] + [f"00000000-0000-7000-8000-{n:012}" for n in range(99)]
    assert len(api.read("/recentJobRuns", jobKey=many)["items"]) == 5
    refused(api.get("/recentJobRuns", jobKey=many + [ZERO[:-1] + "a"]), 400, "InvalidParameter", "jobKey")
    refused(api.get("/recentJobRuns", jobKey=[f"odd{n}" for n in range(101)]), 400, "InvalidParameter", "jobKey")
    assert api.read("/recentJobRuns", jobKey=["odd"] * 150 + ["Odd"]) == {"items": []}
    merged = api.read("/recentJobRuns", jobKey=[jobs["beta"]["key"]] * 150)
    assert len(merged["items"]) == 5, "duplicates merge"


@pytest.mark.parametrize("value", [0, 11, -1, "x", ""])
def test_record_count_is_1_to_10(api, made, value):
    jobs, _ = made
    refused(api.get("/recentJobRuns", jobKey=jobs["beta"]["key"], recordCount=value), 400, "InvalidParameter",
            "recordCount")


# --- jobs -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_no_job_twice_while_it_is_renamed(api, order):
    low, high = ("listed_a", "listed_z") if order == "ASC" else ("listed_z", "listed_a")
    jobs = [api.made("/jobs", {"name": name}) for name in (low, "listed_m", "listed_n", high)]
    params = {"jobKey": keys(jobs), "sortBy": "displayName", "sortOrder": order, "limit": 1}
    first = api.get("/jobs", **params)
    assert keys(first.json()["items"]) == [jobs[0]["key"]]
    time.sleep(0.002)  # the new names are of a later millisecond
    for job, name in ((jobs[0], "listed_p"), (jobs[3], "listed_q")):  # was listed; is to come
        assert api.put(f"/jobs/{job['key']}", {"name": name}).status_code == 202
    rest = keys(api.page_through("/jobs", **params, page=first.headers["opc-next-page"]))
    assert jobs[0]["key"] not in rest, "a job twice"
    assert sorted(rest) == sorted(keys(jobs[1:]))


def test_jobs_and_their_filters(api, made):
    jobs, _ = made
    items = api.page_through("/jobs", limit=2)
    for item in items:
        check(item, JOB_SUMMARY)
    assert set(keys(jobs.values())) <= set(keys(items))
    assert [i["timeCreated"] for i in items] == sorted((i["timeCreated"] for i in items), reverse=True)
    assert keys(api.page_through("/jobs", displayName="alpha")) == [jobs["alpha"]["key"]]
    assert keys(api.page_through("/jobs", displayNameContains="lph")) == [jobs["alpha"]["key"]]
    assert api.page_through("/jobs", displayNameContains="%") == [], "a sign of the database is only a sign"
    assert api.page_through("/jobs", displayNameContains="_lpha") == []
    names = [i["name"] for i in api.page_through("/jobs", sortBy="displayName", limit=2)]
    assert names == sorted(names)
    elsewhere = api.made("/jobs", {"name": "elsewhere", "path": "Other/place"})
    assert keys(api.page_through("/jobs", path="Other/place")) == [elsewhere["key"]]
    wanted = [jobs["alpha"]["key"], jobs["beta"]["key"]]
    assert sorted(keys(api.page_through("/jobs", jobKey=wanted))) == sorted(wanted)
    assert jobs["alpha"]["key"] in keys(api.page_through("/jobs", createdBy=jobs["alpha"]["createdBy"]))
    assert api.page_through("/jobs", createdBy="nobody") == []
    assert api.page_through("/jobs", updatedBy="nobody") == []


def test_display_names_have_a_length(api):
    for wrong in ("", "x" * 256):
        refused(api.get("/jobs", displayName=wrong), 400, "InvalidParameter", "displayName")


def test_unknown_parameters_are_ignored(api):
    assert api.get("/jobs", colour="red").status_code == 200


def test_parameters_are_decoded_once(api):
    made = api.made("/jobs", {"name": "decoded", "path": "a b/%41+c"})
    assert keys(api.page_through("/jobs", path="a b/%41+c")) == [made["key"]]
    assert api.page_through("/jobs", path="a b/A+c") == []
    plus = api.get("/jobs?path=a+b/%2541%2Bc")
    assert plus.status_code == 200 and keys(plus.json()["items"]) in ([made["key"]], [])


# --- what changes between two pages of the lists that are not of runs and jobs (RULES §9: the same for every list) ---


def rest_of(api, path, first, **params):
    return api.page_through(path, page=first.headers["opc-next-page"], **params)


@pytest.mark.parametrize("order, names", [({"sortBy": "displayName"}, "abcdef"), ({"sortBy": "displayName", "sortOrder": "DESC"}, "fedcba"),
                                          ({}, "fedcba"), ({"sortOrder": "ASC"}, "abcdef")])
def test_clusters_change_between_pages(own, order, names):
    api = own.api
    body = {"type": "USER", "driverConfig": {"shape": "small"}}
    clusters = {name: api.made("/clusters", {**body, "displayName": name}) for name in "abcdef"}
    order = {**order, "limit": 3}
    first = api.get("/clusters", **order)
    shown = [c["displayName"] for c in first.json()["items"]]
    left = [name for name in names if name not in shown]
    gone, renamed = [name for name in shown if name != "local"][:2]
    assert api.delete(f"/clusters/{clusters[gone]['key']}").status_code == 204
    assert api.put(f"/clusters/{clusters[renamed]['key']}", {**body, "displayName": f"{renamed}2"}).status_code == 200
    api.made("/clusters", {**body, "displayName": "d2"})
    rest = [c["displayName"] for c in rest_of(api, "/clusters", first, **order)]
    assert [name for name in rest if name != "local"] == left


def test_permissions_change_between_pages(own):
    api = own.api
    job = api.made("/jobs", {"name": "shared", "path": "Shared"})
    change = lambda what, role: api.post(f"/jobs/{job['key']}/actions/managePermission", {  # noqa: E731
        f"{what}JobPermissionDetails": {"assignees": {"type": "ROLE", "targets": [role]}, "permissions": ["USE"]}})
    names = lambda items: [p["granteeName"] for p in items]  # noqa: E731
    path = f"/jobs/{job['key']}/permissions"
    for order in ({}, {"sortBy": "displayName"}, {"sortBy": "displayName", "sortOrder": "DESC"}, {"sortOrder": "ASC"}):
        for role in ("VIEWER", "ADMIN"):
            assert change("assign", role).status_code == 200
            time.sleep(0.002)
        first = api.get(path, limit=1, **order)
        time.sleep(0.002)
        assert change("assign", "OPERATOR").status_code == 200
        seen = names(first.json()["items"]) + names(rest_of(api, path, first, limit=1, **order))
        assert sorted(seen) == ["ADMIN", "VIEWER"], order
        first = api.get(path, limit=1, **order)
        every = names(api.page_through(path, **order))
        assert change("revoke", every[0]).status_code == 200
        assert names(rest_of(api, path, first, limit=1, **order)) == every[1:]
        for role in every[1:]:
            assert change("revoke", role).status_code == 200


def test_operations_of_a_workspace_that_goes_between_pages(own):
    one, two, three = (own.api.made("~/workspaces", {"displayName": name}) for name in ("one", "two", "three"))
    for workspace in (one, two, three):
        there = Client({**own.endpoint, "workspaceKey": workspace["key"]}, own.token)
        for i in range(3):
            there.made("/jobs", {"name": f"{workspace['displayName']}{i}", "path": "Shared"})
    read = {"resourceType": "JOB", "limit": 2}
    names = lambda items: [o["resourceName"] for o in items]  # noqa: E731
    for gone, pages, left in ((one, 1, ["two2", "two1", "two0", "three2", "three1", "three0"]), (two, 2, ["three1", "three0"])):
        answer = own.api.get("~/asyncOperations", **read)
        for _ in range(pages - 1):
            answer = own.api.get("~/asyncOperations", page=answer.headers["opc-next-page"], **read)
        assert own.api.delete(f"~/workspaces/{gone['key']}").status_code == 204
        assert names(rest_of(own.api, "~/asyncOperations", answer, **read)) == left, gone["displayName"]
