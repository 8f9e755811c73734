"""Signing in by a one-time code, and what each role is shown."""

import pytest

from harness import Client, task

ACCOUNTS = "//reprise/v1"


@pytest.fixture
def code(own):
    return own.api.made(f"{ACCOUNTS}/session/codes", {})["code"]


def sign_out(page):
    page("await page.getByRole('button', {name: 'Sign out'}).click(); await page.getByLabel('Token').waitFor()")


def test_a_code_signs_in_once_and_leaves_nothing_that_scripts_can_read(own, page_on, code):
    own.api.job([task("one")], name="hello")
    page = page_on(own)
    sign_out(page)
    page("await page.goto(arg)", f"/#code={code}")
    page.sees("hello")
    assert code not in page("return page.url()")
    stored = page("return await page.evaluate(() => JSON.stringify([document.cookie, {...sessionStorage}, {...localStorage}]))")
    assert own.token not in stored and code not in stored and "session" not in stored
    # a write, which needs the session's other half
    page("await page.getByRole('button', {name: 'Run hello'}).click();"
         "await page.getByRole('dialog').getByRole('button', {name: 'Run', exact: true}).click()")
    page.state("SUCCESS")
    page("await page.reload()")
    page.state("SUCCESS")
    sign_out(page)
    page("await page.goto(arg); await page.getByRole('alert').waitFor()", f"/#code={code}")
    assert "was used" in page.text("[role=alert]")


def test_who_may_only_look_is_not_offered_more(own, page_on):
    run = own.api.go([task("one", "fail.py")], "FAILED", name="hello")
    own.api.made(f"{ACCOUNTS}/users", {"name": "vera", "role": "VIEWER"})
    token = own.api.made(f"{ACCOUNTS}/tokens", {"name": "t", "user": "vera"})["token"]
    assert Client(own.endpoint, token).get_run(run)
    own.token, admin = token, own.token
    try:
        page = page_on(own)
    finally:
        own.token = admin
    page.sees("hello")
    assert page("return await page.getByRole('button', {name: /^Run/}).count()") == 0
    page.go(f"runs/{run['key']}")
    page.state("FAILED")
    assert page("return await page.getByText('Repair…').count()") == 0
