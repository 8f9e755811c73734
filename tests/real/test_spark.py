"""SPARK_SUBMIT_TASK, and JAR_TASK, PYTHON_TASK, NOTEBOOK_TASK on a cluster with a Spark master (RULES §6).

What spark-submit is given is seen with a stand-in for a distribution. One test starts a real one: Spark is found as the
server finds it, or where scripts/setup puts PyPI's pyspark for tests.
"""

import glob
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import BINARY, refused, statuses, task
from test_java import archive, jar_task

SOURCE = Path(os.environ.get("REPRISE_SOURCE_ROOT") or Path(__file__).resolve().parents[2])

STAND_IN = """#!/bin/sh
echo "26/01/01 INFO StandaloneSchedulerBackend: Connected to Spark cluster with app ID app-20260101120000-0042" >&2
for word; do echo "$word"; done
echo "home=$SPARK_HOME python=$PYSPARK_PYTHON"
case "$*" in *fail*) exit 7 ;; esac
"""


def real_spark():
    cache = Path(os.environ.get("REPRISE_TEST_CACHE") or "/nowhere")
    found = [os.environ.get("SPARK_HOME")] + glob.glob(str(cache / "spark/lib/python3*/site-packages/pyspark"))
    return next((home for home in found if home and os.access(f"{home}/bin/spark-submit", os.X_OK)), None)


@pytest.fixture(scope="module")
def spark(server):
    """A stand-in that prints what it is given."""
    home = server.folder / "spark"
    (home / "bin").mkdir(parents=True)
    (home / "jars").mkdir()
    (home / "bin/spark-submit").write_text(STAND_IN)
    (home / "bin/spark-submit").chmod(0o755)
    server.restart(f"--exec.spark-home={home}")
    archive(server)
    archive(server, "other.jar")
    return home


def cluster(api, name, master, **fields):
    return api.made("/clusters", {"displayName": name, "type": "USER", "driverConfig": {}, "x-sparkMaster": master, **fields})


def words(api, run, key):
    return api.get(f"/taskRuns/{run['taskToTaskRunMap'][key]}/logs").text.splitlines()


def submit(key, arguments, **fields):
    body = task(key, type="SPARK_SUBMIT_TASK", commandLineArguments=arguments, **fields)
    del body["filePath"]
    return body


def test_what_spark_submit_is_given(server, spark):
    api, folder = server.api, str(server.workspace)
    key = cluster(api, "yarn_one", "yarn")["key"]
    assert api.read(f"/clusters/{key}")["x-sparkMaster"] == "yarn"
    by_key, by_name = {"clusterKey": key}, {"clusterName": "yarn_one"}
    run = api.go([
        submit("submit", "--jars /Workspace/a.jar,/Workspace/b/c.jar /Workspace/ok.py '/Workspace is kept' x", cluster=by_key),
        submit("local", "/Workspace/ok.py"),
        jar_task("jar", "one 'two three'", ["say.jar", "other.jar"], cluster=by_name),
        task("python", "ok.py", cluster=by_name, commandLineArguments="p"),
    ], "SUCCESS")
    assert words(api, run, "submit")[:-1] == ["--master", "yarn", "--jars", f"{folder}/a.jar,{folder}/b/c.jar", f"{folder}/ok.py",
                                              "/Workspace is kept", "x"]
    assert words(api, run, "local")[:2] == ["--master", "local[*]"]
    assert words(api, run, "jar")[:-1] == ["--master", "yarn", "--class", "Say", "--jars", f"{folder}/other.jar",
                                           f"{folder}/say.jar", "one", "two three"]
    assert words(api, run, "python")[:-1] == ["--master", "yarn", f"{folder}/ok.py", "p"]
    assert words(api, run, "jar")[-1].startswith(f"home={spark} python=/")
    seen = api.task_run(run, "jar")
    assert seen["externalId"] == "app-20260101120000-0042" == seen["retries"][0]["externalId"]
    server.restart()
    assert server.api.task_run(run, "jar")["externalId"] == "app-20260101120000-0042"
    server.restart(f"--exec.spark-home={spark}")


def test_its_failures(server, spark):
    api = server.api
    stopped = cluster(api, "stopped_one", "spark://127.0.0.1:7077")
    api.post(f"/clusters/{stopped['key']}/actions/stop")
    run = api.go([submit("fails", "fail"), submit("nowhere", "x", cluster={"clusterName": "nowhere"}),
                  submit("stopped", "x", cluster={"clusterName": "stopped_one"}),
                  jar_task("bare", "", [], cluster={"clusterName": "yarn_one"})], "FAILED")
    assert statuses(run) == {"fails": "FAILED", "nowhere": "INTERNAL_ERROR", "stopped": "INTERNAL_ERROR", "bare": "INTERNAL_ERROR"}
    said = {key: api.task_run(run, key)["state"]["stateMessage"] for key in statuses(run)}
    assert said["nowhere"] == "Cannot start: there is no cluster nowhere"
    assert said["stopped"] == "Cannot start: the cluster stopped_one is STOPPED"
    assert "dependentLibraries" in said["bare"]
    refused(api.post("/clusters", {"displayName": "odd", "type": "USER", "driverConfig": {}, "x-sparkMaster": "http://x"}),
            400, "InvalidParameter", "x-sparkMaster", "spark://")


def test_a_cluster_without_a_master_is_this_host(server):
    api = server.api
    key = api.made("/clusters", {"displayName": "plain", "type": "USER", "driverConfig": {}})["key"]
    local = next(c["key"] for c in api.read("/clusters")["items"] if c["displayName"] == "local")
    run = api.go([task("a", cluster={"clusterKey": key}), task("b", cluster={"clusterKey": local}),
                  task("c", cluster={"clusterName": "local"})], "SUCCESS")
    assert len(statuses(run)) == 3


def test_no_spark_says_how_to_get_it(servers):
    server = servers("--exec.spark-home=/nowhere").start()
    run = server.api.go([submit("a", "x")], "INTERNAL_ERROR")
    assert "exec.spark-home" in server.api.task_run(run, "a")["state"]["stateMessage"]


@pytest.mark.skipif(not real_spark() or not shutil.which("java"),
                    reason="no Spark here (SPARK_HOME, or what scripts/setup test installs): no real spark-submit is started")
@pytest.mark.timeout(360)  # seconds on an idle machine; a JVM and its workers on a busy one
def test_the_example_on_a_real_spark(servers):
    folder = SOURCE / "examples/spark"
    server = servers(f"--exec.spark-home={real_spark()}")
    for name in ("words.py", "words.txt"):
        server.script(name, (folder / name).read_text())
    api = server.start().api
    cluster(api, "spark_here", "local[1]")
    made = subprocess.run([BINARY, "--data", server.data, "-o", "name", "job", "create", "-f", folder / "job.yaml"],
                          capture_output=True, text=True, check=True)
    run = api.wait_final(api.run(made.stdout.split()[-1].split("/")[-1]), "SUCCESS", seconds=300)
    seen = api.task_run(run, "words")
    assert words(api, run, "words")[0] == "4 run" and seen["values"] == {"words": "26"}
    assert seen["externalId"].startswith("local-"), json.dumps(seen)
