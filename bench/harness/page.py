"""The web page in Debian's chromium, as the tests of the page drive it: when it is painted, and what holds it up."""

import shutil
import sys
from pathlib import Path

from harness.programs import Failed

TESTS = Path(__file__).resolve().parents[2] / "tests" / "ui"

# Runs in each document before the page's own code. `painted`: the frame after the one in which what is looked for came
# into the document; by then it has been drawn.
WATCH = """
window.watch = { longest: 0, painted: null }
new PerformanceObserver((list) => list.getEntries().forEach((task) => (window.watch.longest = Math.max(window.watch.longest, task.duration))))
    .observe({ type: 'longtask', buffered: true })
const look = () => {
    const wanted = sessionStorage.getItem('bench.wanted')
    if (!wanted || !document.querySelector(wanted)) return requestAnimationFrame(look)
    requestAnimationFrame(() => setTimeout(() => (window.watch.painted = performance.now())))
}
requestAnimationFrame(look)
"""


# Milliseconds of processor time of the page's thread: unlike time, they hardly depend on who else is busy.
METER = """
const meter = async () => {
    const session = await page.context().newCDPSession(page)
    await session.send('Performance.enable', {timeDomain: 'threadTicks'})
    const read = async () => 1000 * (await session.send('Performance.getMetrics')).metrics.find((m) => m.name === 'TaskDuration').value
    const before = await read()
    return async () => (await read()) - before
}
"""


class Pages:
    """A browser that is signed in to one server."""

    def __init__(self, product):
        program = shutil.which("chromium")
        if not program or not shutil.which("node") or not (TESTS / "node_modules/playwright-core").is_dir():
            raise Failed("chromium, node or tests/ui/node_modules is missing: scripts/setup test installs them")
        sys.path.insert(0, str(TESTS))
        from ui_browser import Browser
        self.run = Browser(program, product.scratch.folder("browser"))
        self.run("await open(arg)", {"origin": f"http://127.0.0.1:{product.port}", "viewport": {"width": 1280, "height": 860}})
        self.run("await page.addInitScript(arg)", WATCH)
        self.run("await page.goto('/'); await page.getByLabel('Token').fill(arg); await page.keyboard.press('Enter');"
                 "await page.getByRole('navigation', {name: 'Screens'}).waitFor()", product.token)

    def open(self, place, wanted):
        """Loads the page anew at that place: milliseconds from the request until what is wanted is painted, and what the
        page's own thread has computed for that."""
        return self.run(METER + """
            await page.evaluate((wanted) => sessionStorage.setItem('bench.wanted', wanted), arg.wanted)
            const home = new URL('/', page.url()).href
            await page.goto('about:blank')
            const computed = await meter()
            await page.goto(`${home}#/${arg.place}`, {waitUntil: 'commit'})
            await page.waitForFunction(() => window.watch?.painted, null, {timeout: 60000})
            const cost = await computed()
            return [await page.evaluate(() => window.watch.painted), cost]""", {"place": place, "wanted": wanted})

    def settle(self):
        """Waits until nothing is asked for any more, but for streams of events."""
        self.run("""
            let last = Date.now()
            const noted = () => { last = Date.now() }
            page.on('response', noted)
            while (Date.now() - last < 400) await page.waitForTimeout(50)
            page.off('response', noted)""")

    def scroll(self, selector, dx, dy, steps):
        """Turns the wheel over an element: the longest task meanwhile in milliseconds, 0 if none took 50 or more, and what
        the page's thread has computed for a step."""
        return self.run(METER + """
            const box = await page.locator(arg.selector).first().boundingBox()
            await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
            await page.evaluate(() => { window.watch.longest = 0 })
            const computed = await meter()
            for (let i = 0; i < arg.steps; i++) {
                await page.mouse.wheel(arg.dx, arg.dy)
                await page.evaluate(() => new Promise(requestAnimationFrame))
            }
            await page.waitForTimeout(200)
            const cost = await computed()
            return [await page.evaluate(() => window.watch.longest), cost / arg.steps]""",
                        {"selector": selector, "dx": dx, "dy": dy, "steps": steps})

    def close(self):
        self.run.close()
