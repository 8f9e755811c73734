"""The page of a run: what went wrong, and where from there."""

from harness import if_else, key_of, named, node, statuses, step, task
from ui_browser import until


def test_where_the_output_of_what_failed_is(own, page):
    """Of a task that runs a job in the child run; of one that never began, the reason in place of an output."""
    child = own.api.job([task("inner", "fail.py")], name="child")
    run = own.api.go([node("sub", "JOB_TASK", jobKey=key_of(child)), task("missing", "gone.py", "sub", runIf="ALL_DONE")], "INTERNAL_ERROR", name="parent")
    page.go(f"runs/{run['key']}")
    failure = "page.getByRole('region', {name: 'What went wrong'})"
    page(f"await {failure}.getByRole('link', {{name: 'missing'}}).click()")
    page("await page.getByRole('complementary', {name: 'Task missing'}).getByRole('link', {name: 'Open log'}).click()")
    page("await page.getByRole('log').getByText('Cannot start: no file gone.py in the workspace').waitFor()")
    assert "Nothing was written" not in page.text("[role=log]")
    page("await page.getByRole('navigation', {name: 'Tasks'}).getByRole('button', {name: 'sub'}).click()")
    page.sees("This task runs a job")
    page.picture("log-of-a-job")
    page.go(f"runs/{run['key']}?tab=tasks")
    page("await page.getByRole('cell').getByRole('link', {name: 'Run', exact: true}).waitFor()")
    page(f"await {failure}.getByRole('link', {{name: 'Open child run'}}).click()")
    page("await page.getByRole('heading', {name: 'child', exact: true}).waitFor()")
    page.task("inner", "FAILED")


def test_what_runs_no_process_has_no_output(own, page):
    run = own.api.go([if_else("choice", "1 == 1"), node("pass", "DUMMY_TASK", "choice"), step("work", after="pass", out="worked")], "SUCCESS")
    for key in ("choice", "pass"):
        page.go(f"runs/{run['key']}?task={key}")
        page(f"await page.getByRole('complementary', {{name: 'Task {key}'}}).waitFor()")
        page.settle()
        assert page("return await page.getByRole('link', {name: 'Open log'}).count()") == 0
        page.go(f"runs/{run['key']}?tab=logs&task={key}")
        page(f"await page.getByRole('heading', {{name: '{key}'}}).waitFor()")
        page.sees("This task has no output: it runs no process")
    page.go(f"runs/{run['key']}?tab=tasks")
    page("await page.getByRole('cell').getByRole('link', {name: 'Log', exact: true}).waitFor()")
    assert page("return await page.getByRole('cell').getByRole('link', {name: 'Log', exact: true}).count()") == 1
    page.go(f"runs/{run['key']}?tab=logs&task=work&attempt=7")  # no such attempt
    page("await page.getByRole('alert').waitFor()")
    assert "Reading" not in page.text(".log")


def test_another_repair_has_attempts_of_its_own(own, page):
    run = own.api.go([step("flaky", until="mended", out="said", exit=1, maxRetries=1)], "FAILED")
    own.open_gate("mended")
    own.api.repair(run)
    own.api.wait_final(run, "SUCCESS")
    page.go(f"runs/{run['key']}?tab=logs&task=flaky&repair=0&attempt=1&stream=stderr")
    page("await page.getByRole('log', {name: 'stderr of flaky'}).waitFor()")
    page("await page.getByRole('button', {name: 'Repair 1'}).click(); await page.getByRole('log', {name: 'stdout of flaky'}).waitFor()")
    page.settle()
    assert page("return await page.getByRole('alert').count()") == 0 and "attempt" not in page("return page.url()")


def test_the_cause_comes_before_what_follows_from_it(own, page):
    """Also of a run that succeeded, since what failed had a task behind it that was for that."""
    unknown = {"taskKey": "summary", "type": "SHELL_TASK", "script": "echo {{tasks.extract.values.rows}}", "runIf": "ALL_DONE",
               "dependsOn": [{"taskKey": "extract"}]}
    saved = {"taskKey": "tidy", "type": "DUMMY_TASK", "runIf": "ALL_DONE", "dependsOn": [{"taskKey": "summary"}]}
    run = own.api.go([step("extract", err="gone", exit=1), unknown, saved], "SUCCESS")
    page.go(f"runs/{run['key']}")
    failure = "page.getByRole('region', {name: 'What went wrong'})"
    assert "extract\ngone" in page(f"return await {failure}.locator('.failure-line').innerText()")
    assert "summary" in page(f"return await {failure}.locator('.failure-others').innerText()")
    page(f"await {failure}.getByRole('link', {{name: 'Open log'}}).waitFor()")


def test_all_that_failed_is_named(own, page):
    run = own.api.go([task(f"t{i}", "fail.py") for i in range(8)], "FAILED")
    page.go(f"runs/{run['key']}")
    failure = "page.getByRole('region', {name: 'What went wrong'})"
    page(f"await {failure}.getByRole('link', {{name: 'and 2 more'}}).waitFor()")
    page.picture("failures")
    other = page(f"const link = {failure}.locator('.failure-others a').nth(2); await link.click(); return await link.innerText()").strip()
    page(f"await page.getByRole('complementary', {{name: 'Task {other}'}}).waitFor()")
    assert page("return await page.locator('.node.current').getAttribute('data-node')") == other
    page(f"await {failure}.getByRole('link', {{name: 'and 2 more'}}).click(); await page.getByRole('table', {{name: 'Tasks'}}).waitFor()")


def test_a_run_is_run_again_with_what_it_was_given(own, page):
    job = own.api.job([step("one")], name="again", parameters=named(day="1", constructor="x", kept="k"))
    run = own.api.wait_final(own.api.run(job, parameters=named(day="2", extra="e")))
    page.go(f"runs/{run['key']}")
    page("await page.getByRole('button', {name: 'Run again…'}).click()")
    dialog = "page.getByRole('dialog', {name: 'Run again'})"
    page(f"await {dialog}.waitFor()")
    assert page(f"return await {dialog}.locator('[data-parameter]').evaluateAll((all) => all.map((one) => [one.dataset.parameter, one.value]))") == [
        ["day", "2"], ["constructor", "x"], ["kept", "k"]]
    assert page(f"return await {dialog}.getByLabel('Value of the new parameter').inputValue()") == "e"
    page.picture("run-again")
    page(f"await {dialog}.locator('[data-parameter=day]').fill('3'); await {dialog}.getByRole('button', {{name: 'Run', exact: true}}).click()")
    until(lambda: run["key"] not in page("return page.url()"), "the new run is there")
    page.state("SUCCESS")
    new = own.api.read("/jobRuns", limit=1)["items"][0]
    assert own.api.get_run(new)["parameters"] == named(day="3", extra="e"), "the defaults stay the job's"
    assert own.api.delete(f"/jobs/{job['key']}").ok
    page("await page.getByRole('button', {name: 'Run again…'}).click()")
    page.sees("Its job was deleted")


def test_a_parameter_that_nobody_knows_is_told(own, page):
    job = own.api.job([step("one")], name="typed", parameters=named(day="1"))
    run = own.api.wait_final(own.api.run(job, parameters=named(region="eu")))
    own.api.replace(job, [step("one")], name="typed", parameters=named(day="1", newer="n"))
    hint = "page.locator('.pair-hint')"
    name = "page.getByLabel('Name of the new parameter')"
    for place, open_ in ((f"jobs/{job['key']}", "page.getByRole('button', {name: 'Run…'})"), (f"runs/{run['key']}/repair", None)):
        page.go(place)
        if open_:
            page(f"await {open_}.click()")
        page("await page.getByRole('button', {name: 'Add a parameter'}).click()")
        page(f"await {name}.fill('dya'); await {hint}.getByText('has no parameter of this name. Did you mean day?').waitFor()")
        page.picture("hint-" + ("run" if open_ else "repair"))
        page(f"await {name}.fill('elsewhere'); await {hint}.getByText('no parameter of this name').waitFor()")
        assert "Did you mean" not in page.text(".pair-hint")
        page(f"await {name}.fill('newer'); await {hint}.waitFor({{state: 'detached'}})")


def test_a_name_that_begins_like_another_is_typed_to_its_end(own, page):
    """Letter by letter: for a moment it is the name of a parameter that the run has."""
    run = own.api.go([step("one", exit=1)], "FAILED", parameters=named(day="1"))
    page.go(f"runs/{run['key']}/repair")
    page("await page.getByRole('button', {name: 'Add a parameter'}).click()")
    name = "page.getByLabel('Name of the new parameter')"
    page(f"await {name}.focus(); await page.keyboard.type('day')")
    page.sees("There is a field for this name already")
    assert page("return await page.locator('[data-parameter=day]').inputValue()") == "1"
    confirm = "page.locator('.confirm').getByRole('button')"
    assert page(f"return await {confirm}.isDisabled()"), "not while two fields have one name"
    page(f"await page.keyboard.type('_gn_before'); await page.getByText('There is a field for this name already').waitFor({{state: 'detached'}})")
    assert page(f"return await {name}.inputValue()") == "day_gn_before" and "/repair" in page("return page.url()")
    page("await page.keyboard.press('Tab'); await page.keyboard.type('2')")
    page("await page.getByRole('row', {name: /day_gn_before/}).waitFor()")
    page(f"await {confirm}.click(); await page.getByRole('button', {{name: 'Repair 1'}}).waitFor()")
    assert own.api.get_run(run)["repairHistory"][-1]["parameters"] == named(day_gn_before="2")


def test_attempts_have_the_number_of_the_api_everywhere(own, page):
    run = own.api.go([task("flaky", "fail.py", maxRetries=2)], "FAILED")
    page.go(f"runs/{run['key']}?task=flaky")
    page("await page.locator('[data-node=flaky]', {hasText: 'attempt 2'}).waitFor()")
    page("await page.locator('.attempts a').nth(2).waitFor()")
    assert page("return await page.locator('.attempts a').allInnerTexts()") == ["attempt 2", "attempt 1", "attempt 0"]
    page.go(f"runs/{run['key']}?tab=logs")
    page("await page.getByLabel('Attempt').waitFor()")
    assert page("return await page.getByLabel('Attempt').locator('option').allInnerTexts()") == ["attempt 0", "attempt 1", "attempt 2"]
    page.go(f"runs/{run['key']}?tab=gantt")
    page("await page.locator('.bar.work[aria-label*=\"attempt 0\"]').waitFor()")
    page.go(f"runs/{run['key']}?tab=events")
    last = "page.getByRole('table', {name: 'Events'}).locator('.tr:has(bdi)').first()"
    page(f"await {last}.getByText('attempt 2').waitFor()")
    shown = page(f"return await {last}.locator('time').evaluate((at) => [at.innerText, at.dateTime])")
    assert shown[0].endswith(shown[1][-5:-1]), "milliseconds"
    page.picture("events")
    text = page.text("#main")
    assert not any(word in text for word in ("1st", "2nd", "3rd")), text


def test_a_log_is_found_among_those_of_many_tasks(own, page):
    tasks = [node(f"load-{i:03d}", "DUMMY_TASK") for i in range(200)]
    tasks[150] = task("load-150", "fail.py")
    run = own.api.go(tasks, "FAILED")
    in_sight = """return await page.locator('.logs-names').evaluate((box) => {
        const [outer, inner] = [box, box.querySelector('[aria-current=true]')].map((one) => one.getBoundingClientRect())
        return inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1 && inner.left >= outer.left - 1 && inner.right <= outer.right + 1 })"""
    for size in ({"width": 1280, "height": 860}, {"width": 390, "height": 844}):
        page("await page.setViewportSize(arg)", size)
        page.go(f"runs/{run['key']}?tab=logs&task=load-187")
        page("await page.getByRole('heading', {name: 'load-187'}).waitFor()")
        until(lambda: page(in_sight), "the task whose log is shown is in sight")
        page.picture(f"logs-of-many-{size['width']}")
        page.go("runs")
    page("await page.setViewportSize({width: 1280, height: 860})")
    page.go(f"runs/{run['key']}?tab=logs")
    page("await page.getByRole('heading', {name: 'load-150'}).waitFor()")
    names = "return await page.locator('.logs-names button').allInnerTexts()"
    assert [name.strip() for name in page(names)[:2]] == ["load-150", "load-000"]
    page("await page.keyboard.press('/'); await page.keyboard.type('d-19')")
    until(lambda: len(page(names)) == 10, "those that have it in their name")
    page("await page.keyboard.press('Enter'); await page.getByRole('heading', {name: 'load-190'}).waitFor()")
    page("await page.keyboard.type('x'); await page.getByText('No task has that in its name').waitFor()")


MIDDLE = """return await page.locator('.node.current').evaluate((node) => {
    const [at, frame] = [node.querySelector('.body'), node.closest('.graph-frame')].map((one) => one.getBoundingClientRect())
    return Math.hypot(at.left + at.width / 2 - frame.left - frame.width / 2, at.top + at.height / 2 - frame.top - frame.height / 2) })"""


def test_a_task_is_told_apart_and_found_in_a_big_graph(own, page):
    names = [f"load_customer_orders_of_region_{i:03d}" for i in range(180)]
    tasks = [node(name, "DUMMY_TASK", names[max(0, i - 12)] if i else ()) for i, name in enumerate(names)]
    tasks[170] = task(names[170], "fail.py", names[158])
    run = own.api.go(tasks, "FAILED")
    page.go(f"runs/{run['key']}")
    shown = [page("return await page.locator(arg).first().textContent()", f"[data-node$='_{i:03d}'] .title") for i in range(2)]
    assert shown[0].startswith("load_") and shown[0].endswith("_000") and shown[1].endswith("_001")
    title = page("return await page.locator(\"[data-node$='_000'] title\").first().textContent()")
    assert title.startswith(f"{names[0]}.\nSucceeded")
    name = f"page.getByRole('region', {{name: 'What went wrong'}}).getByRole('link', {{name: '{names[170]}'}})"
    page(f"await {name}.click(); await page.locator('.node.current').waitFor()")
    until(lambda: page(MIDDLE) < 2, "the graph is centred on it, beside the panel that opened")
    page.picture("centred")
    page("await page.locator('.graph-frame').hover(); await page.mouse.wheel(0, 900)")
    until(lambda: page("return await page.locator('.node.current').count()") == 0 or page(MIDDLE) > 100, "it is out of the middle")
    page("await page.getByRole('tab', {name: 'Tasks'}).click()")
    page(f"await {name}.click(); await page.locator('.node.current').waitFor()")
    until(lambda: page(MIDDLE) < 2, "and again")


def test_the_graph_shows_what_a_repair_ran(own, page):
    run = own.api.go([step("good"), step("bad", after="good", until="mended", exit=1), step("last", after="bad")], "FAILED")
    page.go(f"runs/{run['key']}")
    page.task("bad", "FAILED")
    assert page("return await page.locator('.node .badge').count()") == 0
    own.open_gate("mended")
    own.api.repair(run)
    own.api.wait_final(run, "SUCCESS")
    page("await page.reload()")
    page.task("last", "SUCCESS")
    badges = "return await page.locator('.node').evaluateAll((all) => all.map((one) => [one.dataset.node, one.querySelector('.badge')?.textContent]))"
    until(lambda: page(badges) == [["good", "kept"], ["bad", "again"], ["last", "again"]], "what it kept and what it ran")
    page.picture("after-a-repair")
    page("await page.getByRole('button', {name: 'Original'}).click()")
    until(lambda: all(len(one) == 1 or not one[1] for one in page(badges)), "the original ran everything")


def test_all_tasks_of_an_older_attempt_are_shown_however_many(own, page):
    names = [f"t{i:04d}" for i in range(1100)]
    run = own.api.go([step("bad", until="mended", exit=1), *(node(name, "DUMMY_TASK") for name in names)], "FAILED")
    own.open_gate("mended")
    own.api.repair(run)
    own.api.wait_final(run, "SUCCESS")
    for name in (names[0], names[-1]):
        page.go(f"runs/{run['key']}?tab=tasks&repair=0&task={name}")
        page(f"await page.getByRole('complementary', {{name: 'Task {name}'}}).locator('.pill[data-status=SUCCESS]').waitFor()")


def test_a_run_that_was_skipped_never_started(own, page):
    job = own.api.job([step("one")], name="none", maxConcurrentRuns=0)
    run = own.api.wait_final(own.api.run(job), "SKIPPED")
    page.go(f"runs/{run['key']}")
    page.state("SKIPPED")
    assert "Never" in page.text(".facts") and "Not yet" not in page.text(".facts")


def test_a_bar_of_the_gantt_ends_with_the_attempt(own, page):
    """Not when the server noticed, which is later where it was away: here by 20 s."""
    run = own.api.go([step("one")], "SUCCESS")
    page("""await page.route('**/jobRuns/*/events?*', async (route) => {
        const answer = await route.fetch(), body = await answer.json()
        for (const event of body.items) if (event.to === 'SUCCESS') event.time = new Date(Date.parse(event.time) + 20_000).toISOString()
        await route.fulfill({response: answer, json: body}) })""")
    page.go(f"runs/{run['key']}?tab=tasks")
    took = page("const row = page.getByRole('row', {name: /^one/}); await row.waitFor(); return await row.getByRole('cell').nth(4).innerText()").strip()
    page.go(f"runs/{run['key']}?tab=gantt")
    bar = page("const bar = page.locator('.bar.work[role=img]'); await bar.waitFor(); return await bar.getAttribute('aria-label')")
    page("await page.unroute('**/jobRuns/*/events?*')")
    assert took and bar.startswith(f"Ran {took}, "), (took, bar)


def test_the_legend_of_the_gantt_keeps_its_words_together_on_a_phone(own, page):
    run = own.api.go([step("one")], "SUCCESS")
    page("await page.setViewportSize({width: 390, height: 844})")
    page.go(f"runs/{run['key']}?tab=gantt")
    page("await page.locator('.legend').waitFor()")
    page.picture("phone-gantt-legend")
    lines = page("return await page.locator('.legend span').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height))")
    assert len(lines) == 6 and max(lines) < 25, "a swatch and its word on one line"


def test_a_task_is_marked_as_successful(own, page):
    run = own.api.go([step("load"), step("check", "load", exit=1), step("send", "check"), step("other", exit=1)], "FAILED")
    page.go(f"runs/{run['key']}/repair")
    page.sees("Will run 3, re-evaluate 0, keep 1")
    assert page("return await page.getByRole('button', {name: 'Mark as successful: load'}).count()") == 0, "it is SUCCESS"
    page("await page.getByRole('button', {name: 'Mark as successful: check'}).click()")
    page("await page.getByRole('button', {name: 'Mark as successful: other'}).click()")
    page.sees("Will run 1, re-evaluate 0, mark 2, keep 1")
    page("await page.locator('[data-node=check]').getByText('mark', {exact: true}).waitFor()")
    page.picture("repair-mark")
    page("await page.getByRole('button', {name: 'Run it after all: other'}).click()")
    page.sees("Will run 2, re-evaluate 0, mark 1, keep 1")
    page("await page.locator('[data-node=other]').click(); await page.locator('[data-node=send]').click()")
    page.sees("Will run 0, re-evaluate 1, mark 1, keep 2")
    page("await page.reload(); await page.getByText('had chosen here before').waitFor()")
    page("await page.getByRole('button', {name: 'Repair: run 0, mark 1'}).click(); await page.locator('button[aria-pressed=true]', {hasText: 'Repair 1'}).waitFor()")
    page.state("FAILED")
    page.sees("1 task marked as successful: check")
    done = own.api.get_run(run)
    assert done["repairedTasks"] == ["check", "send"] and own.api.task_run(done, "check")["isMarkedSuccess"]
    page.go(f"runs/{run['key']}?tab=tasks&task=check")
    page.sees("Marked as successful by admin in repair 1")
    page.picture("marked")


def test_a_task_is_cancelled_alone(own, page):
    run = own.api.run(own.api.job([step("stuck", gate="never"), step("good", gate="good"), step("next", "stuck")]))
    page.go(f"runs/{run['key']}?task=stuck")
    page("await page.getByRole('button', {name: 'Cancel this task'}).click()")
    page.sees("The run goes on")
    page("await page.getByRole('button', {name: 'Cancel task', exact: true}).click()")
    page.sees("Canceled by admin")
    assert page("return await page.getByRole('button', {name: 'Cancel this task'}).count()") == 0
    own.open_gate("good")
    page.state("CANCELED")
    assert statuses(own.api.get_run(run)) == {"stuck": "CANCELED", "good": "SUCCESS", "next": "UPSTREAM_CANCELED"}


def test_a_repair_that_was_left_is_there_again(own, page):
    """However it was left: also by keys that were typed where no field was."""
    run = own.api.go([step("one", exit=1), step("two")], "FAILED", parameters=named(day="1"))
    page.go(f"runs/{run['key']}/repair")
    page.sees("Will run 1, re-evaluate 0, keep 1")
    assert page("return await page.getByText('had chosen here before').count()") == 0
    page("await page.locator('[data-node=two]').click(); await page.locator('[data-parameter=day]').fill('2')")
    page("await page.getByRole('button', {name: 'Add a parameter'}).click(); await page.getByLabel('Name of the new parameter').fill('region')")
    page("await page.getByRole('heading', {level: 1}).click(); await page.keyboard.type('gn')")
    page("await page.getByRole('heading', {name: 'Now', exact: true}).waitFor(); await page.goBack()")
    page.sees("This is what you had chosen here before")
    page.sees("Will run 2")
    assert page("return await page.locator('[data-parameter=day]').inputValue()") == "2"
    assert page("return await page.getByLabel('Name of the new parameter').inputValue()") == "region"
    page.picture("repair-again")
    page.go(f"runs/{run['key']}/repair?tasks=two")  # another selection is another draft
    page("await page.locator('[data-node=one]:not(.chosen)').waitFor()")
    page("await page.goBack(); await page.getByText('had chosen here before').waitFor()")
    page("await page.reload(); await page.getByText('had chosen here before').waitFor()")
    page("await page.getByRole('button', {name: 'Start over'}).click()")
    page.sees("Will run 1, re-evaluate 0, keep 1")
    assert page("return await page.locator('[data-parameter=day]').inputValue()") == "1"
    page("await page.locator('[data-parameter=day]').fill('3'); await page.getByRole('row', {name: /^day 1/}).waitFor()")
    page("await page.getByRole('button', {name: 'Repair: run 1'}).click(); await page.getByRole('button', {name: 'Repair 1'}).waitFor()")
    page.state("FAILED")
    page("await page.getByRole('link', {name: 'Repair…'}).first().click()")
    page.sees("Will run 1, re-evaluate 0, keep 1")
    assert page("return await page.getByText('had chosen here before').count()") == 0, "it was confirmed"


def test_a_task_of_a_big_graph_is_found_by_its_name(own, page):
    names = [f"load_region_{i:03d}" for i in range(200)]
    tasks = [node(name, "DUMMY_TASK", names[max(0, i - 5)] if i else ()) for i, name in enumerate(names)]
    tasks[120] = task(names[120], "fail.py", names[115])
    tasks[191] = step(names[191], after=names[186], gate="first-failed", exit=1)
    run = own.api.run(own.api.job(tasks))
    own.api.wait_task(run, names[120], "FAILED")
    own.open_gate("first-failed")
    own.api.wait_final(run, "FAILED")
    page.go(f"runs/{run['key']}")
    page(f"await page.locator('[data-node={names[120]}][data-status=FAILED]').waitFor()")  # there it begins
    page.picture("begins-at-the-failure")
    page("await page.getByRole('button', {name: 'Next of 2 that failed'}).click()")
    current = "return await page.locator('.node.current').getAttribute('data-node')"
    assert page(current) == names[120]
    page("await page.getByRole('button', {name: 'Next of 2 that failed'}).click()")
    until(lambda: page(current) == names[191] and page(MIDDLE) < 2, "the other one, in the middle")
    page("await page.keyboard.press('/'); await page.keyboard.type('_00')")
    page.sees("10 found")
    page("await page.keyboard.press('Enter')")
    until(lambda: page(current) == names[0] and page(MIDDLE) < 2, "the first")
    page("await page.keyboard.press('Enter')")
    until(lambda: page(current) == names[1], "the second")
    page("await page.keyboard.press('Shift+Enter'); await page.keyboard.press('Shift+Enter'); await page.getByText('10 of 10').waitFor()")
    until(lambda: page(current) == names[9] and page(MIDDLE) < 2, "round to the last")
    page("await page.keyboard.type('x')")
    page.sees("none")
    own.api.repair(run, taskKeys=[names[191]])
    own.api.wait_final(run, "FAILED")
    page("await page.goto('about:blank'); await page.goto(arg)", f"/#/runs/{run['key']}?repair=0")
    page("await page.getByRole('button', {name: 'Original', pressed: true}).waitFor()")
    page(f"await page.locator('[data-node={names[120]}][data-status=FAILED]').waitFor()")  # an older attempt, too


def test_what_got_no_answer_is_asked_for_again(own, page):
    """One lost answer is not shown as if there were nothing."""
    run = own.api.go([task("one", "fail.py")], "FAILED")
    own.api.repair(run)
    own.api.wait_final(run, "FAILED")
    own.api.replace(own.api.get_run(run)["jobKey"], [step("two")])
    places = [(f"runs/{run['key']}?tab=events", "**/jobRuns/*/events?*", "newest first", "0 events"),
              (f"runs/{run['key']}?repair=0&tab=tasks", "**/taskRuns?*repairKey=0*", "one", "Not run"),
              (f"runs/{run['key']}?repair=0", "**/taskRuns?*repairKey=0*", "Failed", "Not run"),
              (f"runs/{run['key']}/repair", "**/actions/planRepair", "Will run 1", "Will run 0"),
              (f"jobs/{own.api.get_run(run)['jobKey']}?tab=definition", "**/versions?*", "compared with", "Not found")]
    for place, path, there, false in places:
        page.go("jobs")
        page.settle()
        page("await page.route(arg, (route) => route.abort())", path)
        page.go(place)
        page.sees("The server cannot be reached")
        assert false not in page.text("main")
        page("await page.unroute(arg)", path)
        page.sees(there)
        page("await page.locator('.offline').waitFor({state: 'detached'})")
        assert false not in page.text("main")


def test_attempts_before_the_newest_ten_are_there_too(own, page):
    run = own.api.go([step("flaky", err="said", exit=1, maxRetries=12)], "FAILED")
    page.go(f"runs/{run['key']}?task=flaky")
    page("await page.getByRole('button', {name: 'Show 3 older'}).click(); await page.locator('.attempts').getByText('attempt 0', {exact: true}).waitFor()")
    assert page("return await page.locator('.attempts li a').allInnerTexts()") == [f"attempt {i}" for i in range(12, -1, -1)]
    page("await page.locator('.attempts').getByText('attempt 1', {exact: true}).click()")
    page("await page.getByRole('log', {name: 'stderr of flaky'}).waitFor(); await page.locator('.log .toolbar').getByText(/^Failed, /).waitFor()")


def test_values_keep_their_line_breaks(own, page):
    job = own.api.job([step("one", exit=1)], name="lines", parameters=named(query="select\n  1", day="1"))
    page.go(f"jobs/{job['key']}")
    page("await page.getByRole('button', {name: 'Run…'}).click()")
    query, day = "page.locator('[data-parameter=query]')", "page.locator('[data-parameter=day]')"
    assert page(f"return await {query}.evaluate((one) => [one.value, one.rows])") == ["select\n  1", 2]
    page(f"await {query}.press('End'); await {query}.press('Enter'); await {query}.press('2')")
    page(f"await {day}.fill('2'); await {day}.press('Shift+Enter'); await {day}.press('3')")
    assert page(f"return [await {query}.inputValue(), await {day}.inputValue()]") == ["select\n  1\n2", "2\n3"]
    page(f"await {day}.fill('2'); await {day}.press('Enter'); await page.getByRole('dialog').waitFor({{state: 'detached'}})")
    page.state("FAILED")
    run = own.api.read("/jobRuns", limit=1)["items"][0]
    assert sorted((p["name"], p["value"]) for p in own.api.get_run(run)["parameters"]) == [("day", "2"), ("query", "select\n  1\n2")]
    page.go(f"runs/{run['key']}/repair")
    page.sees("Will run 1")
    page("await page.getByRole('button', {name: 'Add a parameter'}).click(); await page.getByLabel('Name of the new parameter').fill('more')")
    page("await page.getByLabel('Value of the new parameter').fill('x\\ny'); await page.getByRole('row', {name: /^more/}).waitFor()")
    page("await page.locator('.confirm button:enabled', {hasText: 'Repair: run'}).click(); await page.getByRole('button', {name: 'Repair 1'}).waitFor()")
    assert own.api.get_run(run)["repairHistory"][-1]["parameters"] == named(more="x\ny")


def test_reasons_and_errors_are_text_of_others_too(own, page):
    turned = "a\u202eb"
    failing = {"taskKey": turned, "type": "SHELL_TASK", "script": r"printf '\033[31mfirst\n\033[1;31mred\033[0m end\n' >&2; exit 1"}
    run = own.api.go([failing, step("behind", after=turned)], "FAILED")
    page.go(f"runs/{run['key']}?tab=tasks")
    page("await page.getByRole('region', {name: 'What went wrong'}).locator('code').getByText('red end', {exact: true}).waitFor()")
    page("await page.getByText('Traceback').click()")
    assert "\x1b" not in page.text(".failure") and "U+001B" not in page.text(".failure")
    page("await page.getByRole('table', {name: 'Tasks'}).getByText('a⟨U+202E⟩b').nth(1).waitFor()")
    assert "\u202e" not in page.text("main")
    page.go(f"runs/{run['key']}?tab=events")
    page("await page.getByRole('table', {name: 'Events'}).getByText('a⟨U+202E⟩b').first().waitFor()")
    assert "\u202e" not in page.text("main")
    page.go(f"runs/{run['key']}/repair?tasks=behind")
    page("await page.locator('.verdicts').getByText('a⟨U+202E⟩b stays FAILED').waitFor()")
    assert "\u202e" not in page.text("main")


def test_a_job_that_is_gone_is_no_run(own, page):
    child = key_of(own.api.job([step("inner")], name="child"))
    job = own.api.job([node("sub", "JOB_TASK", jobKey=child)], name="parent")
    assert own.api.delete(f"/jobs/{child}").ok
    run = own.api.wait_final(own.api.run(job))
    page.go(f"runs/{run['key']}?task=sub")
    page("await page.getByRole('complementary').getByText('there is no job').waitFor()")
    assert page("return await page.locator(`a[href*=\"runs/${arg}\"]`).count()", child) == 0


def test_rows_of_tasks_are_whole_on_a_small_phone(own, page_on):
    for width in (320, 340):
        page = page_on(own, viewport={"width": width, "height": 700})
        run = own.api.go([task("missing", "gone.py"), task("other", "fail.py")], "FAILED")
        page.go(f"runs/{run['key']}?tab=tasks")
        page("await page.locator('.tr').first().waitFor()")
        page.picture(f"tasks-{width}")
        assert page("return await page.locator('.tr').evaluateAll((all) => all.map((one) => one.scrollHeight - one.clientHeight))") == [0, 0]
