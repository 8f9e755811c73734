"""Tasks of another user than the server's (exec.user): every kind runs as that user, has what it needs, and no more.

Kinds that need something installed are in tests/real/test_other_user_real.py.
"""

import http.server
import os
import pwd
import subprocess
import threading
from pathlib import Path

import pytest
from git_place import GitPlace
from harness import Server, eventually, named, node, task
from other_user import LOOK, NOBODY, SEEN, as_nobody, log, needs_root

pytestmark = [needs_root, pytest.mark.sanitize]

PUBLISH = 'echo rows=3 > "$REPRISE_OUTPUT"\n'
SHELL = 'echo "$(id -u) $(pwd -P)"; exec /usr/bin/python3 "$REPRISE_WORKSPACE/look.py"\n'


@pytest.fixture(scope="module", params=["022", "077"])
def server(request, tmp_path_factory):
    """What tasks need must not hang on the server's mask, nor what they must not have."""
    server = as_nobody(Server(tmp_path_factory.mktemp("server"), "--exec.git-allow-file=true"), mask=request.param).start()
    yield server
    server.close()


def test_a_python_task(server, api):
    server.script("values.py", "import json, os\nprint(json.load(open(os.environ['REPRISE_PARAMS_FILE'])), os.environ['HOME'])\n"
                               "print(open('made').read())\nopen(os.environ['REPRISE_OUTPUT'], 'a').write('k=v\\n')\n")
    run = api.go([task("look", "look.py"), task("plain", "values.py", "look"),
                  task("given", "values.py", "look", parameters=named(p="{{tasks.plain.values.k}}"), dependsOn=[{"taskKey": "plain"}])],
                 "SUCCESS")
    assert log(api, run, "look") == SEEN
    assert log(api, run, "plain") == f"[] {NOBODY.pw_dir}\nin the folder of the run\n"
    assert log(api, run, "given").startswith("[{'name': 'p', 'value': 'v'}]")
    assert api.task_run(run, "plain")["values"] == {"k": "v"}


def test_root_on_the_folder_of_another_is_told(servers):
    server = servers()
    server.data.mkdir(mode=0o700)
    os.chown(server.data, NOBODY.pw_uid, NOBODY.pw_gid)
    server.start()
    assert "root serves a data folder of another user" in server.tail(20000)


def test_a_folder_that_a_task_has_closed_is_open_to_the_next(server, api):
    api.go([node("a", "SHELL_TASK", script="chmod 000 .\n"), node("b", "SHELL_TASK", script="touch x\n",
                                                                 dependsOn=[{"taskKey": "a"}])], "SUCCESS")


def test_a_warm_python_task_is_cold(server, api):
    run = api.go([task("a", "look.py", **{"x-warmPython": True})], "SUCCESS")
    assert log(api, run, "a") == SEEN


def test_a_shell_task(server, api):
    server.script("bin/look.sh", PUBLISH + SHELL)
    run = api.go([
        node("script", "SHELL_TASK", script=PUBLISH + SHELL),
        node("file", "SHELL_TASK", filePath="bin/look.sh"),
        node("python", "SHELL_TASK", script="#!/usr/bin/python3\n" + LOOK),
        node("reads", "SHELL_TASK", "script", script="echo got {{tasks.script.values.rows}}"),
    ], "SUCCESS")
    seen = f"{NOBODY.pw_uid} {server.data.resolve()}/runs/{run['key']}/work\n{SEEN}"
    assert log(api, run, "script") == log(api, run, "file") == seen
    assert log(api, run, "python") == SEEN and log(api, run, "reads") == "got 3\n"
    assert api.task_run(run, "file")["values"] == {"rows": "3"}


def test_output_by_its_name(api):
    """Scripts write to /dev/stderr by opening it, which asks whose the file behind it is."""
    run = api.go([node("a", "SHELL_TASK", script="echo one >> /dev/stdout; echo two | tee -a /dev/stderr; exit 0")], "SUCCESS")
    assert log(api, run, "a") == "one\ntwo\n" and log(api, run, "a", "stderr") == "two\n"


def test_output_of_what_has_ended_is_the_servers(server, api):
    """So that no later task of that user rewrites what an earlier one has said."""
    open_to_all = 'echo said; chmod 666 "${REPRISE_OUTPUT%.val}.out" "${REPRISE_OUTPUT%.val}.err"'
    run = api.go([node("a", "SHELL_TASK", script=open_to_all)], "SUCCESS")
    files = [p for p in (server.data / "runs" / run["key"]).iterdir() if p.suffix in (".out", ".err")]
    assert len(files) == 2
    eventually(lambda: {(p.stat().st_uid, p.stat().st_mode & 0o777) for p in files} == {(0, 0o600)}, "they are ours again")
    assert log(api, run, "a") == "said\n"


PEEK = """\
import os, pathlib, sys
place = pathlib.Path(sys.argv[1])
for path in place.glob("*.*"):
    print("found:", path)
try: (place / sys.argv[2]).write_text("x"); print("written")
except PermissionError: pass
"""


def test_what_other_attempts_have_is_not_found(server, api):
    """Scripts, output, records: a run's folder, its own too, is passed through, never listed, and nothing is made in it."""
    done = api.go([node("a", "SHELL_TASK", script="echo secret=1")], "SUCCESS")
    folder = server.data / "runs" / done["key"]
    assert list(folder.glob("*.in")), "there is something to be found"
    server.script("peek.py", PEEK)
    run = api.go([task("b", "peek.py", commandLineArguments=f"{folder} x.rec"),
                  node("c", "SHELL_TASK", script='exec /usr/bin/python3 "$REPRISE_WORKSPACE/peek.py" "${REPRISE_OUTPUT%/*}" x.rec')],
                 "SUCCESS")
    assert log(api, run, "b") == log(api, run, "c") == ""
    for place in folder.iterdir():
        assert place.is_dir() or not place.stat().st_mode & 0o077, place


class Answer(http.server.BaseHTTPRequestHandler):
    """Says whose connection it is."""

    def do_GET(self):
        ends = ["0100007F:%04X" % port for port in (self.client_address[1], self.server.server_port)]
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        text = " ".join(row[7] for row in rows if row[1:3] == ends).encode() + b" " + self.headers.get("x-mark").encode()
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def test_an_http_task(server, api):
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{listener.server_port}/"
        run = api.go([node("a", "HTTP_TASK", url=url, headers=[{"name": "x-mark", "value": "m1"}]),
                      node("b", "SHELL_TASK", "a", script="echo {{tasks.a.values.status}}")], "SUCCESS")
    finally:
        listener.shutdown()
        listener.server_close()
    assert log(api, run, "a").split() == [str(NOBODY.pw_uid), "m1"] and log(api, run, "b") == "200\n"


def test_a_path_task(server, api):
    shared = server.workspace / "shared"
    shared.mkdir()
    os.chown(shared, NOBODY.pw_uid, NOBODY.pw_gid)
    waits = api.run(api.job([node("a", "PATH_TASK", action="WAIT_PATH", path="shared/sign")], name="waits"))
    (pid,) = eventually(server.processes, "it waits")
    assert Path(f"/proc/{pid}").stat().st_uid == NOBODY.pw_uid
    (shared / "sign").touch()
    api.wait_final(waits, "SUCCESS")
    run = api.go([node("make", "PATH_TASK", action="CREATE_PATH", path="shared/a/b"),
                  node("over", "PATH_TASK", action="CREATE_PATH", path="not-theirs")])
    assert (shared / "a/b").stat().st_uid == NOBODY.pw_uid
    assert "Permission denied" in log(api, run, "over", "stderr") and not (server.workspace / "not-theirs").exists()


GIT = {"jobs/look.py": "import os, sys\nsys.path.insert(0, os.environ['REPRISE_SOURCE'])\nimport lib.more\n" + LOOK +
                       "for place in ('../repo.git', '../origin', '../../trash', '..'):\n"
                       "    place = os.path.join(os.environ['REPRISE_SOURCE'], place)\n"
                       "    try: print('listed:', place, os.listdir(place) if os.path.isdir(place) else open(place).read())\n"
                       "    except PermissionError: pass\n",
       "lib/more.py": "print('more', flush=True)\n", "bin/say.sh": "id -u\n"}


def test_files_from_git(server, api, tmp_path):
    repo = GitPlace(tmp_path / "repositories").repository("r", GIT)
    source = {"source": "GIT_PROVIDER"}
    tasks = [task("a", "jobs/look.py", **source), node("b", "SHELL_TASK", "a", filePath="bin/say.sh", **source)]
    run = api.go(tasks, "SUCCESS", name="git", gitConfig={"repositoryUrl": repo.url})
    assert log(api, run, "a") == "more\n" + SEEN and log(api, run, "b") == f"{NOBODY.pw_uid}\n"
    # What was fetched without exec.user is let through at the next start.
    for place in (server.data / "git", *(server.data / "git").glob("[0-9]*")):
        place.chmod(0o700)
    server.restart()
    repo.path.rename(repo.path.with_name("away"))
    server.api.repair(run, taskKeys=["a"])
    server.api.wait_final(run, "SUCCESS")
    assert log(server.api, run, "a") == "more\n" + SEEN


DAEMON = pwd.getpwnam("daemon")


def read_as(user, path):
    return subprocess.run(["cat", path], user=user.pw_uid, group=user.pw_gid, extra_groups=[], capture_output=True, check=False)


def closed_to_others(data):
    """DATA can be passed through by everyone: what lies in it is closed by itself."""
    said = {"no-params.json", "endpoint.json"}
    for place in data.iterdir():
        assert place.name in said or not place.stat().st_mode & 0o007, place


def test_a_workspace_that_the_server_made(servers):
    """DATA/workspace and DATA/workspaces/KEY: whoever reads files there is the user, nobody else on the host."""
    server = as_nobody(servers())
    plain = server.command
    server.command = lambda *more: [w for w in plain(*more) if w not in ("--workspace", server.workspace)]
    server.start()
    own = server.data / "workspace"
    key = server.api.made("~/workspaces", {"displayName": "other"})["key"]
    other = server.data / "workspaces" / key
    for folder in (own, other):
        (folder / "look.py").write_text(LOOK + "import beside\n")
        (folder / "beside.py").write_text("print('beside')\n")
    run = server.api.go([task("a", "look.py")], "SUCCESS")
    assert log(server.api, run, "a") == SEEN + "beside\n"
    server.api.place = server.api.place.rsplit("/", 1)[0] + "/" + key
    run = server.api.go([task("a", "look.py")], "SUCCESS")
    assert log(server.api, run, "a") == SEEN + "beside\n"
    closed_to_others(server.data)
    for folder in (own, other):
        assert read_as(DAEMON, folder / "look.py").returncode != 0, "nobody else on the host"
    own.chmod(0o700)
    os.chown(own, 0, 0)
    server.restart()
    assert read_as(NOBODY, own / "look.py").returncode == 0, "as it was made: it is opened again"
    own.chmod(0o770)
    os.chown(own, 0, DAEMON.pw_gid)
    server.restart()
    assert own.stat().st_mode & 0o777 == 0o770 and own.stat().st_gid == DAEMON.pw_gid, "what the administrator has decided stands"


def test_the_data_folder_keeps_its_owner(servers):
    """systemd gives all below a StateDirectory to the unit's user, what running tasks write too, if that has another owner or group."""
    server = as_nobody(servers(), mask="022")
    server.start()
    server.api.go([task("a", "look.py")], "SUCCESS")
    status = server.data.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (0, 0, 0o711)
    closed_to_others(server.data)
    # And when that has happened all the same, as where the server was another user's before:
    subprocess.run(["chown", "-R", "0:0", server.data], check=True)
    server.data.chmod(0o700)
    server.restart()
    assert log(server.api, server.api.go([task("a", "look.py")], "SUCCESS", name="again"), "a") == SEEN
