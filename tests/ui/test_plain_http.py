"""The page where browsers take it for insecure, since it came from another machine without TLS: there they lack some of what they have elsewhere."""

import socket

import pytest

from harness import named, task
from ui_browser import until


def own_address():
    """An address of this machine that is none of loopback; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = probe.getsockname()[0]
        return None if address.startswith("127.") else address


@pytest.fixture
def far(servers, page_on):
    address = own_address()
    if not address:
        pytest.skip("this machine has no address but loopback")
    server = servers("--listen", f"{address}:0", "--insecure-listen").start()
    page = page_on(server)
    assert not page("return await page.evaluate(() => isSecureContext)")
    return server, page


def test_what_is_sent_once_is_sent(far):
    server, page = far
    job = server.api.job([task("one", "fail.py")], name="hello", parameters=named(day="1"))
    page.go(f"jobs/{job['key']}")
    page("await page.getByRole('button', {name: 'Run…'}).click(); await page.getByRole('button', {name: 'Run', exact: true}).click()")
    page.state("FAILED")
    page("await page.getByRole('link', {name: 'Repair…'}).click()")
    page.sees("Will run 1")
    page("await page.getByRole('button', {name: 'Repair: run 1'}).click(); await page.getByRole('button', {name: 'Repair 1'}).waitFor()")
    page.go("jobs/new")
    page("await page.getByRole('button', {name: 'Create', exact: true}).click()")
    page("await page.getByRole('heading', {name: 'hello', exact: true}).waitFor()")
    assert len(server.api.read("/jobs")["items"]) == 2
    page.go("campaigns")
    page("await page.getByRole('button', {name: 'New campaign…'}).click(); await page.getByRole('combobox', {name: 'Job', exact: true}).selectOption(arg)", job["key"])
    page("await page.getByRole('button', {name: 'Start', exact: true}).click()")
    page("await page.getByRole('dialog').getByRole('alert').waitFor()")
    assert "cannot be reached" not in page.text("dialog"), "it is the server that says why not"


def test_what_is_copied_is_on_the_clipboard(far):
    server, page = far
    job = server.api.job([task("one")], name="hello")
    page.go(f"jobs/{job['key']}?tab=definition")
    page("await page.getByRole('button', {name: 'Copy', exact: true}).click(); await page.getByRole('button', {name: 'Copied'}).waitFor()")
    page.go("jobs/new")
    page("const text = page.getByRole('textbox', {name: 'Definition as JSON'}); await text.focus(); await page.keyboard.press('Control+A'); await page.keyboard.press('Control+V')")
    until(lambda: '"ok.py"' in page("return await page.getByRole('textbox', {name: 'Definition as JSON'}).inputValue()"), "what was copied is pasted")


def test_an_error_of_the_page_is_not_called_a_server_that_is_away(far):
    server, page = far
    job = server.api.job([task("one")], name="hello")
    page("await page.evaluate(() => { crypto.getRandomValues = () => null.nothing })")
    page.go(f"jobs/{job['key']}")
    page("await page.getByRole('button', {name: 'Run…'}).click(); await page.getByRole('button', {name: 'Run', exact: true}).click()")
    page("await page.getByRole('dialog').getByRole('alert').waitFor()")
    assert "cannot be reached" not in page.text("dialog")
