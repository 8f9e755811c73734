"""Campaigns: asked for on the page, watched as a grid, and one cell of them repaired."""

import time
from datetime import datetime, timedelta, timezone

import pytest

from harness import eventually, step
from ui_browser import until


@pytest.fixture
def planned(own):
    """A paused job with two failed runs that its schedule had fired, and when that was."""
    if own.api.get("/rerunCampaigns").status_code == 404:
        pytest.skip("campaigns are not tested: this server has none")
    schedule = {"quartzCronExpression": "* * * * * ?", "timezoneId": "UTC"}
    tasks = [step("good"), step("bad", after="good", until="mended", exit=1)]
    fields = {"name": "hourly", "queue": {"isEnabled": True}}
    job = own.api.job(tasks, schedule=schedule, **fields)
    eventually(lambda: len(own.api.read("/jobRuns", jobKey=job["key"])["items"]) >= 2, "two runs by schedule")
    own.api.replace(job, tasks, schedule={**schedule, "pauseStatus": "PAUSED"}, **fields)
    eventually(lambda: all(run["state"]["status"] == "FAILED" for run in own.api.read("/jobRuns", jobKey=job["key"])["items"]), "all ended")
    return {**job, "count": len(own.api.read("/jobRuns", jobKey=job["key"])["items"])}


def test_a_campaign_from_the_page(own, page, planned):
    page.go("campaigns")
    page.sees("There is no campaign yet")
    page.go(f"jobs/{planned['key']}")
    page("await page.getByRole('button', {name: 'Rerun a range…'}).click()")
    later = time.time() + 120  # the field has no seconds
    page("await page.getByLabel('to', {exact: true}).fill(await page.evaluate((ms) =>"
         " new Date(ms - new Date(ms).getTimezoneOffset() * 60000).toISOString().slice(0, 16), arg))", later * 1000)
    page("await page.getByLabel('At the same time').fill('2')")
    page("await page.getByRole('dialog').getByRole('button', {name: 'Preview'}).click()")
    page.sees(f"Would rerun {planned['count']}, make 0, skip 0.")
    assert not own.api.read("/rerunCampaigns")["items"], "looked at, not begun"
    page("await page.getByLabel('Which').selectOption('SUPPLEMENT'); await page.getByLabel('Which').selectOption('UNSUCCESSFUL')")
    page("await page.getByRole('dialog').getByRole('button', {name: 'Start'}).click()")
    page("await page.locator('h1 + .pill[data-status=FAILED]').waitFor()")
    assert page("return await page.locator('.grid-cell [data-status=FAILED]').count()") == planned["count"]
    # one cell: its run, its repair
    page("await page.locator('[data-cell=\"0.0\"]').focus(); await page.keyboard.press('Enter')")
    page("await page.getByRole('complementary', {name: 'Cell hourly'}).waitFor()")
    assert "hourly" in page.text(".side")
    own.open_gate("mended")
    page("await page.getByRole('link', {name: 'Repair its run…'}).click()")
    page.sees("Will run 1, re-evaluate 0, keep 1")
    page("await page.getByRole('button', {name: 'Repair: run 1'}).click()")
    page.state("SUCCESS")
    # and the rest
    page.go("campaigns")
    page("await page.getByRole('table', {name: 'Campaigns'}).getByRole('link').first().click()")
    page("await page.getByRole('button', {name: 'Resume'}).click()")
    page("await page.locator('h1 + .pill[data-status=SUCCESS]').waitFor({timeout: 40000})")
    assert page("return await page.locator('.grid-cell [data-status=SUCCESS]').count()") == planned["count"]
    made = own.api.read("/rerunCampaigns")["items"][0]
    assert made["status"] == "SUCCESS" and made["concurrent"] == 2
    assert datetime.fromisoformat(made["endTime"].replace("Z", "+00:00")) > datetime.now(timezone.utc)


def test_parameters_of_a_campaign(own, page, planned):
    page.go(f"jobs/{planned['key']}")
    page("await page.getByRole('button', {name: 'Rerun a range…'}).click()")
    dialog = "page.getByRole('dialog')"
    later = (datetime.now(timezone.utc) + timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M")  # the field has no seconds
    page(f"await {dialog}.getByLabel('to', {{exact: true}}).fill(arg); await {dialog}.getByLabel('Which').selectOption('ALL'); await {dialog}.getByRole('button', {{name: 'Add a parameter'}}).click();"
         f"await {dialog}.getByLabel('Name of the new parameter').fill('day'); await {dialog}.getByLabel('Value of the new parameter').fill('sunday');"
         f"await {dialog}.getByRole('button', {{name: 'Add a parameter'}}).click(); await {dialog}.getByRole('button', {{name: 'Start'}}).click()", later)
    page("await page.locator('.facts').getByText('Parameters').waitFor()")
    assert "day = sunday" in page.text(".facts")
    made = own.api.read("/rerunCampaigns")["items"][0]
    assert own.api.read(f"/rerunCampaigns/{made['key']}")["parameters"] == [{"name": "day", "value": "sunday"}]


def test_a_campaign_that_failed_shows_what_somebody_else_repairs(own, page, planned):
    now = datetime.now(timezone.utc)
    made = own.api.made("/rerunCampaigns", {"jobKey": planned["key"], "name": "again", "concurrent": 2, "endTime": now.isoformat(),
                                            "beginTime": (now - timedelta(hours=1)).isoformat()})
    eventually(lambda: own.api.read(f"/rerunCampaigns/{made['key']}")["status"] == "FAILED", "all ended")
    page.go(f"campaigns/{made['key']}")
    page("await page.locator('h1 + .pill[data-status=FAILED]').waitFor()")
    page.settle()
    own.open_gate("mended")
    for run in own.api.read("/jobRuns", jobKey=planned["key"])["items"]:
        own.api.repair(run)
    page("await page.locator('h1 + .pill[data-status=SUCCESS]').waitFor()")
    assert page("return await page.locator('.grid-cell [data-status=SUCCESS]').count()") == planned["count"]


@pytest.fixture
def backfill(own):
    """Ten runs that a campaign made, of a job at 03:00 in Berlin."""
    job = own.api.job([step("load", until="mended", exit=1)], name="nightly", queue={"isEnabled": True}, maxConcurrentRuns=10,
                      schedule={"quartzCronExpression": "0 0 3 * * ?", "timezoneId": "Europe/Berlin"})
    made = own.api.made("/rerunCampaigns", {"jobKey": job["key"], "kind": "SUPPLEMENT", "concurrent": 10, "name": "backfill",
                                            "beginTime": "2026-03-25T00:00:00+01:00", "endTime": "2026-04-03T23:59:59+02:00"})
    eventually(lambda: own.api.read(f"/rerunCampaigns/{made['key']}")["status"] == "FAILED", "all ended")
    return {"job": job["key"], "campaign": made["key"], "runs": own.api.read("/jobRuns", jobKey=job["key"])["items"]}


YEAR = "" if datetime.now().year == 2026 else ", 2026"  # told where it is not this one
DAYS = [f"Mar {day}{YEAR}, 03:00" for day in range(25, 32)] + [f"Apr {day}{YEAR}, 03:00" for day in range(1, 4)]  # the clock changes on the 29th


def test_runs_of_a_backfill_are_told_apart_whoever_looks_from_wherever(own, page_on, backfill):
    page = page_on(own, timezoneId="America/New_York", locale="en-US")
    for place in ("runs", f"jobs/{backfill['job']}?tab=runs"):
        page.go(place)
        page(f"await page.locator('.tr', {{hasText: 'for Mar 25{YEAR}, 03:00 Europe/Berlin'}}).waitFor()")
        shown = page("return await page.locator('.tr time[title*=Berlin]').allInnerTexts()")
        assert sorted(shown) == sorted(f"{day} Europe/Berlin" for day in DAYS)
    # all that are looked at in one call, also if the list is drawn once more before it is answered
    page.go("runs")
    page("""globalThis.asked = []; globalThis.isHeld = new Promise((done) => { globalThis.held = done })
        await page.route('**/plannedRuns*', async (route) => {
            asked.push(route.request().url()); await new Promise((go) => { globalThis.release = go; held() }); await route.continue() })
        await page.reload(); await isHeld""")
    own.api.run(own.api.job([step("other")], name="another"))
    page("await page.locator('.tr', {hasText: 'another'}).waitFor(); release(); await page.locator('.tr', {hasText: 'for Mar 25'}).waitFor()")
    assert len(page("return asked")) == 1
    page("await page.unroute('**/plannedRuns*')")
    page("await page.locator('.tr', {hasText: 'for Mar 25'}).getByRole('link').first().click()")
    page(f"await page.locator('.facts').getByText('Mar 25{YEAR}, 03:00').waitFor()")
    title = page("return await page.locator('.facts time', {hasText: 'Mar 25'}).getAttribute('title')").split("\n")
    assert title == [f"Mar 25{YEAR}, 03:00 Europe/Berlin", "Mar 24, 2026, 22:00:00 America/New_York", "2026-03-25 02:00:00.000 UTC"]
    page("await page.getByRole('link', {name: 'backfill'}).click()")
    page("await page.getByRole('columnheader', {name: 'Europe/Berlin'}).waitFor()")
    assert page("return await page.locator('.grid-run time').allInnerTexts()") == DAYS
    facts = page.text(".facts")
    assert f"Mar 25{YEAR}, 00:00 to Apr 3{YEAR}, 23:59:59 Europe/Berlin" in facts
    page.go("campaigns")
    page(f"await page.locator('.tr').getByText('Mar 25{YEAR}, 00:00').waitFor()")
    # the grid of the job tells them apart as well
    page.go(f"jobs/{backfill['job']}")
    page(f"await page.getByRole('link', {{name: /Run of Apr 3{YEAR}, 03:00.*: Failed/}}).waitFor()")
    days = ["Mar 25", "Mar 27", "Mar 29", "Mar 31", "Apr 2"]
    until(lambda: page("return await page.locator('.grid-day').allInnerTexts()") == days, "days, as many as there is room for")
    page.picture("grid-days")
    page.go(f"jobs/{backfill['job']}?tab=durations")
    until(lambda: page("return await page.locator('.chart-day').allInnerTexts()") == ["Mar 25", "Mar 28", "Mar 31", "Apr 3"], "days below the bars")
    page.picture("durations-days")
    # asked for by a repair: the newest campaign that did
    own.open_gate("mended")
    again = own.api.made("/rerunCampaigns", {"jobKey": backfill["job"], "name": "again", "beginTime": "2026-03-25T03:00:00+01:00",
                                             "endTime": "2026-03-25T03:00:00+01:00"})
    eventually(lambda: own.api.read(f"/rerunCampaigns/{again['key']}")["status"] == "SUCCESS", "repaired")
    page.go(f"runs/{backfill['runs'][-1]['key']}")
    page("await page.locator('.facts').getByRole('link', {name: 'again'}).waitFor()")


def test_a_range_is_asked_for_in_the_zone_of_the_schedule(own, page_on, backfill):
    page = page_on(own, timezoneId="America/New_York", locale="en-US")
    page.go(f"jobs/{backfill['job']}")
    page("await page.getByRole('button', {name: 'Rerun a range…'}).click()")
    dialog = "page.getByRole('dialog')"
    page(f"await {dialog}.getByText('the zone of its schedule').waitFor()")
    assert "Europe/Berlin" in page.text("dialog")
    assert "--instances" in page.text("dialog"), "the command line takes others, if nothing is said"
    page(f"await {dialog}.getByLabel('Planned from').fill('2026-03-29T00:00'); await {dialog}.getByLabel('to', {{exact: true}}).fill('2026-03-29T03:00');"
         f"await {dialog}.getByRole('button', {{name: 'Start'}}).click()")
    page("await page.locator('h1 + .pill').waitFor()")
    made = own.api.read("/rerunCampaigns")["items"][0]
    assert (made["beginTime"], made["endTime"]) == ("2026-03-28T23:00:00.000Z", "2026-03-29T01:00:00.000Z")
    assert made["cellCount"] == 1


def test_all_runs_of_a_planned_time_are_in_the_grid(own, page, backfill):
    body = {"jobKey": backfill["job"], "concurrent": 10, "beginTime": "2026-03-26T00:00:00+01:00"}
    second = own.api.made("/rerunCampaigns", {**body, "kind": "SUPPLEMENT", "endTime": "2026-03-26T23:59:59+01:00"})
    eventually(lambda: own.api.read(f"/rerunCampaigns/{second['key']}")["status"] == "FAILED", "it ended")
    whole = own.api.made("/rerunCampaigns", {**body, "kind": "RERUN", "instances": "ALL", "where": "FIRST", "endTime": "2026-03-27T23:59:59+01:00"})
    assert whole["cellCount"] == 3
    page.go(f"campaigns/{whole['key']}")
    page.sees("run 2")
    cells = "page.locator('.grid-cell [data-status]:not([data-status=\"\"])')"
    assert page(f"return await {cells}.evaluateAll((all) => all.map((one) => one.dataset.cell))") == ["0.0", "0.1", "0.2"]
    page("await page.locator('[data-cell=\"0.0\"]').focus(); await page.keyboard.press('ArrowRight'); await page.keyboard.press('Enter')")
    page("await page.getByRole('complementary', {name: 'Cell nightly'}).waitFor()")
    assert "run 2" in page("return await page.locator('[aria-expanded=true]').getAttribute('aria-label')")
