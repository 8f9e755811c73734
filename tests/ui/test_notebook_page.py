"""A notebook as it was executed: text stays text, a picture is drawn, HTML of a cell is not let in."""

import json

import pytest

from harness import task
from ui_browser import until

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAAEElEQVR4nGP4z8AAQQxwFgBB0gX7h/C5SAAAAABJRU5ErkJggg=="
CELLS = [
    ("markdown", "# A <img src=x onerror=alert(1)> report"),
    ("code", "from IPython.display import HTML, Image, display\nimport base64\nprint('\\033[31m<b>red</b>\\033[0m')\n"
             f"display(Image(base64.b64decode('{PNG}')))\ndisplay(HTML('<script>alert(2)</script>'))"),
]


@pytest.fixture
def executed(own):
    cells = [{"cell_type": kind, "id": f"c{i}", "metadata": {}, "source": source, **({"outputs": [], "execution_count": None} if kind == "code" else {})}
             for i, (kind, source) in enumerate(CELLS)]
    own.script("report.ipynb", json.dumps({"cells": cells, "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
                                           "nbformat": 4, "nbformat_minor": 5}))
    one = task("report", type="NOTEBOOK_TASK", notebookPath="report.ipynb")
    del one["filePath"]
    made = own.api.post("/jobs", {"name": "job", "path": "Shared", "tasks": [one]})
    if made.status_code == 400:
        pytest.skip(f"notebooks are not tested: {made.json()['message']}")
    run = own.api.wait_final(own.api.run(made.json()), seconds=90)
    if run["state"]["status"] == "INTERNAL_ERROR":
        pytest.skip(f"notebooks are not tested: {run['taskRunSummaryMap'][run['taskToTaskRunMap']['report']]['state']['stateMessage']}")
    assert run["state"]["status"] == "SUCCESS", run["state"]
    return run["key"]


def test_an_executed_notebook(page, executed):
    page.go(f"runs/{executed}?task=report")
    page("await page.getByRole('button', {name: 'Show notebook'}).click()")
    page("await page.locator('.notebook .put-out', {hasText: '<b>red</b>'}).waitFor()")
    assert page("return await page.locator('.notebook .ansi-red').innerText()") == "<b>red</b>"
    assert "<img src=x" in page.text(".notebook .prose")
    size = "return await page.locator('.notebook canvas').evaluate((at) => [at.width, at.height])"
    until(lambda: page(size) == [3, 2], "the picture is drawn")
    assert "is HTML" in page.text(".notebook p")
    assert page("return await page.locator('.notebook :is(img, script, iframe, b)').count()") == 0
    page("const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', {name: 'Download the notebook'}).click()])")
