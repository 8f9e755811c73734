"""Tasks of another user than the server's (exec.user), of the kinds that need something installed: Java, Spark.

The others are in tests/e2e/test_other_user.py. Spark is the stand-ins of test_spark.py and test_new_cluster.py.
"""

import shutil

import pytest

from harness import Server
from other_user import NOBODY, as_nobody, log, needs_root
from test_java import archive, jar_task
from test_new_cluster import DAEMON, SUBMIT, on_new
from test_spark import STAND_IN, submit

pytestmark = needs_root
needs_java = pytest.mark.skipif(not shutil.which("java"), reason="no java here: JAR_TASKs are not executed")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = as_nobody(Server(tmp_path_factory.mktemp("server")))
    home = server.folder / "spark"
    for folder in ("bin", "jars"):
        (home / folder).mkdir(parents=True)
    (home / "jars/spark-core_2.12-3.5.3.jar").touch()
    for name, text in (("spark-class", DAEMON), ("spark-submit", SUBMIT)):
        (home / "bin" / name).write_text(text)
        (home / "bin" / name).chmod(0o755)
    server.options = (*server.options, f"--exec.spark-home={home}", "--exec.grace=5")
    (server.workspace / "gates").chmod(0o777)  # both sides make signs there
    archive(server)
    server.start()
    yield server
    server.close()


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
