"""The page of a run: what went wrong, and where from there."""

from harness import key_of, node, step, task


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
