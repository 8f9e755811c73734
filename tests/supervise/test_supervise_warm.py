"""Warm Python: a task that a fork server forked is to its program what one that was executed is, and to us as well."""

import os
import re
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness import eventually
from supervise_wire import (EXEC_FAILED, EXITED, HELPER, KILL_USED, SIGNALED, SOURCE_ROOT, STEP_CWD, STEP_RLIMIT, STOPPED,
                            STRAYS_KILLED, TIMED_OUT, Supervisor, alive, read_record, wait_dead)

PYTHON = "/usr/bin/python3"
FORK_SERVER = Path(HELPER).parent / "reprise-warm"
COLD, WARM, NOT_UP, NO_SERVER, NOT_PLAIN = 0, 1, 2, 3, 7
ENV = {"REPRISE_ATTEMPT_TOKEN": "run.task.0.0", "PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8",
       "TZ": "Europe/Berlin", "REPRISE_PARAM_A": "x=y", "EMPTY": ""}


class Place:
    """Programs, and a supervisor to run them with. Every attempt has files of its own."""

    def __init__(self, folder):
        self.folder, self.count, self.helper, self.is_dirty = folder, 0, HELPER, False
        self.work = folder / "work"
        self.work.mkdir()
        self.supervisor = None
        self.is_dirty = self.acknowledged = False

    def program(self, text, name="program.py"):
        path = self.folder / name
        path.write_text(text)
        return path

    def order(self, path, *args, launch=WARM, env=ENV, **fields):
        if self.supervisor is None:
            self.supervisor = Supervisor(self.folder, helper=self.helper)
        self.count += 1
        self.acknowledged = False
        self.stem = self.folder / f"attempt{self.count}"
        fields.setdefault("cwd", self.work)
        self.supervisor.order(PYTHON, path, *args, launch=launch, warm=FORK_SERVER if launch == WARM else "", env=env,
                              record=self.output("rec"), stdout=self.output("out"), stderr=self.output("err"), **fields)

    def output(self, suffix):
        return Path(f"{self.stem}.{suffix}")

    def run(self, path, *args, **fields):
        self.order(path, *args, **fields)
        outcome = self.supervisor.outcome()
        self.supervisor.ack()
        self.acknowledged = True
        if not unremarkable(outcome):
            self.end()
        return outcome

    def end(self):
        if self.supervisor:
            self.supervisor.close()
        self.supervisor = None

    def warm_up(self, **fields):
        """Until the fork server is up: nothing tells, but a start that is warm."""
        nothing = self.program("", "nothing.py")
        until = time.monotonic() + 30
        while (launch := self.run(nothing, **fields).launch) != WARM:
            assert launch == NOT_UP and time.monotonic() < until, launch
            time.sleep(0.05)
        nothing.unlink()

    def children(self):
        return Path(f"/proc/{self.supervisor.pid}/task/{self.supervisor.pid}/children").read_text().split()

    def is_at_rest(self):
        """Nothing of a test that failed is left."""
        return self.acknowledged and alive(self.supervisor.pid) and len(self.children()) <= 1

    def fork_server(self):
        children = self.children()
        assert len(children) == 1, "the fork server is the only child"
        return int(children[0])


def group_of(server):
    """The fork server, and who stands ready."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if group_is(pid, server)]


def group_is(pid, group):
    try:
        return os.getpgid(pid) == group and alive(pid)
    except ProcessLookupError:
        return False


def wait_gone(server):
    eventually(lambda: not group_of(server), "nobody stands ready any more")


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def sleeps(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def unremarkable(outcome):
    return outcome.cause == EXITED and outcome.flags == 0


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("warm"))
    yield place
    place.end()


@pytest.fixture
def place(shared):
    for path in shared.folder.glob("*.py"):
        path.unlink()
    if shared.is_dirty:
        shared.end()
    if shared.supervisor is None:
        shared.warm_up()
    yield shared
    shared.is_dirty = shared.supervisor is not None and not shared.is_at_rest()


PROGRAMS = {
    "nothing": "",
    "what a program finds": """
import os, sys, signal, resource, time, threading, locale, gc
print(sys.argv, sys.orig_argv, sys.path, sys.executable, sys.flags, sys.prefix, sys.stdout, sys.stderr, sys.stdin)
print(dict(os.environ), os.getcwd(), oct(os.umask(0)), os.getpgrp() == os.getpid(), os.getsid(0) == os.getppid())
print({k: v for k, v in sorted(globals().items()) if k != "__builtins__" and not k.startswith("f_")})
print(__builtins__, __name__, __file__, sys.modules["__main__"].__dict__ is globals())
print([signal.getsignal(n) for n in range(1, 32) if n not in (9, 19)], signal.pthread_sigmask(signal.SIG_BLOCK, []))
print(sorted(os.listdir("/proc/self/fd")), [os.readlink(f"/proc/self/fd/{n}").rsplit(".")[-1] for n in (0, 1, 2)])
print([resource.getrlimit(n) for n in range(16)], time.tzname, locale.getlocale(), sys.getfilesystemencoding())
print(threading.enumerate()[0].name, threading.current_thread() is threading.main_thread(), gc.isenabled())
print(open("/proc/self/comm").read(), open("/proc/self/oom_score_adj").read(), os.getenv("EMPTY"))
print(sys.getrecursionlimit(), sys.getswitchinterval(), sys.warnoptions, sys.dont_write_bytecode)
""",
    "where it runs": """
import ctypes, os
for cpu in sorted(os.sched_getaffinity(0)):
    os.sched_setaffinity(0, {cpu})
    print(ctypes.CDLL(None).sched_getcpu() == cpu)
""",
    "exit code": "import sys; sys.exit(7)",
    "exit with words": "import sys; print('out'); sys.exit('the reason')",
    "exit with nothing": "raise SystemExit",
    "os._exit": "import os; os._exit(9)",
    "an exception": "def f():\n    raise ValueError('bad ä')\n\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    f()\n",
    "a syntax error": "x = = 1\n",
    "an encoding": "# -*- coding: latin-1 -*-\nprint('ok')\nraise KeyError('x')\n",
    "a missing module": "import no_such_module_here",
    "atexit and finalizers": """
import atexit, sys
class Last:
    def __del__(self):
        print('finalizer', file=sys.__stderr__)
atexit.register(print, 'second'); atexit.register(print, 'first')
file = open('unflushed', 'w'); file.write('is written all the same')
last = Last()
""",
    "a failure that holds things": """
class Held:
    def __del__(self): print('let go')
def f():
    held, file = Held(), open('kept', 'w')
    file.write('written')
    raise LookupError('x')
f()
""",
    "modules of its own": """
import sys, os
sys.path.insert(0, os.getcwd())
open('mine.py', 'w').write('import atexit, json\\nclass A:\\n    def __del__(self): print("mine", json.dumps(1))\\na = A()\\n')
sys.dont_write_bytecode = True
import mine, colorsys
print(mine.__name__, colorsys.__name__, 'colorsys' in sys.modules)
""",
    "exit codes beyond a byte": "import sys; sys.exit(-1 if len(sys.argv) > 3 else 256)",
    "exit in atexit": "import atexit\n@atexit.register\ndef f(): raise RuntimeError('late')\nprint('x')",
    "unflushed output": "import sys\nsys.stdout.write('no newline'); sys.stderr.write('err ')\nsys.stdout.write('!')",
    "order of output": "import sys, os\nprint('a'); os.write(1, b'b\\n'); sys.stderr.write('c'); os.write(2, b'd'); print('e', flush=True)",
    "a signal": "import os, signal; print('x', flush=True); os.kill(os.getpid(), signal.SIGTERM)",
    "an interrupt": "import os, signal; print('x'); os.kill(os.getpid(), signal.SIGINT)",
    "a broken pipe": "import os\nr, w = os.pipe(); os.close(r)\ntry: os.write(w, b'x')\nexcept BrokenPipeError as e: print(e)",
    "an excepthook": "import sys\nsys.excepthook = lambda *a: print('hooked', a[0].__name__, a[2].tb_next)\nraise OSError",
    "threads": """
import threading, time
said = threading.Event()
thread = threading.Thread(target=lambda: (said.wait(), time.sleep(0.05), print('thread')))
thread.start()
print('main ends')
said.set()
""",
    "processes": """
import multiprocessing, subprocess, os
def square(x): return x * x
if __name__ == '__main__':
    try: os.wait()
    except ChildProcessError: print('no children')
    for method in ('fork', 'spawn'):
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(pool.map(square, range(5)))
    from multiprocessing.resource_tracker import _resource_tracker
    _resource_tracker._stop()  # or it is a stray whenever it is slower than we are
    print(subprocess.run(['sh', '-c', 'echo $REPRISE_PARAM_A $0; exit 3'], capture_output=True, text=True))
""",
    "warnings": "import warnings, sys\nwarnings.warn('here')\nwarnings.warn('old', DeprecationWarning)\ndef f(): warnings.warn('up', stacklevel=2)\nf()",
    "asyncio": "import asyncio\nasync def f(): await asyncio.sleep(0.01); return 5\nprint(asyncio.run(f()))",
    "pickles": "import pickle\nclass A: pass\nprint(pickle.loads(pickle.dumps(A())).__class__, A.__module__)",
    "logging": "import logging\nlogging.basicConfig(format='%(levelname)s %(filename)s %(lineno)d %(message)s')\nlogging.warning('w'); logging.getLogger('a').error('e')",
    "a dataclass and an enum": "import dataclasses, enum\n@dataclasses.dataclass\nclass A: x: int = 1\nclass E(enum.Enum): B = 2\nprint(A(), E.B, A.__module__)",
}


def without_addresses(path):
    return re.sub(rb"0x[0-9a-f]+", b"0x", path.read_bytes())


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_a_program_does_and_finds(place, name):
    path = place.program(PROGRAMS[name])
    seen = []
    for launch in (WARM, COLD):
        for left in place.work.iterdir():
            left.unlink()
        if place.supervisor is None:
            place.warm_up()
        outcome = place.run(path, "an argument", "", "ä", launch=launch, rlimits=[(resource.RLIMIT_NOFILE, 100, 1000)])
        assert outcome.launch == launch
        files = {left.name: left.read_text() for left in place.work.iterdir()}
        seen.append((outcome.cause, outcome.exit_code, outcome.signal, outcome.flags, without_addresses(place.output("out")),
                     without_addresses(place.output("err")), files))
    for warm, cold in zip(*seen):
        assert warm == cold


@pytest.mark.parametrize("name", ["order of output", "unflushed output", "a signal", "an interrupt", "exit in atexit"])
def test_what_is_written_at_once(place, name):
    """PYTHONUNBUFFERED in the order's environment: as python -u, also when killed."""
    env = {**ENV, "PYTHONUNBUFFERED": "1"}
    path = place.program(PROGRAMS[name] + "\nimport os, sys\nprint('kept', sys.stdout.buffer.write(b'raw '), sys.stdout)\nos.kill(os.getpid(), 9)\n")
    seen = []
    place.end()
    for launch in (WARM, COLD):
        if place.supervisor is None:
            place.warm_up(env=env)
        outcome = place.run(path, launch=launch, env=env)
        assert outcome.launch == launch
        seen.append((outcome.cause, outcome.exit_code, outcome.signal, without_addresses(place.output("out")), without_addresses(place.output("err"))))
    assert seen[0] == seen[1]
    place.end()


def test_what_is_new_in_each(place):
    path = place.program("import random, uuid, tempfile, os\nprint(random.random(), uuid.uuid4(), tempfile.mktemp(), os.getpid())\n"
                         "import multiprocessing\nprint(multiprocessing.current_process().authkey.hex())")
    words = [set(place.output("out").read_text().split()) for _ in range(3) if place.run(path).launch == WARM]
    assert len(words) == 3 and len(set().union(*words)) == 3 * 5, "none of them twice"


def test_nothing_of_one_is_in_the_next(place):
    marks = place.program("import json, os, sys\njson.mark = os.environ['MARK'] = 'x'; sys.path.append('x'); os.chdir('/'); os.umask(0)\n"
                          "sys.modules['marked'] = json; import marked", "marks.py")
    look = place.program("import json, os, sys\nprint(hasattr(json, 'mark'), 'MARK' in os.environ, sys.path[-1], 'marked' in sys.modules)\n"
                         "print(os.getcwd() == sys.argv[1])", "look.py")
    assert place.run(marks).exit_code == 0
    assert place.run(look, place.work).launch == WARM
    assert place.output("out").read_text().split() == ["False", "False", "/usr/lib/python3/dist-packages", "False", "True"]


def test_what_it_used_is_its_own(place):
    idle = place.run(place.program("", "idle.py"))
    busy = place.run(place.program("import os\nfirst = os.times().user\nwhile os.times().user < first + 0.3: pass\nb = bytearray(60 << 20)", "busy.py"))
    assert idle.launch == busy.launch == WARM
    assert idle.user_us < 200_000 < busy.user_us
    assert idle.max_rss_kib < 60 << 10 < busy.max_rss_kib


def test_the_token_is_where_a_search_finds_it(place, tmp_path):
    """Of the task, and of what it forks without an exec: a lost attempt's processes are found by it."""
    path = place.program("import os\npid = os.fork()\ntext = open('/proc/self/environ').read().split(chr(0))\n"
                         "print(text[0] + ' ' + os.environ['REPRISE_ATTEMPT_TOKEN'], flush=True)\nif pid: os.wait()")
    assert place.run(path, token="some.token.of.its.own", env=ENV | {"REPRISE_ATTEMPT_TOKEN": "some.token.of.its.own"}).launch == WARM
    assert place.output("out").read_text() == 2 * "REPRISE_ATTEMPT_TOKEN=some.token.of.its.own some.token.of.its.own\n"


def test_a_deadline_and_strays(place):
    path = place.program("import signal, os, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                         "pid = os.fork()\nif pid: print(pid, flush=True)\ntime.sleep(1000)")
    outcome = place.run(path, timeout_ms=300, grace_ms=100)
    assert (outcome.launch, outcome.cause, outcome.signal) == (WARM, TIMED_OUT, signal.SIGKILL)
    assert outcome.flags & KILL_USED
    assert not alive(int(place.output("out").read_text()))
    place.warm_up()
    outcome = place.run(place.program("import subprocess\nprint(subprocess.Popen(['sleep', '1000'], start_new_session=True).pid)"))
    assert (outcome.launch, outcome.exit_code, outcome.flags) == (WARM, 0, STRAYS_KILLED)
    assert not alive(int(place.output("out").read_text()))


def test_a_stop(place):
    path = place.program("import time\nprint('up', flush=True)\ntime.sleep(1000)")
    place.order(path)
    started = place.supervisor.started()
    assert started.launch == WARM
    until = time.monotonic() + 30
    while not place.output("out").read_text():
        assert time.monotonic() < until
        time.sleep(0.005)
    assert os.getpgid(started.task_pid) == started.task_pid
    place.supervisor.stop()
    outcome = place.supervisor.outcome()
    assert (outcome.cause, outcome.signal, outcome.task_pid) == (STOPPED, signal.SIGTERM, started.task_pid)
    place.end()


@pytest.mark.parametrize("fields, step", [({"cwd": "/nowhere"}, STEP_CWD), ({"rlimits": [(7, 10, 5)]}, STEP_RLIMIT)])
def test_what_cannot_be_set_up(place, fields, step):
    path = place.program("")
    outcomes = []
    for launch in (WARM, COLD):
        if place.supervisor is None and launch == WARM:
            place.warm_up()
        outcomes.append(place.run(path, launch=launch, **fields))
    assert [(o.cause, o.step, o.error, o.exit_code) for o in outcomes] == 2 * [(EXEC_FAILED, step, outcomes[1].error, -1)]


@pytest.mark.parametrize("kind", ["a module beside it", "a package beside it", "a zip", "bytecode"])
def test_what_is_not_plain_is_executed(place, kind, tmp_path):
    path = tmp_path / "main.py"
    path.write_text("import json, sys; print(json.__file__.startswith('/usr'), sys.argv[1:], __file__)")
    if kind == "a module beside it":
        (tmp_path / "json.py").write_text("")
    elif kind == "a package beside it":
        (tmp_path / "json").mkdir()
        (tmp_path / "json/__init__.py").write_text("")
    elif kind == "a zip":
        subprocess.run([PYTHON, "-m", "zipfile", "-c", tmp_path / "a.zip", path], check=True)
        path.rename(tmp_path / "__main__.py")
        subprocess.run([PYTHON, "-m", "zipfile", "-c", tmp_path / "a.zip", tmp_path / "__main__.py"], check=True)
        path = tmp_path / "a.zip"
    else:
        subprocess.run([PYTHON, "-c", f"import py_compile; py_compile.compile({str(path)!r}, {str(tmp_path / 'b.pyc')!r})"], check=True)
        path = tmp_path / "b.pyc"
    warm, cold = [(place.run(path, "a", launch=launch), place.output("out").read_text(), place.output("err").read_text())
                  for launch in (WARM, COLD)]
    assert warm[0].launch == NOT_PLAIN and warm[0].exit_code == cold[0].exit_code == 0
    assert warm[1:] == cold[1:]
    assert place.run(place.program("")).launch == WARM


def test_the_first_is_cold_and_the_fork_server_an_only_child(place):
    pid = place.fork_server()
    place.run(place.program(""))
    assert place.fork_server() == pid
    place.run(place.program(""), launch=COLD)
    assert place.fork_server() == pid, "a cold start leaves it alone"
    place.run(place.program(""), env=ENV | {"LANG": "C"})
    assert place.fork_server() != pid and not group_of(pid), "another environment has another"
    place.end()
    place.warm_up()


def test_a_fork_server_that_dies_is_noticed(place):
    path = place.program("print('ran')")
    server = place.fork_server()
    eventually(lambda: len(group_of(server)) == 3, "one stands ready")
    os.kill(server, signal.SIGKILL)
    wait_dead(server)
    outcome = place.run(path)
    wait_gone(server)
    assert outcome.launch in (NOT_UP, NO_SERVER) and (outcome.exit_code, outcome.flags) == (0, 0)
    assert place.output("out").read_text() == "ran\n"
    place.warm_up()
    assert place.fork_server() != server


def test_a_fork_server_that_hangs_starts_nothing_twice(place):
    server = place.fork_server()
    for pid in group_of(server):
        os.kill(pid, signal.SIGSTOP)
    outcome = place.run(place.program("print('ran')"))
    assert (outcome.launch, outcome.exit_code, place.output("out").read_text()) == (NO_SERVER, 0, "ran\n")
    assert not group_of(server)
    place.end()


def test_who_stands_ready_is_killed(place):
    """The fork server sees to another; an order that was lost with it is started cold."""
    path = place.program("print('ran', flush=True)")
    server = place.fork_server()
    launches = []
    for _ in range(10):
        eventually(lambda: len(group_of(server)) == 3, "one stands ready")
        os.kill(max(group_of(server)), signal.SIGKILL)
        outcome = place.run(path)
        assert (outcome.exit_code, outcome.flags, place.output("out").read_text()) == (0, 0, "ran\n")
        launches.append(outcome.launch)
    assert set(launches) <= {WARM, NO_SERVER}
    place.warm_up()
    assert place.fork_server() == server


def test_a_fork_server_killed_at_any_moment(place):
    """Each attempt runs once, warm or cold, whenever that is."""
    path = place.program("print('ran', flush=True)")
    for delay_us in (0, 200, 400, 700, 1000, 1500, 2500):
        server = place.fork_server()
        place.order(path)
        time.sleep(delay_us / 1e6)
        try:
            os.kill(server, signal.SIGKILL)
        except ProcessLookupError:
            pass
        outcome = place.supervisor.outcome()
        assert (outcome.cause, outcome.exit_code, place.output("out").read_text()) == (EXITED, 0, "ran\n"), delay_us
        place.supervisor.ack()
        if not unremarkable(outcome):
            place.end()
        wait_dead(server)
        place.warm_up()


def test_the_supervisor_is_killed(place):
    path = place.program("import time\nprint('up', flush=True)\ntime.sleep(1000)")
    server = place.fork_server()
    place.order(path)
    task = place.supervisor.started().task_pid
    place.supervisor.kill(signal.SIGKILL)
    wait_dead(task)
    wait_gone(server)
    assert read_record(place.output("rec")).state == 1
    place.end()


def test_the_supervisor_is_killed_with_an_order_that_nobody_has_taken(place):
    """Who stood ready ends, and does not run it as somebody else's child."""
    server = place.fork_server()
    eventually(lambda: len(group_of(server)) == 3, "one stands ready")
    (ready,) = [pid for pid in group_of(server) if pid != server and parent_of(pid) != server]
    eventually(lambda: b"=---" not in Path(f"/proc/{ready}/environ").read_bytes(), "it waits, or is about to")
    os.kill(ready, signal.SIGSTOP)
    place.order(place.program("print('ran')"))
    eventually(lambda: place.output("err").exists() and sleeps(place.supervisor.pid), "the order is sent")
    place.supervisor.kill(signal.SIGKILL)
    wait_gone(server)
    assert not alive(ready) and not place.output("out").read_text()
    place.end()


def test_the_server_hangs_up(place):
    path = place.program("import time\ntime.sleep(0.1)\nprint('whole')")
    server = place.fork_server()
    place.order(path)
    assert place.supervisor.started().launch == WARM
    place.supervisor.hang_up()
    assert place.supervisor.wait() == 0
    wait_gone(server)
    record = read_record(place.output("rec"))
    assert (record.cause, record.exit_code, record.launch) == (EXITED, 0, WARM)
    place.end()


@pytest.mark.parametrize("preload, words", [("os no_such_module", "no_such_module"), ("sched threaded", "threaded starts threads"),
                                            ("hooked", "no task becomes ready")])
def test_one_that_cannot_start_is_not_tried_again_at_once(place, preload, words):
    path = place.program("")
    place.program("import threading, time\nthreading.Thread(target=time.sleep, args=(1000,), daemon=True).start()", "threaded.py")
    place.program("import os\nos.register_at_fork(after_in_child=lambda: os._exit(9))", "hooked.py")
    fields = {"preload": preload, "env": ENV | {"PYTHONPATH": str(place.folder)}}
    until = time.monotonic() + 30
    while (launch := place.run(path, **fields).launch) != NO_SERVER:
        assert launch == NOT_UP and time.monotonic() < until
    assert place.run(path, **fields).launch == NO_SERVER
    assert words in place.supervisor.said()
    place.end()


def test_more_modules_by_configuration(place):
    place.warm_up(preload="sched symtable")
    place.run(place.program("import sys; print('sched' in sys.modules, 'symtable' in sys.modules)"), preload="sched symtable")
    assert place.output("out").read_text() == "True True\n"
    place.end()


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    """A supervisor that is not as patient."""
    helper = tmp_path_factory.mktemp("hasty") / "supervise"
    sources = sorted((SOURCE_ROOT / "src/supervise").glob("*.c"))
    subprocess.run(["cc", "-std=gnu17", "-D_GNU_SOURCE", "-DWARM_IDLE_MS=1000", "-DWARM_RETRY_MS=100", "-I", SOURCE_ROOT / "src",
                    "-o", helper, *sources], check=True)
    return helper


def test_without_work_it_goes(tmp_path, hasty):
    place = Place(tmp_path)
    place.helper = hasty
    place.warm_up()
    server = place.fork_server()
    wait_dead(server, "fork server")
    wait_gone(server)
    assert place.run(place.program("")).launch == NOT_UP and alive(place.supervisor.pid)
    place.warm_up()
    place.end()


def modules(folder, **texts):
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    return {"preload": " ".join(texts), "env": ENV | {"PYTHONPATH": str(folder)}}


def test_one_that_could_not_start_is_tried_again(tmp_path, hasty):
    fields = modules(tmp_path / "modules", late=f"import os\nif not os.path.exists({str(tmp_path / 'mended')!r}): raise ImportError('late')\n")
    place = Place(tmp_path)
    place.helper = hasty
    path = place.program("")
    while (launch := place.run(path, **fields).launch) != NO_SERVER:
        assert launch == NOT_UP
    (tmp_path / "mended").touch()
    until = time.monotonic() + 30
    while place.run(path, **fields).launch != WARM:
        assert time.monotonic() < until
        time.sleep(0.05)
    server = place.fork_server()
    assert place.run(path, **fields).launch == WARM and place.fork_server() == server
    place.end()


def test_what_preloaded_modules_have_said_and_drawn(place, tmp_path):
    """A banner is no task's output, and numpy (a stand-in with its ways) draws in each task what it has not drawn before."""
    fields = modules(tmp_path / "modules", banner="import ctypes\nprint('banner')\nctypes.CDLL(None).puts(b'banner of C')\n")
    (tmp_path / "modules/numpy").mkdir()
    (tmp_path / "modules/numpy/__init__.py").write_text("from . import random\n")
    (tmp_path / "modules/numpy/random.py").write_text(
        "import os\nstate = 'of all'\ndef seed():\n    global state\n    state = os.urandom(8).hex()\nseed()\n")
    fields["preload"] += " numpy"
    place.end()
    place.warm_up(**fields)
    path = place.program("import numpy.random\nprint(numpy.random.state)")
    drawn = set()
    for _ in range(3):
        assert place.run(path, **fields).launch == WARM
        drawn.add(place.output("out").read_text())
    assert len(drawn) == 3 and not any("banner" in text for text in drawn), drawn
    place.end()


def test_the_supervisor_is_killed_before_the_task_is_its_child(tmp_path):
    """Held up at its cgroup, a task finds another parent than it waits for, and ends."""
    place = Place(tmp_path)
    place.warm_up()
    server = place.fork_server()
    os.mkfifo(tmp_path / "cgroup.procs")
    place.order(place.program("print('ran')"), cgroup=tmp_path)
    until = time.monotonic() + 30
    while not (tasks := set(place.children()) - {str(server)}) or parent_of(min(tasks)) != place.supervisor.pid:
        assert time.monotonic() < until
    task = int(tasks.pop())
    place.supervisor.kill(signal.SIGKILL)
    wait_dead(place.supervisor.pid)
    with open(tmp_path / "cgroup.procs", "rb"):
        wait_dead(task, "task")
    assert not place.output("out").read_text()
    place.end()
