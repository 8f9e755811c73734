"""recentJobs: should-update-recent puts a job first in the caller's list, by whatever call it came; it is kept."""

from harness import refused, step, task

RECENT = {"should-update-recent": "true"}


def names(api, **query):
    return [job["name"] for job in api.read("/recentJobs", **query)["items"]]


def test_every_call_that_takes_the_header_puts_its_job_first(own):
    api = own.api
    jobs = {name: api.job([task("a")], name=name) for name in ("one", "two", "three")}
    assert names(api) == []
    path = {name: f"/jobs/{job['key']}" for name, job in jobs.items()}
    api.get(path["one"], headers=RECENT)
    api.get(path["two"], headers=RECENT)
    assert names(api) == ["two", "one"]
    api.get(path["three"])
    api.get(path["three"], headers={"should-update-recent": "false"})
    assert names(api) == ["two", "one"]
    run = api.post("/jobRuns", {"jobKey": jobs["one"]["key"]}, headers=RECENT).json()
    assert names(api) == ["one", "two"]
    api.put(path["three"], {"name": "three", "tasks": [step("a", exit=1)]}, headers=RECENT)
    assert names(api) == ["three", "one", "two"]
    api.get(f"/jobRuns/{run['key']}", headers=RECENT)
    assert names(api) == ["one", "three", "two"]
    api.post("/jobs", {"name": "four"}, headers=RECENT)
    assert names(api) == ["four", "one", "three", "two"]
    assert names(api, limit=2) == ["four", "one"]
    assert [job["name"] for job in api.page_through("/recentJobs", limit=1)] == ["four", "one", "three", "two"]
    refused(api.get("/recentJobs", page="forged"), 400, "InvalidParameter", "page")
    own.restart()
    assert names(own.api) == ["four", "one", "three", "two"]
    assert own.api.delete(path["three"]).status_code == 204
    assert names(own.api) == ["four", "one", "two"]
