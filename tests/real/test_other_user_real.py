"""Tasks of another user than the server's (exec.user), of the kinds that need something installed: notebooks, Java, Spark.

The others are in tests/e2e/test_other_user.py. Spark is the stand-ins of test_spark.py and test_new_cluster.py.
"""

import json
import os
import shutil
from pathlib import Path

import pytest

from harness import Server, eventually
from other_user import LOOK, NOBODY, SEEN, as_nobody, log, needs_root
from test_java import archive, jar_task
from test_new_cluster import CLUSTER, SUBMIT, on_new, with_stand_in
from test_notebook import SLOW, cell, export, fetch, go, lacks_notebooks, notebook_task, texts, write
from test_spark import STAND_IN, submit

pytestmark = needs_root
needs_notebooks = pytest.mark.skipif(bool(lacks_notebooks()), reason=f"no notebooks can be executed here: {lacks_notebooks()}")
needs_java = pytest.mark.skipif(not shutil.which("java"), reason="no java here: JAR_TASKs are not executed")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = with_stand_in(as_nobody(Server(tmp_path_factory.mktemp("server"))))
    (server.workspace / "gates").chmod(0o777)  # both sides make signs there
    archive(server)
    server.start()
    yield server
    server.close()


def document_of(api, run, key="a"):
    return json.loads(fetch(api, api.task_run(run, key))["data"][0]["value"])


@needs_notebooks
def test_a_notebook(server, api):
    write(server, "look.ipynb", cell(LOOK), cell("open(os.environ['REPRISE_OUTPUT'], 'a').write('k=v\\n')"))
    run = go(api, [notebook_task("a", "look.ipynb")], "SUCCESS")
    a = api.task_run(run, "a")
    assert texts(document_of(api, run))[0] == SEEN and a["values"] == {"k": "v"}
    assert "<html" in export(api, a, "HTML").json()["contents"]
    write(server, "bad.ipynb", cell("print('first')"), cell("{}['gone']"))
    run = go(api, [notebook_task("a", "bad.ipynb")], "FAILED")
    state = api.task_run(run, "a")["state"]
    assert state["stateMessage"] == "Failed in cell 2 of 2: KeyError: 'gone'" and "KeyError" in state["errorTrace"]
    assert texts(document_of(api, run))[0] == "first\n"


@needs_notebooks
def test_a_notebook_while_it_runs(server, api):
    write(server, "slow.ipynb", cell(SLOW.format("slow")))
    run = api.run(api.job([notebook_task("a", "slow.ipynb")]))
    seen = eventually(lambda: (t := api.task_run(run, "a"))["state"]["stateMessage"].startswith("Running, in") and t, "the cell", 60)
    assert seen["state"]["stateMessage"] == "Running, in cell 1 of 1"
    eventually(lambda: texts(document_of(api, run)) == ["begun\n"], "its output so far")
    assert {Path(f"/proc/{p}").stat().st_uid for p in server.processes()} == {NOBODY.pw_uid}
    server.open_gate("slow")
    api.wait_final(run, "SUCCESS")
    assert texts(document_of(api, run)) == ["begun\ntidied\n"]


@needs_notebooks
def test_what_a_notebook_leaves_leads_nowhere(server, api):
    """Its folder is its user's: whatever is put there, the server hands nothing out that the user may not read."""
    write(server, "quick.ipynb", cell("print('mine')"))
    run = go(api, [notebook_task("a", "quick.ipynb")], "SUCCESS")
    a = api.task_run(run, "a")
    (folder,) = (server.data / "runs" / run["key"]).glob(f"{a['key']}.*.notebook")
    assert folder.stat().st_uid == NOBODY.pw_uid and folder.parent.stat().st_uid == os.geteuid() != NOBODY.pw_uid
    executed, secret = folder / "executed.ipynb", server.data / "theirs"
    secret.write_text(executed.read_text().replace("mine", "theirs"))
    executed.rename(folder / "kept")
    tricks = {"a link": lambda: executed.symlink_to(secret), "a hard link": lambda: os.link(secret, executed),
              "a pipe": lambda: os.mkfifo(executed), "a folder": executed.mkdir, "nothing": lambda: None}
    for name, trick in tricks.items():
        trick()
        assert export(api, a, "IPYNB").status_code == 409, name
        assert "theirs" not in api.post(f"/taskRuns/{a['key']}/actions/fetchOutput").text, name
        if os.path.lexists(executed):
            executed.rmdir() if executed.is_dir() and not executed.is_symlink() else executed.unlink()
    os.rename(folder / "kept", executed)
    assert "mine" in export(api, a, "IPYNB").json()["contents"]


@needs_java
def test_a_jar(server, api):
    run = api.go([jar_task("a", "one 0")], "SUCCESS")
    assert "one" in log(api, run, "a")


@needs_java
def test_on_spark(server, api):
    stand_in = server.folder / "spark/bin/spark-submit"
    stand_in.write_text(STAND_IN + 'id -u\ntouch "$SPARK_LOCAL_DIRS/made" || exit 3\n')
    try:
        run = api.go([submit("a", "/Workspace/ok.py x")], "SUCCESS")
    finally:
        stand_in.write_text(SUBMIT)
    assert log(api, run, "a").splitlines()[-1] == str(NOBODY.pw_uid)
    assert api.task_run(run, "a")["externalId"] == "app-20260101120000-0042"


@needs_java
def test_on_a_new_cluster(server, api):
    run = api.go([on_new("a", "x"), on_new("own", "own-words", runIf="ALL_DONE")], "FAILED")
    a, own = api.task_run(run, "a"), api.task_run(run, "own")
    assert a["state"]["status"] == "SUCCESS" and a["setupDuration"] > 0 and a["externalId"] == "app-20260101120000-0042"
    assert own["state"]["stateMessage"] == "Failed in its own words"


@needs_java
@needs_notebooks
def test_a_notebook_on_a_new_cluster(server, api):
    write(server, "both.ipynb", cell("import os\nprint(os.getuid())"), cell("1 / 0"))
    run = go(api, [notebook_task("a", "both.ipynb", cluster={"newCluster": CLUSTER})], "FAILED")
    assert api.task_run(run, "a")["state"]["stateMessage"] == "Failed in cell 2 of 2: ZeroDivisionError: division by zero"
    assert texts(document_of(api, run))[0] == f"{NOBODY.pw_uid}\n"
