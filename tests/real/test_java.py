"""JAR_TASK on the server's host: java -cp LIBRARIES CLASS ARGS (RULES §6)."""

import base64
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from harness import BINARY, eventually, named, statuses, task

SOURCE = Path(os.environ.get("REPRISE_SOURCE_ROOT") or Path(__file__).resolve().parents[2])
CLASS = base64.b64decode((Path(__file__).parent / "say.class.b64").read_text())  # of examples/java/Say.java

pytestmark = pytest.mark.skipif(not shutil.which("java"), reason="no java here: JAR_TASKs are not executed")


def archive(server, name="say.jar"):
    with zipfile.ZipFile(server.workspace / name, "w") as jar:
        jar.writestr("Say.class", CLASS)
    return name


def jar_task(key, arguments, libraries=("say.jar",), after=(), **fields):
    body = task(key, after=after, type="JAR_TASK", dependentLibraries=list(libraries), commandLineArguments=arguments)
    del body["filePath"]
    return {**body, "mainClass": "Say", **fields}


def test_the_example(server):
    archive(server)
    made = subprocess.run([BINARY, "--data", server.data, "-o", "name", "job", "create", "-f", SOURCE / "examples/java/job.yaml"],
                          capture_output=True, text=True, check=True)
    run = server.api.wait_final(server.api.run(made.stdout.split()[-1].split("/")[-1], parameters=named(who="moon")), "SUCCESS")
    say = server.api.task_run(run, "say")
    assert server.api.get(f"/taskRuns/{say['key']}/logs").text == "hello moon\n"
    output = server.api.post(f"/taskRuns/{say['key']}/actions/fetchOutput").json()
    assert output["taskType"] == "JAR_TASK" and output["data"][0]["type"] == "TEXT_PLAIN" and output["data"][0]["value"] == "hello moon\n"


def test_how_it_fails(server):
    archive(server)
    os.symlink("/etc/passwd", server.workspace / "link.jar")
    api = server.api
    run = api.go([jar_task("bad", "x 3", parameters=named(who="me")), jar_task("lost", "x 0", ["none.jar"]),
                  jar_task("out", "x 0", ["link.jar"]), jar_task("bare", "x 0", []),
                  jar_task("noclass", "x 0", mainClass="Nobody")], "FAILED")
    assert statuses(run) == {"bad": "FAILED", "lost": "INTERNAL_ERROR", "out": "INTERNAL_ERROR", "bare": "INTERNAL_ERROR",
                             "noclass": "FAILED"}
    said = {key: api.task_run(run, key)["state"] for key in statuses(run)}
    assert said["bad"]["stateMessage"] == "Exited with code 3" and said["bad"]["errorTrace"] == "me\n"
    assert said["lost"]["stateMessage"] == "Cannot start: no file none.jar in the workspace"
    assert "leads outside" in said["out"]["stateMessage"]
    assert "dependentLibraries" in said["bare"]["stateMessage"]
    assert "Nobody" in said["noclass"]["errorTrace"]


def test_no_java_says_how_to_get_it(servers):
    server = servers("--exec.java=/nowhere/java").start()
    archive(server)
    run = server.api.go([jar_task("a", "x 0")], "INTERNAL_ERROR")
    assert "default-jre-headless" in server.api.task_run(run, "a")["state"]["stateMessage"]
    eventually(lambda: not server.processes(), "nothing runs")
