"""Access on the page: secrets, tokens, users, and who changed what."""

import pytest

from harness import Client, node, step
from ui_browser import until

ACCOUNTS = "//reprise/v1"


def dialog(name):
    return f"page.getByRole('dialog', {{name: {name!r}}})"


def row(text):
    return f"page.locator('.tr', {{hasText: {text!r}}})"


def test_a_secret_from_the_page_reaches_its_task_and_nobody_else(own, page):
    page.go("access")
    page.sees("There are no secrets")
    page(f"await page.getByRole('button', {{name: 'New secret…'}}).click(); await {dialog('New secret')}.getByLabel('Name').fill('db');"
         f"await {dialog('New secret')}.getByLabel('Value').fill('line 1\\nline 2'); await {dialog('New secret')}.getByRole('button', {{name: 'Save'}}).click();"
         f"await {row('db')}.waitFor()")
    page.picture("access-secrets")
    job = own.api.job([node("show", "SHELL_TASK", script='printf "%s" "$REPRISE_SECRET_db" | wc -l', **{"x-secrets": ["db"]})], name="reader")
    run = own.api.wait_final(own.api.run(job), "SUCCESS")
    assert own.api.get(f"/taskRuns/{run['taskToTaskRunMap']['show']}/logs").text.strip() == "1", "all of its lines"
    page("await page.getByRole('button', {name: 'Replace db'}).click()")
    assert page(f"return await {dialog('Replace db')}.getByLabel('Value').inputValue()") == "", "it never comes back"
    page(f"await {dialog('Replace db')}.getByLabel('Value').fill('other'); await {dialog('Replace db')}.getByRole('button', {{name: 'Save'}}).click()")
    page(f"await {dialog('Replace db')}.waitFor({{state: 'detached'}})")
    run = own.api.wait_final(own.api.run(job), "SUCCESS")
    assert own.api.get(f"/taskRuns/{run['taskToTaskRunMap']['show']}/logs").text.strip() == "0"
    page("await page.getByRole('button', {name: 'Delete db'}).click(); await page.getByRole('dialog').getByRole('button', {name: 'Delete'}).click()")
    page.sees("There are no secrets")
    # refused: told where it was asked
    page(f"await page.getByRole('button', {{name: 'New secret…'}}).click(); await {dialog('New secret')}.getByLabel('Name').fill('no blanks please');"
         f"await {dialog('New secret')}.getByLabel('Value').fill('x'); await {dialog('New secret')}.getByRole('button', {{name: 'Save'}}).click();"
         f"await {dialog('New secret')}.getByRole('alert').waitFor()")
    assert own.api.get(f"{ACCOUNTS}/secrets").json()["items"] == []


def test_a_user_a_token_and_their_end(own, page):
    page.go("access?tab=users")
    page(f"await {row('admin')}.getByText('(you)').waitFor()")
    assert page("return await page.getByRole('switch', {name: 'Let admin in'}).isDisabled()"), "nobody locks themselves out"
    page(f"await page.getByRole('button', {{name: 'New user…'}}).click(); await {dialog('New user')}.getByLabel('Name').fill('eva');"
         f"await {dialog('New user')}.getByLabel('Role').selectOption('VIEWER'); await {dialog('New user')}.getByRole('button', {{name: 'Make'}}).click()")
    page(f"await {row('eva')}.getByRole('link', {{name: 'Tokens'}}).click()")
    page(f"await page.getByRole('button', {{name: 'New token…'}}).click(); await {dialog('New token of eva')}.getByLabel('What it is for').fill('laptop');"
         f"await {dialog('New token of eva')}.getByRole('button', {{name: 'Make it'}}).click(); await page.locator('[data-token]').waitFor()")
    token = page.text("[data-token]")
    page("const box = await page.locator('[data-token]').boundingBox(); await page.mouse.move(box.x + 20, box.y + 8); await page.mouse.down();"
         "await page.mouse.move(5, 5); await page.mouse.up(); await page.mouse.click(5, 5)")
    assert page("return await page.locator('[data-token]').count()") == 1, "what is shown once is not closed by a selection that ends beside it"
    page("await page.getByRole('button', {name: 'Done'}).click()")
    page.sees("laptop")
    assert token not in page.text("body"), "it is shown once"
    eva = Client(own.endpoint, token)
    assert eva.get("/jobs").status_code == 200
    assert eva.post("/jobs", {"name": "x", "tasks": []}).status_code in (403, 404)
    kept = own.api.read(f"{ACCOUNTS}/tokens", user="eva")["items"]
    assert [t["name"] for t in kept] == ["laptop"] and kept[0]["timeExpires"], "it ends by itself unless one asks otherwise"
    # more, then nothing
    page.go("access?tab=users")
    page("await page.getByLabel('Role of eva').selectOption('ADMIN')")
    until(lambda: eva.post("/jobs", {"name": "x", "tasks": []}).status_code == 201, "the role counts")
    page("await page.getByRole('switch', {name: 'Let eva in'}).click(); await page.locator('[role=switch][aria-checked=false]').waitFor()")
    assert eva.get("/jobs").status_code == 401
    page("await page.getByRole('switch', {name: 'Let eva in'}).click(); await page.locator('[role=switch][aria-label=\"Let eva in\"][aria-checked=true]').waitFor()")
    assert eva.get("/jobs").status_code == 200
    page.go("access?tab=tokens&user=eva")
    page("await page.getByRole('button', {name: 'Revoke laptop'}).click(); await page.getByRole('dialog').getByRole('button', {name: 'Revoke'}).click()")
    page.sees("There are no tokens")
    assert eva.get("/jobs").status_code == 401
    page("await page.getByLabel('Those that are over too').check()")
    page.sees("revoked")


def test_the_audit_says_who_did_what(own, page):
    job = own.api.job([step("one")], name="seen")
    run = own.api.wait_final(own.api.run(job), "SUCCESS")
    assert Client(own.endpoint, "nonsense").get(f"{ACCOUNTS}/session").status_code == 401
    page.go("access?tab=audit")
    page(f"await {row('job.create')}.getByRole('link', {{name: 'seen'}}).waitFor()")
    page.picture("access-audit")
    page("await page.getByLabel('Only of this kind').selectOption('run')")
    page(f"await {row('job.create')}.first().waitFor({{state: 'detached'}})")
    page(f"await {row('run.create')}.getByRole('link', {{name: 'seen'}}).click()")
    page("await page.waitForURL((url) => url.hash.includes(arg))", run["key"])
    page.go("access?tab=audit")
    page("await page.getByLabel('Only of this user').fill('nobody.here'); await page.keyboard.press('Enter')")
    page.sees("Nothing of that kind")


@pytest.mark.parametrize("role", ["VIEWER", "OPERATOR"])
def test_who_is_no_administrator_sees_to_their_own_tokens(own, page_on, role):
    own.api.made(f"{ACCOUNTS}/users", {"name": "vera", "role": role})
    token = own.api.made(f"{ACCOUNTS}/tokens", {"name": "first", "user": "vera"})["token"]
    own.token, admin = token, own.token
    try:
        page = page_on(own)
    finally:
        own.token = admin
    page.go("access?tab=users")
    page.sees("Your own.")
    page(f"await {row('first')}.waitFor()")
    assert page("return await page.getByRole('tab').allInnerTexts()") == ["Tokens"]
    page(f"await page.getByRole('button', {{name: 'New token…'}}).click(); await {dialog('New token')}.getByLabel('What it is for').fill('mine');"
         f"await {dialog('New token')}.getByLabel('Good for').selectOption({{label: 'until it is revoked'}});"
         f"await {dialog('New token')}.getByRole('button', {{name: 'Make it'}}).click(); await page.locator('[data-token]').waitFor()")
    made = Client(own.endpoint, page.text("[data-token]"))
    assert made.read(f"{ACCOUNTS}/session")["user"]["name"] == "vera"
