"""The server dies, or hangs up, at every point: what is left is right, and the supervisor leaves by itself."""

import os
import resource
import signal
import socket
import subprocess

import pytest

from supervise_wire import (CLAIM, EXITED, HELPER, ORDER, OUTCOME, STOPPED, STRAYS_KILLED, TIMED_OUT, WRITE_FAILED,
                            boot_id, decode, frame, lock_holder, order_payload, read_record)


def test_before_any_order(supervisor):
    supervisor.hang_up()
    assert supervisor.wait() == 0


def test_while_idle(supervisor):
    supervisor.run("exit 0")
    supervisor.ack()
    supervisor.hang_up()
    assert supervisor.wait() == 0


def test_in_the_middle_of_an_order(supervisor, tmp_path):
    whole = frame(ORDER, order_payload(tmp_path, ["/bin/true"]))
    supervisor.socket.sendall(whole[:-1])
    supervisor.hang_up()
    assert supervisor.wait() == 0
    assert not (tmp_path / "a.rec").exists()


def test_right_after_an_order(supervisor, tmp_path):
    """An order that was sent whole is carried out: the record tells it to the next server."""
    supervisor.shell("exit 3")
    supervisor.hang_up()
    assert supervisor.wait() == 0
    assert read_record(tmp_path / "a.rec").exit_code == 3


def test_while_a_task_runs(supervisor, tmp_path, mailbox, gate):
    supervisor.shell(f"echo up > {mailbox.path}; read x < {gate.path}; echo late; exit 6")
    supervisor.started()
    mailbox.line()
    supervisor.hang_up()
    assert lock_holder(tmp_path / "a.rec") == supervisor.pid
    gate.open()
    assert supervisor.wait() == 0
    record = read_record(tmp_path / "a.rec")
    assert (record.state, record.cause, record.exit_code, record.flags) == (OUTCOME, EXITED, 6, 0)
    assert (tmp_path / "a.out").read_text() == "late\n"
    assert lock_holder(tmp_path / "a.rec") is None


def test_deadline_and_grace_are_kept(supervisor, tmp_path, mailbox):
    supervisor.shell(f"trap '' TERM; echo up > {mailbox.path}; while :; do sleep 1000; done",
                     timeout_ms=300, grace_ms=100)
    mailbox.line()
    supervisor.hang_up()
    assert supervisor.wait() == 0
    record = read_record(tmp_path / "a.rec")
    assert (record.cause, record.signal) == (TIMED_OUT, signal.SIGKILL)


def test_strays_are_killed(supervisor, tmp_path, mailbox, gate):
    supervisor.shell(f"sleep 1000 & echo up > {mailbox.path}; read x < {gate.path}")
    mailbox.line()
    supervisor.hang_up()
    gate.open()
    assert supervisor.wait() == 0
    assert read_record(tmp_path / "a.rec").flags == STRAYS_KILLED


def test_the_next_server_cancels_by_sigterm(supervisor, tmp_path, mailbox):
    supervisor.shell(f"echo up > {mailbox.path}; exec sleep 1000")
    mailbox.line()
    supervisor.hang_up()
    supervisor.kill(signal.SIGTERM)
    assert supervisor.wait() == 0
    record = read_record(tmp_path / "a.rec")
    assert (record.cause, record.signal) == (STOPPED, signal.SIGTERM)


def test_instead_of_the_ack(supervisor, tmp_path):
    outcome = supervisor.run("exit 8")
    assert lock_holder(tmp_path / "a.rec") == supervisor.pid
    supervisor.hang_up()
    assert supervisor.wait() == 0
    assert read_record(tmp_path / "a.rec") == outcome
    assert lock_holder(tmp_path / "a.rec") is None


def test_sigterm_instead_of_the_ack(supervisor, tmp_path):
    outcome = supervisor.run("exit 8")
    supervisor.kill(signal.SIGTERM)
    assert supervisor.wait() == 0
    assert read_record(tmp_path / "a.rec") == outcome


def test_lock_is_held_from_the_claim_to_the_ack(supervisor, tmp_path, mailbox, gate):
    record = tmp_path / "a.rec"
    supervisor.shell(f"echo up > {mailbox.path}; read x < {gate.path}")
    mailbox.line()
    assert lock_holder(record) == supervisor.pid
    gate.open()
    supervisor.outcome()
    assert lock_holder(record) == supervisor.pid
    supervisor.ack()
    supervisor.shell("exit 0", record=tmp_path / "b.rec")
    supervisor.started()
    assert not record.exists()


def test_lock_is_free_when_the_supervisor_was_killed(supervisor, tmp_path, mailbox):
    supervisor.shell(f"echo up > {mailbox.path}; exec sleep 1000")
    supervisor.started()
    mailbox.line()
    supervisor.kill(signal.SIGKILL)
    supervisor.wait()
    assert lock_holder(tmp_path / "a.rec") is None
    claim = read_record(tmp_path / "a.rec")
    assert (claim.state, claim.pid, claim.boot_id) == (CLAIM, supervisor.pid, boot_id())


def test_outcome_that_cannot_be_written_is_reported_all_the_same(supervisor, tmp_path, mailbox, gate):
    supervisor.shell(f"echo up > {mailbox.path}; read x < {gate.path}; exit 4")
    supervisor.started()
    mailbox.line()
    resource.prlimit(supervisor.pid, resource.RLIMIT_FSIZE, (0, 0))  # from now on, writing to a file is an error
    gate.open()
    outcome = supervisor.outcome()
    assert (outcome.cause, outcome.exit_code, outcome.flags) == (EXITED, 4, WRITE_FAILED)
    assert decode((tmp_path / "a.rec").read_bytes()).state == CLAIM
    supervisor.ack()
    assert supervisor.wait() == 74
    assert "outcome not written" in supervisor.said()


def test_outcome_that_nobody_can_be_told(supervisor, mailbox, gate):
    supervisor.shell(f"echo up > {mailbox.path}; read x < {gate.path}; exit 4")
    mailbox.line()
    resource.prlimit(supervisor.pid, resource.RLIMIT_FSIZE, (0, 0))
    supervisor.hang_up()
    gate.open()
    assert supervisor.wait() == 74


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_started_without_standard_descriptors(tmp_path, missing):
    """No file of the supervisor's may take such a number: the task would get it."""
    ours, theirs = socket.socketpair()
    script = f"exec 3<&{theirs.fileno()} {missing}<&-; exec '{HELPER}'"
    process = subprocess.Popen(["bash", "-c", script], pass_fds=[theirs.fileno()])
    theirs.close()
    listing = ["/bin/ls", "-l", "/proc/self/fd"]
    ours.sendall(frame(ORDER, order_payload(tmp_path, listing)))
    ours.shutdown(socket.SHUT_WR)
    assert process.wait(30) == 0
    names = [line.split()[-1] for line in (tmp_path / "a.out").read_text().splitlines()[1:]]
    assert names[:3] == ["/dev/null", str(tmp_path / "a.out"), str(tmp_path / "a.err")]
    assert len(names) == 4
    ours.close()
