"""A browser that tests of the page drive: Debian's chromium, held by a small node program (browser.mjs)."""

import json
import os
import select
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ANSWER_S = 100  # the browser's own limit for one step is 15 s
# Where pictures of the screens go, for who wants to look at them.
PICTURES = os.environ.get("REPRISE_PICTURES")


class Browser:
    def __init__(self, program, folder):
        self.log = open(folder / "browser.log", "wb")
        # Chromium keeps what it needs to run below HOME; a path that is too long for its sockets fails.
        self.process = subprocess.Popen(["node", HERE / "browser.mjs", program], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log, cwd=HERE)

    def __call__(self, code, arg=None):
        """What the JavaScript returns; `page` and `arg` are there for it. An error in it fails the test."""
        self.process.stdin.write(json.dumps({"code": code, "arg": arg}).encode() + b"\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], ANSWER_S)[0]:
            raise AssertionError(f"no answer from the browser within {ANSWER_S} s: {code}")
        line = self.process.stdout.readline()
        assert line, "the browser has died"
        answer = json.loads(line)
        assert "error" not in answer, f"{answer['error']}\nin: {code}"
        return answer["value"]

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Page:
    """One browser window on one server."""

    def __init__(self, browser, server, folder, **options):
        self.browser, self.server, self.folder = browser, server, Path(folder)
        self.browser("await open(arg)", {"origin": server.url, "viewport": {"width": 1280, "height": 860}, **options})

    def __call__(self, code, arg=None):
        return self.browser(code, arg)

    def sign_in(self):
        self("await page.goto('/')")
        self("await page.getByLabel('Token').fill(arg); await page.keyboard.press('Enter');"
             "await page.getByRole('navigation', {name: 'Screens'}).waitFor()", self.server.token)
        return self

    def go(self, place):
        self("await page.evaluate((to) => { location.hash = to }, arg)", f"#/{place}")

    def settle(self):
        """Waits until what is on the page has not changed for a moment; a clock that ticks is not waited for."""
        self("""await page.locator('.loading').waitFor({state: 'detached'}); await page.evaluate(() => new Promise((done) => {
            const finish = () => (observer.disconnect(), clearTimeout(quiet), clearTimeout(late), done())
            const late = setTimeout(finish, 2000)
            let quiet = setTimeout(finish, 120)
            const observer = new MutationObserver(() => (clearTimeout(quiet), quiet = setTimeout(finish, 120)))
            observer.observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true})
        }))""")

    def sees(self, text, seconds=15):
        """Waits until the text can be read."""
        self("await page.getByText(arg.text).filter({visible: true}).first().waitFor({timeout: arg.ms})",
             {"text": text, "ms": seconds * 1000})

    def task(self, key, status):
        """Waits until the graph shows the task in that state."""
        self("await page.locator(`[data-node=\"${arg.key}\"][data-status=\"${arg.status}\"]`).waitFor()",
             {"key": key, "status": status})

    def state(self, status):
        """Waits until the head of the run shows that state."""
        self("await page.locator(`h1 + .pill[data-status=\"${arg}\"]`).waitFor()", status)

    def text(self, selector="body"):
        return self("return await page.locator(arg).first().innerText()", selector)

    def picture(self, name):
        if not PICTURES:  # nobody looks
            return
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        self("await page.screenshot({path: arg})", str(Path(PICTURES) / f"{name}.png"))

    def faults(self):
        return self("return faults")


def until(probe, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)
