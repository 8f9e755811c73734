"""Repair by another definition, and where values came from: shown as the server tells it."""

import pytest

from harness import key_of, named, step, task


@pytest.fixture
def edited(own):
    """A failed run whose job was then mended: one task repaired by a new script, one gone, one new."""
    first = [step("extract"), task("load", "fail.py", "extract", commandLineArguments="{{job.parameters.day}}"), step("old", after="load")]
    second = [step("extract"), task("load", "ok.py", "extract"), step("new", after="load")]
    job = own.api.job(first, name="edited", parameters=named(day="monday"))
    run = own.api.wait_final(own.api.run(job, parameters=named(day="tuesday")), "FAILED")
    own.api.replace(job, second, name="edited", parameters=named(day="monday"))
    return {"job": key_of(job), "run": key_of(run)}


def test_a_repair_by_the_definition_of_now_shows_what_differs(own, page, edited):
    page.go(f"runs/{edited['run']}/repair")
    page.sees("Will run 2, re-evaluate 0, keep 1")
    page("await page.getByLabel('Definition').selectOption('CURRENT')")
    page("await page.locator('[data-node=new]').waitFor()")
    page.sees("Definition: version 1 → 2")
    assert page("return await page.locator('[data-node=old]').count()") == 0
    words = page.text(".difference")
    assert "new" in words and "old" in words and "filePath" in words
    page("await page.locator('.confirm button:enabled', {hasText: 'Repair: run'}).click()")
    page.state("SUCCESS")
    page.task("new", "SUCCESS")
    assert own.api.get_run(edited["run"])["taskToTaskRunMap"].keys() == {"extract", "load", "new"}


def test_versions_of_a_job_can_be_looked_at(page, edited):
    page.go(f"jobs/{edited['job']}?tab=definition")
    page("await page.getByLabel('Version').selectOption('1')")
    page("await page.locator('.json pre', {hasText: '\"old\"'}).waitFor()")
    page("await page.getByLabel('Version').selectOption({label: (await page.getByLabel('Version').locator('option').first().innerText())})")
    page("await page.locator('.json pre', {hasText: '\"new\"'}).waitFor()")
    page("await page.getByLabel('compared with').selectOption('1')")
    page("await page.locator('.diff .new', {hasText: '\"taskKey\": \"new\"'}).waitFor()")
    gone = page("return await page.locator('.diff .gone').allInnerTexts()")
    assert any('"taskKey": "old"' in line for line in gone) and any('"fail.py"' in line for line in gone)
    assert not any("extract" in line and "dependsOn" not in line for line in gone), "what is the same is no difference"


def test_each_version_can_be_looked_at_however_many(own, page, edited):
    for i in range(118):
        own.api.replace({"key": edited["job"]}, [step(f"step{i}")], name="edited")
    page.go(f"jobs/{edited['job']}?tab=definition&version=1")
    page("await page.locator('.json pre', {hasText: '\"old\"'}).waitFor()")
    page("await page.waitForFunction(() => document.querySelectorAll('.toolbar label:first-child option').length === 120)")
    for query in ("version=121", "version=x", "against=121", "version=-1&against=1"):
        page.go(f"jobs/{edited['job']}?tab=definition&{query}")
        page.sees("There is no such version")
        page("await page.locator('.json').waitFor({state: 'detached'})")
    page("await page.getByLabel('Version').selectOption('2'); await page.getByLabel('compared with').selectOption('1')")
    page("await page.locator('.diff .new', {hasText: '\"taskKey\": \"new\"'}).waitFor()")


def test_a_value_says_where_it_came_from(page, edited):
    page.go(f"runs/{edited['run']}?task=load")
    page("await page.getByRole('complementary').getByText('from the run, over the job (monday)').waitFor()")


def test_two_attempts_beside_each_other(own, page, edited):
    own.api.repair(edited["run"], definition="CURRENT", parameters=named(day="friday"))
    own.api.wait_final(edited["run"], "SUCCESS")
    page.go(f"runs/{edited['run']}")
    page("await page.getByRole('button', {name: 'Compare…'}).click()")
    page("await page.getByRole('dialog').getByRole('row', {name: /load Failed.*Succeeded/}).waitFor()")
    words = page.text("dialog")
    assert "tuesday" in words and "friday" in words and "1 task is the same" in words


def test_an_older_attempt_is_shown_as_it_was(own, page, edited):
    """Its tasks, its definition and its parameters, whatever a repair had after it; also when the job is gone, as far as it is known."""
    own.api.repair(edited["run"], definition="CURRENT", parameters=named(day="friday"))
    own.api.wait_final(edited["run"], "SUCCESS")
    nodes = "return await page.locator('.node').evaluateAll((all) => all.map((one) => one.dataset.node).sort())"
    page.go(f"runs/{edited['run']}")
    page.task("new", "SUCCESS")
    page("await page.getByRole('button', {name: 'Original'}).click()")
    page.task("old", "UPSTREAM_FAILED")
    assert page(nodes) == ["extract", "load", "old"]
    page("await page.locator('[data-node=old]').click(); await page.getByRole('complementary', {name: 'Task old'}).waitFor()")
    page("await page.getByRole('tab', {name: 'Tasks'}).click(); await page.getByRole('row', {name: /^old/}).waitFor()")
    page("await page.getByRole('tab', {name: 'Definition'}).click()")
    page.sees("version 1 of")
    assert '"fail.py"' in page.text(".json pre") and '"new"' not in page.text(".json pre")
    page("await page.getByRole('tab', {name: 'Parameters'}).click(); await page.getByRole('row', {name: /^day/}).waitFor()")
    words = page.text("#panel")
    assert "tuesday" in words and "the run" in words and "friday" not in words and "repair 1" not in words
    page("await page.getByRole('tab', {name: 'Events'}).click(); await page.getByRole('table', {name: 'Events'}).locator('.tr').nth(1).waitFor()")
    assert "new" not in page(f"return await page.getByRole('table', {{name: 'Events'}}).locator('.tr bdi').allInnerTexts()")
    page("await page.getByRole('button', {name: 'Repair 1'}).click(); await page.getByRole('tab', {name: 'Parameters'}).click()")
    page("await page.getByRole('row', {name: /^day.*friday.*repair 1/}).waitFor()")

    assert own.api.delete(f"/jobs/{edited['job']}").ok
    page("await page.reload(); await page.getByRole('tab', {name: 'Graph'}).click(); await page.getByRole('button', {name: 'Original'}).click()")
    page.sees("which went with the job")
    page.task("old", "UPSTREAM_FAILED")
    assert page(nodes) == ["extract", "load", "old"]
