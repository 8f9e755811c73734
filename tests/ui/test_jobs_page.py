"""Jobs: the list, what a job fires next, its grid."""

import sqlite3
from datetime import datetime

from harness import Client, named, step, task
from ui_browser import until


def test_the_next_time_of_a_schedule(own, page):
    job = own.api.job([task("one")], name="nightly", schedule={"quartzCronExpression": "0 30 2 * * ?", "timezoneId": "Asia/Tokyo"})
    due = own.api.read(f"/jobs/{job['key']}")["nextRunTimes"][0]
    page.sees("Every day at 02:30")
    page("await page.getByText('next', {exact: false}).locator('time').first().waitFor()")
    shown = page("return await page.locator('.tr time').first().getAttribute('datetime')")
    assert datetime.fromisoformat(shown.replace("Z", "+00:00")) == datetime.fromisoformat(due.replace("Z", "+00:00"))
    page.go(f"jobs/{job['key']}")
    page.sees("Asia/Tokyo")
    assert page("return await page.locator('dd time').first().getAttribute('datetime')") == shown
    page.go("now")
    page.sees("Next by schedule")
    assert page("return await page.locator('.next-time time').first().getAttribute('datetime')") == shown

    # switched off and on, in the list and on the job
    page.go("jobs")
    switch = "page.getByRole('switch', {name: 'Schedule of nightly'})"
    page(f"await {switch}.click(); await page.locator('[role=switch][aria-checked=false]').waitFor()")
    off = own.api.read(f"/jobs/{job['key']}")
    assert off["schedule"]["pauseStatus"] == "PAUSED" and not off["nextRunTimes"]
    assert off["tasks"] == job["tasks"], "nothing else changed"
    page.go(f"jobs/{job['key']}")
    page(f"await {switch}.focus(); await page.keyboard.press('Space'); await page.locator('[role=switch][aria-checked=true]').waitFor()")
    assert own.api.read(f"/jobs/{job['key']}")["schedule"]["pauseStatus"] == "UNPAUSED"
    page("await page.getByRole('tab', {name: 'Skipped'}).click()")
    page.sees("No planned time was skipped")


def test_a_continuous_job_is_shown_as_one(own, page):
    """In the list, on its own page and in what is next, while it waits after a failure; and it is switched like a schedule."""
    job = own.api.job([task("one", "fail.py")], name="always", continuous={"pauseStatus": "UNPAUSED"})
    goes_on = until_goes_on(own, job)
    page.go("jobs")
    page("await page.locator('.tr', {hasText: 'always'}).getByText('Continuously').waitFor()")
    page("await page.locator('.tr', {hasText: 'always'}).getByText('next').waitFor()")
    page.go("now")
    page("await page.locator('.queue li', {hasText: 'always'}).getByText('Continuously').waitFor()")
    assert page("return Date.parse(await page.locator('.next-time time').first().getAttribute('datetime'))") >= goes_on
    page.go(f"jobs/{job['key']}")
    page.sees("Continuously")
    switch = "page.getByRole('switch', {name: 'Schedule of always'})"
    page(f"await {switch}.click(); await page.locator('[role=switch][aria-checked=false]').waitFor()")
    off = own.api.read(f"/jobs/{job['key']}")
    assert off["continuous"] == {"pauseStatus": "PAUSED"} and off["schedule"] is None and not off["nextRunTimes"]
    page("await page.locator('b', {hasText: 'paused'}).waitFor()")
    assert page("return await page.getByRole('button', {name: 'Rerun a range…'}).count()") == 0, "it has no planned times"


def until_goes_on(own, job):
    times = []
    until(lambda: times.extend(own.api.read(f"/jobs/{job['key']}")["nextRunTimes"]) or times, "it waits after its failure")
    listed = [one for one in own.api.read("/jobs")["items"] if one["key"] == job["key"]]
    assert listed[0]["continuous"] == {"pauseStatus": "UNPAUSED"}
    return datetime.fromisoformat(times[0].replace("Z", "+00:00")).timestamp() * 1000


def test_the_grid_asks_once_stays_current_and_shows_a_cell(own, page):
    tasks = [step("first"), step("second", after="first", gate="grid"), step("third", after="second", until="mended", exit=1)]
    job = own.api.job(tasks, name="gridded", maxConcurrentRuns=100)
    own.open_gate("grid")
    for run in [own.api.run(job) for _ in range(4)]:
        own.api.wait_final(run, "FAILED")
    own.shut_gate("grid")
    page("globalThis.asked = []; page.on('request', (request) => asked.push(new URL(request.url()).pathname.split('/').slice(5).join('/')))")
    page.go(f"jobs/{job['key']}")
    page("await page.locator('[data-cell=\"2.3\"][data-status=FAILED]').waitFor()")
    page.settle()
    asked = page("return asked")
    assert sum(path.endswith("/grid") for path in asked) <= 2, asked  # once, and again behind the opening of the stream
    assert not any("taskRuns" in path for path in asked), asked
    # a new run comes in on the right, and its tasks move
    run = own.api.run(job)
    page("await page.locator('[data-cell=\"1.4\"][data-status=RUNNING]').waitFor()")
    own.open_gate("mended")
    own.open_gate("grid")
    page("await page.locator('[data-cell=\"2.4\"][data-status=SUCCESS]').waitFor()")
    # by keyboard to a cell of the run before, whose reason is beside the grid
    page("await page.locator('[data-cell=\"2.4\"]').focus()")
    typed = "const cell = document.activeElement; for (const key of ['ArrowLeft', 'Enter']) "
    typed += "cell.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}))"  # faster than anything is drawn
    page("await page.evaluate(arg)", typed)
    page("await page.getByRole('complementary', {name: 'Task third'}).getByText('Exited with code 1').waitFor()")
    page("await page.getByRole('link', {name: 'Repair…'}).click()")
    page.sees("Will run 1, re-evaluate 0, keep 2")
    page(f"await page.getByRole('button', {{name: 'Repair: run 1'}}).click()")
    page.state("SUCCESS")
    page.go(f"jobs/{job['key']}")
    page("await page.locator('[data-cell=\"2.3\"][data-status=SUCCESS]').waitFor()")
    assert own.api.get_run(run)["version"] == 1


def test_the_grid_goes_back_in_time_as_one_scrolls(own, page):
    job = own.api.job([task("one"), task("two")], name="old", maxConcurrentRuns=0)  # every run is SKIPPED
    keys = [own.api.run(job)["key"] for _ in range(230)]
    page.go(f"jobs/{job['key']}")
    columns = "return Number(await page.getByRole('grid').getAttribute('aria-colcount')) - 1"
    until(lambda: page(columns) == 100, "the second fifty follow by themselves")
    newest = page("return await page.locator('.grid-run a').last().getAttribute('href')")
    assert newest.endswith(keys[-1])
    # a new run pushes the oldest out of sight: the keys still mean the run that they led to
    page("await page.locator('[data-cell=\"0.95\"]').focus()")
    keys.append(own.api.run(job)["key"])
    until(lambda: page("return await page.locator('.grid-run a').last().getAttribute('href')").endswith(keys[-1]), "the new one")
    page("await page.keyboard.press('Enter'); await page.getByRole('complementary').waitFor()")
    assert f"run={keys[-6]}" in page("return page.url()")
    page("await page.keyboard.press('Escape')")
    for _ in range(2):
        page("await page.getByRole('grid').evaluate((box) => { box.scrollLeft = 0 })")
        page("await page.waitForTimeout(100)")
    until(lambda: page(columns) >= 200, "older ones come")
    page("await page.getByRole('grid').evaluate((box) => { box.scrollLeft = 0 })")
    until(lambda: page(columns) == 231, "all")
    page("await page.getByRole('grid').evaluate((box) => { box.scrollLeft = 0 })")
    until(lambda: page("return await page.locator('.grid-run a').first().getAttribute('href')").endswith(keys[0]), "the first of all")
    assert page("return await page.locator('[data-cell]').count()") < 200


def test_times_that_a_schedule_skipped_are_shown_with_their_reason(servers, page_on):
    own = servers().start()
    schedule = {"quartzCronExpression": "0 * * * * ?", "timezoneId": "UTC"}
    job = own.api.job([task("a")], name="minutely", schedule=schedule, maxConcurrentRuns=10)
    none = own.api.job([task("a")], name="none", schedule={**schedule, "missedRunPolicy": "NONE"}, maxConcurrentRuns=10)
    own.stop()  # and it was down for an hour
    with sqlite3.connect(own.data / "reprise.db") as db:
        assert db.execute("UPDATE schedule SET cursor_ms = cursor_ms - 3600000").rowcount == 2
    db.close()
    own.start()
    until(lambda: own.api.read(f"/jobs/{none['key']}/skippedTimes")["items"], "the server looked at what it missed")
    page = page_on(own)
    for one in (job, none):
        listed = own.api.read(f"/jobs/{one['key']}/skippedTimes")["items"]
        assert len(listed) == 1 and 58 <= listed[0]["count"] <= 61
        page.go(f"jobs/{one['key']}?tab=skipped")
        page.sees(listed[0]["reason"])
        cells = page("return await page.getByRole('table', {name: 'Skipped planned times'}).locator('.tr').first().getByRole('cell').allInnerTexts()")
        assert cells[2:4] == [str(listed[0]["count"]), listed[0]["reason"]]
        times = page("return await page.locator('.tr time').evaluateAll((all) => all.map((at) => at.getAttribute('datetime')))")
        assert times == [listed[0][name] for name in ("firstPlannedTime", "lastPlannedTime", "time")]


def test_durations_of_runs_and_of_one_task(own, page):
    job = own.api.job([step("quick"), step("picky", after="quick", until="mended", exit=1)], name="timed")
    for gate in (None, "mended"):
        if gate:
            own.open_gate(gate)
        own.api.wait_final(own.api.run(job))
    page.go(f"jobs/{job['key']}?tab=durations")
    page("await page.locator('.chart-bar').nth(1).waitFor()")
    bars = "return await page.locator('.chart-bar').evaluateAll((all) => all.map((bar) => bar.getAttribute('aria-label').split(',')[0]))"
    assert page(bars) == ["Failed", "Succeeded"], "oldest first"
    page.sees("1 succeeded: median")
    page("await page.getByLabel('Durations of').selectOption('quick')")
    until(lambda: page(bars) == ["Succeeded", "Succeeded"], "the task's own states")
    page("await page.locator('.chart-bar').last().focus(); await page.keyboard.press('ArrowLeft'); await page.keyboard.press('Enter')")
    page("await page.getByRole('complementary', {name: 'Task quick'}).waitFor()")


def test_another_workspace(own, page):
    """Nothing of one workspace is in another, and an address says which it is of."""
    own.api.job([task("one")], name="at.home")
    place = own.api.made("~/workspaces", {"displayName": "analytics"})
    other = Client({**own.endpoint, "workspaceKey": place["key"]}, own.token)
    folder = own.data / "workspaces" / place["key"]
    (folder / "ok.py").write_text("print('elsewhere')\n")
    job = other.job([task("far")], name="far.away")
    page("await page.reload()")  # the list of workspaces is read once
    page.sees("at.home")
    page("await page.getByLabel('Workspace').selectOption({label: 'analytics'})")
    page.sees("far.away")
    assert page("return await page.getByText('at.home').count()") == 0
    page("await page.getByRole('button', {name: 'Run far.away'}).click();"
         "await page.getByRole('dialog').getByRole('button', {name: 'Run', exact: true}).click()")
    page.state("SUCCESS")
    page("await page.getByRole('tab', {name: 'Logs'}).click(); await page.getByRole('log').getByText('elsewhere').waitFor()")
    address = page("return page.url()")
    assert place["key"] in address
    page("await page.goto('about:blank'); await page.goto(arg)", address)
    page("await page.getByRole('log').getByText('elsewhere').waitFor()")
    page("await page.getByLabel('Workspace').selectOption({label: 'default'})")
    page.sees("No runs here")
    assert other.read("/jobRuns", jobKey=job["key"])["items"]


def test_jobs_are_found_by_a_part_of_their_name(own, page):
    for name in ("alpha", "beta", "alphabet"):
        own.api.job([task("one")], name=name)
    page.sees("alphabet")  # the last that was made: all are there
    page("await page.keyboard.press('/')")
    page("await page.keyboard.type('alph')")
    # The list is asked for once more: for a moment there is none.
    until(lambda: page("return await page.locator('.tr .strong').allInnerTexts()") == ["alpha", "alphabet"], "those of that name")


def test_runs_are_found_by_the_name_of_their_job(own, page):
    jobs = {name: own.api.job([step("one")], name=name) for name in ("alpha", "beta", "alphabet")}
    for job in jobs.values():
        own.api.wait_final(own.api.run(job))
    page.go("runs")
    names = "return await page.getByRole('table', {name: 'Runs'}).locator('.tr').evaluateAll((all) => all.map((row) => row.children[1].innerText.trim()))"
    until(lambda: sorted(page(names)) == ["alpha", "alphabet", "beta"], "all")
    page("await page.keyboard.press('/'); await page.keyboard.type('alph')")
    until(lambda: sorted(page(names)) == ["alpha", "alphabet"], "those of two jobs")
    assert "job=alph" in page("return page.url()")
    page.picture("runs-of-a-job")
    page("await page.getByRole('button', {name: 'Not successful'}).click()")
    page.sees("No run is in such a state")
    page("await page.reload(); await page.getByRole('button', {name: 'All', exact: true}).click()")
    until(lambda: sorted(page(names)) == ["alpha", "alphabet"], "the address keeps it")
    page("await page.getByRole('searchbox').fill('gamma')")
    page.sees("No job has that in its name")


def test_who_starts_a_run_that_would_be_skipped_is_told(own, page):
    full = own.api.job([step("hold", gate="hold")], name="full")
    queued = own.api.job([step("hold", gate="hold")], name="queued", queue={"isEnabled": True})
    for job in (full, queued):
        own.api.wait_for(own.api.run(job), ["RUNNING"])
    warning = "page.getByRole('dialog').getByText('this run would be skipped')"
    page.go(f"jobs/{full['key']}")
    page(f"await page.getByRole('button', {{name: 'Run…'}}).click(); await {warning}.waitFor()")
    page.picture("would-be-skipped")
    own.open_gate("hold")
    page(f"await {warning}.waitFor({{state: 'detached'}})")
    own.shut_gate("hold")
    page.go(f"jobs/{queued['key']}")
    own.api.wait_for(own.api.run(queued), ["RUNNING"])
    page("await page.getByRole('button', {name: 'Run…'}).click(); await page.getByRole('dialog').waitFor()")
    page.settle()
    assert page(f"return await {warning}.count()") == 0, "it would wait"
    own.open_gate("hold")


def test_the_list_of_jobs_follows_the_repair_of_an_old_run(own, page):
    """Which is not among the newest runs of all jobs."""
    old = own.api.wait_final(own.api.run(own.api.job([step("one", until="mended", exit=1)], name="old")), "FAILED")
    many = own.api.job([step("one")], name="many", maxConcurrentRuns=0)  # every run is SKIPPED
    for _ in range(101):
        own.api.run(many)
    page.go("jobs")
    row = "page.locator('.tr', {has: page.getByRole('link', {name: 'old', exact: true})})"
    page(f"await {row}.locator('.pill[data-status=FAILED]').waitFor()")
    page.settle()
    own.open_gate("mended")
    own.api.repair(old)
    page(f"await {row}.locator('.pill[data-status=SUCCESS]').waitFor()")


def test_runs_are_found_by_the_days_on_which_they_were_made(own, page_on):
    """Days of the reader, the last one whole."""
    run = own.api.go([step("one")], "SUCCESS")
    page = page_on(own, timezoneId="Pacific/Kiritimati")  # 14 hours before UTC
    days = page("return await page.evaluate((made) => [-1, 0, 1].map((by) => new Date(Date.parse(made) + (14 + 24 * by) * 3600000).toISOString().slice(0, 10)), arg)",
                run["timeCreated"])
    rows = "return await page.getByRole('table', {name: 'Runs'}).locator('.tr').count()"
    page.go("runs")
    until(lambda: page(rows) == 1, "it is there")
    page("await page.getByLabel('From').fill(arg)", days[2])
    page.sees("None that was made on these days.")
    page("await page.getByLabel('From').fill(arg[0]); await page.getByLabel('to', {exact: true}).fill(arg[0])", days[1:])
    until(lambda: page(rows) == 1, "on its own day")
    page.picture("runs-of-days")
    page("await page.getByLabel('From').fill(''); await page.getByLabel('to', {exact: true}).fill(arg)", days[0])
    page.sees("None that was made on these days.")
    page("await page.reload()")
    page.sees("None that was made on these days.")
    page("await page.getByLabel('to', {exact: true}).fill('')")
    until(lambda: page(rows) == 1, "without days")
    page("await page.getByLabel('From').fill('0202-01-01')")  # on the way to 2026
    page.settle()
    assert "from" not in page("return page.url()") and page(rows) == 1


def test_a_day_on_which_clocks_go_back_at_midnight_is_whole(own, page_on):
    page = page_on(own, timezoneId="Africa/Cairo")
    page("globalThis.asked = page.waitForRequest((request) => request.url().includes('timeCreatedLess'))")
    page.go("runs?to=2026-10-29")
    assert "timeCreatedLessThanOrEqualTo=2026-10-29T21%3A59%3A59.999Z" in page("return (await asked).url()")


def test_a_run_whose_answer_was_lost_is_not_started_twice(own, page):
    job = own.api.job([task("one")], name="hello", parameters=named(day="1"))
    page.go(f"jobs/{job['key']}")
    page("await page.getByRole('button', {name: 'Run…'}).click()")
    press = "await page.getByRole('button', {name: 'Run', exact: true}).click()"
    page(f"await page.route('**/jobRuns', async (route) => {{ await route.fetch(); await route.abort() }}, {{times: 1}}); {press}")
    page.sees("It may have arrived all the same")
    page(f"await page.locator('[data-parameter=day]').fill('2'); {press}; await page.getByRole('dialog').waitFor({{state: 'detached'}})")
    page.state("SUCCESS")
    assert [own.api.get_run(run)["parameters"] for run in own.api.read("/jobRuns")["items"]] == [named(day="2"), []]
    page.go(f"jobs/{job['key']}")
    page("await page.getByRole('button', {name: 'Run…'}).click()")
    page(f"await page.route('**/jobRuns', async (route) => {{ await route.fetch(); await route.abort() }}, {{times: 1}}); {press}")
    page.sees("It may have arrived all the same")
    page(f"{press}; await page.getByRole('dialog').waitFor({{state: 'detached'}})")
    page.state("SUCCESS")
    assert len(own.api.read("/jobRuns")["items"]) == 3


def test_a_dialog_of_a_job_with_a_long_name_begins_at_its_left(own, page):
    job = own.api.job([task("one")], name="n" * 200, schedule={"quartzCronExpression": "0 0 0 1 1 ? 2090", "timezoneId": "UTC", "pauseStatus": "PAUSED"})
    page.go(f"jobs/{job['key']}")
    for button in ("Run…", "Rerun a range…"):
        page(f"await page.getByRole('button', {{name: '{button}'}}).click(); await page.getByRole('dialog').waitFor()")
        assert page("return await page.getByRole('dialog').evaluate((one) => [one.scrollLeft, one.scrollWidth - one.clientWidth])") == [0, 0]
        page("await page.keyboard.press('Escape')")
