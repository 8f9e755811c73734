"""newCluster: a standalone Spark cluster that is made for an attempt and does not outlive it (seeds ClusterSpec, ClusterInstance).

How it lives and ends is seen with a stand-in for a Spark distribution, whose daemons say what Spark's say and then wait.
test_real_* start a real one: a master, two workers, two programs; Spark is found as in test_spark.py.
"""

import base64
import os
import shutil
import signal
import subprocess
import zipfile
from pathlib import Path

import pytest
import requests

import dataarts
from harness import BINARY, Server, eventually, refused, statuses
from test_java import archive, jar_task
from test_notebook import cell, lacks_notebooks, notebook_task, write
from test_spark import SOURCE, real_spark, submit, words

DAEMON = r"""#!/bin/bash
[ "$2" = --help ] && exit 0
gate() { [ -e "$REPRISE_WORKSPACE/gates/$1" ]; }
name=worker; [[ $1 == *Master ]] && name=master
echo "$name $* local=$SPARK_LOCAL_IP secret=${#_SPARK_AUTH_SECRET} conf=$SPARK_CONF_DIR" >&2
cat "$SPARK_CONF_DIR/../daemons.conf" >&2
gate $name-fails && { echo "java.net.BindException: no port for a $name" >&2; exit 3; }
gate $name-hangs && { touch "$REPRISE_WORKSPACE/gates/hanging-$$"; exec sleep 600; }
[ $name = master ] && echo "26/01/01 00:00:00 INFO Master: Starting Spark master at spark://127.0.0.1:4242" >&2
[ $name = worker ] && echo "26/01/01 00:00:00 INFO Worker: Successfully registered with master spark://127.0.0.1:4242" >&2
touch "$REPRISE_WORKSPACE/gates/$name-$$"
sleep 600 & wait  # a child, as an executor is
"""

SUBMIT = r"""#!/bin/bash
echo "INFO StandaloneSchedulerBackend: Connected to Spark cluster with app ID app-20260101120000-0042" >&2
for word; do echo "$word"; done
echo "--- $4"; cat "$4"; echo "---"
stem=${4%/application.conf}
stem=${stem%/spark/*}/${stem##*/}  # as a notebook's helper is given it
case "$*" in
*last-words*) trap 'printf "failed\nStopped in its own words\n" > "$stem.say"; exit 1' TERM
    touch "$REPRISE_WORKSPACE/gates/trapped" ;;
esac
touch "$REPRISE_WORKSPACE/gates/submitted"
case "$*" in
*own-words*) printf 'failed\nFailed in its own words\nits trace\n' > "$stem.say"; exit 1 ;;
*last-words*) sleep 600 & wait ;;
*leaves*) setsid sleep 600 & exit 0 ;;
*counts*) exec python3 -c 'if True:
    import os, signal, time
    seen = []
    signal.signal(signal.SIGTERM, lambda *_: seen.append(1))
    open(os.environ["REPRISE_WORKSPACE"] + "/gates/counts", "w").close()
    signal.pause()
    time.sleep(0.3)
    print("signals", len(seen), flush=True)' ;;
*wait*) trap 'echo stopped; exit 9' TERM; sleep 600 & wait ;;
*fail*) exit 7 ;;
esac
"""

CLUSTER = {"numWorkers": 2, "clusterName": "made"}


def with_stand_in(server):
    """Spark's folder is one of stand-ins from the server's next start on."""
    home = server.folder / "spark"
    for folder in ("bin", "jars"):
        (home / folder).mkdir(parents=True)
    (home / "jars/spark-core_2.12-3.5.3.jar").touch()
    for name, text in (("spark-class", DAEMON), ("spark-submit", SUBMIT)):
        (home / "bin" / name).write_text(text)
        (home / "bin" / name).chmod(0o755)
    server.options = (*server.options, f"--exec.spark-home={home}", "--exec.grace=5")
    return server


@pytest.fixture(scope="module")
def made(server):
    """The server with a stand-in; what belongs to its tasks is gone between tests."""
    with_stand_in(server).restart()
    archive(server)
    return server


@pytest.fixture
def fresh(made):
    for gate in (made.workspace / "gates").iterdir():
        gate.unlink()
    yield made
    assert_nothing_left(made)


def assert_nothing_left(server):
    eventually(lambda: not server.processes(), "nothing of the cluster runs")


def folders(server, run):
    """The folders of the run's clusters."""
    place = server.data / "runs" / run["key"] / "spark"
    return sorted(p for p in place.iterdir() if p.is_dir())


def daemons(server, name):
    return [g for g in (server.workspace / "gates").iterdir() if g.name.startswith(f"{name}-")]


def on_new(key, arguments="x", cluster=None, **fields):
    return submit(key, arguments, cluster={"newCluster": CLUSTER, **(cluster or {})}, **fields)


def test_what_is_made_and_measured(fresh):
    api = fresh.api
    shared = {"clusterKey": "big", "newCluster": {**CLUSTER, "sparkConf": "spark.executor.memory 2g\nspark.a.b=c\\d\n# no\n"},
              "libraries": {"jar": "/Workspace/say.jar"}}
    run = api.go([submit("a", "--name n /Workspace/ok.py x", cluster={"clusterName": "big"}),
                  jar_task("b", "one", after="a", cluster={"clusterKey": "big"})], "SUCCESS", jobClusters=[shared])
    said, conf = api.get(f"/taskRuns/{run['taskToTaskRunMap']['a']}/logs").text.split("--- ")[:2]
    said = said.splitlines()
    assert said[:3] == ["--master", "spark://127.0.0.1:4242", "--properties-file"] and said[4:] == [
        "--name", "n", f"{fresh.workspace}/ok.py", "x"]
    settings = dict(line.split("=", 1) for line in conf.splitlines() if "=" in line)
    secret = settings.pop("spark.authenticate.secret")
    assert len(secret) == 64 and not any(secret in word for word in said)
    jar = str(fresh.workspace / "say.jar")
    assert settings == {
        "spark.ui.enabled": "false", "spark.executor.memory": "2g", "spark.a.b": "c\\\\d", "spark.authenticate": "true",
        "spark.driver.extraClassPath": jar, "spark.executor.extraClassPath": jar, "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1"}
    assert words(api, run, "b")[4:8] == ["--class", "Say", jar, "one"]
    for key in "ab":
        seen = api.task_run(run, key)
        assert seen["setupDuration"] > 0 and seen["cleanupDuration"] > 0, seen
        assert seen["endTime"] - seen["startTime"] == seen["setupDuration"] + seen["executionDuration"] + seen["cleanupDuration"]
        assert seen["externalId"] == "app-20260101120000-0042" and seen["retries"][0]["setupDuration"] == seen["setupDuration"]
        assert seen["clusterSpec"]["newCluster"]["numWorkers"] == 2 and seen["clusterSpec"]["libraries"] == {"jar": "/Workspace/say.jar"}
    assert run["setupDuration"] > 0 and run["cleanupDuration"] > 0
    assert run["setupDuration"] + run["executionDuration"] + run["cleanupDuration"] == run["endTime"] - run["startTime"]
    listed = api.read("/jobRuns", jobKey=run["jobKey"])["items"][0]
    assert listed["executionDuration"] == run["executionDuration"]
    b = api.task_run(run, "b")
    assert run["clusterInstance"]["clusterKey"].split(".")[:2] == [run["key"], b["key"]]
    assert run["clusterInstance"]["sparkContextKey"] == b["externalId"]
    assert folders(fresh, run) == [], "a cluster that went well leaves no files"
    assert len(daemons(fresh, "master")) == 2 and len(daemons(fresh, "worker")) == 4


def test_what_is_known_while_it_runs(fresh):
    api = fresh.api
    fresh.open_gate("master-hangs")
    run = api.run(api.job([on_new("a", "wait")], timeoutSeconds=0))
    seen = eventually(lambda: (t := api.task_run(run, "a"))["state"]["stateMessage"].startswith("Running, its cluster") and t, "set-up")
    assert seen["state"]["stateMessage"] == "Running, its cluster is being set up: the master"
    assert seen["setupDuration"] is None and seen["externalId"].startswith(run["key"])
    assert api.get_run(run)["clusterInstance"]["sparkContextKey"] is None
    api.cancel(run)
    run = api.wait_final(run, "CANCELED")
    assert_nothing_left(fresh)
    fresh.shut_gate("master-hangs")
    run = api.run(api.job([on_new("a", "wait")]))
    before = api.etag(run)
    seen = eventually(lambda: (t := api.task_run(run, "a"))["externalId"].startswith("app-") and t, "the application")
    assert seen["state"] == {**seen["state"], "status": "RUNNING", "stateMessage": "Running on a cluster of 2 workers"}
    assert seen["setupDuration"] > 0 and seen["endTime"] is None and api.etag(run) != before
    notes = [e["reason"] for e in api.page_through(f"/jobRuns/{run['key']}/events") if e["type"] == "NOTE"]
    assert notes[0].startswith("Its cluster is up after ") and notes[1] == "It is the Spark application app-20260101120000-0042"
    assert len(fresh.processes()) >= 9  # helper, master, workers and their children, program and its child
    # A server that dies and comes back has it still, and can stop it.
    fresh.restart()
    api = fresh.api
    assert api.task_run(run, "a")["externalId"] == seen["externalId"]
    api.cancel(run)
    run = api.wait_final(run, "CANCELED")
    assert_nothing_left(fresh)
    assert words(api, run, "a")[-1] == "stopped", "the program had its time"
    assert len([e for e in api.page_through(f"/jobRuns/{run['key']}/events") if e["type"] == "NOTE"]) == 2
    ended = api.task_run(run, "a")
    assert ended["setupDuration"] == seen["setupDuration"] and ended["cleanupDuration"] > 0


def test_a_server_that_is_away_at_the_end(fresh):
    run = fresh.api.run(fresh.api.job([on_new("a", "x")]))
    eventually(lambda: daemons(fresh, "master"), "the master")
    fresh.kill9()
    eventually(lambda: (fresh.workspace / "gates/submitted").exists(), "the program")
    assert_nothing_left(fresh)
    fresh.start()
    run = fresh.api.wait_final(run, "SUCCESS")
    seen = fresh.api.task_run(run, "a")
    assert seen["setupDuration"] > 0 and seen["cleanupDuration"] > 0 and seen["externalId"].startswith("app-")
    assert len(daemons(fresh, "master")) == 1, "it was not started again"


@pytest.mark.parametrize("who", ["helper", "supervisor"])
def test_whoever_is_killed(fresh, who):
    api = fresh.api
    run = api.run(api.job([on_new("a", "wait")]))
    eventually(lambda: (fresh.workspace / "gates/submitted").exists(), "the program")
    helper = next(p for p in fresh.processes() if b"task-cluster" in Path(f"/proc/{p}/cmdline").read_bytes())
    parent = int(Path(f"/proc/{helper}/stat").read_text().rsplit(")", 1)[1].split()[1])
    os.kill(helper if who == "helper" else parent, signal.SIGKILL)
    if who == "helper":
        assert api.task_run(api.wait_final(run, "FAILED"), "a")["state"]["stateMessage"].startswith("Killed by signal 9")
    else:  # lost: started again; there is nothing of the first
        eventually(lambda: api.task_run(run, "a")["retryAttempt"] == 1, "another attempt")
        eventually(lambda: len(daemons(fresh, "worker")) == 4, "its workers")
        api.cancel(run)
        api.wait_final(run, "CANCELED")


@pytest.mark.parametrize("gate, said", [
    ("master-fails", "Cannot start: its cluster did not come up: its master ended with code 3: java.net.BindException: no port for a master"),
    ("worker-fails", "Cannot start: its cluster did not come up: its worker-1 ended with code 3: java.net.BindException: no port for a worker"),
])
def test_a_start_that_fails(fresh, gate, said):
    fresh.open_gate(gate)
    run = fresh.api.go([on_new("a", maxRetries=1)], "INTERNAL_ERROR")
    seen = fresh.api.task_run(run, "a")
    assert seen["state"]["stateMessage"] == said and "BindException" in seen["state"]["errorTrace"]
    assert seen["retryAttempt"] == 1 and seen["setupDuration"] > 0 and not (fresh.workspace / "gates/submitted").exists()
    log = (folders(fresh, run)[0] / "master.log").read_text()  # the logs of a failure stay with the run
    assert {"spark.master.ui.port=0", "spark.worker.ui.port=0"} <= set(log.splitlines()), "any port, for any number of workers"


def test_the_cluster_fails_under_it(fresh):
    api = fresh.api
    run = api.run(api.job([on_new("a", "wait")]))
    eventually(lambda: (fresh.workspace / "gates/submitted").exists(), "the program")
    os.kill(int(daemons(fresh, "worker")[0].name.split("-")[1]), signal.SIGKILL)  # one is left
    eventually(lambda: api.task_run(run, "a")["externalId"].startswith("app-"), "it goes on")
    os.kill(int(daemons(fresh, "master")[0].name.split("-")[1]), signal.SIGKILL)
    run = api.wait_final(run, "INTERNAL_ERROR")
    assert api.task_run(run, "a")["state"]["stateMessage"].startswith("The cluster failed: its master ended with signal 9")


def test_the_master_ends_while_workers_come_up(fresh):
    fresh.open_gate("worker-hangs")
    run = fresh.api.run(fresh.api.job([on_new("a")]))
    eventually(lambda: len(daemons(fresh, "hanging")) == 2, "the workers")
    os.kill(int(daemons(fresh, "master")[0].name.split("-")[1]), signal.SIGKILL)
    run = fresh.api.wait_final(run, "INTERNAL_ERROR")
    assert fresh.api.task_run(run, "a")["state"]["stateMessage"].startswith(
        "Cannot start: its cluster did not come up: its master ended with signal 9")
    assert {p.name for p in folders(fresh, run)[0].iterdir()} == {"master.log", "worker-1.log", "worker-2.log"}, "logs, and no secrets"


def test_a_program_has_its_own_say(fresh):
    """As a notebook has. But a cluster that failed comes before what the program makes of that."""
    api = fresh.api
    run = api.run(api.job([on_new("last", "last-words")]))
    eventually((fresh.workspace / "gates/trapped").exists, "the program")
    master = daemons(fresh, "master")[0]
    own = api.go([on_new("own", "own-words")], "FAILED")
    state = api.task_run(own, "own")["state"]
    assert (state["stateMessage"], state["errorTrace"]) == ("Failed in its own words", "its trace\n")
    os.kill(int(master.name.split("-")[1]), signal.SIGKILL)
    run = api.wait_final(run, "INTERNAL_ERROR")
    assert api.task_run(run, "last")["state"]["stateMessage"].startswith("The cluster failed: its master ended with signal 9")


@pytest.mark.skipif(bool(lacks_notebooks()), reason=f"no notebooks can be executed here: {lacks_notebooks()}")
def test_a_notebook_that_fails(fresh):
    path = write(fresh, "bad.ipynb", cell("1 / 0"))
    run = fresh.api.run(fresh.api.job([notebook_task("a", path, cluster={"newCluster": CLUSTER})]))
    run = fresh.api.wait_final(run, "FAILED", seconds=100)
    state = fresh.api.task_run(run, "a")["state"]
    assert state["stateMessage"] == "Failed in cell 1 of 1: ZeroDivisionError: division by zero" and "1 / 0" in state["errorTrace"]


def test_a_program_is_stopped_once(fresh):
    run = fresh.api.run(fresh.api.job([on_new("a", "counts")]))
    eventually(lambda: (fresh.workspace / "gates/counts").exists(), "the program")
    fresh.api.cancel(run)
    assert words(fresh.api, fresh.api.wait_final(run, "CANCELED"), "a")[-1] == "signals 1"


def test_what_a_program_leaves_holds_nothing_up(fresh):
    run = fresh.api.go([on_new("a", "leaves")], "SUCCESS")
    assert fresh.api.task_run(run, "a")["cleanupDuration"] < 5000


def test_how_a_program_ends_is_its_own(fresh):
    run = fresh.api.go([on_new("a", "fail"), on_new("late", "wait", timeoutSeconds=2)], "FAILED")
    assert statuses(run) == {"a": "FAILED", "late": "TIMED_OUT"}
    a = fresh.api.task_run(run, "a")
    assert a["state"]["stateMessage"] == "Exited with code 7" and a["cleanupDuration"] > 0
    assert run["setupDuration"] <= max(fresh.api.task_run(run, k)["setupDuration"] for k in statuses(run)) * 2


def test_scaling(fresh):
    run = fresh.api.go([submit("a", "x", cluster={"newCluster": {"autoScale": {"minWorkers": 1, "maxWorkers": 3}}})], "SUCCESS")
    settings = words(fresh.api, run, "a")
    for line in ("enabled=true", "shuffleTracking.enabled=true", "minExecutors=1", "initialExecutors=1", "maxExecutors=3"):
        assert f"spark.dynamicAllocation.{line}" in settings
    assert len(daemons(fresh, "worker")) == 3


def test_what_cannot_start(fresh):
    new = {"newCluster": {**CLUSTER, "sparkVersion": "3.4"}}
    run = fresh.api.go([on_new("version", cluster=new), on_new("jar", cluster={"libraries": {"jar": "none.jar"}}),
                        on_new("mode", "--deploy-mode cluster x"), on_new("good", cluster={"newCluster": {"sparkVersion": "3.5.1"}})],
                       "INTERNAL_ERROR")
    said = {key: fresh.api.task_run(run, key)["state"]["stateMessage"] for key in statuses(run)}
    assert said == {"version": "Cannot start: newCluster.sparkVersion is 3.4, the Spark here is 3.5.3",
                    "jar": "Cannot start: no file none.jar in the workspace", "good": "Succeeded",
                    "mode": "Cannot start: commandLineArguments has --deploy-mode, which a newCluster decides: use its sparkConf"}


@pytest.mark.parametrize("cluster, wanted", [
    ({"newCluster": {"numWorkers": 0}}, ["tasks[0].cluster.newCluster.numWorkers", "1 to 64"]),
    ({"newCluster": {"numWorkers": 2, "autoScale": {"maxWorkers": 2}}}, ["either numWorkers or autoScale"]),
    ({"newCluster": {"autoScale": {"minWorkers": 3, "maxWorkers": 2}}}, ["maxWorkers", "minWorkers"]),
    ({"newCluster": {"sparkConf": "spark.master local"}}, ["newCluster.sparkConf", "spark.master"]),
    ({"newCluster": {"sparkConf": "{\"spark.a\": []}"}}, ["newCluster.sparkConf", "spark.a"]),
    ({"newCluster": {"sparkVersion": "new"}}, ["newCluster.sparkVersion", "3.5"]),
    ({"clusterName": "x", "libraries": {"jar": "a.jar"}}, ["libraries", "newCluster"]),
    ({"newCluster": {}, "libraries": {"jar": "../a.jar"}}, ["libraries.jar"]),
])
def test_what_is_refused(fresh, cluster, wanted):
    refused(fresh.api.post("/jobs", {"name": "bad", "path": "x", "tasks": [submit("a", "x", cluster=cluster)]}),
            400, "InvalidParameter", *wanted)


def test_nodes_of_dataarts(fresh):
    """Both types become SPARK_SUBMIT_TASKs, on the cluster that they name."""
    fresh.api.made("/clusters", {"displayName": "mrs", "type": "USER", "driverConfig": {}, "x-sparkMaster": "yarn"})
    huawei = dataarts.DataArts(fresh)
    nodes = [dataarts.node("mrs", "MRSSpark", clusterName="mrs", jobName="j", resourcePath="/jars/a.jar", parameters="in 'a b'",
                           programParameter="--class Main"),
             dataarts.node("dli", "DLISpark", "mrs", clusterName="local", jobName="j", jobClass="Main", resourcePath="hdfs://h/b.jar",
                           jarArgs="#{Job.name}", sparkConfig="spark.a=1\nspark.b=it's 2\n")]
    huawei.made(dataarts.job("sparks", nodes, None))
    instance = huawei.wait("sparks", huawei.run("sparks"))
    assert instance["status"] == "success", instance
    logs = {n["nodeName"]: fresh.api.get("//" + n["logPath"].lstrip("/")).text.split("--- ")[0].splitlines() for n in instance["nodes"]}
    assert logs["mrs"] == ["--master", "yarn", "--class", "Main", f"{fresh.workspace}/jars/a.jar", "in", "a b"]
    assert logs["dli"][:2] == ["--master", "local[*]"] and logs["dli"][6:] == [
        "--conf", "spark.a=1", "--conf", "spark.b=it's 2", "--class", "Main", "hdfs://h/b.jar", "sparks"]
    huawei.made(dataarts.job("nowhere", [dataarts.node("a", "MRSSpark", clusterName="nowhere", jobName="j", resourcePath="a.py")], None))
    instance = huawei.wait("nowhere", huawei.run("nowhere"))
    assert instance["nodes"][0]["errorMessage"] == "Cannot start: there is no cluster nowhere"


def test_what_the_command_line_shows(fresh):
    run = fresh.api.go([on_new("a", "x")], "SUCCESS")
    shown = subprocess.run([BINARY, "--data", fresh.data, "task", "get", run["key"], "--task", "a"], capture_output=True, text=True,
                           check=True).stdout
    assert "Application  app-20260101120000-0042\n" in shown and "Set-up" in shown and "Clean-up" in shown
    doctor = subprocess.run([BINARY, "doctor", "--data", fresh.data, f"--exec.spark-home={fresh.folder / 'spark'}"],
                            capture_output=True, text=True).stdout
    assert "new cluster" in doctor, doctor


# ---- a real one ----

real = pytest.mark.skipif(not real_spark() or not shutil.which("java"),
                          reason="NO SPARK HERE (SPARK_HOME, or what scripts/setup test installs): no real cluster is made")


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    """A server with a real Spark; the site's own settings make its JVMs come up sooner."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "conf").mkdir()
    quick = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
    (folder / "conf/spark-defaults.conf").write_text(
        f"spark.driver.extraJavaOptions {quick}\nspark.executor.extraJavaOptions {quick}\n")
    server = Server(folder, f"--exec.spark-home={real_spark()}", env={"SPARK_CONF_DIR": str(folder / "conf")})
    for name in ("words.py", "words.txt"):
        server.script(name, (SOURCE / "examples/new-cluster" / name).read_text())
    with zipfile.ZipFile(server.workspace / "pi.jar", "w") as jar:
        jar.writestr("Pi.class", base64.b64decode((Path(__file__).parent / "pi.class.b64").read_text()))
    server.start()
    yield server
    server.close()


def listening(pids):
    """(address, port) of everything that these processes listen on."""
    sockets = set()
    for pid in pids:
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            try:
                sockets.add(os.readlink(fd))
            except OSError:
                pass  # gone meanwhile
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            place, state, inode = (line.split()[i] for i in (1, 3, 9))
            if state == "0A" and f"socket:[{inode}]" in sockets:
                address, port = place.split(":")
                found.add((address[-8:], int(port, 16)))
    return found


@real
@pytest.mark.timeout(600)  # some 20 s on an idle machine
def test_real_words_on_two_workers(spark):
    """Seen while it runs; the server dies in the middle and takes it over."""
    made = subprocess.run([BINARY, "--data", spark.data, "-o", "name", "job", "create", "-f", SOURCE / "examples/new-cluster/job.yaml"],
                          capture_output=True, text=True, check=True)
    api = spark.api
    run = api.run(made.stdout.split()[-1].split("/")[-1])
    known = eventually(lambda: (t := api.task_run(run, "words"))["externalId"].startswith("app-") and t, "the application", 300)
    assert known["state"]["status"] == "RUNNING" and known["setupDuration"] > 0
    places = listening(spark.processes())
    assert places and {address for address, _ in places} == {"0100007F"}, f"more than loopback: {places}"
    pages = 0
    for _, port in places:
        try:
            page = requests.get(f"http://127.0.0.1:{port}/", timeout=10, allow_redirects=False)
        except requests.RequestException:
            continue  # no web server
        pages += 1
        assert page.status_code != 200 and "Spark" not in page.text, f"a page is open to everybody: {page.text[:300]}"
    assert pages >= 3, "master and workers have pages, and nobody may see them"
    assert not any(b"secret=" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in spark.processes())
    spark.restart()
    api = spark.api
    run = api.wait_final(run, "SUCCESS", seconds=500)
    seen = api.task_run(run, "words")
    assert words(api, run, "words")[0] == "4 run" and seen["values"] == {"words": "26", "workers": "2"}
    assert seen["externalId"] == known["externalId"] == run["clusterInstance"]["sparkContextKey"] and seen["retryAttempt"] == 0
    assert run["setupDuration"] == seen["setupDuration"] == known["setupDuration"] and run["cleanupDuration"] > 0
    assert folders(spark, run) == []
    assert_nothing_left(spark)


@real
@pytest.mark.soak
@pytest.mark.timeout(600)
def test_real_slices_between_bounds(spark):
    """An archive on a cluster that follows its load; then one that is cancelled in the middle."""
    pi = {**jar_task("pi", "8", ["pi.jar"], cluster={"newCluster": {"autoScale": {"minWorkers": 1, "maxWorkers": 2}}}), "mainClass": "Pi"}
    run = spark.api.wait_final(spark.api.run(spark.api.job([pi])), "SUCCESS", seconds=500)
    assert words(spark.api, run, "pi")[-1].startswith("pi is about 3.14")
    assert spark.api.task_run(run, "pi")["externalId"].startswith("app-")
    pi["commandLineArguments"] = "1000000"
    run = spark.api.run(spark.api.job([pi]))
    eventually(lambda: spark.api.task_run(run, "pi")["externalId"].startswith("app-"), "the application", 300)
    spark.api.cancel(run)
    spark.api.wait_final(run, "CANCELED", seconds=100)
    assert_nothing_left(spark)


@real
@pytest.mark.soak
@pytest.mark.timeout(600)
def test_real_node_of_dataarts(spark):
    huawei = dataarts.DataArts(spark)
    nodes = [dataarts.node("count", "MRSSpark", clusterName="local", jobName="count", resourcePath="words.py",
                           parameters="/Workspace/words.txt", programParameter="--master local[1]")]
    huawei.made(dataarts.job("counting", nodes, None))
    number = huawei.run("counting")
    instance = eventually(lambda: (i := huawei.instance("counting", number))["status"] in dataarts.FINAL and i, "its end", 500)
    assert instance["status"] == "success", instance
    log = spark.api.get("//" + instance["nodes"][0]["logPath"].lstrip("/"))
    assert "4 run" in log.text.splitlines()
    assert_nothing_left(spark)
