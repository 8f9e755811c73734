"""Nothing of an attempt outlives its outcome, and a supervisor that had to clean up is not used again."""

import os
from pathlib import Path

import pytest

from supervise_wire import EXITED, KILL_USED, STOPPED, STRAYS_KILLED, TIMED_OUT, alive

DAEMON = """
import os, sys, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
open(sys.argv[1], 'w').write(f'{os.getpid()}\\n')
time.sleep(1000)
"""


def order_python(supervisor, program, *argv, **fields):
    supervisor.order("/usr/bin/python3", "-c", program, *map(str, argv), **fields)


def processes_with(variable):
    found = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"{variable}\0".encode() in place.read_bytes():
                found.append(place.parent.name)
        except OSError:
            pass  # gone meanwhile
    return found


def assert_gone(pids):
    assert [pid for pid in pids if alive(pid)] == []


def test_background_child(supervisor, mailbox):
    outcome = supervisor.run(f"sleep 1000 & echo $! > {mailbox.path}; exit 2")
    assert_gone([int(mailbox.line())])
    assert (outcome.cause, outcome.exit_code, outcome.flags) == (EXITED, 2, STRAYS_KILLED)


def test_daemon_that_left_group_and_session(supervisor, mailbox, tmp_path):
    (tmp_path / "daemon.py").write_text(DAEMON)
    # the task ends when the daemon has told its pid: it is up, an orphan, in a session of its own
    supervisor.shell(f"python3 daemon.py {mailbox.path} & read x < {mailbox.path}; echo $x > pid; exit 0")
    outcome = supervisor.outcome()
    assert_gone([int((tmp_path / "pid").read_text())])
    assert (outcome.cause, outcome.flags) == (EXITED, STRAYS_KILLED)


def test_stray_that_ignores_everything(supervisor, mailbox):
    outcome = supervisor.run(f"(trap '' TERM HUP INT; echo up > {mailbox.path}; while :; do sleep 1000; done) &"
                             f" read x < {mailbox.path}; exit 0")
    assert outcome.flags == STRAYS_KILLED


def test_stopped_stray(supervisor, mailbox):
    outcome = supervisor.run(f"sleep 1000 & kill -STOP $!; echo $! > {mailbox.path}")
    assert_gone([int(mailbox.line())])
    assert outcome.flags == STRAYS_KILLED


def test_stray_in_the_supervisors_own_group(supervisor, mailbox):
    """It is killed, and not by a signal to the group, which would be the end of the supervisor."""
    program = """
import os, sys, time
supervisor = os.getppid()
pid = os.fork()
if pid == 0:
    os.setpgid(0, supervisor)
    open(sys.argv[1], 'w').write(f'{os.getpid()}\\n')
    time.sleep(1000)
open(sys.argv[2]).readline()
"""
    gate = str(supervisor.folder / "gate")
    os.mkfifo(gate)
    order_python(supervisor, program, mailbox.path, gate)
    stray = int(mailbox.line())
    with open(gate, "w") as go:
        go.write("go\n")
    outcome = supervisor.outcome()
    assert_gone([stray])
    assert (outcome.cause, outcome.flags) == (EXITED, STRAYS_KILLED)


def test_a_thousand_strays(supervisor, tmp_path):
    """More than one look at the list of children holds."""
    program = """
import os, time
for _ in range(1000):
    pid = os.fork()
    if pid == 0:
        os.setsid()
        time.sleep(1000)
    print(pid)
"""
    order_python(supervisor, program)
    outcome = supervisor.outcome()
    assert outcome.flags == STRAYS_KILLED
    pids = [int(line) for line in (tmp_path / "a.out").read_text().split()]
    assert len(pids) == 1000
    assert_gone(pids)


def test_strays_that_breed(supervisor, tmp_path):
    """Children of children of children, each orphaned only by the death of the one before."""
    program = """
import os, time
task = os.getpid()
for _ in range(40):
    if os.fork():
        break
    os.setsid()
    print(os.getpid(), flush=True)
else:
    open('complete', 'w').close()
while os.getpid() != task or not os.path.exists('complete'):
    time.sleep(0.005)
"""
    order_python(supervisor, program)
    outcome = supervisor.outcome()
    assert outcome.flags == STRAYS_KILLED
    pids = [int(line) for line in (tmp_path / "a.out").read_text().split()]
    assert len(pids) == 40
    assert_gone(pids)


@pytest.mark.parametrize("escape", ["", "os.setpgid(0, 0)", "os.setsid()"])
def test_chain_that_forks_as_fast_as_it_can(supervisor, tmp_path, escape):
    """Each one lives just long enough to make the next."""
    program = f"""
import os
if os.fork():
    os._exit(0)
while True:
    {escape}
    if os.fork():
        os._exit(0)
"""
    order_python(supervisor, program, env={"REPRISE_TEST_CHAIN": tmp_path})
    outcome = supervisor.outcome()
    assert (outcome.cause, outcome.flags) == (EXITED, STRAYS_KILLED)
    assert processes_with(f"REPRISE_TEST_CHAIN={tmp_path}") == []


@pytest.mark.parametrize("how", ["timeout", "stop"])
def test_kill_takes_descendants_out_of_the_group(supervisor, mailbox, tmp_path, how):
    (tmp_path / "daemon.py").write_text(DAEMON)
    supervisor.shell(f"trap '' TERM; python3 daemon.py {mailbox.path}; while :; do sleep 1000; done",
                     timeout_ms=1500 if how == "timeout" else 0, grace_ms=50)
    daemon = int(mailbox.line())
    if how == "stop":
        supervisor.stop()
    outcome = supervisor.outcome()
    assert_gone([daemon])
    assert outcome.cause == (STOPPED if how == "stop" else TIMED_OUT)
    assert outcome.flags == KILL_USED | STRAYS_KILLED


def test_orphans_that_end_in_time_are_no_strays(supervisor, tmp_path):
    """They become the supervisor's children, are waited for, and leave nothing to be killed."""
    outcome = supervisor.run("for i in 1 2 3; do (sleep 0.01 &) ; done; exec sleep 0.5")
    assert (outcome.cause, outcome.flags) == (EXITED, 0)
    supervisor.ack()
    supervisor.shell("exit 0", record=tmp_path / "b.rec")
    assert supervisor.outcome().pid == outcome.pid


def test_strays_count_as_usage(supervisor, mailbox):
    burn = f"i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo up > {mailbox.path}; exec sleep 1000"
    outcome = supervisor.run(f"sh -c '{burn}' & read x < {mailbox.path}")
    assert outcome.flags == STRAYS_KILLED
    assert outcome.user_us > 10_000
