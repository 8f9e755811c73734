"""Signing in by a one-time code, and what each role is shown."""

import pytest

from harness import Client, named, task

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


@pytest.fixture
def as_vera(own, page_on):
    """The page for a VIEWER."""
    own.api.made(f"{ACCOUNTS}/users", {"name": "vera", "role": "VIEWER"})
    token = own.api.made(f"{ACCOUNTS}/tokens", {"name": "t", "user": "vera"})["token"]
    assert Client(own.endpoint, token).read("/jobs")

    def sign_in():
        own.token, admin = token, own.token
        try:
            return page_on(own)
        finally:
            own.token = admin

    return sign_in


def grant(own, job, permission, to="vera", kind="USER"):
    body = {"assignJobPermissionDetails": {"assignees": {"type": kind, "targets": [to]}, "permissions": [permission]}}
    assert own.api.post(f"/jobs/{job['key']}/actions/managePermission", body).status_code == 200


def test_what_one_was_given_on_a_single_job_is_offered_there(own, as_vera):
    schedule = {"quartzCronExpression": "0 0 3 1 1 ?", "timezoneId": "UTC"}
    jobs = {name: own.api.job([task("one", "fail.py")], name=name, schedule=schedule) for name in ("none", "use", "manage", "by.role")}
    runs = {name: own.api.wait_final(own.api.run(job), "FAILED") for name, job in jobs.items()}
    grant(own, jobs["use"], "USE")
    grant(own, jobs["manage"], "MANAGE")
    grant(own, jobs["by.role"], "USE", "VIEWER", "ROLE")
    grant(own, jobs["none"], "USE", "OPERATOR", "ROLE")  # which vera is not
    page = as_vera()
    for name in ("use", "manage", "by.role", "none"):  # that last: what is not offered is looked for where it could be
        may = int(name != "none")
        page("globalThis.told = page.waitForResponse((answer) => answer.url().includes('/permissions'))")
        page.go(f"jobs/{jobs[name]['key']}")
        page(f"await page.getByRole('heading', {{name: {name!r}}}).waitFor()")
        page("await globalThis.told")
        page.settle()
        assert page("return await page.getByRole('button', {name: 'Run…'}).count()") == may, name
        assert page("return await page.getByRole('switch').count()") == int(name == "manage"), name
        assert page("return await page.getByRole('link', {name: 'Edit…'}).count()") == int(name == "manage"), name
        page.go(f"runs/{runs[name]['key']}?task=one")
        page.state("FAILED")
        page.settle()
        assert page("return await page.getByRole('link', {name: 'Repair…'}).count()") == may, name
        assert page("return await page.getByRole('link', {name: 'Repair this task…'}).count()") == may, name
    page.go(f"jobs/{jobs['use']['key']}")
    page("await page.getByRole('button', {name: 'Run…'}).click(); await page.getByRole('dialog').getByRole('button', {name: 'Run', exact: true}).click()")
    page.state("FAILED")  # and the server lets it
    page("await page.getByRole('link', {name: 'Repair…'}).first().click(); await page.getByRole('button', {name: 'Repair: run 1'}).click()")
    page("await page.getByRole('button', {name: 'Repair 1'}).waitFor()")


def test_who_may_only_look_is_not_offered_more(own, as_vera):
    run = own.api.go([task("one", "fail.py")], "FAILED", name="hello")
    page = as_vera()
    page.sees("hello")
    assert page("return await page.getByRole('button', {name: /^Run/}).count()") == 0
    assert page("return await page.getByRole('link', {name: 'New job…'}).count()") == 0
    page.go("jobs/new")
    page.sees("You may not change this")
    page.go(f"runs/{run['key']}")
    page.state("FAILED")
    assert page("return await page.getByText('Repair…').count()") == 0
    page.go(f"runs/{run['key']}/repair")
    page.sees("You may not change this")
    assert page("return await page.getByRole('button', {name: /^Repair/}).count()") == 0
    page("await page.getByRole('link', {name: 'Back to the run'}).click()")
    page.state("FAILED")


def test_who_may_only_look_is_told_to_press_nothing(own, as_vera):
    own.api.job([task("one")], name="idle")
    page = as_vera()
    for place, title in (("campaigns", "There is no campaign yet"), ("runs", "No runs here"), (f"jobs/{own.api.read('/jobs')['items'][0]['key']}", "This job has not run yet")):
        page.go(place)
        page.sees(title)
        assert "press" not in page.text(".empty").lower(), place


def sign_in_elsewhere(page, token):
    """As another tab of the same browser does: the cookie is of a new session then."""
    page("const answer = await page.context().request.post('/reprise/v1/session', {data: {token: arg}}); if (!answer.ok()) throw new Error(await answer.text())", token)


def begin_a_repair(own, page, run=None):
    run = run or own.api.go([task("one", "fail.py")], "FAILED", name="hello", parameters=named(day="1"))
    page.go(f"runs/{run['key']}/repair")
    page.sees("Will run 1")
    page("await page.locator('[data-parameter=day]').fill('2'); await page.getByRole('row', {name: /^day 1/}).waitFor()")
    return run


def test_who_signs_in_again_in_another_tab_stays_signed_in_here(own, page):
    run = begin_a_repair(own, page)
    sign_in_elsewhere(page, own.token)
    page("await page.getByRole('button', {name: 'Repair: run 1'}).click(); await page.getByRole('button', {name: 'Repair 1'}).waitFor()")
    page.state("FAILED")
    assert own.api.get_run(run)["repairHistory"][-1]["parameters"] == named(day="2")


def test_a_session_that_has_ended_takes_nothing_with_it(own, page):
    run = begin_a_repair(own, page)
    page("await page.context().clearCookies()")
    page("await page.getByRole('button', {name: 'Repair: run 1'}).click()")
    again = "page.getByRole('dialog', {name: 'The session has ended'})"
    page(f"await {again}.waitFor()")
    page.picture("session-ended")
    for _ in range(5):  # in the end the browser closes it, whatever the page says
        page("await page.keyboard.press('Escape')")
    page.settle()
    page(f"await {again}.waitFor(); await {again}.getByLabel('Token').fill('wrong'); await page.keyboard.press('Enter')")
    page.sees("This token is not accepted")
    page(f"await {again}.getByLabel('Token').fill(arg); await page.keyboard.press('Enter'); await {again}.waitFor({{state: 'detached'}})", own.token)
    assert own.api.get_run(run)["version"] == 1, "what was refused is not done by itself"
    assert page("return await page.locator('[data-parameter=day]').inputValue()") == "2"
    page("await page.getByRole('button', {name: 'Repair: run 1'}).click(); await page.getByRole('button', {name: 'Repair 1'}).waitFor()")
    assert own.api.get_run(run)["repairHistory"][-1]["parameters"] == named(day="2")


def test_a_page_that_only_reads_goes_on_after_its_session_has_ended(own, page):
    own.api.job([task("one")], name="hello")
    page.sees("hello")
    page("await page.context().clearCookies()")
    page.go("runs")
    page("await page.getByRole('dialog', {name: 'The session has ended'}).getByLabel('Token').fill(arg); await page.keyboard.press('Enter')", own.token)
    page.sees("No runs here")


def test_somebody_else_who_signs_in_is_named(own, page):
    own.api.made(f"{ACCOUNTS}/users", {"name": "vera", "role": "VIEWER"})
    run = begin_a_repair(own, page)
    sign_in_elsewhere(page, own.api.made(f"{ACCOUNTS}/tokens", {"name": "t", "user": "vera"})["token"])
    page("await page.getByRole('button', {name: 'Repair: run 1'}).click()")
    other = "page.getByRole('dialog', {name: 'Somebody else is signed in'})"
    page(f"await {other}.getByText('vera has signed in in place of admin').waitFor()")
    page.picture("somebody-else")
    page(f"await {other}.getByRole('button', {{name: 'Go on as vera'}}).click(); await {other}.waitFor({{state: 'detached'}})")
    page.sees("You may not change this")
    assert "vera" in page.text(".user") and own.api.get_run(run)["version"] == 1


def test_an_address_with_a_code_makes_nobody_somebody_else_unasked(own, page):
    own.api.job([task("one")], name="hello")
    own.api.made(f"{ACCOUNTS}/users", {"name": "vera", "role": "VIEWER"})
    vera = Client(own.endpoint, own.api.made(f"{ACCOUNTS}/tokens", {"name": "t", "user": "vera"})["token"])
    for answer, user in (("Stay admin", "admin"), ("Sign in as the other", "vera")):
        page("await page.goto('about:blank'); await page.goto(arg)", f"/#code={vera.made(f'{ACCOUNTS}/session/codes', {})['code']}")
        asks = "page.getByRole('dialog', {name: 'Sign in as somebody else?'})"
        page(f"await {asks}.waitFor()")
        assert "admin" in page.text(".user")
        page.picture("signed-in-already")
        page(f"await {asks}.getByRole('button', {{name: arg}}).click(); await {asks}.waitFor({{state: 'detached'}})", answer)
        page("await page.locator('.user', {hasText: arg}).waitFor(); await page.reload(); await page.locator('.user', {hasText: arg}).waitFor()", user)
    page("await page.goto('about:blank'); await page.goto(arg)", f"/#code={vera.made(f'{ACCOUNTS}/session/codes', {})['code']}")
    page.sees("hello")  # one's own is no question


def test_the_role_in_the_workspace_that_is_shown_counts(own, page_on):
    there = own.api.made("~/workspaces", {"displayName": "analytics"})["key"]
    tokens = {}
    for name, here, elsewhere in (("mix", "VIEWER", "ADMIN"), ("bv", None, "VIEWER")):
        own.api.made(f"{ACCOUNTS}/users", {"name": name, **({"role": here} if here else {"role": elsewhere, "workspaceKey": there})})
        if here:
            own.api.put(f"{ACCOUNTS}/users/{name}", {"role": elsewhere, "workspaceKey": there})
        tokens[name] = own.api.made(f"{ACCOUNTS}/tokens", {"name": "t", "user": name})["token"]
    Client({**own.endpoint, "workspaceKey": there}, own.token).job([task("one")], name="far")
    admin = own.token
    for name, may in (("mix", 1), ("bv", 0)):
        own.token = tokens[name]
        try:
            page = page_on(own)
        finally:
            own.token = admin
        page("await page.goto('about:blank'); await page.goto(arg)", f"/#/w/{there}/jobs")
        page.sees("far")
        page.settle()
        assert page("return await page.getByRole('button', {name: 'Run far'}).count()") == may, name
        assert page("return await page.getByRole('link', {name: 'New job…'}).count()") == may, name
        page.go(f"w/{there}/access")
        page("await page.getByRole('heading', {name: 'Access'}).waitFor()")
        assert page("return await page.getByRole('tab').allInnerTexts()") == (["Secrets", "Tokens"] if may else ["Tokens"]), name


def test_somebody_else_who_signs_out_takes_nothing_along(own, page):
    own.api.made(f"{ACCOUNTS}/users", {"name": "vera", "role": "VIEWER"})
    vera = own.api.made(f"{ACCOUNTS}/tokens", {"name": "t", "user": "vera"})["token"]
    run = begin_a_repair(own, page)
    page("globalThis.other = await page.context().newPage(); await other.goto('/'); await other.getByRole('button', {name: 'Sign out'}).click()")
    page("await page.getByLabel('Token').waitFor(); await page.getByLabel('Token').fill(arg); await page.keyboard.press('Enter'); await page.getByLabel('Token').waitFor({state: 'detached'})", own.token)
    page("await page.locator('[data-parameter=day]').waitFor()")
    assert page("return await page.locator('[data-parameter=day]').inputValue()") == "1", "its own user has signed out"
    begin_a_repair(own, page, run)
    page("await page.context().clearCookies(); await other.getByLabel('Token').fill(arg); await other.keyboard.press('Enter')", vera)
    page("await page.getByRole('dialog', {name: 'Somebody else is signed in'}).waitFor()")
    page("await other.getByRole('button', {name: 'Sign out'}).click(); await other.getByLabel('Token').waitFor(); await other.close()")
    ended = "page.getByRole('dialog', {name: 'The session has ended'})"
    page(f"await {ended}.getByLabel('Token').fill(arg); await page.keyboard.press('Enter'); await {ended}.waitFor({{state: 'detached'}})", own.token)
    assert page("return await page.evaluate(() => document.activeElement.dataset.parameter)") == "day", "where it was typed"
    assert page("return await page.locator('[data-parameter=day]').inputValue()") == "2"


def test_tabs_of_a_browser_are_signed_out_together(own, page):
    own.api.job([task("one")], name="hello")
    page("""globalThis.second = await page.context().newPage(); await second.goto('/')
        await second.getByText('hello').first().waitFor(); await second.getByRole('button', {name: 'Sign out'}).click()""")
    page("await page.getByLabel('Token').waitFor()")
    page("await second.getByLabel('Token').fill(arg); await second.keyboard.press('Enter')", own.token)
    page.sees("hello")
    page("await second.close()")


def test_who_could_not_be_signed_out_is_told(own, page):
    """The session lives on where the server has not ended it: the page does not say otherwise."""
    session = "'**/reprise/v1/session'"
    dialog = "page.getByRole('dialog', {name: 'You are still signed in'})"
    page(f"await page.route({session}, (route) => route.abort()); await page.getByRole('button', {{name: 'Sign out'}}).click(); await {dialog}.waitFor()")
    again = f"{dialog}.getByRole('button', {{name: 'Sign out'}})"
    page(f"await page.unroute({session}); await page.route({session}, (route) => route.fulfill({{status: 503, body: 'busy'}})); await {again}.click()")
    page.sees("busy")
    page.picture("still-signed-in")
    page(f"await page.unroute({session}); await {again}.click(); await page.getByLabel('Token').waitFor(); await page.reload(); await page.getByLabel('Token').waitFor()")
