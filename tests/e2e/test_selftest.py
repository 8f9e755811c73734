"""`reprise selftest`: worlds from a seed, and a real history once more through the engine."""

import os
import re
import resource
import signal
import sqlite3
import subprocess

import pytest
from git_place import GitHttp, GitPlace
from harness import BINARY, eventually, if_else, named, step, task


def selftest(*args):
    return subprocess.run([BINARY, "selftest", *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=100, check=False)


def digest(done):
    return re.search(r"digest ([0-9a-f]{16})", done.stdout).group(1)


def test_seeds_hold_and_say_what_they_saw():
    done = selftest("--seconds", 1, "--steps", 100)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^seeds 1 to \d+: ok, digest [0-9a-f]{16}$", done.stdout, re.M)
    assert "All promises held." in done.stdout
    crashes, attempts = re.search(r"(\d+) crashes and failed commits, (\d+) attempts", done.stdout).groups()
    assert int(crashes) > 0 and int(attempts) > 0


def test_a_seed_does_the_same_in_every_process():
    assert digest(selftest("--seed", 11)) == digest(selftest("--seed", 11))
    assert digest(selftest("--seed", 11)) != digest(selftest("--seed", 12))
    assert digest(selftest("--seed", 11)) != digest(selftest("--seed", 11, "--steps", 100))


@pytest.mark.parametrize("args, words", [
    (["--seed", "x"], "--seed x: expected a whole number"), (["--steps", "0"], "--steps 0"), (["--seconds", "-1"], "--seconds -1"),
    (["--steps", "9999999999"], "to 100000"), (["nonsense"], "nonsense"), (["--nonsense"], "Usage"),
    (["--replay", "/nonexistent/x.db"], "No such file"),
])
def test_bad_usage(args, words):
    done = selftest(*args)
    assert done.returncode == 2 and words in done.stderr and done.stdout == ""


def test_replay_refuses_what_is_no_database(tmp_path):
    (tmp_path / "x.db").write_bytes(b"no database" * 1000)
    assert selftest("--replay", tmp_path / "x.db").returncode == 2
    (tmp_path / "y.db").write_bytes(b"")  # which is a database, of nothing
    done = selftest("--replay", tmp_path / "y.db")
    assert done.returncode == 2 and "nothing in it that a server has written" in done.stderr


@pytest.fixture
def history(servers):
    """Runs with nearly everything in them: a database at rest."""
    server = servers()
    server.start()
    api = server.api
    retried = api.job([step("a", exit=3, maxRetries=2, minRetryIntervalMillis=50), step("b", after="a", runIf="ALL_FAILED"),
                       if_else("c", "{{job.parameters.day}} == sunday", after="b"), step("d", after=("c", "true")),
                       step("e", after=("c", "false"))], name="retried",
                      parameters=named(day="monday"))
    api.wait_final(api.run(retried))
    run = api.wait_final(api.run(retried, parameters=named(day="sunday")))
    api.wait_final(api.repair(run, parameters=named(day="monday"), repairMode="RERUN"))
    marked = api.wait_final(api.run(api.job([step("m", exit=1), step("n", after="m", exit=1), step("o", after="n")], name="marked")))
    api.wait_final(api.repair(marked, markSuccess=["m"]))
    api.wait_final(api.repair(marked, taskKeys=["n"], markSuccess=["n"]), "SUCCESS")
    stopped = api.run(api.job([step("s", gate="never"), step("t", after="s"), step("u", after="s", runIf="ALL_DONE"),
                               step("v", after="u", gate="never")], name="stopped"))
    server.wait_witness("start", "s", 1)
    api.post(f"/jobRuns/{stopped['key']}/actions/cancelTasks", {"taskKeys": ["s", "t"]})
    server.wait_witness("start", "v", 1)
    api.post(f"/jobRuns/{stopped['key']}/actions/cancelTasks", {"taskKeys": ["v"]})
    api.wait_final(stopped, "CANCELED")
    both = api.wait_final(api.run(api.job([step("d", exit=1), step("e", after="d", exit=1)], name="both")))
    api.replace({"key": both["jobKey"]}, [step("d", gate="never"), step("e", after="d")], name="both")
    api.repair(both, definition="CURRENT", markSuccess=["e"])
    server.wait_witness("start", "d", 2)
    api.post(f"/jobRuns/{both['key']}/actions/cancelTasks", {"taskKeys": ["e"]})
    api.cancel(both)
    api.wait_final(both, "CANCELED")
    queued = api.job([step("x", gate="go"), step("y", after="x")], name="queued", queue={"isEnabled": True})
    first, second, third, fourth = [api.run(queued) for _ in range(4)]
    server.wait_witness("start", "x", 1)
    api.cancel(second)
    api.cancel(first)
    api.wait_final(first, "CANCELED")
    server.wait_witness("start", "x", 2)
    api.replace(queued, [step("x", gate="go"), step("y", after="x", exit=1)], name="queued", queue={"isEnabled": True},
                maxConcurrentRuns=2)
    server.wait_witness("start", "x", 3)
    server.kill9()
    server.open_gate("go")
    api = server.start().api
    failed = [api.wait_final(r) for r in (third, fourth)]
    api.wait_final(api.repair(api.wait_final(api.run(queued)), taskKeys=["x"]))
    assert {r["state"]["status"] for r in failed} == {"SUCCESS"}
    skipped = api.job([step("z", gate="never")], name="skipped")
    held = api.run(skipped)
    assert api.run(skipped)["state"]["status"] == "SKIPPED"
    api.cancel(held)
    api.wait_final(held, "CANCELED")
    # ends that are told in words of their own
    ends = [{"taskKey": key, "type": "SHELL_TASK", "script": script, **more} for key, script, more in (
        ("slow", "sleep 60", {"timeoutSeconds": 1}), ("killed", "kill -9 $$", {}), ("strays", "sleep 60 & exit 1", {}),
        ("odd", "echo no pair > $REPRISE_OUTPUT; exit 1", {}), ("good", "echo no pair > $REPRISE_OUTPUT", {}))]
    api.wait_final(api.run(api.job(ends, name="ends")), "FAILED")
    # runs that a schedule made, which the replay is told of
    fires = [step("s", out="{{job.trigger.type}}")]
    schedule = {"quartzCronExpression": "* * * * * ?", "timezoneId": "UTC"}
    fired = api.job(fires, name="fired", schedule=schedule)
    eventually(lambda: len(api.page_through("/jobRuns", jobKey=fired["key"])) >= 2, "two runs that were fired")
    api.replace(fired, fires, name="fired", schedule={**schedule, "pauseStatus": "PAUSED"})
    for run in api.page_through("/jobRuns", jobKey=fired["key"]):
        api.wait_final(run)
    # a child that fails and is repaired with its parent; values; a server that is stopped meanwhile
    child = api.job([step("c", until="mended", exit=1, set="day:monday")], name="child")
    parent = api.job([{"taskKey": "p", "type": "JOB_TASK", "jobKey": child["key"], "dependsOn": [], "runIf": "ALL_SUCCESS"},
                      step("q", after="p", gate="stopped")], name="parent")
    run = api.wait_final(api.run(parent), "FAILED")
    server.open_gate("mended")
    api.repair(run)
    server.wait_witness("start", "q", 1)
    server.stop()
    api = server.start().api
    server.open_gate("stopped")
    api.wait_final(run, "SUCCESS")
    server.stop()
    return server.data / "reprise.db"


def test_a_history_is_replayed_without_a_difference(history, tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    with sqlite3.connect(history) as database:  # as a server of before has it
        database.executescript("ALTER TABLE repair DROP COLUMN definition; ALTER TABLE task_run DROP COLUMN after_success;"
                               " ALTER TABLE task_run DROP COLUMN is_marked; ALTER TABLE task_run DROP COLUMN canceled_by;"
                               " ALTER TABLE campaign_cell DROP COLUMN asked_number; ALTER TABLE campaign DROP COLUMN parameters; ALTER TABLE run DROP COLUMN attempt_start_ms;"
                               " DROP INDEX event_of_run; ALTER TABLE event DROP COLUMN previous;"
                               " CREATE INDEX event_by_entity ON event (workspace, run, task_run, number); PRAGMA user_version = 16")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = history.read_bytes()
    done = selftest("--replay", history)
    assert done.returncode == 0, done.stdout + done.stderr
    assert history.read_bytes() == before and not list((tmp_path / "tmp").iterdir())
    runs, repairs = re.search(r"^workspace default: (\d+) runs, .* (\d+) repairs replayed, .*: 0 differences$", done.stdout,
                              re.M).groups()
    with sqlite3.connect(history) as database:
        (stored,), (fired,) = (database.execute(f"SELECT count(*) FROM run {which}").fetchone()
                               for which in ("", "WHERE instance_type = 0"))
    assert fired >= 2 and stored == 15 + fired
    assert (int(runs), int(repairs)) == (stored, 7)


def from_git(key, after=(), file="ok.py", **fields):
    return task(key, file, after, source="GIT_PROVIDER", **fields)


def in_setup(api, run, key):
    return api.wait_task(run, key, "PENDING")["state"]["stateMessage"].startswith("Being set up")


def test_files_from_git(servers, tmp_path):
    server = servers("--exec.git-allow-file=true").start()
    api = server.api
    place = GitPlace(tmp_path / "repositories")
    repo = place.repository("here", {"ok.py": "print(1)", "bad.py": "raise SystemExit(1)"})
    here = {"gitConfig": {"repositoryUrl": repo.url, "branch": "main"}}
    api.go([from_git("a"), from_git("b", "a"), from_git("c", "a"), from_git("d", ("b", "c"))], "SUCCESS", **here)
    api.go([from_git("a", file="none.py"), from_git("b", "a")], None, **here)
    # a failed checkout, repaired; one that is tried again; a branch of now
    late = {"gitConfig": {"repositoryUrl": repo.url, "branch": "late"}}
    failed = api.wait_final(api.run(api.job([from_git("a", maxRetries=1, minRetryIntervalMillis=0), step("b", after="a")], **late)), "FAILED")
    tried = api.run(api.job([from_git("a", maxRetries=100, minRetryIntervalMillis=100), from_git("b", "a")], **late))
    eventually(lambda: len(api.task_run(tried, "a")["retries"]) >= 2, "it was tried again")
    repo.git("branch", "late")
    api.wait_final(tried, "SUCCESS")
    api.wait_final(api.repair(failed), "SUCCESS")
    moves = api.wait_final(api.run(api.job([from_git("a", file="bad.py"), from_git("b", "a")], **here)), "FAILED")
    repo.commit({"bad.py": ""})
    api.wait_final(api.repair(moves), "FAILED")
    api.wait_final(api.repair(moves, definition="CURRENT"), "SUCCESS")
    # child runs
    child = api.job([from_git("c"), from_git("d", "c", maxRetries=1, minRetryIntervalMillis=0)], name="child",
                    gitConfig={"repositoryUrl": f"file://{place.folder}/away"})
    parent = api.job([{"taskKey": "p", "type": "JOB_TASK", "jobKey": child["key"]}, from_git("q", "p")], name="parent", **here)
    run = api.wait_final(api.run(parent), "FAILED")
    place.repository("away", {"ok.py": "print(2)"})
    api.wait_final(api.repair(run), "SUCCESS")
    with GitHttp(place.folder) as http:
        http.hold.clear()
        slow = {"gitConfig": {"repositoryUrl": http.url("here"), "branch": "main"}, "queue": {"isEnabled": True}, "maxConcurrentRuns": 1}
        queued = api.job([from_git("x"), step("y"), from_git("z", ("x", "y"))], name="queued", **slow)
        first, second, third = [api.run(queued) for _ in range(3)]
        assert in_setup(api, first, "x")
        api.cancel(first)
        api.wait_final(first, "CANCELED")
        assert in_setup(api, second, "x")
        server.kill9()
        api = server.start().api
        assert in_setup(api, second, "x")
        server.stop()
        api = server.start().api
        http.hold.set()
        api.wait_final(second, "SUCCESS")
        api.wait_final(third, "SUCCESS")
    server.stop()
    done = selftest("--replay", server.data / "reprise.db")
    assert done.returncode == 0, done.stdout


def test_a_child_on_the_definition_of_now(servers):
    server = servers().start()
    api = server.api
    child = api.job([step("c", exit=1)], name="child")
    parent = api.job([{"taskKey": "p", "type": "JOB_TASK", "jobKey": child["key"]}], name="parent")
    run = api.wait_final(api.run(parent), "FAILED")
    api.replace(child, [step("c"), step("d", after="c")], name="child")
    api.wait_final(api.repair(run), "FAILED")
    run = api.wait_final(api.repair(run, definition="CURRENT"), "SUCCESS")
    repaired = api.get_run(api.task_run(run, "p")["externalId"])
    assert (repaired["version"], repaired["definitionVersion"]) == (3, 2)
    server.stop()
    done = selftest("--replay", server.data / "reprise.db")
    assert done.returncode == 0, done.stdout


def test_a_large_version_that_is_of_later_is_not_kept_for_each_event(servers):
    server = servers().start()
    api = server.api
    job = api.job([step(f"t{i}") for i in range(60)], name="grows")
    api.wait_final(api.run(job), "SUCCESS")
    api.replace(job, [{"taskKey": f"t{i}", "type": "SHELL_TASK", "script": "true #" + "x" * 50_000} for i in range(40)], name="grows")
    server.stop()
    with sqlite3.connect(server.data / "reprise.db") as database:
        events, = database.execute("SELECT count(*) FROM event").fetchone()
        large, = database.execute("SELECT max(length(definition)) FROM job_version").fetchone()
    assert events * large > 500 << 20
    done = selftest("--replay", server.data / "reprise.db")
    assert done.returncode == 0, done.stdout
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10 < events * large / 2  # of the largest child


def test_what_never_got_an_execution_slot_did_not_start(servers):
    server = servers("--exec.max-running", "2").start()
    api = server.api
    many = api.job([step(key, gate="go") for key in "abc"], name="many")
    run = api.run(many)
    eventually(lambda: len(server.witness("start")) == 2, "two of three have a slot")
    api.cancel(run)
    api.wait_final(run, "CANCELED")
    states = {row["retries"] and "started" or "not" for row in (api.task_run(run, key) for key in "abc")}
    assert states == {"started", "not"}
    server.open_gate("go")
    api.wait_final(api.run(many), "SUCCESS")
    server.stop()
    done = selftest("--replay", server.data / "reprise.db")
    assert done.returncode == 0, done.stdout


def supervisors(server):
    children = f"/proc/{server.process.pid}/task/{server.process.pid}/children"
    return [int(pid) for pid in open(children, encoding="ascii").read().split()]


def test_what_was_cancelled_before_it_started(servers):
    server = servers().start()
    api = server.api
    job = api.job([step("a")], name="late")
    api.wait_final(api.run(job), "SUCCESS")
    idle = supervisors(server)
    assert idle
    for pid in idle:
        os.kill(pid, signal.SIGSTOP)
    run = api.run(job)
    eventually(lambda: api.get_run(run)["taskRunSummaryMap"] and api.task_run(run, "a")["state"]["status"] == "RUNNING", "its order is on its way")
    api.cancel(run)
    server.kill9()
    for pid in idle:
        os.kill(pid, signal.SIGKILL)
    server.start()
    server.api.wait_final(run, "CANCELED")
    assert server.api.task_run(run, "a")["retryAttempt"] is None and len(server.witness("start")) == 1
    server.stop()
    done = selftest("--replay", server.data / "reprise.db")
    assert done.returncode == 0, done.stdout


def test_runs_that_were_deleted_are_told_where_they_may_matter(servers):
    server = servers().start()
    api = server.api
    job = api.job([step("a", gate="go")], name="one.at.a.time", maxConcurrentRuns=1, queue={"isEnabled": True})
    first, second = api.run(job), api.run(job)
    server.open_gate("go")
    api.wait_final(second, "SUCCESS")
    assert api.delete(f"/jobRuns/{first['key']}").status_code == 204
    server.stop()
    done = selftest("--replay", server.data / "reprise.db")
    assert done.returncode == 1 and "1 runs deleted before" in done.stdout and "may differ for that alone" in done.stdout


def test_nothing_is_left_of_a_replay_that_ends_in_the_middle(servers, tmp_path, monkeypatch):
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    server = servers().start()
    server.api.go([step("a")])
    server.stop()
    with sqlite3.connect(server.data / "reprise.db") as database:
        database.execute("UPDATE run SET parameters = '{}'")  # no server has ever written that
    done = selftest("--replay", server.data / "reprise.db")
    assert done.returncode == 1 and "Aborted" in done.stderr
    assert not list((tmp_path / "tmp").iterdir())


def test_a_history_that_is_not_true_is_told(history):
    with sqlite3.connect(history) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(task_run)")]
        assert {"state", "message", "task_key"} <= set(columns)
        changed = database.execute("UPDATE task_run SET message = 'Something else' WHERE task_key = 'b'").rowcount
        assert changed > 0
    done = selftest("--replay", history)
    assert done.returncode == 1
    assert len(re.findall(r", task b: stored \"Something else\", replayed ", done.stdout)) == changed
    assert f": {changed} differences" in done.stdout


def test_a_replay_deletes_the_jobs_that_were_deleted(own):
    api = own.api
    never, child = (api.job([step("c")], name=name) for name in ("never", "child"))

    def parent(name, job):
        return api.job([{"taskKey": "p", "type": "JOB_TASK", "jobKey": job["key"], "dependsOn": [], "runIf": "ALL_SUCCESS"}], name=name)

    first, second, third = parent("first", child), parent("second", child), parent("third", never)
    run = api.wait_final(api.run(first), "SUCCESS")
    for job in (child, never):
        assert api.delete(f"/jobs/{job['key']}").status_code == 204
    for job in (first, second, third):  # of these, two run for the first time
        api.wait_final(api.run(job), "INTERNAL_ERROR")
    api.wait_final(api.repair(run, repairMode="RERUN"), "INTERNAL_ERROR")
    # A run is repaired from its snapshot when its job is gone.
    alone = api.job([step("a", until="good", exit=1)], name="alone")
    run = api.wait_final(api.run(alone), "FAILED")
    assert api.delete(f"/jobs/{alone['key']}").status_code == 204
    own.open_gate("good")
    api.wait_final(api.repair(run), "SUCCESS")
    own.stop()
    done = selftest("--replay", own.data / "reprise.db")
    assert done.returncode == 0, done.stdout + done.stderr
