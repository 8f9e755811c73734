"""Campaigns: asked for on the page, watched as a grid, and one cell of them repaired."""

import time
from datetime import datetime, timezone

import pytest

from harness import eventually, step


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
