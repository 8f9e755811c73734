"""Tasks whose files come from git: one commit a run, whatever becomes of the branch, and secrets that leave no trace."""

import os
import subprocess
from pathlib import Path

import pytest
from git_place import ENV, GitHttp, GitPlace
from harness import eventually, refused, task
from kept import assert_no_trace, everything_said, keep_secret

pytestmark = pytest.mark.sanitize

SAY = """\
import os, sys, pathlib
sys.path.insert(0, os.environ["REPRISE_SOURCE"])
import lib.value
print(lib.value.TEXT, os.environ["REPRISE_GIT_COMMIT"], flush=True)
gate = pathlib.Path(os.environ["REPRISE_WORKSPACE"], "gates")
for word in sys.argv[1:]:
    if word.startswith("env"):
        print(sorted(os.environ.items()))
    if word.startswith("gate=") and not (gate / word[5:]).exists():
        sys.exit("the gate is shut")
"""
SECRET = "gl-pat-" + "x9Kq7" * 6


def files(text):
    return {"jobs/say.py": SAY, "lib/value.py": f"TEXT = {text!r}\n"}


def say(key, after=(), words="", **fields):
    return task(key, "jobs/say.py", after, source="GIT_PROVIDER", commandLineArguments=words, **fields)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return GitPlace(tmp_path_factory.mktemp("repositories"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    from harness import Server
    server = Server(tmp_path_factory.mktemp("server"), "--exec.git-allow-file=true")
    server.start()
    yield server
    server.close()


def output(api, run, key, stream="stdout"):
    answer = api.get(f"/taskRuns/{api.get_run(run)['taskToTaskRunMap'][key]}/logs", stream=stream)
    assert answer.status_code == 200, answer.text
    return answer.text.strip()


def git_processes(server):
    found, mark = [], f"--git-dir={server.data}/".encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [path] if mark in path.read_bytes() else []
        except OSError:
            pass  # gone meanwhile
    return found


def test_a_task_runs_from_a_commit_and_the_run_tells_which(api, place):
    repo = place.repository("first", files("one"))
    commit = repo.git("rev-parse", "HEAD")
    run = api.go([say("a", words="env"), say("b", after="a")], "SUCCESS", gitConfig={"repositoryUrl": repo.url})
    assert run["gitConfig"]["commit"] == commit
    said, env = output(api, run, "a").split("\n", 1)
    assert said == f"one {commit}" and output(api, run, "b") == said
    assert "'REPRISE_SOURCE'" in env and "GIT_ASKPASS" not in env
    shown = api.task_run(run, "a")
    assert shown["task"]["gitConfig"]["commit"] == commit and shown["task"]["gitConfig"]["repositoryUrl"] == repo.url
    assert shown["setupDuration"] >= 0 and shown["startTime"] - shown["clusterValidationStartTime"] == shown["setupDuration"]
    states = [s["status"] for s in shown["lifecycleStates"]]
    assert states == ["BLOCKED", "QUEUED", "PENDING", "RUNNING", "SUCCESS"]
    assert "commit" not in api.read(f"/jobs/{run['jobKey']}")["gitConfig"]


def test_branches_tags_and_references(api, place):
    repo = place.repository("branches", files("main"))
    repo.git("checkout", "-q", "-b", "feature/x")
    feature = repo.commit(files("feature"))
    repo.git("tag", "-a", "v1", "-m", "v1")
    own = {"repositoryUrl": repo.url, "branch": "{{job.parameters.branch}}"}
    run = api.go([say("a", gitConfig=own), say("b", gitConfig={"repositoryUrl": repo.url, "branch": "refs/tags/v1"})],
                 "SUCCESS", parameters=[{"name": "branch", "value": "feature/x"}])
    assert output(api, run, "a") == output(api, run, "b") == f"feature {feature}"
    assert run["gitConfig"] is None, "the job names no repository"
    bad = api.go([say("a", gitConfig=own)], "INTERNAL_ERROR", parameters=[{"name": "branch", "value": "--upload-pack=x"}])
    assert "gitConfig.branch must not begin with '-'" in api.task_run(bad, "a")["state"]["stateMessage"]


def test_a_run_keeps_its_commit_and_a_repair_takes_the_one_that_it_asks_for(api, place, server):
    repo = place.repository("moving", files("old"))
    old = repo.git("rev-parse", "HEAD")
    job = api.job([say("a"), say("b", after="a", words="gate=moved"), say("c", after="b")],
                  gitConfig={"repositoryUrl": repo.url, "branch": "main"})
    run = api.wait_final(api.run(job), "FAILED")
    new = repo.commit(files("new"))
    server.open_gate("moved")
    changes = {"repositoryUrl": repo.url, "branch": "main"}
    assert api.plan(run)["gitCommits"] == [{**changes, "from": old, "to": old}]
    assert api.plan(run, definition="CURRENT")["gitCommits"] == [{**changes, "from": old, "to": None}]
    api.repair(run)
    run = api.wait_final(run, "SUCCESS")
    assert run["gitConfig"]["commit"] == old
    assert output(api, run, "b") == output(api, run, "c") == f"old {old}"
    api.repair(run, taskKeys=["b"], definition="CURRENT")
    run = api.wait_final(run, "SUCCESS")
    assert run["gitConfig"]["commit"] == new and output(api, run, "b") == f"new {new}"
    diff = f"/jobRuns/{run['key']}/diff"
    assert api.read(diff)["gitCommits"] == [{**changes, "from": old, "to": new}] and api.read(diff, **{"from": 0, "to": 1})["gitCommits"] == []
    assert api.plan(run, definition="ORIGINAL", taskKeys=["c"])["gitCommits"] == [{**changes, "from": new, "to": old}]
    assert api.task_run(run, "a")["task"]["gitConfig"]["commit"] == old, "a kept task shows what it ran from"
    api.repair(run, taskKeys=["c"])
    run = api.wait_final(run, "SUCCESS")
    assert output(api, run, "c") == f"new {new}", "a repair goes on with what the newest attempt used"
    api.repair(run, taskKeys=["c"], definition="ORIGINAL")
    run = api.wait_final(run, "SUCCESS")
    assert run["gitConfig"]["commit"] == old and output(api, run, "c") == f"old {old}"


def test_http_with_a_credential_that_leaves_no_trace(api, place, server):
    repo = place.repository("private", files("private"))
    commit = repo.git("rev-parse", "HEAD")
    keep_secret(api, "gitlab", SECRET)
    with GitHttp(place.folder, "oauth2", SECRET) as http:
        config = {"repositoryUrl": http.url("private"), "branch": "main", "credential": "gitlab", "provider": "GITLAB"}
        run = api.go([say(f"t{i}", words="env") for i in range(6)], "SUCCESS", gitConfig=config)
        assert http.fetches == 1, "six tasks at once share one fetch"
        assert run["gitConfig"]["commit"] == commit and run["gitConfig"]["credential"] == "gitlab"
        assert all(output(api, run, f"t{i}").startswith(f"private {commit}\n") for i in range(6))
        assert_no_trace(server, SECRET, *everything_said(api, run), *(output(api, run, f"t{i}") for i in range(6)))
        keep_secret(api, "pair", f"oauth2:{SECRET}")
        repo.commit(files("again"))
        again = api.go([say("a")], "SUCCESS", gitConfig={**config, "credential": "pair", "provider": None})
        assert output(api, again, "a").startswith("again ")


def test_a_wrong_credential_is_the_reason_and_leaves_no_trace(api, place, server):
    place.repository("closed", files("closed"))
    wrong = "wrong-" + SECRET
    keep_secret(api, "wrong", wrong)
    with GitHttp(place.folder, "oauth2", SECRET) as http:
        config = {"repositoryUrl": http.url("closed"), "credential": "wrong", "provider": "GITLAB"}
        run = api.go([say("a", maxRetries=1, minRetryIntervalMillis=0)], "INTERNAL_ERROR", gitConfig=config)
        assert any(given for _, given in http.asked), "it was shown"
        http.asked.clear()
        with GitHttp(place.folder, elsewhere=f"http://localhost:{http.server.server_port}") as first:
            api.go([say("a")], "INTERNAL_ERROR", gitConfig={**config, "repositoryUrl": first.url("closed")})
        assert http.asked and not any(given for _, given in http.asked), "a redirect leads a secret nowhere else"
    shown = api.task_run(run, "a")
    assert "Authentication failed" in shown["state"]["stateMessage"], shown["state"]
    assert [r["state"]["status"] for r in shown["retries"]] == ["INTERNAL_ERROR", "INTERNAL_ERROR"]
    assert_no_trace(server, wrong, *everything_said(api, run))
    config["credential"] = "nobody"
    run = api.go([say("a")], "INTERNAL_ERROR", gitConfig=config)
    assert "there is no secret nobody" in api.task_run(run, "a")["state"]["stateMessage"]


def test_what_cannot_be_fetched_says_why(api, place):
    repo = place.repository("odd", files("odd"), links=[("out.py", "/etc/passwd"), ("in.py", "jobs/say.py")])
    url = {"repositoryUrl": repo.url}
    for fields, wanted in [
            ({"gitConfig": {**url, "branch": "none"}}, "the repository has no branch none"),
            ({"gitConfig": {"repositoryUrl": f"file://{place.folder}/missing"}}, "does not appear to be a git repository"),
            ({"gitConfig": url, "filePath": "jobs/none.py"}, "no file jobs/none.py in the repository"),
            ({"gitConfig": url, "filePath": "out.py"}, "out.py leads outside the repository"),
            ({"gitConfig": url, "filePath": "lib"}, "lib in the repository is not a file")]:
        run = api.go([{**say("a"), **fields}], "INTERNAL_ERROR")
        assert wanted in api.task_run(run, "a")["state"]["stateMessage"], api.task_run(run, "a")["state"]
    api.go([{**say("a"), "filePath": "in.py"}], None, gitConfig=url)


@pytest.mark.parametrize("config, words", [
    (None, ("tasks[0].gitConfig.repositoryUrl", "required")),
    ({"branch": "main"}, ("tasks[0].gitConfig.repositoryUrl", "required")),
    ({"repositoryUrl": "ext::sh -c id"}, ("gitConfig.repositoryUrl", "must begin with https://")),
    ({"repositoryUrl": "--upload-pack=id"}, ("gitConfig.repositoryUrl", "must begin with https://")),
    ({"repositoryUrl": "git@github.com:a/b"}, ("gitConfig.repositoryUrl", "must begin with https://")),
    ({"repositoryUrl": "https://me:pw@host/x"}, ("gitConfig.repositoryUrl", "name a secret in credential")),
    ({"repositoryUrl": "ssh://-oProxyCommand=id/x"}, ("gitConfig.repositoryUrl", "begin with '-'")),
    ({"repositoryUrl": "ssh://git@-oProxyCommand=id/x"}, ("gitConfig.repositoryUrl", "begin with '-'")),
    ({"repositoryUrl": "https://host/a b"}, ("gitConfig.repositoryUrl", "blanks")),
    ({"repositoryUrl": "https://host/x", "branch": "-x"}, ("gitConfig.branch", "begin with '-'")),
    ({"repositoryUrl": "https://host/x", "branch": "a..b"}, ("gitConfig.branch", "git allows")),
    ({"repositoryUrl": "https://host/x", "branch": "a:b"}, ("gitConfig.branch", "git allows")),
    ({"repositoryUrl": "https://host/x", "credential": "p w"}, ("gitConfig.credential", "name of a secret")),
    ({"repositoryUrl": "{{job.parameters.r}}", "credential": "c"}, ("gitConfig.repositoryUrl", "credential is sent there")),
    ({"repositoryUrl": "https://{{job.parameters.r}}/x", "credential": "c"}, ("gitConfig.repositoryUrl", "credential is sent there")),
    ({"repositoryUrl": "https://host{{job.parameters.r}}/x", "credential": "c"}, ("gitConfig.repositoryUrl", "credential is sent there"))])
def test_bad_sources_are_refused_when_the_job_is_saved(api, config, words):
    fields = {} if config is None else {"gitConfig": config}
    refused(api.post("/jobs", {"name": "bad", "path": "Shared", "tasks": [say("a", **fields)]}), 400,
            "MissingParameter" if "required" in words else "InvalidParameter", *words)


def test_who_gives_parameters_chooses_the_repository_of_a_host_and_no_other_host(api):
    for url in ("https://host/{{job.parameters.r}}", "https://host/a/{{job.parameters.r}}.git", "ssh://git@host:22/{{job.parameters.r}}"):
        api.job([say("a", gitConfig={"repositoryUrl": url, "credential": "c"})], parameters=[{"name": "r", "value": "x"}])
    api.job([say("a", gitConfig={"repositoryUrl": "{{job.parameters.r}}"})], parameters=[{"name": "r", "value": "https://host/x"}])


SSH = '''#!/bin/sh
for word; do case $word in IdentityFile=*) key=${{word#IdentityFile=}};; esac; last=$word; done
cat "$key" > {shown}
exec sh -c "$last"
'''


def test_a_fetch_is_cancelled_timed_out_and_started_again_after_a_crash(servers, place, tmp_path):
    repo = place.repository("slow", files("before"))
    before = repo.git("rev-parse", "HEAD")
    (tmp_path / "ssh").write_text(SSH.format(shown=tmp_path / "shown"))
    (tmp_path / "ssh").chmod(0o755)
    server = servers("--exec.git-keep=1", "--exec.git-timeout=60", env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}).start()
    api = server.api

    # For ssh the secret is the key, which ssh finds under a descriptor of git's.
    keyed = place.repository("keyed", files("keyed"))
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA" + SECRET + "\n-----END OPENSSH PRIVATE KEY-----"
    keep_secret(api, "key", key)
    run = api.go([say("a")], "SUCCESS", gitConfig={"repositoryUrl": f"ssh://git@host{keyed.path}/.git", "credential": "key"})
    assert output(api, run, "a").startswith("keyed ") and (tmp_path / "shown").read_text().strip() == key
    assert_no_trace(server, SECRET, *everything_said(api, run))
    with GitHttp(place.folder) as http:
        config = {"repositoryUrl": http.url("slow"), "branch": "main"}
        http.hold.clear()
        run = api.run(api.job([say("a")], gitConfig=config))
        assert http.fetching.wait(30)
        assert api.wait_task(run, "a", "PENDING")["state"]["stateMessage"].startswith("Being set up")
        api.cancel(run)
        api.wait_final(run, "CANCELED")

        # Killed between the answer to "what is the branch?" and the start: nothing has run, so it is asked again.
        job = api.job([say("a"), say("b", after="a", words="gate=after")], name="crash", gitConfig=config)
        http.hold.set()
        eventually(lambda: list((server.data / "git").glob("*/" + before)), "the fetch of the cancelled run ends")
        repo.commit(files("asked"))
        http.hold.clear()
        http.fetching.clear()
        run = api.run(job)
        assert http.fetching.wait(30)
        assert git_processes(server), "it is fetching"
        server.kill9()
        eventually(lambda: not git_processes(server), "git ends with the server")
        http.hold.set()
        after = repo.commit(files("after"))
        api = server.start().api
        run = api.wait_final(run, "FAILED")
        assert run["gitConfig"]["commit"] == after and output(api, run, "a") == f"after {after}"
        assert api.task_run(run, "a")["retries"][0]["retryNumber"] == 0

        # Recorded with the start: a crash after it changes nothing.
        repo.commit(files("later"))
        server.open_gate("after")
        server.restart()
        api = server.api
        api.repair(run)
        run = api.wait_final(run, "SUCCESS")
        assert output(api, run, "b") == f"after {after}"

        # Of what no live run uses one commit is kept, and nothing half done.
        latest = api.wait_final(api.run(job), "SUCCESS")["gitConfig"]["commit"]
        kept = eventually(lambda: [p.name for p in (server.data / "git").glob("*/*") if len(p.name) >= 40] == [latest],
                          "only the newest is kept")
        assert kept and not list((server.data / "git").glob("*/*.new"))

        http.hold.clear()
        repo.commit(files("never"))
        server.stop()
        api = server.start("--exec.git-timeout=1").api
        run = api.wait_final(api.run(job), "FAILED")
        assert "git took longer than 1 s" in api.task_run(run, "a")["state"]["stateMessage"]
    run = api.go([say("a")], "INTERNAL_ERROR", gitConfig={"repositoryUrl": repo.url})
    assert "file:// is not allowed here" in api.task_run(run, "a")["state"]["stateMessage"]


def test_size_takes_the_least_used(servers, place):
    """Two commits of these have room, three have not; what was there before a restart counts like the rest."""
    server = servers("--exec.git-allow-file=true", "--exec.git-max-bytes=400000").start()
    repo = place.repository("large", files("0"))
    commits = []

    def kept():
        return {path.name for path in (server.data / "git").glob("*/*") if len(path.name) >= 40}

    def run_next():
        commits.append(repo.commit(files(str(len(commits))) | {"blob": os.urandom(75_000).hex()}))
        run = server.api.go([say("a")], "SUCCESS", gitConfig={"repositoryUrl": repo.url})
        assert run["gitConfig"]["commit"] == commits[-1]

    for _ in range(3):
        run_next()
    eventually(lambda: kept() == set(commits[1:]), "the oldest goes, and no other")
    server.restart()
    run_next()
    eventually(lambda: len(kept()) == 2, "again there is one too many")
    assert commits[-1] in kept() and commits[0] not in kept()


def test_a_git_that_was_killed_leaves_nothing_that_stays_in_the_way(servers, place):
    """Locks of it, and a commit without all of its files."""
    server = servers("--exec.git-allow-file=true").start()
    repo = place.repository("killed", files("one"))
    config = {"repositoryUrl": repo.url}
    server.api.go([say("a")], "SUCCESS", gitConfig=config)
    bare, = (server.data / "git").glob("*/repo.git")
    second = repo.commit(files("two"))
    (bare / "shallow.lock").write_text("")
    (bare / "refs" / "reprise" / f"{second}.lock").write_text("")
    (bare.parent / f"{second}.index.lock").write_text("")
    run = server.api.go([say("a")], "SUCCESS", gitConfig=config)
    assert output(server.api, run, "a") == f"two {second}"
    third = repo.commit(files("three"))
    subprocess.run(["git", f"--git-dir={bare}", "-c", "fetch.unpackLimit=100", "fetch", "--quiet", repo.url, third], env=ENV, check=True)
    blob = repo.git("rev-parse", f"{third}:lib/value.py")
    (bare / "objects" / blob[:2] / blob[2:]).unlink()
    run = server.api.go([say("a", maxRetries=1, minRetryIntervalMillis=0)], "SUCCESS", gitConfig=config)
    assert output(server.api, run, "a") == f"three {third}"
    assert [r["state"]["status"] for r in server.api.task_run(run, "a")["retries"]] == ["INTERNAL_ERROR", "SUCCESS"]


def test_a_slow_repository_holds_up_no_other(api, place):
    place.repository("hanging", files("hanging"))
    place.repository("quick", files("quick"))
    with GitHttp(place.folder) as slow, GitHttp(place.folder) as fast:
        slow.hold.clear()
        run = api.run(api.job([say("slow", gitConfig={"repositoryUrl": slow.url("hanging")}),
                               say("fast", gitConfig={"repositoryUrl": fast.url("quick")})]))
        api.wait_task(run, "fast", "SUCCESS")
        assert api.task_run(run, "slow")["state"]["status"] == "PENDING"
        slow.hold.set()
        api.wait_final(run, "SUCCESS")
