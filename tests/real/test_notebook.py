"""NOTEBOOK_TASK: through nbclient and a real kernel (RULES §6). Needs python3-nbclient, python3-ipykernel, python3-nbconvert."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from harness import BINARY, eventually, named, refused, statuses, task
from seeds import TASK_RUN, check

SOURCE = Path(os.environ.get("REPRISE_SOURCE_ROOT") or Path(__file__).resolve().parents[2])


def lacks_notebooks():
    probe = subprocess.run(["/usr/bin/python3", "-c", "import nbclient, ipykernel, nbconvert"], capture_output=True, text=True)
    return probe.stderr.strip().splitlines()[-1] if probe.returncode else ""


pytestmark = pytest.mark.skipif(bool(lacks_notebooks()), reason=f"no notebooks can be executed here: {lacks_notebooks()}")


def cell(source, *tags):
    return {"cell_type": "code", "execution_count": None, "id": f"c{abs(hash(source)) % 10**8}", "metadata": {"tags": list(tags)},
            "outputs": [], "source": source}


def write(server, name, *cells, **metadata):
    metadata = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}, **metadata}
    server.script(name, json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))
    return name


def notebook_task(key, path, after=(), **fields):
    body = task(key, after=after, type="NOTEBOOK_TASK", notebookPath=path, **fields)
    del body["filePath"]
    return body


def go(api, tasks, status):
    """A kernel takes seconds to come up, on a busy machine many."""
    return api.wait_final(api.run(api.job(tasks)), status, seconds=100)


def fetch(api, task_run):
    answer = api.post(f"/taskRuns/{task_run['key']}/actions/fetchOutput")
    assert answer.status_code == 200, answer.text
    return answer.json()


def export(api, task_run, form):
    return api.post(f"/taskRuns/{task_run['key']}/outputs/{task_run['outputKey']}/actions/export", {"format": form})


def texts(notebook):
    return ["".join(out.get("text") or out.get("data", {}).get("text/plain", "")) for cell in notebook["cells"]
            for out in cell.get("outputs", [])]


def test_the_example(servers):
    folder = SOURCE / "examples/notebook"
    server = servers()
    for name in ("words.ipynb", "words.txt"):
        server.script(name, (folder / name).read_text())
    server.start()
    made = subprocess.run([BINARY, "--data", server.data, "-o", "name", "job", "create", "-f", folder / "job.yaml"],
                          capture_output=True, text=True, check=True)
    api, job = server.api, made.stdout.split()[-1].split("/")[-1]
    run = api.wait_final(api.run(job), "SUCCESS", seconds=100)
    words = check(api.task_run(run, "words"), TASK_RUN)
    assert statuses(run) == {"words": "SUCCESS", "many": "SUCCESS"} and words["values"] == {"words": "26"}
    output = fetch(api, words)
    document = json.loads(output["data"][0]["value"])
    assert output["data"][0]["type"] == "NOTEBOOK" and output["taskType"] == "NOTEBOOK_TASK" and not output["isTruncated"]
    assert document["cells"][2]["metadata"]["tags"] == ["injected-parameters"]
    assert "26 words, 7 of them at least 2 times" in "".join(texts(document))
    failed = api.wait_final(api.run(job, parameters=named(least="99")), "FAILED", seconds=100)
    state = api.task_run(failed, "words")["state"]
    assert state["stateMessage"] == "Failed in cell 4 of 4: ValueError: no word is there 99 times"
    assert state["errorTrace"] == failed["state"]["errorTrace"]
    assert "\x1b" not in state["errorTrace"] and "ValueError: no word is there 99 times" in state["errorTrace"]


def test_parameters_are_typed_as_their_defaults_are(server):
    write(server, "typed.ipynb",
          cell("n = 1\nr = .5\nb = False\nl = []\nd = {}\ns = 'x'\nu = None\nk = 3", "parameters"),
          cell("print([n, r, b, l, d, s, u, k, extra])"))
    values = named(n="7", r="2", b="true", l='["a", 1]', d="{'k': 'v'}", s="3", u="4", extra="it's")
    api = server.api
    run = go(api, [notebook_task("a", "/Workspace/typed.ipynb", parameters=values)], "SUCCESS")
    seen = texts(json.loads(fetch(api, api.task_run(run, "a"))["data"][0]["value"]))
    assert seen == ["[7, 2.0, True, ['a', 1], {'k': 'v'}, '3', '4', 3, \"it's\"]\n"]
    run = go(api, [notebook_task("a", "typed.ipynb", parameters=named(n="many"))], "FAILED")
    assert "Parameter n: 'many' is no int, as its default 1 is" in api.task_run(run, "a")["state"]["stateMessage"]


def test_what_a_failed_notebook_leaves(server):
    write(server, "bad.ipynb", cell("print('first')"), cell("import sys\nprint('warned', file=sys.stderr)"),
          cell("def f():\n    raise KeyError('gone')\nf()"), cell("print('never')"))
    api = server.api
    run = go(api, [notebook_task("a", "bad.ipynb")], "FAILED")
    a = api.task_run(run, "a")
    trace = a["state"]["errorTrace"]
    assert "KeyError: 'gone'" in trace and "warned" not in trace and "\x1b" not in trace
    assert a["state"]["stateMessage"] == "Failed in cell 3 of 4: KeyError: 'gone'"
    document = json.loads(export(api, a, "IPYNB").json()["contents"])
    assert texts(document)[:2] == ["first\n", "warned\n"] and document["cells"][2]["outputs"][0]["output_type"] == "error"
    page = export(api, a, "HTML").json()
    assert page["format"] == "HTML" and "<html" in page["contents"] and "KeyError" in page["contents"]
    log = api.get(f"/taskRuns/{a['key']}/logs").text
    assert "reprise: cell 3 of 4" in log and "never" not in log
    assert export(api, a, "TEXT").json()["contents"] == log
    assert "warned" in api.get(f"/taskRuns/{a['key']}/logs", stream="stderr").text


def test_what_cannot_be_executed_is_an_internal_error(server):
    server.script("text.ipynb", "no notebook\n")
    write(server, "cobol.ipynb", cell("x"), kernelspec={"name": "cobol", "language": "cobol", "display_name": "x"})
    api = server.api
    run = go(api, [notebook_task("text", "text.ipynb"), notebook_task("none", "none.ipynb"),
                  notebook_task("cobol", "cobol.ipynb")], "INTERNAL_ERROR")
    said = {key: api.task_run(run, key)["state"]["stateMessage"] for key in ("text", "none", "cobol")}
    assert said["text"].startswith("Cannot start: it is no notebook")
    assert said["none"] == "Cannot start: no file none.ipynb in the workspace"
    assert said["cobol"] == "Cannot start: the notebook's kernel cobol is not installed"
    refused(export(api, api.task_run(run, "text"), "HTML"), 409, "IncorrectState", "no HTML")


SLOW = '''
import os, time
print("begun", flush=True)
gate = os.path.join(os.environ["REPRISE_WORKSPACE"], "gates", "{}")
try:
    while not os.path.exists(gate):
        time.sleep(.01)
finally:
    print("tidied", flush=True)
'''


def test_progress_then_a_cancel_that_leaves_nothing(server):
    write(server, "slow.ipynb", cell("1"), cell(SLOW.format("never")), cell("print('never')"))
    api = server.api
    run = api.run(api.job([notebook_task("a", "slow.ipynb")]))

    def far():
        seen = api.task_run(api.get_run(run), "a")
        return seen["state"]["stateMessage"] == "Running, in cell 2 of 3" and "begun" in str(
            texts(json.loads(fetch(api, seen)["data"][0]["value"]))) and seen

    seen = eventually(far, "the notebook so far is shown while it runs", 100)
    refused(export(api, seen, "HTML"), 409, "IncorrectState", "RUNNING")
    api.cancel(run)
    run = api.wait_final(run, "CANCELED")
    assert "tidied" in str(texts(json.loads(fetch(api, api.task_run(run, "a"))["data"][0]["value"])))
    eventually(lambda: not server.processes(), "neither helper nor kernel is left")


def test_a_kernel_that_dies_and_one_that_hears_nothing(server):
    write(server, "dies.ipynb", cell("import os\nos._exit(3)"))
    write(server, "deaf.ipynb", cell("import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(600)"))
    server.restart("--exec.grace=1")
    api = server.api
    run = go(api, [notebook_task("dies", "dies.ipynb"), notebook_task("deaf", "deaf.ipynb", timeoutSeconds=6)], "FAILED")
    assert statuses(run) == {"dies": "FAILED", "deaf": "TIMED_OUT"}
    assert api.task_run(run, "dies")["state"]["stateMessage"] == "The kernel died in cell 1 of 1"
    assert json.loads(fetch(api, api.task_run(run, "deaf"))["data"][0]["value"])["cells"]
    eventually(lambda: not server.processes(), "the supervisor kills what is left of the kernel")


def test_it_survives_the_server(server):
    write(server, "slow.ipynb", cell(SLOW.format("open")), cell("print('after', count)"))
    run = server.api.run(server.api.job([notebook_task("a", "slow.ipynb", parameters=named(count="3"))]))
    eventually(lambda: "begun" in server.api.get(f"/taskRuns/{run['taskToTaskRunMap']['a']}/logs").text, "the cell runs", 100)
    server.kill9()
    server.open_gate("open")
    server.restart()
    run = server.api.wait_final(run, "SUCCESS", seconds=100)
    a = server.api.task_run(run, "a")
    assert len(a["retries"]) == 1
    assert texts(json.loads(fetch(server.api, a)["data"][0]["value"])) == ["begun\ntidied\n", "after 3\n"]
