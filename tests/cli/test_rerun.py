"""rerun: what it asks of the server, and how a campaign is shown."""

import json

import pytest

from cli_fake import JOB, key

RANGE = ("--from", "2026-01-01T00:00:00Z", "--to", "1767312000000")


def campaign(status="RUNNING", cells=()):
    counts = {name: 0 for name in ("waiting", "blocked", "running", "success", "failed", "skipped", "canceled")}
    for cell in cells:
        counts[cell["status"].lower()] += 1
    return {"key": key(7), "name": "nightly again", "status": status, "stateMessage": "Running", "cellCount": len(cells),
            "jobs": [{"jobKey": key(1), "name": "load"}, {"jobKey": key(2), "name": "re\x1bport"}], "cellCounts": counts,
            "cells": list(cells)}


def cell(job, day, status, reason="why"):
    return {"jobKey": key(job), "jobName": f"job{job}", "plannedTime": f"2026-01-0{day}T03:00:00.000Z", "status": status,
            "reason": reason, "jobRunKey": key(40 + day)}


def test_everything_that_can_be_asked_for(cli, fake):
    fake.on("POST", "/rerunCampaigns", (201, campaign()))
    done = cli("rerun", JOB, *RANGE, "--job", key(2), "--downstream", "--concurrent", "4", "--where", "node", "--task", "load",
               "--version", "current", "--instances", "unsuccessful", "--canary", "--stop-on-fail", "--reverse", "--label", "x")
    assert done.returncode == 0, done.stderr
    sent = fake.sent("POST", "/rerunCampaigns")[0]
    assert sent.json() == {
        "jobKey": JOB, "beginTime": "2026-01-01T00:00:00.000Z", "endTime": "2026-01-02T00:00:00.000Z", "jobKeys": [key(2)],
        "concurrent": 4, "where": "NODE", "version": "CURRENT", "instances": "UNSUCCESSFUL", "isDownstream": True,
        "isCanary": True, "isStopOnFail": True, "isReverse": True, "taskKey": "load", "name": "x"}
    assert done.stdout.decode().startswith(f"Started campaign {key(7)}  RUNNING")


@pytest.mark.parametrize("args, words", [
    (("--to", "2026-01-01T00:00:00Z"), "--from is missing"), (("--from", "0"), "--to is missing"),
    (("--from", "yesterday", "--to", "0"), "yesterday"), ((*RANGE, "--concurrent", "129"), "from 1 to 128"),
])
def test_bad_usage(cli, fake, args, words):
    done = cli("rerun", JOB, *args)
    assert done.returncode == 2 and words in done.stderr.decode() and not fake.sent("POST", "/rerunCampaigns")


@pytest.mark.parametrize("zone, begin, end", [
    ("Europe/Berlin", "2026-03-28T23:00:00.000Z", "2026-03-29T21:59:59.999Z"),  # the clocks are changed on that day
    (None, "2026-03-29T00:00:00.000Z", "2026-03-29T23:59:59.999Z")])
def test_a_plain_date_is_that_whole_day_of_the_schedule(cli, fake, zone, begin, end):
    fake.on("GET", f"/jobs/{JOB}", {"key": JOB, "schedule": zone and {"timezoneId": zone}})
    fake.on("POST", "/rerunCampaigns", (201, campaign()))
    done = cli("rerun", JOB, "--from", "2026-03-29", "--to", "2026-03-29")
    assert done.returncode == 0, done.stderr
    sent = fake.sent("POST", "/rerunCampaigns")[0].json()
    assert (sent["beginTime"], sent["endTime"]) == (begin, end)
    said = ("2026-03-29 00:00+01:00", "2026-03-29 23:59:59+02:00") if zone else ("2026-03-29 00:00Z", "2026-03-29 23:59:59Z")
    assert done.stdout.decode().startswith("Planned times from %s to %s\nStarted" % said)
    assert cli("rerun", JOB, "--from", "2026-02-29", "--to", "2026-03-29").returncode == 2, "no such day"


def test_whose_day_it_is_must_be_known(cli, fake):
    fake.on("POST", "/rerunCampaigns", (201, campaign()))
    days = ["--from", "2025-10-25", "--to", "2025-10-25"]
    assert cli("rerun", JOB, *days).returncode == 3, "the job cannot be had"
    fake.on("GET", f"/jobs/{JOB}", {"key": JOB, "schedule": {"timezoneId": "Mars/Base"}})
    result = cli("rerun", JOB, *days)
    assert result.returncode == 2 and b"the clock of the job's schedule: \"Mars/Base\" is no known time zone" in result.stderr
    assert cli("rerun", JOB, "--from", "20251025", "--to", "20251026").returncode == 2
    assert not fake.sent("POST", "/rerunCampaigns")
    fake.on("GET", f"/jobs/{JOB}", {"key": JOB, "schedule": {"timezoneId": "Atlantic/Azores"}})
    assert cli("rerun", JOB, *days).stdout.decode().startswith("Planned times from 2025-10-25 00:00Z to 2025-10-25 23:59:59Z\n"), "midnight is there twice"


def test_all_cells_with_their_runs(cli, fake):
    cells = [cell(1, 1 + n % 9, "SUCCESS") for n in range(25)]
    fake.on("GET", f"/rerunCampaigns/{key(7)}", campaign(cells=cells))
    assert key(41) not in cli("rerun", "get", key(7)).stdout.decode()
    text = cli("rerun", "get", key(7), "--all").stdout.decode()
    assert sum("SUCCESS" in line and line.startswith("2026-01-0") for line in text.splitlines()) == 25
    assert ["2026-01-02", "03:00Z", "job1", "SUCCESS", key(42), "why"] in [line.split() for line in text.splitlines()]
    fake.on("GET", f"/rerunCampaigns/{key(7)}", campaign(cells=[cell(1, 1, "FAILED")] * 25))
    assert "… and 5 more: --all" in cli("rerun", "get", key(7)).stdout.decode()


def known_as(fake, named=(), newest=()):
    """The list of campaigns: those that have the name that is asked for, and all."""
    fake.on("GET", "/rerunCampaigns", lambda request: {"items": [{**campaign(), "key": k} for k in (named if "name" in request.query else newest)]})


@pytest.mark.parametrize("word, named, newest", [
    ("load again", [key(7)], []), ("0199f6c2", [], [key(7)]), ("000007", [], [key(8), key(7)]), ("@latest", [], [key(7)]), (key(7).upper(), [], [])])
def test_campaigns_have_names_and_parts_of_keys(cli, fake, word, named, newest):
    known_as(fake, named, newest)
    fake.on("GET", f"/rerunCampaigns/{key(7)}", campaign())
    assert cli("rerun", "get", word).returncode == 0
    for verb in ("pause", "resume", "cancel"):
        fake.on("POST", f"/rerunCampaigns/{key(7)}/actions/{verb}", campaign())
        assert cli("rerun", verb, word, "-o", "name").stdout.decode() == key(7) + "\n"


@pytest.mark.parametrize("word, named, newest, says", [
    ("load again", [key(7), key(8)], [], f'2 campaigns are "load again", give one of their keys: {key(7)} (nightly again, RUNNING), {key(8)} ('),
    ("0199f6c2", [], [key(7), key(8)], "2 campaigns are"), ("00000f", [], [key(7)], '"00000f" is no campaign'), ("x", [], [key(7)], '"x" is no campaign'), ("", [key(7)], [], '"" is no campaign'),
    ("@latest", [], [], "there is no campaign yet")])
def test_what_is_no_one_campaign(cli, fake, word, named, newest, says):
    known_as(fake, named, newest)
    for verb in ("get", "pause", "resume", "cancel"):
        result = cli("rerun", verb, word)
        assert (result.returncode, result.stdout) == (2, b"") and says in result.stderr.decode()


def test_wait_tells_how_it_ended(cli, fake):
    fake.on("POST", "/rerunCampaigns", (201, campaign()))
    fake.on("GET", f"/rerunCampaigns/{key(7)}", campaign("FAILED"))
    failed = cli("rerun", JOB, *RANGE, "--wait")
    assert failed.returncode == 1 and failed.stdout.decode().splitlines()[1:] == ["FAILED: Running", f"see: reprise rerun get {key(7)}"]
    fake.on("GET", f"/rerunCampaigns/{key(7)}", campaign("SUCCESS"))
    done = cli("rerun", JOB, *RANGE, "--wait")
    assert done.returncode == 0 and b"see:" not in done.stdout


def test_a_grid_of_jobs_and_times(cli, fake):
    cells = [cell(1, 1, "SUCCESS"), cell(2, 1, "SUCCESS"), cell(1, 2, "FAILED", "Ended FAILED"), cell(2, 2, "BLOCKED"),
             cell(1, 3, "RUNNING"), cell(2, 4, "WAITING")]
    fake.on("GET", f"/rerunCampaigns/{key(7)}", campaign(cells=cells))
    done = cli("rerun", "get", key(7))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert "\x1b" not in done.stdout.decode()
    at = lines.index(next(line for line in lines if line.startswith("2026-01-01 03:00Z")))
    load, report = (line.split(None, 1) for line in lines[at + 1:at + 3])
    assert load[0] == "load" and len(load[1].rstrip()) == 3 and len(set(load[1].rstrip())) == 3
    assert report[0] == "re\\x1bport" and report[1][2] == " " and len(report[1].rstrip()) == 4
    assert any("Ended FAILED" in line and key(42) in line for line in lines)
    raw = cli("rerun", "get", key(7), "-o", "json")
    assert json.loads(raw.stdout) == campaign(cells=cells)


def east_of_utc(fake):
    """A schedule at half past midnight in Berlin, and one in Nuuk."""
    for number, zone in (1, "Europe/Berlin"), (2, "America/Nuuk"):
        fake.on("GET", f"/jobs/{key(number)}", {"key": key(number), "schedule": {"timezoneId": zone}})


def test_planned_times_are_those_of_the_clock_of_each_job(cli, fake):
    east_of_utc(fake)
    def late(job, day, status, reason="why"):
        return {**cell(job, day, status, reason), "plannedTime": f"2026-01-0{day}T23:30:00.000Z"}
    cells = [late(1, 3, "FAILED"), late(2, 3, "BLOCKED", "Blocked: load of 2026-01-03T23:30:00.000Z did not succeed"), late(1, 4, "WAITING")]
    fake.on("GET", f"/rerunCampaigns/{key(7)}", campaign(cells=cells))
    shown = cli("rerun", "get", key(7)).stdout.decode()
    assert "\n2026-01-04 00:30+01:00 … 2026-01-05 00:30+01:00\n" in shown
    told = [line.split(None, 5) for line in shown.splitlines() if key(43) in line]
    assert [line[:4] for line in told] == [["2026-01-04", "00:30+01:00", "job1", "FAILED"], ["2026-01-03", "21:30-02:00", "job2", "BLOCKED"]]
    assert "load of 2026-01-04 00:30+01:00 did not succeed" in told[1][5], "on the clock of the one that is named"
    assert len(fake.sent("GET", f"/jobs/{key(1)}")) == 1, "each job is asked for once"
    plan = {"cellCount": 1, "newCount": 1, "skippedCount": 0, "cells": [late(1, 3, "SKIPPED", "It is active")],
            "jobs": [{"jobKey": key(1), "name": "load", "cellCount": 1, "newCount": 1, "skippedCount": 0,
                      "firstPlannedTime": "2026-01-03T23:30:00.000Z", "lastPlannedTime": "2026-07-03T22:30:00.000Z"}]}
    fake.on("POST", "/rerunCampaigns/actions/plan", plan)
    shown = [line.split() for line in cli("rerun", JOB, *RANGE, "--plan").stdout.decode().splitlines()]
    assert ["load", "1", "1", "0", "2026-01-04", "00:30+01:00", "2026-07-04", "00:30+02:00"] in shown
    assert any(line[:4] == ["2026-01-04", "00:30+01:00", "job1", "SKIPPED"] for line in shown)


def test_what_is_due_next_is_told_on_the_clock_of_the_schedule(cli, fake):
    job = {"key": JOB, "name": "load", "schedule": {"quartzCronExpression": "0 30 0 * * ?", "timezoneId": "Europe/Berlin"}, "tasks": [],
           "timeCreated": "2026-01-01T03:00:00.000Z"}
    fake.on("GET", "/jobs", {"items": [{**job, "nextRunTime": "2026-01-03T23:30:00.000Z"}]})
    fake.on("GET", f"/jobs/{JOB}", {**job, "nextRunTimes": ["2026-01-03T23:30:00.000Z"]})
    assert "2026-01-04 00:30+01:00" in cli("job", "list").stdout.decode()
    assert "Next         2026-01-04 00:30+01:00\n" in cli("job", "get", JOB).stdout.decode()


def test_a_plan_begins_nothing(cli, fake):
    plan = {"cellCount": 5, "newCount": 2, "skippedCount": 1, "cells": [cell(1, 1, "WAITING"), cell(2, 1, "SKIPPED", "It is active")],
            "jobs": [{"jobKey": key(1), "name": "load", "cellCount": 3, "newCount": 2, "skippedCount": 0,
                      "firstPlannedTime": "2026-01-01T03:00:00.000Z", "lastPlannedTime": "2026-01-03T03:00:00.000Z"},
                     {"jobKey": key(2), "name": "re\x1bport", "cellCount": 0, "newCount": 0, "skippedCount": 0,
                      "firstPlannedTime": None, "lastPlannedTime": None}]}
    fake.on("POST", "/rerunCampaigns/actions/plan", plan)
    done = cli("rerun", JOB, *RANGE, "--plan")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode().splitlines()
    assert lines[0] == "Would rerun 2, make 2, skip 1; jobs: 2" and "\x1b" not in done.stdout.decode()
    assert ["load", "3", "2", "0", "2026-01-01", "03:00Z", "2026-01-03", "03:00Z"] in [line.split() for line in lines]
    assert any("It is active" in line and "job2" in line for line in lines)
    assert not fake.sent("POST", "/rerunCampaigns")
    assert json.loads(cli("rerun", JOB, *RANGE, "--plan", "-o", "json").stdout) == plan


def test_parameters_are_sent_and_shown(cli, fake):
    given = [{"name": "day", "value": "a=b"}, {"name": "re\x1bgion", "value": ""}]
    fake.on("GET", f"/jobs/{JOB}", {"key": JOB, "parameters": [{"name": "day"}], "tasks": []})
    fake.on("POST", "/rerunCampaigns", (201, campaign()))
    done = cli("rerun", JOB, *RANGE, "--param", "day=a=b", "--param", "days=")
    assert done.returncode == 0, done.stderr
    assert fake.sent("POST", "/rerunCampaigns")[0].json()["parameters"] == [given[0], {"name": "days", "value": ""}]
    assert f'job {JOB} names no parameter "days", which the campaign was given; did you mean day?' in done.stderr.decode()
    assert b"names no" not in cli("rerun", JOB, *RANGE, "--downstream", "--param", "days=").stderr, "another job may name it"
    shown = "Parameters  day = a=b\n            re\\x1bgion = \n"
    fake.on("GET", f"/rerunCampaigns/{key(7)}", {**campaign(), "parameters": given})
    assert shown in cli("rerun", "get", key(7)).stdout.decode()
    fake.on("POST", "/rerunCampaigns/actions/plan", {"cellCount": 0, "newCount": 0, "skippedCount": 0, "cells": [], "jobs": [], "parameters": given})
    assert shown in cli("rerun", JOB, *RANGE, "--plan", "--param", "day=1").stdout.decode()


@pytest.mark.parametrize("doubles, missing, says", [
    (3, {"newCount": 1}, "3 of these times have a run already"), (1, {"newCount": 4}, "1 of these times has a run already"),
    (5, (409, {"code": "IncorrectState", "message": "none"}), "5 of these times have a run already"),
    (1, (403, {"code": "x", "message": "y"}), None)])
def test_a_plan_tells_of_runs_that_would_be_there_twice(cli, fake, doubles, missing, says):
    plan = {"cellCount": 5, "newCount": 5, "skippedCount": 0, "doubleCount": doubles, "cells": [], "jobs": []}
    fake.on("POST", "/rerunCampaigns/actions/plan", plan, missing)
    done = cli("rerun", JOB, *RANGE, "--supplement", "--downstream", "--plan")
    assert (done.returncode, done.stderr) == (0, b"")
    many = missing["newCount"] if isinstance(missing, dict) else 0
    assert (says in done.stdout.decode() and f"makes only what is missing: {many}\n" in done.stdout.decode()) if says else b"already" not in done.stdout
    first, second = (sent.json() for sent in fake.sent("POST", "/rerunCampaigns/actions/plan"))
    assert first.pop("kind") == "SUPPLEMENT" and {**first, "instances": "MISSING"} == second


def test_a_plan_of_times_that_have_no_run_asks_no_more(cli, fake):
    """What is missing is told by the schedule: planned times to come, or before its start, are none of it."""
    fake.on("POST", "/rerunCampaigns/actions/plan", {"cellCount": 5, "newCount": 5, "skippedCount": 0, "doubleCount": 0, "cells": [], "jobs": []})
    done = cli("rerun", JOB, *RANGE, "--supplement", "--plan")
    assert done.returncode == 0 and b"already" not in done.stdout
    assert len(fake.sent("POST", "/rerunCampaigns/actions/plan")) == 1


@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
def test_actions(cli, fake, action):
    fake.on("POST", f"/rerunCampaigns/{key(7)}/actions/{action}", campaign("PAUSED"))
    assert cli("rerun", action, key(7)).returncode == 0
    assert fake.sent("POST", f"/rerunCampaigns/{key(7)}/actions/{action}")


def test_cancel_of_a_campaign_that_had_ended(cli, fake):
    path = f"/rerunCampaigns/{key(7)}"
    for before, after, says in (("RUNNING", "CANCELED", "Cancelled"), ("FAILED", "FAILED", "Had ended already:")):
        fake.on("GET", path, campaign(before))
        fake.on("POST", path + "/actions/cancel", campaign(after))
        assert cli("rerun", "cancel", key(7)).stdout.decode() == f"{says} campaign {key(7)}  {after}  0 runs\n"


def test_the_server_refuses(cli, fake):
    fake.on("POST", "/rerunCampaigns", (409, {"code": "IncorrectState", "message": "Job x have no instances to rerun"}))
    done = cli("rerun", JOB, *RANGE)
    assert done.returncode == 3 and "no instances to rerun" in done.stderr.decode()
