"""Timeout, grace, STOP and SIGTERM: what is sent to the task, when, and which cause is told."""

import os
import signal
import time

import pytest

from supervise_wire import (ACK, EXITED, KILL_USED, ORDER, STOP, STOPPED, TIMED_OUT, alive, frame, order_payload,
                            start_ticks, wait_dead)

SLEEP = "exec sleep 1000"
STUBBORN = "trap '' TERM; echo up > {box}; while :; do sleep 1000; done"


def up(supervisor, mailbox, script, **fields):
    """Starts a task and waits until it says that it runs."""
    supervisor.shell(script.format(box=mailbox.path), **fields)
    supervisor.started()
    mailbox.line()


def test_timeout_sends_sigterm(supervisor):
    outcome = supervisor.run(SLEEP, timeout_ms=100)
    assert (outcome.cause, outcome.signal, outcome.flags) == (TIMED_OUT, signal.SIGTERM, 0)
    assert outcome.ended_ns - outcome.started_ns >= 100_000_000


def test_timeout_then_sigkill_after_the_grace_period(supervisor):
    outcome = supervisor.run(STUBBORN.format(box="/dev/null"), timeout_ms=150, grace_ms=200)
    assert (outcome.cause, outcome.signal) == (TIMED_OUT, signal.SIGKILL)
    assert outcome.flags & KILL_USED
    assert outcome.ended_ns - outcome.started_ns >= 350_000_000


def test_task_may_clean_up_in_the_grace_period(supervisor, mailbox, tmp_path):
    supervisor.shell(f"trap 'echo bye; exit 3' TERM; echo up > {mailbox.path}; while :; do sleep 0.01; done",
                     timeout_ms=300)
    outcome = supervisor.outcome()
    assert (outcome.cause, outcome.exit_code, outcome.flags & KILL_USED) == (TIMED_OUT, 3, 0)
    assert (tmp_path / "a.out").read_text() == "bye\n"


def test_sigterm_reaches_the_whole_group(supervisor, mailbox, tmp_path):
    child = f"trap 'echo child; exit 0' TERM; echo up > {mailbox.path}; while :; do sleep 0.01; done"
    supervisor.shell(f'sh -c "{child}" & trap "wait; echo parent; exit 0" TERM; wait')
    mailbox.line()
    supervisor.stop()
    assert supervisor.outcome().cause == STOPPED
    assert (tmp_path / "a.out").read_text() == "child\nparent\n"


def test_no_timeout_when_the_task_is_quicker(supervisor, tmp_path):
    outcome = supervisor.run("exit 4", timeout_ms=150)
    assert (outcome.cause, outcome.exit_code, outcome.flags) == (EXITED, 4, 0)
    supervisor.ack()
    # nor is it left over for the next task, which outlasts it
    outcome = supervisor.run("sleep 0.3; exit 5", record=tmp_path / "b.rec")
    assert (outcome.cause, outcome.exit_code, outcome.flags) == (EXITED, 5, 0)


def test_stop_carries_its_reason(supervisor, mailbox):
    up(supervisor, mailbox, "echo up > {box}; exec sleep 1000")
    supervisor.stop(reason=4711)
    outcome = supervisor.outcome()
    assert (outcome.cause, outcome.signal, outcome.stop_reason) == (STOPPED, signal.SIGTERM, 4711)


def test_stop_escalates(supervisor, mailbox):
    up(supervisor, mailbox, STUBBORN, grace_ms=200)
    before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    supervisor.stop()
    outcome = supervisor.outcome()
    assert (outcome.cause, outcome.signal) == (STOPPED, signal.SIGKILL)
    assert outcome.flags & KILL_USED
    assert outcome.ended_ns - before >= 200_000_000


def test_no_grace_at_all(supervisor, mailbox):
    up(supervisor, mailbox, STUBBORN, grace_ms=0)
    supervisor.stop()
    outcome = supervisor.outcome()
    assert (outcome.cause, outcome.signal) == (STOPPED, signal.SIGKILL)


def test_repeated_stop_changes_nothing(supervisor, mailbox):
    up(supervisor, mailbox, STUBBORN, grace_ms=300)
    for reason in (1, 2, 3):
        supervisor.stop(reason)
    outcome = supervisor.outcome()
    assert (outcome.cause, outcome.stop_reason, outcome.signal) == (STOPPED, 1, signal.SIGKILL)


def test_stop_right_behind_the_order(supervisor, tmp_path):
    order = order_payload(tmp_path, ["/bin/sleep", "1000"])
    supervisor.socket.sendall(frame(ORDER, order) + frame(STOP, b"\x05\0\0\0"))
    outcome = supervisor.outcome()
    assert (outcome.cause, outcome.stop_reason) == (STOPPED, 5)


def test_stopped_task_sees_its_sigterm(supervisor, mailbox):
    up(supervisor, mailbox, "echo up > {box}; kill -STOP $$; exit 9")
    supervisor.stop()
    outcome = supervisor.outcome()
    assert (outcome.cause, outcome.signal) == (STOPPED, signal.SIGTERM)


def test_task_that_left_its_group_is_stopped_too(supervisor, mailbox):
    """It cannot lead a new session, but may move to the supervisor's group."""
    script = "import os,time; os.setpgid(0, os.getppid()); open('{box}', 'w').write('up\\n'); time.sleep(1000)"
    supervisor.order("/usr/bin/python3", "-c", script.format(box=mailbox.path))
    mailbox.line()
    supervisor.stop()
    outcome = supervisor.outcome()
    assert (outcome.cause, outcome.signal) == (STOPPED, signal.SIGTERM)


def test_sigterm_to_the_supervisor_means_stop(supervisor, mailbox):
    up(supervisor, mailbox, "echo up > {box}; exec sleep 1000")
    supervisor.kill(signal.SIGTERM)
    outcome = supervisor.outcome()
    assert (outcome.cause, outcome.signal, outcome.stop_reason) == (STOPPED, signal.SIGTERM, 0)


def test_sigterm_to_the_supervisor_escalates(supervisor, mailbox):
    up(supervisor, mailbox, STUBBORN, grace_ms=100)
    supervisor.kill(signal.SIGTERM)
    outcome = supervisor.outcome()
    assert (outcome.cause, outcome.signal) == (STOPPED, signal.SIGKILL)


def test_sigterm_while_idle_means_exit(supervisors):
    supervisor = supervisors()
    supervisor.run("exit 0")
    supervisor.ack()
    supervisor.kill(signal.SIGTERM)
    assert supervisor.wait() == 0


def test_stop_after_the_end_is_ignored(supervisor, tmp_path):
    """It crossed the outcome on its way, or the ACK, and means neither this attempt nor the next."""
    supervisor.run("exit 0")
    supervisor.socket.sendall(frame(STOP, b"\1\0\0\0") + frame(ACK) + frame(STOP, b"\1\0\0\0"))
    supervisor.shell("exit 6", record=tmp_path / "b.rec")
    outcome = supervisor.outcome()
    assert (outcome.cause, outcome.exit_code, outcome.stop_reason) == (EXITED, 6, 0)


def freeze(supervisor):
    supervisor.kill(signal.SIGSTOP)
    os.waitid(os.P_PID, supervisor.pid, os.WSTOPPED)


@pytest.mark.parametrize("how", ["stop", "sigterm", "timeout"])
def test_task_that_has_ended_is_never_called_stopped(supervisor, mailbox, gate, how):
    """The supervisor sees the end and the reason to end it in the same moment: the end was first."""
    supervisor.shell(f"echo up > {mailbox.path}; read x < {gate.path}; exit 5",
                     timeout_ms=400 if how == "timeout" else 0)
    started = supervisor.started()
    mailbox.line()
    freeze(supervisor)
    gate.open()
    wait_dead(started.task_pid)
    if how == "stop":
        supervisor.stop()
    elif how == "sigterm":
        supervisor.kill(signal.SIGTERM)
    else:
        past = started.started_ns + 450_000_000 - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        time.sleep(max(0, past / 1e9))
    supervisor.kill(signal.SIGCONT)
    outcome = supervisor.outcome()
    assert (outcome.cause, outcome.exit_code, outcome.flags) == (EXITED, 5, 0)


@pytest.mark.parametrize("first, cause", [("stop", STOPPED), ("timeout", TIMED_OUT)])
def test_first_cause_stands(supervisor, mailbox, first, cause):
    script = f"trap 'echo term > {mailbox.path}' TERM; echo up > {mailbox.path}; while :; do sleep 0.01; done"
    supervisor.shell(script, timeout_ms=300, grace_ms=600)
    mailbox.line()
    if first == "stop":
        supervisor.stop()
    assert mailbox.line() == "term"
    if first == "timeout":
        supervisor.stop()
        supervisor.kill(signal.SIGTERM)
    outcome = supervisor.outcome()
    assert (outcome.cause, outcome.signal) == (cause, signal.SIGKILL)


def test_supervisor_killed_kills_its_task(supervisor, mailbox):
    supervisor.shell(f"trap '' TERM HUP INT; echo $$ > {mailbox.path}; while :; do read x < /dev/zero; done")
    task = int(mailbox.line())
    ticks = start_ticks(task)
    supervisor.kill(signal.SIGKILL)
    wait_dead(task)
    assert not alive(task) or start_ticks(task) != ticks
    assert supervisor.wait() == -signal.SIGKILL
