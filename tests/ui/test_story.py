"""What people do with the page, on the real server: watch a run fail, see why, repair it, see what was kept."""

import json

from harness import named, step, task
from ui_browser import until

CHECK = '''\
import os, sys, time
while not os.path.exists(os.path.join(os.environ["REPRISE_WORKSPACE"], "gates", "check")): time.sleep(0.01)
print("checking", sys.argv[1])
print("\\033[1;31mlooking\\033[0m closely")
if sys.argv[1] != "42":
    raise ValueError(f"answer must be 42, not {sys.argv[1]!r}")
'''


def story_job(server):
    server.script("check.py", CHECK)
    return server.api.job([
        step("extract", out="extracted"),
        task("check", "check.py", "extract", commandLineArguments="{{job.parameters.answer}}"),
        step("side", after="extract"),
        step("publish", after=["check", "side"]),
    ], name="answers", parameters=named(answer="42"))


def newest_run(server):
    return server.api.read("/jobRuns", limit=1)["items"][0]["key"]


def start_and_fail(server, page):
    """By the page: a run with a wrong parameter, seen running and then failing without a reload."""
    page("await page.getByRole('button', {name: 'Run answers'}).click()")
    page("await page.locator('dialog [data-parameter=answer]').fill('41')")
    page("await page.locator('dialog').getByRole('button', {name: 'Run', exact: true}).click()")
    page.task("extract", "SUCCESS")
    page.task("check", "RUNNING")
    page.state("RUNNING")
    server.open_gate("check")
    page.task("check", "FAILED")
    page.task("publish", "UPSTREAM_FAILED")
    page.state("FAILED")


def test_a_wrong_token_is_refused_in_words(own, page_on, browser):
    page = page_on(own)
    page("await page.getByRole('button', {name: 'Sign out'}).click()")
    page("await page.getByLabel('Token').fill('wrong'); await page.keyboard.press('Enter')")
    page("await page.getByRole('alert').waitFor()")
    assert "This token is not accepted" in page.text("[role=alert]") and "NotAuthenticated" not in page.text("[role=alert]")
    page("await page.getByLabel('Token').fill(arg); await page.keyboard.press('Enter')", own.token)
    page.sees("There is no job yet")
    page("await page.reload()")
    page.sees("There is no job yet")  # still signed in


def test_a_failed_run_is_understood_and_repaired_by_mouse(own, page):
    job = story_job(own)
    page.sees("answers")
    start_and_fail(own, page)
    run = newest_run(own)
    before = {key: own.api.read(f"/taskRuns/{own.api.get_run(run)['taskToTaskRunMap'][key]}") for key in ("extract", "side")}
    page.sees("ValueError: answer must be 42, not '41'")

    # the log, without looking for it
    page("await page.getByRole('link', {name: 'Open log'}).first().click()")
    page("await page.getByRole('log').getByText(\"ValueError: answer must be 42\").waitFor()")
    page("await page.getByRole('button', {name: 'First error'}).click()")
    page("await page.locator('.log-line.marked', {hasText: 'Traceback'}).waitFor()")
    page("await page.getByRole('button', {name: 'stdout'}).click()")
    page("await page.getByRole('log').getByText('checking 41').waitFor()")
    assert page("return await page.locator('.log-line .ansi-red').innerText()") == "looking"
    page("await page.getByRole('searchbox').fill('closely')")
    page("await page.locator('.log-line.marked mark', {hasText: 'closely'}).waitFor()")
    page("await page.locator('.found', {hasText: '1 of 1'}).waitFor()")

    # the repair
    page("await page.getByRole('tab', {name: 'Graph'}).click()")
    page("await page.getByRole('link', {name: 'Repair…'}).first().click()")
    page.sees("Will run 2, re-evaluate 0, keep 2")
    page("await page.locator('[data-node=side]').click()")
    page.sees("Will run 3, re-evaluate 0, keep 1")
    page("await page.locator('[data-node=side]').click()")
    page("await page.locator('[data-parameter=answer]').fill('42')")
    page("await page.getByRole('table', {name: 'Parameters that change'}).waitFor()")
    page.sees("Will run 2, re-evaluate 0, keep 2")
    page.picture("repair")
    page("await page.getByRole('button', {name: 'Repair: run 2'}).click()")
    page.state("SUCCESS")
    page.task("publish", "SUCCESS")

    # nothing was overwritten
    page("await page.getByRole('button', {name: 'Original'}).click()")
    page.task("check", "FAILED")
    page("await page.getByRole('button', {name: 'Repair 1'}).click()")
    page.task("check", "SUCCESS")
    page("await page.getByRole('tab', {name: 'Parameters'}).click()")
    row = page("return await page.getByRole('row', {name: /^answer/}).innerText()")
    assert "42" in row and "41" in row and "repair 1" in row
    after = own.api.get_run(run)
    assert after["version"] == 2
    for key, body in before.items():
        assert own.api.read(f"/taskRuns/{after['taskToTaskRunMap'][key]}") == body

    # and the job shows it
    page.go(f"jobs/{job['key']}")
    page("await page.locator('[data-cell=\"1.0\"][data-status=SUCCESS]').click()")
    page("await page.getByRole('complementary', {name: 'Task check'}).waitFor()")


def test_the_same_by_keyboard_alone(own, page):
    own.open_gate("check")
    run = own.api.run(story_job(own), parameters=named(answer="41"))
    own.api.wait_final(run, "FAILED")
    press = "await page.keyboard.press(arg)"
    page(press, "g")
    page(press, "r")
    page("await page.getByRole('table', {name: 'Runs'}).waitFor()")
    tab_to(page, "link", run["key"][-8:])
    page(press, "Enter")
    page.state("FAILED")
    # the graph, along its edges, to the task that failed
    tab_to(page, "button", "extract")
    assert page("return await page.locator('.node').evaluateAll((all) => all.filter((one) => one.tabIndex >= 0).length)") == 1
    page(press, "Tab")
    assert focused(page) == "Zoom in", "one Tab passes the whole graph"
    page(press, "Shift+Tab")
    assert focused(page).startswith("extract"), "and one comes back"
    page(press, "ArrowRight")  # to one of the two that follow, which stand above each other
    if not focused(page).startswith("check"):
        page(press, "ArrowUp")
    if not focused(page).startswith("check"):
        page(press, "ArrowDown")
    assert focused(page).startswith("check.") and "Failed" in focused(page)
    page(press, "Enter")
    page("await page.getByRole('complementary', {name: 'Task check'}).waitFor()")
    page(press, "Escape")
    page("await page.getByRole('complementary').waitFor({state: 'detached'})")

    page(press, "r")
    page.sees("Will run 2, re-evaluate 0, keep 2")
    tab_to(page, "checkbox", "")
    before = is_checked(page)
    page(press, "Space")
    until(lambda: is_checked(page) != before, "the task is added or removed")
    page(press, "Space")
    until(lambda: is_checked(page) == before, "and back")
    tab_to(page, "textbox", "answer")
    page(press, "Control+a")
    page("await page.keyboard.type('42')")
    page("await page.getByRole('table', {name: 'Parameters that change'}).waitFor()")
    tab_to(page, "button", "Repair: run 2")
    page(press, "Enter")
    page.state("SUCCESS")
    # history
    tab_to(page, "button", "Original")
    page(press, "Space")
    page.task("check", "FAILED")
    assert own.api.get_run(run)["version"] == 2


def is_checked(page):
    return page("return await page.evaluate(() => document.activeElement.getAttribute('aria-checked'))")


def focused(page):
    """Name of what has the focus, as a screen reader has it."""
    return page("""return await page.evaluate(() => {
        const at = document.activeElement
        return at.getAttribute('aria-label') ?? at.querySelector(':scope > title')?.textContent ?? (at.labels?.[0] ?? at).innerText ?? ''
    })""").strip()


def tab_to(page, role, name):
    """Presses Tab until that has the focus; never the mouse."""
    for _ in range(80):
        page("await page.keyboard.press('Tab')")
        found = page("""return await page.evaluate(([role, name]) => {
            const at = document.activeElement
            const own = {A: 'link', BUTTON: 'button', INPUT: 'textbox', TEXTAREA: 'textbox', SELECT: 'combobox'}[at.tagName]
            const text = at.getAttribute('aria-label') ?? at.querySelector(':scope > title')?.textContent ?? (at.labels?.[0] ?? at).textContent ?? ''
            return (at.getAttribute('role') ?? own) === role && text.includes(name)
        }, arg)""", [role, name])
        if found:
            return
    raise AssertionError(f"Tab does not lead to {role} {name!r}")


def test_a_plan_that_is_out_of_date_is_refused_and_explained(own, page):
    own.open_gate("check")
    run = own.api.run(story_job(own), parameters=named(answer="41"))
    own.api.wait_final(run, "FAILED")
    page.go(f"runs/{run['key']}/repair")
    page("await page.locator('[data-parameter=answer]').fill('42')")
    page.sees("Will run 2, re-evaluate 0, keep 2")
    page("await page.getByRole('table', {name: 'Parameters that change'}).waitFor()")
    # somebody else is faster, and repairs only a part
    own.api.repair(run, taskKeys=["check"], parameters=named(answer="40"))
    own.api.wait_final(run, "FAILED")

    page("await page.getByRole('button', {name: 'Repair: run 2'}).click()")
    page.sees("The run changed before your repair reached it")
    notice = page.text(".notice")
    assert "repaired meanwhile by admin" in notice
    assert "check ran again and is Failed as before" in notice
    assert own.api.get_run(run)["version"] == 2, "the refused repair did something"
    page.sees("Will run 2, re-evaluate 0, keep 2")
    page("await page.getByRole('row', {name: /answer 40 .* 42/}).waitFor()")  # the new plan, not the one before
    page.picture("refused")
    page("await page.getByRole('button', {name: 'Repair: run 2'}).click()")
    page.state("SUCCESS")
    assert own.api.get_run(run)["version"] == 3


def test_a_restart_of_the_server_in_the_middle(servers, page_on):
    own = servers().start()
    port = own.url.rsplit(":", 1)[1]
    run = own.api.run(story_job(own), parameters=named(answer="41"))
    page = page_on(own)
    page.go(f"runs/{run['key']}")
    page.task("check", "RUNNING")
    own.kill9()
    page.sees("The server cannot be reached")
    own.options = ("--listen", f"127.0.0.1:{port}")
    own.start()
    page("await page.locator('.offline').waitFor({state: 'detached'})")
    page.task("check", "RUNNING")
    own.open_gate("check")
    page.task("check", "FAILED")  # nobody reloaded the page


def test_cancel_asks_first(own, page):
    run = own.api.run(story_job(own))
    page.go(f"runs/{run['key']}")
    page.task("check", "RUNNING")
    page("await page.getByRole('button', {name: 'Cancel run'}).click()")
    page("await page.getByRole('dialog').getByRole('button', {name: 'Let it run'}).click()")
    assert own.api.get_run(run)["state"]["status"] == "RUNNING"
    page("await page.getByRole('button', {name: 'Cancel run'}).click()")
    page("await page.getByRole('dialog').getByRole('button', {name: 'Cancel run'}).click()")
    page.state("CANCELED")


def test_a_dialog_gives_the_focus_back(own, page):
    job = story_job(own)
    run = own.api.run(job)
    places = (("jobs", "Run answers", "Cancel"), ("campaigns", "New campaign…", "Cancel"), (f"runs/{run['key']}", "Cancel run", "Let it run"))
    for place, opener, button in places:
        page.go(place)
        page("const opener = page.getByRole('button', {name: arg.opener}).first(); await opener.waitFor(); await opener.focus(); await page.keyboard.press('Enter');"
             "await page.getByRole('dialog').getByRole('button', {name: arg.button, exact: true}).focus(); await page.keyboard.press('Enter');"
             "await page.getByRole('dialog').waitFor({state: 'detached'})", {"opener": opener, "button": button})
        assert opener in focused(page), place
    own.open_gate("check")


def test_what_opens_beside_gives_the_focus_back(own, page):
    job = own.api.job([step("one"), step("two", after="one")])
    run = own.api.wait_final(own.api.run(job), "SUCCESS")
    close = "await page.getByRole('complementary').getByRole('button', {name: 'Close'}).focus(); await page.keyboard.press('Enter');" \
            "await page.getByRole('complementary').waitFor({state: 'detached'})"
    here = "return await page.evaluate((of) => !!document.activeElement.closest(of), arg)"
    places = ((f"runs/{run['key']}", "[data-node=two]"), (f"runs/{run['key']}?tab=tasks", ".tr button:has(bdi[title=two])"), (f"jobs/{job['key']}", "[data-cell='1.0']"))
    for place, opener in places:
        page.go(place)
        page("await page.locator(arg).waitFor(); await page.locator(arg).focus(); await page.keyboard.press('Enter');"
             "await page.getByRole('complementary', {name: 'Task two'}).waitFor()", opener)
        page(close)
        assert page(here, opener), place
    # what was opened for another task while it was there
    page.go(f"runs/{run['key']}?tab=graph")
    for key in ("one", "two"):
        page(f"await page.locator('[data-node={key}]').focus(); await page.keyboard.press('Enter'); await page.getByRole('complementary', {{name: 'Task {key}'}}).waitFor()")
    page(close)
    assert page(here, "[data-node=two]")


def test_now_shows_slots_and_the_queue(own, page):
    job = own.api.job([step("hold", gate="hold")], name="busy", queue={"isEnabled": True})
    first, second = own.api.run(job), own.api.run(job)
    page.go("now")
    page.sees("1 of 1 held")
    page.sees("1st in line")
    assert first["key"][-8:] in page.text(".slots")
    assert second["key"][-8:] in page.text(".queue")
    own.open_gate("hold")
    page.sees("Nothing runs at the moment")


def test_times_are_local_with_their_zone_and_utc_beside_them(own, page_on):
    run = own.api.go([task("one")], "SUCCESS")
    page = page_on(own, timezoneId="America/St_Johns")
    page.go(f"runs/{run['key']}")
    shown = json.loads(page("""const at = page.locator('.facts time').first(); await at.waitFor();
        return JSON.stringify([await at.innerText(), await at.getAttribute('title'), await at.getAttribute('datetime')])"""))
    local = page("return await page.evaluate((ms) => new Date(ms).toTimeString().slice(0, 8), arg)", run["startTime"])
    assert shown[0].endswith(local)
    here, utc = shown[1].split("\n")
    assert here.endswith(f"{local} America/St_Johns")
    assert utc.endswith("UTC") and utc.replace(" UTC", "Z").replace(" ", "T") == shown[2]


def test_the_server_tells_and_nobody_asks(own, page):
    """With a stream of events the page reads again when something happened, and not otherwise."""
    run = own.api.run(story_job(own))
    page.go(f"runs/{run['key']}")
    page.task("check", "RUNNING")
    own.api.wait_task(run, "side", "SUCCESS")
    page.task("side", "SUCCESS")
    asked = page("""let count = 0; const counts = () => count++; page.on('request', counts);
        await page.waitForTimeout(5000); page.off('request', counts); return count""")
    assert asked <= 4, f"{asked} requests in 5 s in which nothing happened"
    own.open_gate("check")
    page.task("check", "SUCCESS")
    page.state("SUCCESS")


def test_what_somebody_else_repairs_is_seen(own, page):
    """On a page that shows a run which has ended; and until then it asks nothing."""
    own.open_gate("bad")
    run = own.api.go([step("good"), step("bad", after="good", gate="bad", until="mended", exit=1)], "FAILED")
    page.go(f"runs/{run['key']}")
    page.state("FAILED")
    page.settle()
    asked = page("""let count = 0; const counts = () => count++; page.on('request', counts);
        await page.waitForTimeout(5000); page.off('request', counts); return count""")
    assert asked <= 1, f"{asked} requests in 5 s for a run that has ended"
    own.shut_gate("bad")
    own.open_gate("mended")
    own.api.repair(run)
    page.state("RUNNING")
    page("await page.getByRole('button', {name: 'Repair 1'}).waitFor()")
    own.open_gate("bad")
    page.state("SUCCESS")


def test_the_log_that_is_opened_has_something_in_it(own, page):
    """Of a task that failed its errors, unless it wrote none; and a button that finds nothing says so."""
    own.script("quiet.py", "import sys\nprint('all there is')\nsys.exit(3)\n")
    run = own.api.go([task("quiet", "quiet.py", maxRetries=1)], "FAILED")
    page.go(f"runs/{run['key']}")
    page("await page.locator('[data-node=quiet]', {hasText: 'attempt 1'}).waitFor()")
    page("await page.getByRole('link', {name: 'Open log'}).first().click()")
    page("await page.getByRole('log', {name: 'stdout of quiet'}).getByText('all there is').waitFor()")
    page("await page.getByRole('button', {name: 'First error'}).click()")
    page.sees("No line looks like an error")
    page("await page.getByRole('button', {name: 'stderr'}).click()")  # who chooses is shown what was chosen
    page.sees("Nothing was written to stderr.")


def test_an_error_is_found_wherever_its_line_begins(own, page):
    own.script("late.py", "import sys\nfor i in range(9000): print('line', i)\nprint('KeyError: gone', flush=True)\nprint('', file=sys.stderr)\nsys.exit(1)\n")
    run = own.api.go([task("late", "late.py")], "FAILED")
    page.go(f"runs/{run['key']}?tab=logs&stream=stdout")
    page.sees("9,001 lines")
    page("await page.getByRole('button', {name: 'First error'}).click()")
    page.sees("The first error is in line 9,001")
    page("await page.locator('.log-line.marked', {hasText: 'KeyError: gone'}).waitFor()")


def test_a_download_has_all_of_it(own, page):
    """Not only as much as the server gives in one answer."""
    own.script("much.py", "for i in range(90_000): print(f'{i:09d}', 'x' * 89)\n")
    run = own.api.go([task("much", "much.py")], "SUCCESS")
    page.go(f"runs/{run['key']}?tab=logs")
    page.sees("90,000 lines")
    size = page("""const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', {name: 'Download'}).click()]);
        const {statSync} = await import('node:fs'); return statSync(await file.path()).size""")
    assert size == 9_000_000
    page.sees("Downloaded 8.6 MiB")


def test_what_is_not_there_is_said_in_plain_words(own, page):
    for place, title in (("runs/00000000-0000-4000-8000-000000000000", "There is no such run"), ("jobs/none", "There is no such job"),
                         ("campaigns/none", "There is no such campaign"), ("runs/none/repair", "There is no such run")):
        page.go(place)
        page(f"await page.getByRole('heading', {{name: {title!r}}}).waitFor()")
        assert "NotAuthorizedOrNotFound" not in page.text("main")
        assert page("return await page.locator('main h2').evaluate((h) => h.getBoundingClientRect().left)") > 20


def test_long_lines_of_an_output_are_wrapped_and_stay_so(own, page):
    own.script("long.py", "for i in range(5000): print(i, 'word ' * (200 if i % 10 == 3 else 1) + f'end-of-{i}.')\n")
    run = own.api.go([task("long", "long.py")], "SUCCESS")
    page.go(f"runs/{run['key']}?tab=logs")
    page.sees("5,000 lines")
    box = "page.getByRole('log')"
    wide = f"return await {box}.evaluate((box) => box.scrollWidth - box.clientWidth)"
    assert page(wide) > 1000
    page("await page.getByRole('searchbox').fill('end-of-2503.'); await page.locator('.log-line.marked', {hasText: 'end-of-2503.'}).waitFor()")
    page("await page.getByRole('button', {name: 'Wrap'}).click()")
    in_sight = f"""return await {box}.evaluate((box, text) => {{
        const line = [...box.querySelectorAll('.log-line')].find((one) => one.textContent.includes(text)), at = line?.getBoundingClientRect(), frame = box.getBoundingClientRect()
        return !!at && at.top >= frame.top - 1 && at.bottom <= frame.bottom + 1 && at.height > 60 }}, arg)"""
    until(lambda: page(in_sight, "end-of-2503."), "the whole of what was found")
    assert page(wide) <= 0
    page.picture("wrapped")
    for needle in ("end-of-13.", "end-of-4993."):
        page("await page.getByRole('searchbox').fill(arg)", needle)
        until(lambda: page(in_sight, needle), "what is searched for, near or far")
    page("await page.getByRole('button', {name: 'End', exact: true}).click()")
    until(lambda: page(f"return await {box}.evaluate((box) => box.scrollTop + box.clientHeight >= box.scrollHeight - 4 && box.textContent.includes('end-of-4999.'))"), "the end")
    there = "return await page.locator('.log-line', {hasText: arg}).count() === 1"
    page("await page.getByRole('button', {name: 'Earlier lines'}).click(); await page.getByRole('button', {name: 'Earlier lines'}).click()")
    until(lambda: page(there, "end-of-4300.") and not page(there, "end-of-4900."), "those before")
    page("await page.getByRole('button', {name: 'Later lines'}).click()")
    until(lambda: page(there, "end-of-4850.") and not page(there, "end-of-4300."), "those behind")
    page("await page.reload(); await page.locator('.log-lines.wrap').waitFor()")
    page.sees("5,000 lines")
    page("await page.getByRole('searchbox').fill('end-of-2503.'); await page.locator('.log-line.marked').waitFor()")
    page("await page.getByRole('button', {name: 'Wrap'}).click(); await page.locator('.log-lines:not(.wrap) .log-line.marked').waitFor()")
    assert page(wide) > 1000


def test_what_is_written_is_followed_where_lines_are_wrapped_too(own, page):
    own.script("slow.py", """import os, time
gates = os.path.join(os.environ["REPRISE_WORKSPACE"], "gates")
for part in range(3):
    while not os.path.exists(os.path.join(gates, f"part{part}")): time.sleep(0.01)
    for i in range(700): print(part, i, "word " * 60, flush=i == 699)
    print(f"part {part} is over", flush=True)
""")
    run = own.api.run(own.api.job([task("slow", "slow.py")]))
    page.go(f"runs/{run['key']}?tab=logs")
    page("await page.getByRole('button', {name: 'Wrap'}).click()")
    bottom = "return await page.getByRole('log').evaluate((box) => box.scrollTop + box.clientHeight >= box.scrollHeight - 4)"
    for part in range(3):
        own.open_gate(f"part{part}")
        page("await page.locator('.log-line', {hasText: `part ${arg} is over`}).waitFor()", part)
        until(lambda: page(bottom), "the newest is in sight")
        for _ in range(2 if part < 2 else 0):  # and stays so, whichever way they are shown
            page("await page.getByRole('button', {name: 'Wrap'}).click()")
            page("await page.getByRole('button', {name: 'Follow', pressed: true}).waitFor()")
            until(lambda: page(bottom), "the newest is in sight still")
    own.api.wait_final(run, "SUCCESS")
