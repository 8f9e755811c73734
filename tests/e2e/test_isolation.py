"""What keeps tasks from the server and from one another, and what they have cost."""

import ctypes
import json
import os
import platform
import pwd
import subprocess

import pytest
from cgroups import cgroup, controllers
from harness import BINARY, eventually, step, task

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give tasks another user")


@pytest.fixture
def group():
    with cgroup() as place:
        yield place


def output(server, run, task_key="a", stream="stdout"):
    return server.api.get(f"/taskRuns/{run['taskToTaskRunMap'][task_key]}/logs", stream=stream).text


def refused_start(server, *words):
    server.spawn()
    assert server._wait() != 0
    for word in words:
        assert word in server.tail(), server.tail()


def test_only_what_is_documented_passes(servers):
    server = servers("--exec.pass-env", "PROXY_HOST, WANTED  PATH UNSET", "--exec.umask", "027",
                     env={"WANTED": "yes = yes", "PROXY_HOST": "p", "DB_PASSWORD": "hunter2", "LD_PRELOAD": ""}).start()
    server.script("env.py", "import json, os\nprint(json.dumps(dict(os.environ)))\nopen('made', 'w')\nos.mkdir('folder')\n")
    run = server.api.go([task("a", "env.py")], "SUCCESS")
    env = json.loads(output(server, run))
    assert env["WANTED"] == "yes = yes" and env["PROXY_HOST"] == "p"
    ours = {name for name in env if not name.startswith("REPRISE_")}
    assert ours <= {"PATH", "HOME", "LANG", "TZ", "WANTED", "PROXY_HOST", "LC_CTYPE"}, ours
    work = server.data / "runs" / run["key"] / "work"
    assert (work / "made").stat().st_mode & 0o777 == 0o640 and (work / "folder").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("options,words", [
    (["--exec.pass-env", "A REPRISE_TOKEN"], ["exec.pass-env", "REPRISE_TOKEN"]),
    (["--exec.pass-env", "A=b"], ["exec.pass-env", "A=b"]),
    (["--exec.umask", "89"], ["exec.umask", "octal"]),
    (["--exec.user", "nobody-of-that-name"], ["exec.user", "no such user"]),
    (["--exec.user", "root"], ["exec.user"]),
    (["--exec.cgroup", "/tmp"], ["exec.cgroup", "version 2"]),
    (["--exec.cpu-max", "50"], ["exec.cpu-max", "cgroup"]),
])
def test_settings_that_cannot_be(servers, options, words):
    server = servers(*options)
    refused_start(server, *words)


def test_what_an_attempt_has_cost(own):
    own.script("work.py", "import os, sys\nx = bytearray(60 << 20)\n"
                          "while os.times().user < 0.05: pass\nopen('f', 'wb').write(b'y' * (1 << 20))\nsys.exit(1)\n")
    run = own.api.go([task("a", "work.py", maxRetries=1)], "FAILED")
    key = run["taskToTaskRunMap"]["a"]
    retries = own.api.page_through(f"/taskRuns/{key}/retries")
    assert len(retries) == 2 and retries == own.api.task_run(run, "a")["retries"]
    for retry in retries:
        usage = retry["usage"]
        assert set(usage) == {"userCpuMicros", "systemCpuMicros", "peakMemoryBytes", "readBytes", "writtenBytes"}
        assert 10_000 < usage["userCpuMicros"] < 60_000_000 and usage["systemCpuMicros"] >= 0
        assert 60 << 20 < usage["peakMemoryBytes"] < 1 << 30
    done = subprocess.run([BINARY, "--data", own.data, "-o", "table", "task", "get", key], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0 and "CPU" in done.stdout and "MEMORY" in done.stdout and " MiB" in done.stdout, done.stdout


def test_a_running_attempt_has_no_cost_yet(own):
    run = own.api.run(own.api.job([step("a", gate="go")]))
    own.wait_witness("start", "a")
    assert own.api.task_run(run, "a")["retries"][0]["usage"] is None
    own.open_gate("go")
    own.api.wait_final(run, "SUCCESS")
    usage = own.api.task_run(run, "a")["retries"][0]["usage"]
    assert usage["peakMemoryBytes"] > 0, "time is counted in ticks by some kernels: a short task may have taken none"


def test_memory_is_limited_without_a_cgroup(servers):
    server = servers("--exec.memory-max", str(256 << 20)).start()
    server.script("greedy.py", "small = bytearray(50 << 20)\nprint('small')\nlarge = bytearray(400 << 20)\nprint('large')\n")
    run = server.api.go([task("a", "greedy.py")], "FAILED")
    assert output(server, run) == "small\n" and "MemoryError" in output(server, run, stream="stderr")
    assert "no memory controller" in server.tail(1000), "it is told that each process has its own limit"


HIDER = '''\
import ctypes, os, sys, time
home = os.environ["REPRISE_WORKSPACE"]
if os.fork() == 0:
    os.setsid()
    os.execve("/bin/sleep", ["sleep", "3600"], {})  # nothing of the token is left in its environment
open(home + "/up", "w").close()
time.sleep(3600)
'''


def test_each_attempt_has_a_cgroup(servers, group):
    """What hides from a search by token is found by its cgroup, also when the supervisor was killed."""
    server = servers("--exec.cgroup", str(group)).start()
    server.script("hider.py", HIDER)
    run = server.api.run(server.api.job([task("a", "hider.py")]))
    eventually((server.workspace / "up").exists, "it is up")
    (folder,) = [p for p in group.iterdir() if p.is_dir()]
    assert folder.name.startswith(run["taskToTaskRunMap"]["a"] + ".0.")

    def members():
        return [int(p) for p in (folder / "cgroup.procs").read_text().split()]

    first = eventually(lambda: len(members()) == 2 and members(), "task and child")
    supervisor = int(open(f"/proc/{min(first)}/stat").read().rsplit(")", 1)[1].split()[1])
    os.kill(supervisor, 9)
    eventually(lambda: not any(os.path.exists(f"/proc/{p}") for p in first), "both are gone")
    eventually(lambda: [r["state"]["status"] for r in server.api.task_run(run, "a")["retries"]][0] == "INTERNAL_ERROR", "lost")
    server.api.cancel(run)
    server.api.wait_final(run, "CANCELED")
    eventually(lambda: not [p for p in group.iterdir() if p.is_dir()], "no cgroup is left")
    done = server.api.go([step("x"), step("y", "x")], "SUCCESS")
    assert done["state"]["status"] == "SUCCESS"
    eventually(lambda: not [p for p in group.iterdir() if p.is_dir()], "nor of those that ended well")


def test_a_cgroup_that_was_just_made_is_left_alone(servers, group):
    """Its attempt has not joined it yet: an order that outlived its server, or one of another workspace."""
    fresh = group / "01a21d7c-d52b-7000-8000-42d39a1cd29d.0.1"
    fresh.mkdir()
    server = servers("--exec.cgroup", str(group)).start()
    server.api.made("~/workspaces", {"displayName": "other"})
    assert fresh.is_dir()
    fresh.rmdir()


def put_into(server, place, invocation=None):
    """Each start of it, as systemd does it where `invocation` is an id; into a folder that is there or not yet."""
    unit = f"export INVOCATION_ID={invocation}" if invocation else "unset INVOCATION_ID"
    into = f'{unit}; mkdir -p "$0"; echo $$ > "$0/cgroup.procs" || exit 219; exec "$@"'
    plain = server.command
    server.command = lambda *options: ["/bin/sh", "-c", into, place, *plain(*options)]
    return server


def in_cgroup(place, pid):
    return str(pid) in (place / "cgroup.procs").read_text().split()


def test_a_cgroup_of_the_servers_own_is_used(servers, group):
    """As where one is delegated: the server leaves room for controllers, tasks are beside it."""
    server = put_into(servers("--exec.cgroup", "auto"), group).start()
    run = server.api.run(server.api.job([step("a", gate="go")]))
    pid = int(server.wait_witness("start", "a")[0].pid)
    assert group.name + "/" + run["taskToTaskRunMap"]["a"] in open(f"/proc/{pid}/cgroup").read()
    assert in_cgroup(group / "reprise-server", server.process.pid)
    assert (group / "cgroup.procs").read_text() == "", "nothing is in the way of controllers"
    other = server.api.made("~/workspaces", {"displayName": "other"})
    assert not (group / "reprise-server/reprise-server").exists(), f"workspace {other['key']} uses the same"
    server.restart()
    assert server.api.get_run(run)["state"]["status"] == "RUNNING"
    server.open_gate("go")
    server.api.wait_final(run, "SUCCESS")
    assert server.stop() == 0  # before its cgroup goes


def test_a_unit_restarts_while_a_task_runs(servers, group):
    """systemd puts each new server into the unit's own cgroup, which cannot be as long as that one has controllers for its children."""
    server = put_into(servers("--exec.cgroup", "auto", "--exec.memory-max", str(1 << 30)), group, invocation="1" * 32).start()
    run = server.api.run(server.api.job([step("a", gate="go")]))
    pid = int(server.wait_witness("start", "a")[0].pid)
    assert group.name + "/" + run["taskToTaskRunMap"]["a"] in open(f"/proc/{pid}/cgroup").read()
    assert (group / "cgroup.subtree_control").read_text().split() == [] and in_cgroup(group, server.process.pid)
    assert "each process by itself" in server.tail(20000)
    server.restart()
    assert in_cgroup(group, server.process.pid)
    server.open_gate("go")
    server.api.wait_final(run, "SUCCESS")
    assert server.stop() == 0  # before its cgroup goes


def test_a_unit_that_puts_the_server_beside_its_tasks(servers, group):
    """DelegateSubgroup=reprise-server of systemd 254: then there are controllers."""
    leaf = group / "reprise-server"
    server = put_into(servers("--exec.cgroup", "auto"), leaf, invocation="1" * 32).start()
    run = server.api.run(server.api.job([step("a", gate="go")]))
    pid = int(server.wait_witness("start", "a")[0].pid)
    assert group.name + "/" + run["taskToTaskRunMap"]["a"] in open(f"/proc/{pid}/cgroup").read()
    assert in_cgroup(leaf, server.process.pid) and not (leaf / "reprise-server").exists()
    there_are = {"memory", "cpu"} & set(controllers(group))
    assert there_are <= set((group / "cgroup.subtree_control").read_text().split())
    server.restart()
    assert in_cgroup(leaf, server.process.pid)
    server.open_gate("go")
    server.api.wait_final(run, "SUCCESS")
    assert server.stop() == 0


def test_a_unit_that_cannot_limit_processors_says_what_it_needs(servers, group):
    server = put_into(servers("--exec.cgroup", "auto", "--exec.cpu-max", "50"), group, invocation="1" * 32)
    refused_start(server, "exec.cpu-max", "DelegateSubgroup=reprise-server")


def test_a_limit_of_memory_is_of_the_whole_attempt(servers, group):
    if "memory" not in controllers(group):
        pytest.skip("the memory controller is not delegated on this host")
    server = servers("--exec.cgroup", str(group), "--exec.memory-max", str(128 << 20)).start()
    server.script("two.py", "import os, time\nif os.fork():\n    os.wait()\nx = bytearray(100 << 20)\nprint('held', flush=True)\n")
    run = server.api.go([task("a", "two.py")])
    assert run["state"]["status"] == "FAILED"


def open_way(tmp_path):
    for place in (tmp_path, *tmp_path.parents):
        if not place.stat().st_mode & 0o001:
            place.chmod(place.stat().st_mode | 0o011)


def of_another_user(servers, tmp_path):
    open_way(tmp_path)
    server = servers("--exec.user", "nobody").start()
    for place in (server.folder, server.workspace):
        place.chmod(0o755)
    return server


KEYCTL = {"x86_64": 250, "aarch64": 219}.get(platform.machine())  # add_key(2) is two before it
JOIN, SEARCH, SESSION = 1, 10, -3


@needs_root
@pytest.mark.skipif(not KEYCTL, reason="the numbers of the system calls are another machine's")
def test_the_keys_of_who_started_the_server_are_nothing_for_another_user(servers, tmp_path):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(KEYCTL, JOIN, None) < 0:
        pytest.skip("this host lets nobody use keyrings")
    assert libc.syscall(KEYCTL - 2, b"user", b"reprise-test", b"secret", 6, SESSION) > 0
    find = f"import ctypes\nprint(ctypes.CDLL(None).syscall({KEYCTL}, {SEARCH}, {SESSION}, b'user', b'reprise-test', 0) > 0)\n"
    for server, found in ((servers().start(), "True"), (of_another_user(servers, tmp_path), "False")):
        server.script("find.py", find)
        run = server.api.wait_final(server.api.run(server.api.job([task("a", "find.py")])), "SUCCESS")
        assert output(server, run).strip() == found


@needs_root
def test_tasks_of_another_user(servers, tmp_path):
    server = of_another_user(servers, tmp_path)
    server.script("who.py", "import os, json\nprint(os.getuid(), os.environ['HOME'])\n"
                            "open('mine', 'w').write('x')\n"
                            "json.load(open(os.environ['REPRISE_PARAMS_FILE']))\n"
                            "open(os.environ['REPRISE_OUTPUT'], 'a').write('k=v\\n')\n"
                            "data = os.path.dirname(os.path.dirname(os.path.dirname(os.environ['REPRISE_PARAMS_FILE'])))\n"
                            "for secret in ('admin.token', 'reprise.db', 'secret.key', 'runs', '.'):\n"
                            "    try: os.listdir(data + '/' + secret) if secret in ('runs', '.') else open(data + '/' + secret)\n"
                            "    except PermissionError: continue\n"
                            "    raise SystemExit(f'{secret} is open')\n")
    job = server.api.job([task("a", "who.py", parameters=[{"name": "p", "value": "v"}]),
                          task("b", "who.py", "a", parameters=[{"name": "p", "value": "{{tasks.a.values.k}}"}])])
    run = server.api.wait_final(server.api.run(job), "SUCCESS")
    nobody = pwd.getpwnam("nobody")
    assert output(server, run).split() == [str(nobody.pw_uid), nobody.pw_dir]
    assert server.api.task_run(run, "a")["values"] == {"k": "v"}
    server.script("sleep.py", "import time\ntime.sleep(3600)\n")
    live = server.api.run(server.api.job([task("a", "sleep.py")], name="live"))
    eventually(server.processes, "it runs")
    server.api.cancel(live)
    server.api.wait_final(live, "CANCELED")
    eventually(lambda: not server.processes(), "another user's task is stopped like any other")
