"""Schedules: checked when they are saved, and the times that they will fire (CONTRACT §6)."""

import time
from datetime import datetime, timezone

import pytest
from harness import refused, step

GOOD = {"quartzCronExpression": "0 30 2 * * ?", "timezoneId": "America/New_York"}
BAD = [
    ({"quartzCronExpression": "0 0 25 * * ?"}, "schedule.quartzCronExpression, column 5: the hour must be a number from 0 to 23"),
    ({"quartzCronExpression": "every day"}, "schedule.quartzCronExpression, column 1"),
    ({"quartzCronExpression": "0 0 3 * *"}, "schedule.quartzCronExpression, column 10"),
    ({"quartzCronExpression": "0 0 3 ? * MON-FRI/2"}, "schedule.quartzCronExpression, column 18"),
    ({"timezoneId": "Europe/Berln"}, "schedule.timezoneId is no known time zone; did you mean Europe/Berlin?"),
    ({"timezoneId": "Moon/Crater"}, "schedule.timezoneId is no known time zone"),
    ({"timezoneId": "../../etc/passwd"}, "schedule.timezoneId is no known time zone"),
]


def ms(text):
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize("change,message", BAD)
def test_a_job_with_a_bad_schedule_is_not_saved(api, change, message):
    job = api.job([step("a")], schedule=GOOD)
    body = {"name": "scheduled", "path": "Shared", "tasks": [], "schedule": GOOD | change}
    for answer in (api.post("/jobs", body), api.put(f"/jobs/{job['key']}", body)):
        refused(answer, 400, "InvalidParameter", message)
    assert api.read(f"/jobs/{job['key']}")["schedule"] == GOOD | {"pauseStatus": "UNPAUSED"}


@pytest.mark.parametrize("change,message", BAD)
def test_a_run_is_not_given_a_bad_schedule(api, change, message):
    job = api.job([step("a")])
    refused(api.post("/jobRuns", {"jobKey": job["key"], "schedule": GOOD | change}), 400, "InvalidParameter", message)
    # a field that is wrong comes before a job that is not there
    refused(api.post("/jobRuns", {"jobKey": "x", "schedule": GOOD | change}), 400, "InvalidParameter", message)


@pytest.mark.parametrize("zone", ["UTC", "GMT+8", "PST", "US/Pacific", "Europe/Berlin"])
@pytest.mark.parametrize("expression", ["0 0 3 L-3W * ? 2026-2030", "0 0/15 9-17 ? * MON-FRI", "0 0 0 30 2 ?"])
def test_what_quartz_takes_is_saved_as_it_is(api, expression, zone):
    given = {"quartzCronExpression": expression, "timezoneId": zone, "pauseStatus": "PAUSED"}
    assert api.job([], schedule=given)["schedule"] == given


def following(api, **query):
    return api.read("/schedules/next", **{"quartzCronExpression": "0 30 2 * * ?", "timezoneId": "America/New_York"} | query)


def test_the_next_times(api):
    body = following(api, after="2026-03-07T00:00:00-05:00", count=3)
    assert set(body) == {"next", "items"}
    assert body["next"] == [ms("2026-03-07T02:30:00-05:00"), ms("2026-03-09T02:30:00-04:00"), ms("2026-03-10T02:30:00-04:00")]
    first, second, _ = body["items"]
    assert first == {"time": "2026-03-07T07:30:00.000Z", "local": "2026-03-07T02:30:00-05:00", "clockChange": None, "note": None}
    assert second == {"time": "2026-03-09T06:30:00.000Z", "local": "2026-03-09T02:30:00-04:00", "clockChange": None,
                      "note": "not at 2026-03-08 02:30, which no clock showed"}


def test_days_of_clock_changes_are_marked(api):
    gap = following(api, quartzCronExpression="0 0 12 * * ?", after="2026-03-08T00:00:00-05:00", count=2)["items"]
    assert [item["clockChange"] for item in gap] == ["GAP", None]
    overlap = following(api, quartzCronExpression="0 30 1 * * ?", after="2026-11-01T00:00:00-04:00", count=2)["items"]
    assert [item["clockChange"] for item in overlap] == ["OVERLAP", None]
    assert overlap[0]["local"] == "2026-11-01T01:30:00-05:00" and "second 01:30" in overlap[0]["note"]


def test_after_is_strict_and_takes_epoch_ms(api):
    at = ms("2026-03-10T02:30:00-04:00")
    assert following(api, after=at - 1, count=1)["next"] == [at]
    assert following(api, after=at, count=1)["next"] == [ms("2026-03-11T02:30:00-04:00")]
    assert following(api, after="2026-03-10T06:30:00Z", count=1)["next"] == [ms("2026-03-11T02:30:00-04:00")]


def test_without_after_it_is_from_now_on(api):
    body = following(api, quartzCronExpression="* * * * * ?", timezoneId="UTC")
    assert len(body["next"]) == 10
    assert abs(body["next"][0] / 1000 - time.time()) < 60
    assert body["items"][0]["time"] == datetime.fromtimestamp(body["next"][0] / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_one_that_never_fires_has_no_times(api):
    assert following(api, quartzCronExpression="0 0 0 30 2 ?") == {"next": [], "items": []}
    assert following(api, quartzCronExpression="0 0 0 1 1 ? 2020") == {"next": [], "items": []}


@pytest.mark.parametrize("query,code,message", [
    ({"quartzCronExpression": None}, "MissingParameter", "quartzCronExpression"),
    ({"timezoneId": None}, "MissingParameter", "timezoneId"),
    ({"quartzCronExpression": "0 0 25 * * ?"}, "InvalidParameter", "quartzCronExpression, column 5: the hour"),
    ({"timezoneId": "UTC+8"}, "InvalidParameter", "timezoneId is no known time zone; did you mean GMT+8?"),
    ({"after": "yesterday"}, "InvalidParameter", "after must be epoch ms or an RFC 3339 date-time"),
    ({"count": 0}, "InvalidParameter", "count"), ({"count": 1001}, "InvalidParameter", "count"),
])
def test_bad_queries(api, query, code, message):
    params = {"quartzCronExpression": "0 30 2 * * ?", "timezoneId": "UTC"} | query
    refused(api.get("/schedules/next", **params), 400, code, message)
