"""Jobs: the list, what a job fires next, its grid."""

from datetime import datetime

from harness import task


def test_the_next_time_of_a_schedule(own, page):
    job = own.api.job([task("one")], name="nightly", schedule={"quartzCronExpression": "0 30 2 * * ?", "timezoneId": "Asia/Tokyo"})
    due = own.api.read(f"/jobs/{job['key']}")["nextRunTimes"][0]
    page.sees("0 30 2 * * ?")
    page("await page.getByText('next', {exact: false}).locator('time').first().waitFor()")
    shown = page("return await page.locator('.tr time').first().getAttribute('datetime')")
    assert datetime.fromisoformat(shown.replace("Z", "+00:00")) == datetime.fromisoformat(due.replace("Z", "+00:00"))
    page.go(f"jobs/{job['key']}")
    page.sees("Asia/Tokyo")
    assert page("return await page.locator('dd time').first().getAttribute('datetime')") == shown


def test_jobs_are_found_by_a_part_of_their_name(own, page):
    for name in ("alpha", "beta", "alphabet"):
        own.api.job([task("one")], name=name)
    page.sees("beta")
    page("await page.keyboard.press('/')")
    page("await page.keyboard.type('alph')")
    page("await page.getByRole('link', {name: 'beta', exact: true}).waitFor({state: 'detached'})")
    assert page("return await page.locator('.tr .strong').allInnerTexts()") == ["alpha", "alphabet"]
