"""Every screen in both themes: rules of accessibility (axe), no overflow on a phone, and pictures to look at
(REPRISE_PICTURES=folder keeps them)."""

import pytest

from harness import if_else, named, step, task
from ui_browser import HERE

SCREENS = ["jobs", "runs", "now", "campaigns", "jobs/{job}", "jobs/{job}?tab=durations", "jobs/{job}?tab=definition&against=1",
           "jobs/{job}?tab=skipped", "jobs/{job}?tab=runs", "jobs/{job}?tab=graph", "jobs/{job}?tab=definition",
           "runs/{run}", "runs/{run}?task=load", "runs/{run}?tab=gantt", "runs/{run}?tab=tasks", "runs/{run}?tab=logs&task=load",
           "runs/{run}?tab=parameters", "runs/{run}?tab=events", "runs/{run}?tab=definition", "runs/{run}?repair=0", "runs/{run}/repair", "jobs/{job}/edit", "jobs/new",
           "access", "access?tab=tokens", "access?tab=users", "access?tab=audit"]


@pytest.fixture(scope="module")
def scene(server):
    """A job with several runs, one of them repaired and failed, one running, one waiting."""
    api = server.api
    server.script("load.py", "import sys\nprint('\\033[32mloading\\033[0m', sys.argv[1])\nif sys.argv[1] == 'bad': raise ValueError('no such day: bad')\n")
    tasks = [
        step("fetch", out="fetched"), step("clean", after="fetch"),
        task("load", "load.py", "clean", commandLineArguments="{{job.parameters.day}}", maxRetries=1),
        if_else("is_late", "{{job.parameters.late}} == yes", "load"),
        step("mail", after=[("is_late", "true")]), step("archive", after=[("is_late", "false")]),
        step("report", after=["mail", "archive"], runIf="NONE_FAILED"),
    ]
    fields = {"name": "nightly.load", "description": "Loads what came in over night", "parameters": named(day="2026-11-25", late="no"),
              "queue": {"isEnabled": True}}
    job = api.job(tasks, **fields)
    for _ in range(3):
        api.wait_final(api.run(job), "SUCCESS")
    run = api.wait_final(api.run(job, parameters=named(day="bad")), "FAILED")
    api.repair(run, parameters=named(late="yes"))
    api.wait_final(run, "FAILED")
    api.replace(job, tasks[:-1] + [step("summary", after=["mail", "archive"], runIf="ALL_DONE")], **fields,
                schedule={"quartzCronExpression": "0 30 2 * * ?", "timezoneId": "Europe/Berlin"})
    api.wait_final(api.run(api.job([step("one")], name="a.job.with.a.name.that.is.much.too.long.for.any.phone.that.people.have")))
    busy = api.job([step("copy", gate="never", out="copying"), step("check", after="copy")], name="long.copy", queue={"isEnabled": True})
    api.run(busy)
    api.run(busy)
    yield {"job": job["key"], "run": run["key"]}
    server.open_gate("never")
    for item in api.read("/jobRuns", jobKey=busy["key"])["items"]:
        api.wait_final(item)


def name_of(screen):
    return screen.format(job="job", run="run").translate(str.maketrans("/?=&.", "-----"))


def show(page, scene, screen):
    page.go(screen.format(**scene))
    page("await page.locator('#main h1').waitFor()")
    page.settle()  # a picture of what is there to stay


AXE = """return (await page.evaluate((rules) => axe.run(document, {resultTypes: ['violations'], ...rules}), arg)).violations
    .filter((v) => ['serious', 'critical'].includes(v.impact))
    .map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html + ' ' + (n.any[0]?.message ?? '')).join(' | ')}`)"""
# The document is the same in both themes; only its colours are to be looked at again.
RULES = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}
DESK, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


# What would be out of reach on a phone, or lie on something else.
PHONE_FAULTS = """return await page.evaluate(() => {
    const found = []
    const box = (element) => element.getBoundingClientRect()
    for (const tab of document.querySelectorAll('[role=tab][aria-selected=true]')) {
      const [at, bar] = [box(tab), box(tab.parentElement)]
      if (at.left < bar.left - 1 || at.right > bar.right + 1) found.push(`the tab ${tab.textContent} is selected and out of sight`)
    }
    for (const zoom of document.querySelectorAll('.zoom'))
      if (box(zoom).top < box(zoom.parentElement.querySelector('.graph-frame')).bottom) found.push('the buttons lie on the graph')
    for (const row of document.querySelectorAll('.tr')) {
      const last = Math.max(...[...row.children].map((cell) => box(cell).bottom))
      if (last > box(row).bottom + 1) found.push(`a row of ${row.closest('[role=table]').ariaLabel} is cut off: ${row.innerText.slice(0, 80)}`)
    }
    return [...new Set(found)].slice(0, 5)
  })"""


@pytest.mark.parametrize("part", range(3))
def test_every_screen_in_both_themes_and_on_a_phone(server, scene, page_on, part):
    """Nothing serious for those who see or move otherwise; nothing that is wider than a phone."""
    page = page_on(server, colorScheme="light", reducedMotion="reduce", hasTouch=True)
    # evaluated by the debugger, which the policy of the page does not bind
    page("const {readFileSync} = await import('node:fs'); await page.evaluate(readFileSync(arg, 'utf8'))", str(HERE / "node_modules/axe-core/axe.min.js"))
    found = []
    for screen in SCREENS[part::3]:
        show(page, scene, screen)
        for theme, rules in RULES.items():
            page("await page.emulateMedia({colorScheme: arg, reducedMotion: 'reduce'})", theme)
            page.picture(f"{theme}-{name_of(screen)}")
            found += [f"{screen}, {theme}: {violation}" for violation in page(AXE, rules)]
        page("await page.setViewportSize(arg)", PHONE)
        page.settle()
        page.picture(f"phone-{name_of(screen)}")
        found += [f"{screen}: {fault}" for fault in page(PHONE_FAULTS)]
        wide = page("return await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)")
        found += [f"{screen} is {wide} px too wide on a phone"] if wide > 0 else []
        page("await page.setViewportSize(arg)", DESK)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_dialogs_and_the_sign_in_too(server, scene, page_on, theme):
    page = page_on(server, colorScheme=theme)
    show(page, scene, "jobs")
    page("await page.getByRole('button', {name: 'Run nightly.load'}).click(); await page.getByRole('dialog').waitFor()")
    page.picture(f"{theme}-start")
    page("await page.keyboard.press('Escape'); await page.getByRole('dialog').waitFor({state: 'detached'})")
    page("await page.keyboard.press('?'); await page.getByRole('dialog', {name: 'Keyboard'}).waitFor()")
    page.picture(f"{theme}-keyboard")
    page("await page.keyboard.press('Escape')")
    page("await page.getByRole('button', {name: 'Sign out'}).click(); await page.getByLabel('Token').waitFor()")
    page.picture(f"{theme}-sign-in")


def test_the_switch_outranks_the_system(server, page_on):
    page = page_on(server, colorScheme="light")
    background = "return await page.evaluate(() => getComputedStyle(document.body).backgroundColor)"
    light = page(background)
    page("await page.getByRole('button', {name: 'Theme: auto. Change to light'}).click()")
    assert page(background) == light
    page("await page.getByRole('button', {name: 'Theme: light. Change to dark'}).click()")
    dark = page(background)
    assert dark != light
    page("await page.reload(); await page.getByRole('button', {name: 'Theme: dark. Change to auto'}).waitFor()")
    assert page(background) == dark


def test_each_state_has_a_word_a_shape_and_a_colour():
    """The table itself: no two states share word and shape."""
    import re
    from harness import ROOT
    text = (ROOT / "ui/src/states.tsx").read_text()
    known = set((ROOT / "src/model/state.h").read_text().split("#define STATE_LIST(X)")[1].split("enum state")[0].replace("X(", " ").replace(")", " ").replace("\\", " ").split())
    rows = re.findall(r"^  ([A-Z_]+): \{\s*word: '([^']+)',\s*tone: '(\w+)',\s*shape: (.*?) \}?,?$", text, re.M)
    words = re.findall(r"^  ([A-Z_]+): \{\s*word: '([^']+)'", text, re.M)
    known |= {"PAUSED", "WAITING"}  # of campaigns and their cells
    assert {name for name, _ in words} == known
    assert len({word for _, word in words}) == len(known)
    shapes = [shape for *_, shape in rows]
    assert len(set(shapes)) == len(shapes)
