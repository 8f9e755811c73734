"""Making and changing jobs on the page: the text, what the server says of it, and what is saved."""

import json

from harness import key_of, named, step, task

FILL = "await page.getByLabel('Definition as JSON').fill(arg)"
TEXT = "return await page.getByLabel('Definition as JSON').inputValue()"
SAVE = "await page.getByRole('button', {name: 'Save', exact: true}).click()"


def fill(page, definition):
    page(FILL, definition if isinstance(definition, str) else json.dumps(definition, indent=2))


def definition(page):
    return json.loads(page(TEXT))


def jobs(own):
    return {job["name"]: job["key"] for job in own.api.read("/jobs")["items"]}


def test_the_first_job_is_made_and_run_on_the_page(own, page):
    """As it is offered, with nothing in the workspace: it runs."""
    page.sees("There is no job yet")
    page("await page.getByRole('link', {name: 'New job…'}).first().click()")
    page.sees("No problems")
    page("await page.locator('[data-node=greet]').waitFor(); await page.locator('[data-node=part]').waitFor()")
    page("await page.getByRole('button', {name: 'Create'}).click()")
    page("await page.getByRole('heading', {name: 'hello'}).waitFor()")
    key = jobs(own)["hello"]
    run = own.api.wait_final(own.api.run(key), "SUCCESS")
    greet = run["taskToTaskRunMap"]["greet"]
    assert own.api.get(f"/taskRuns/{greet}/logs").text == "Hello world\n"
    page.picture("new-job")


def test_problems_are_told_with_their_lines(own, page):
    page.go("jobs/new")
    page.sees("No problems")
    create = "page.getByRole('button', {name: 'Create'})"
    fill(page, '{\n  "name": "x",\n  "tasks": [\n    {"taskKey": "a", "type": "PYTHON_TASK"},\n'
               '    {"taskKey": "b", "type": "DUMMY_TASK", "dependsOn": [{"taskKey": "q"}]}\n  ],\n  "nmae": 1\n}')
    page("await page.getByText('tasks[0].filePath is required').waitFor()")
    rows = page("return await page.locator('.findings li').allInnerTexts()")
    assert [" ".join(row.split()) for row in rows] == [
        "Problem line 4 tasks[0].filePath is required", 'Problem line 5 tasks[1].dependsOn[0].taskKey "q" names no task of the job',
        "Warning line 7 nmae is not a field of CreateJobDetails"]
    assert page(f"return await {create}.isDisabled()")
    page("await page.getByRole('button', {name: 'line 5'}).click()")
    chosen = page("return await page.getByLabel('Definition as JSON').evaluate((box) => box.value.slice(box.selectionStart, box.selectionEnd))")
    assert chosen == '"q"'
    # no JSON: told without asking, at the place
    fill(page, '{\n  "name": "x",\n  "tasks": [,]\n}')
    page("await page.getByText('Not JSON: a value is expected').waitFor()")
    assert page("return await page.locator('.findings button').allInnerTexts()") == ["line 3"]
    page("await page.getByLabel('Definition as JSON').press('Control+s')")
    assert jobs(own) == {}, "what has problems is not sent"
    fill(page, {"name": "x", "tasks": []})
    page(f"await page.getByText('No problems').waitFor(); await {create}.click()")
    page("await page.getByRole('heading', {name: 'x'}).waitFor()")
    assert list(jobs(own)) == ["x"]


def test_a_task_of_each_type_begins_right(own, page):
    """What is put in for it is what the server takes, but for the job, which only its writer knows."""
    page.go("jobs/new")
    page.sees("No problems")
    types = page("return await page.getByLabel('Add a task').locator('option').evaluateAll((all) => all.map((o) => o.value).filter(Boolean))")
    for kind in types:
        page("await page.getByLabel('Add a task').selectOption(arg)", kind)
    made = definition(page)["tasks"]
    assert [t["type"] for t in made[2:]] == types and len({t["taskKey"] for t in made}) == len(made)
    assert all(t["dependsOn"] == [{"taskKey": before["taskKey"]}] for before, t in zip(made[1:], made[2:]))
    page("await page.getByText('.jobKey must be 1 to').waitFor()")
    assert page("return await page.locator('.findings li').count()") == 1
    # typed as a person does: what was put in can be taken back, and a new line begins below the one before
    page("await page.getByLabel('Definition as JSON').press('Control+z')")
    assert len(definition(page)["tasks"]) == len(made) - 1
    page("await page.getByLabel('Definition as JSON').fill('{\\n  \"a\": ['); await page.getByLabel('Definition as JSON').press('Control+End');"
         "await page.getByLabel('Definition as JSON').press('Enter'); await page.keyboard.type('1')")
    assert page(TEXT) == '{\n  "a": [\n    1'


def test_a_change_is_a_version(own, page):
    job = own.api.job([step("extract"), step("load", "extract")], name="nightly", parameters=named(day="monday"))
    page.go(f"jobs/{job['key']}")
    page("await page.getByRole('link', {name: 'Edit…'}).click()")
    page("await page.getByRole('heading', {name: 'Edit nightly'}).waitFor()")
    whole = definition(page)
    assert [t["taskKey"] for t in whole["tasks"]] == ["extract", "load"] and "key" not in whole and "timeCreated" not in whole
    assert list(whole["tasks"][1]) == ["taskKey", "type", "dependsOn", "filePath", "commandLineArguments"], "as somebody would write it"
    assert page(f"{SAVE.replace('.click()', '.isDisabled()').replace('await', 'return await')}"), "nothing to be saved"
    whole["parameters"][0]["value"] = "friday"
    whole["tasks"].append({"taskKey": "tell", "type": "DUMMY_TASK", "dependsOn": [{"taskKey": "load"}]})
    fill(page, whole)
    page("await page.getByRole('tab', {name: 'Changes'}).click(); await page.locator('.diff .new', {hasText: 'friday'}).waitFor()")
    assert any("monday" in line for line in page("return await page.locator('.diff .gone').allInnerTexts()"))
    page.picture("edit-job")
    page("await page.getByText('No problems').waitFor();" + SAVE)
    page("await page.locator('.json pre:not(.diff)', {hasText: 'friday'}).waitFor()")  # of the job, no more of what would be saved
    now = own.api.read(f"/jobs/{job['key']}")
    assert now["definitionVersion"] == 2 and [t["taskKey"] for t in now["tasks"]] == ["extract", "load", "tell"]
    assert now["tasks"][0] == job["tasks"][0], "what was not touched is as it was"


def test_somebody_else_was_faster(own, page):
    """Nothing is lost on either side: the page says so, shows what would be overwritten, and saves when told again."""
    job = own.api.job([step("one")], name="shared", parameters=named(a="1"))
    page.go(f"jobs/{job['key']}/edit")
    mine = definition_of(page)
    mine["parameters"][0]["value"] = "mine"
    fill(page, mine)
    own.api.replace(job, [step("one"), step("two")], name="shared", parameters=named(a="1"))
    page("await page.getByText('No problems').waitFor();" + SAVE)
    page.sees("Somebody has saved version 2 meanwhile, so nothing was saved.")
    page("await page.locator('.diff .gone', {hasText: '\"two\"'}).waitFor()")
    assert definition(page) == mine and own.api.read(f"/jobs/{job['key']}")["definitionVersion"] == 2
    page(SAVE)
    page("await page.getByRole('heading', {name: 'shared', exact: true}).waitFor()")
    now = own.api.read(f"/jobs/{job['key']}")
    assert now["definitionVersion"] == 3 and len(now["tasks"]) == 1


def definition_of(page):
    page("await page.getByText('No problems').waitFor()")
    return definition(page)


def test_what_is_not_saved_stays_in_the_tab(own, page):
    job = own.api.job([step("one")], name="draft", parameters=named(a="1"))
    page.go(f"jobs/{job['key']}/edit")
    whole = definition_of(page)
    fill(page, {**whole, "description": "begun"})
    page.go("jobs")
    page.sees("draft")
    page.go(f"jobs/{job['key']}/edit")
    page.sees("This is what you had written here before, and not saved.")
    assert definition(page)["description"] == "begun"
    page("await page.getByRole('button', {name: 'Discard changes'}).click(); await page.getByText('No problems').waitFor()")
    page("await page.waitForFunction(() => !document.querySelector('textarea').value.includes('begun'))")
    assert definition(page) == whole
    page.go("jobs")
    page.go(f"jobs/{job['key']}/edit")
    assert definition_of(page) == whole, "and it is forgotten"


def test_a_copy_and_the_end_of_a_job(own, page):
    schedule = {"quartzCronExpression": "0 30 2 * * ?", "timezoneId": "Asia/Tokyo"}
    job = own.api.job([task("one")], name="first", schedule=schedule)
    page.go(f"jobs/{job['key']}?tab=definition")
    page("await page.getByRole('link', {name: 'Copy as a new job…'}).click()")
    copy = definition_of(page)
    assert copy["name"] == "first_copy" and copy["schedule"]["pauseStatus"] == "PAUSED", "two that fire are one too many"
    page("await page.getByRole('button', {name: 'Create'}).click(); await page.getByRole('heading', {name: 'first_copy'}).waitFor()")
    assert set(jobs(own)) == {"first", "first_copy"}
    page("await page.getByRole('tab', {name: 'Definition'}).click(); await page.getByRole('button', {name: 'Delete…'}).click()")
    page("await page.getByRole('dialog').getByRole('button', {name: 'Cancel'}).click()")
    page("await page.getByRole('button', {name: 'Delete…'}).click(); await page.getByRole('dialog').getByRole('button', {name: 'Delete', exact: true}).click()")
    page("await page.getByRole('heading', {name: 'Jobs'}).waitFor()")
    assert jobs(own) == {"first": key_of(job)}
    # one that runs is not deleted, and says why
    own.script("wait.py", "import time\ntime.sleep(600)\n")
    busy = own.api.job([task("w", "wait.py")], name="busy")
    run = own.api.run(busy)
    page.go(f"jobs/{busy['key']}?tab=definition")
    page("await page.getByRole('button', {name: 'Delete…'}).click(); await page.getByRole('dialog').getByRole('button', {name: 'Delete', exact: true}).click()")
    page("await page.getByRole('dialog').getByRole('alert').waitFor()")
    assert "busy" in jobs(own)
    own.api.cancel(run)
    own.api.wait_final(run)


def test_a_copy_is_no_edit_of_the_original(own, page):
    """From the one address to the other, without a page in between."""
    job = own.api.job([step("one")], name="orig")
    page.go(f"jobs/new?from={job['key']}")
    page("await page.waitForFunction(() => document.querySelector('textarea')?.value.includes('orig_copy'))")
    page.go(f"jobs/{job['key']}/edit")
    page("await page.getByRole('heading', {name: 'Edit orig'}).waitFor()")
    assert definition_of(page)["name"] == "orig"
    page("await page.getByLabel('Definition as JSON').press('Control+s')")
    page.settle()
    assert own.api.read(f"/jobs/{job['key']}")["definitionVersion"] == 1, "nothing was changed, so nothing is saved"


def test_drafts_are_of_one_user(own, page):
    page.go("jobs/new")
    whole = definition_of(page)
    fill(page, {**whole, "name": "mine"})
    page("await page.getByRole('button', {name: 'Sign out'}).click(); await page.getByLabel('Token').waitFor()")
    page.sign_in()
    page.go("jobs/new")
    assert definition_of(page) == whole
    assert page("return await page.evaluate(() => Object.keys(sessionStorage).filter((name) => name.includes('draft')))") == []


def test_what_the_other_dialect_sent_is_kept(own, page):
    kept = {"nodes": [], "a": None, "tasks": [{"z": 1, "taskKey": "q"}]}
    job = own.api.job([step("one")], name="other", **{"x-dataarts": kept})
    page.go(f"jobs/{job['key']}/edit")
    whole = definition_of(page)
    assert whole.get("x-dataarts", kept) == kept
    fill(page, {**whole, "description": "new"})
    page("await page.getByText('No problems').waitFor();" + SAVE)
    page("await page.getByRole('heading', {name: 'other', exact: true}).waitFor()")
    now = own.api.read(f"/jobs/{job['key']}")
    assert now["description"] == "new" and now.get("x-dataarts") == job.get("x-dataarts")


def test_while_it_is_saved_nothing_is_typed_and_one_may_leave(own, page):
    job = own.api.job([step("one")], name="slow")
    page.go(f"jobs/{job['key']}/edit")
    whole = definition_of(page)
    fill(page, {**whole, "description": "A"})
    page("await page.getByText('No problems').waitFor()")
    page("globalThis.go = null; await page.route('**/jobs/*', async (route) => { if (route.request().method() === 'PUT') await new Promise((done) => { globalThis.go = done }); await route.continue() })")
    page(SAVE)
    page("await page.getByRole('button', {name: 'Saving…'}).waitFor()")
    assert page("return await page.getByLabel('Definition as JSON').evaluate((box) => box.readOnly)")
    page.go("runs")
    page("await page.getByRole('heading', {name: 'Runs', exact: true}).waitFor(); globalThis.go(); await page.waitForResponse((answer) => answer.request().method() === 'PUT')")
    page.settle()
    assert page("return await page.evaluate(() => location.hash)") == "#/runs", "nobody is called back"
    assert own.api.read(f"/jobs/{job['key']}")["description"] == "A"
    page("await page.unroute('**/jobs/*')")
    page.go(f"jobs/{job['key']}/edit")
    assert definition_of(page)["description"] == "A" and "not saved" not in page.text("#main")
