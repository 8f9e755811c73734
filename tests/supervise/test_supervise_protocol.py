"""What the supervisor makes of a socket that is no socket, and of frames that are none."""

import ctypes
import os
import signal
import socket
import struct
import subprocess
from pathlib import Path

import pytest

from supervise_wire import (ACK, EXITED, FRAME_MAX, HELPER, ORDER, OUTCOME_REPORT, STARTED, STOP, frame, order_payload,
                            read_record)


def run_helper(redirect, *argv):
    return subprocess.run(["bash", "-c", f"exec \"$0\" \"$@\" {redirect}", HELPER, *argv], capture_output=True,
                          text=True, timeout=30, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("redirect", ["3<&-", "3</dev/null", "3</"], ids=["closed", "device", "folder"])
def test_without_a_socket(redirect):
    done = run_helper(redirect)
    assert done.returncode == 64
    assert "usage: reprise-supervise" in done.stderr and "reprise serve" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("kind", [(socket.AF_UNIX, socket.SOCK_DGRAM), (socket.AF_INET, socket.SOCK_STREAM)])
def test_with_the_wrong_socket(kind):
    with socket.socket(*kind) as wrong:
        os.set_inheritable(wrong.fileno(), True)
        done = subprocess.run(["bash", "-c", f"exec \"$0\" 3<&{wrong.fileno()}", HELPER], close_fds=False,
                              capture_output=True, text=True, timeout=30)
    assert done.returncode == 64


def test_with_arguments(supervisor):
    assert run_helper("3<&-", "--help").returncode == 64


GARBAGE = {
    "text": b"GET / HTTP/1.1\r\n\r\n",
    "zeros": b"\0" * 16,
    "size-zero": struct.pack("<IB", 0, ORDER),
    "unknown-type": frame(99, b"x"),
    "server-gets-this": frame(STARTED, b"x" * 512),
    "too-big": struct.pack("<IB", FRAME_MAX, ORDER),
    "far-too-big": struct.pack("<IB", 0xFFFFFFFF, ORDER),
    "big-stop": struct.pack("<IB", 2000, STOP),
    "empty-order": frame(ORDER),
    "ack-out-of-turn": frame(ACK),
    "stop-without-reason": frame(STOP),
    "stop-too-long": frame(STOP, b"x" * 5),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_while_idle(supervisor, name):
    supervisor.socket.sendall(GARBAGE[name])
    assert supervisor.answer() is None
    assert supervisor.wait() == 65
    assert "makes no sense" in supervisor.said()


@pytest.mark.parametrize("name", [*GARBAGE, "second-order"])
def test_garbage_while_a_task_runs(supervisor, tmp_path, mailbox, gate, name):
    """The task is not to blame: it goes on, and its outcome is in the record."""
    supervisor.shell(f"echo up > {mailbox.path}; read x < {gate.path}; exit 3")
    supervisor.started()
    mailbox.line()
    second = frame(ORDER, order_payload(tmp_path, ["/bin/true"], record=tmp_path / "b.rec"))
    supervisor.socket.sendall(GARBAGE.get(name, second))
    assert supervisor.answer() is None
    gate.open()
    assert supervisor.wait() == 65
    record = read_record(tmp_path / "a.rec")
    assert (record.cause, record.exit_code) == (EXITED, 3)
    assert not (tmp_path / "b.rec").exists()


@pytest.mark.parametrize("name", ["text", "unknown-type", "empty-order"])
def test_garbage_instead_of_the_ack(supervisor, tmp_path, name):
    supervisor.run("exit 3")
    supervisor.socket.sendall(GARBAGE[name])
    assert supervisor.wait() == 65
    assert read_record(tmp_path / "a.rec").exit_code == 3


def test_every_cut_of_an_order_is_refused(supervisors, tmp_path):
    """Framed as if it were whole: all counts and lengths inside are held to what is there."""
    whole = order_payload(tmp_path, ["/bin/true", "x"], env={"A": "b"}, rlimits=[(7, 10, 10)])
    for cut in [*range(0, 60), *range(60, len(whole), 7), len(whole) - 1]:
        supervisor = supervisors()
        supervisor.socket.sendall(frame(ORDER, whole[:cut]))
        assert supervisor.wait() == 65, cut
        supervisor.close()
    assert not (tmp_path / "a.rec").exists()


def bad_orders(folder):
    good = dict(argv=["/bin/true"])
    head = "<HHIIIQQIIII"

    def patched(position, value):
        payload = bytearray(order_payload(folder, ["/bin/true"]))
        fields = list(struct.unpack_from(head, payload))
        fields[position] = value
        struct.pack_into(head, payload, 0, *fields)
        return bytes(payload)

    return {
        "trailing": order_payload(folder, **good) + b"\0",
        "version": order_payload(folder, **good, version=1),
        "flags": order_payload(folder, **good, flags=0x8000),
        "umask": order_payload(folder, **good, umask=0o1000),
        "timeout": order_payload(folder, **good, timeout_ms=2**63),
        "grace": order_payload(folder, **good, grace_ms=2**64 - 1),
        "rlimits": order_payload(folder, **good, rlimits=[(7, 10, 10)] * 17),
        "no-argv": order_payload(folder, []),
        "argc": patched(9, 2**32 - 1),
        "argc-more": patched(9, 2),
        "argc-and-envc": patched(10, 2**32 - 1),
        "launch": order_payload(folder, **good, launch=9),
        "warm-without-program": order_payload(folder, **good, launch=1),
        "warm-by-name": order_payload(folder, ["python3"], launch=1, warm="/a"),
        "warm-user": order_payload(folder, **good, launch=1, warm="/a", uid=1, gid=1),
        "rlimit-count": patched(8, 2**32 - 1),
        "no-token": order_payload(folder, **good, token=""),
        "long-token": order_payload(folder, **good, token="t" * 192),
        "relative-record": order_payload(folder, **good, record="a.rec"),
        "relative-stdout": order_payload(folder, **good, stdout="a.out"),
        "relative-stderr": order_payload(folder, **good, stderr="a.err"),
        "relative-cwd": order_payload(folder, **good, cwd="."),
        "relative-cgroup": order_payload(folder, **good, cgroup="a/b"),
        "long-cgroup": order_payload(folder, **good, cgroup="/" + "g" * 1023),
        "user-without-group": order_payload(folder, **good, uid=1),
        "nul-in-argv": order_payload(folder, [b"/bin/true", b"a\0b"]),
        "nul-in-token": order_payload(folder, **good, token=b"a\0b"),
        "not-ended": order_payload(folder, **good)[:-1] + b"x",
        "long-string": order_payload(folder, ["/bin/true", "LAST"]).replace(
            struct.pack("<I", 4) + b"LAST", struct.pack("<I", 0xFFFFFFFF) + b"LAST"),
        "too-many": order_payload(folder, ["/bin/true"] * 32769),
    }


@pytest.mark.parametrize("name", bad_orders(Path("/")))
def test_order_that_is_not_sound(supervisor, tmp_path, name):
    supervisor.socket.sendall(frame(ORDER, bad_orders(tmp_path)[name]))
    assert supervisor.answer() is None
    assert supervisor.wait() == 65
    assert not (tmp_path / "a.rec").exists()


def test_an_order_of_a_server_before_warm_python(supervisor, tmp_path):
    """Version 2: the program of the supervisor may be replaced under a server that runs on."""
    supervisor.shell("echo $A; exit 3", version=2, env={"A": "b c"}, rlimits=[(7, 10, 10)])
    started = supervisor.started()
    outcome = supervisor.outcome()
    assert (started.launch, outcome.launch, outcome.cause, outcome.exit_code) == (0, 0, EXITED, 3)
    assert (tmp_path / "a.out").read_text() == "b c\n"
    supervisor.ack()
    supervisor.shell("exit 4", record=tmp_path / "b.rec")
    assert supervisor.outcome().exit_code == 4, "and one of today's behind it"


def test_as_many_strings_as_are_allowed(supervisor, tmp_path):
    supervisor.order("/bin/true", *["x"] * 32767)
    assert supervisor.outcome().exit_code == 0


def test_order_of_the_largest_size(supervisor, tmp_path):
    """It arrives in many pieces; that exec will not take so much is the attempt's end, not the supervisor's."""
    payload = order_payload(tmp_path, ["/bin/true", ""])
    room = FRAME_MAX - 5 - len(payload)
    payload = order_payload(tmp_path, ["/bin/true", "x" * room])
    assert len(frame(ORDER, payload)) == FRAME_MAX
    supervisor.socket.sendall(frame(ORDER, payload))
    assert supervisor.outcome().step == 7


def test_frames_byte_by_byte(supervisor, tmp_path):
    for byte in frame(ORDER, order_payload(tmp_path, ["/bin/true"])):
        supervisor.socket.sendall(bytes([byte]))
    assert supervisor.expect(STARTED)
    assert supervisor.expect(OUTCOME_REPORT).exit_code == 0
    for byte in frame(ACK):
        supervisor.socket.sendall(bytes([byte]))
    supervisor.shell("exit 2", record=tmp_path / "b.rec")
    assert supervisor.outcome().exit_code == 2


def steal_socket(pidfd):
    """A second descriptor for the supervisor's end (pidfd_getfd)."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = libc.syscall(438, pidfd, 3, 0)
    if descriptor < 0:
        pytest.skip(f"pidfd_getfd: {os.strerror(ctypes.get_errno())}")
    return socket.socket(fileno=descriptor)


def test_server_that_does_not_read_holds_nothing_up(supervisor, tmp_path):
    """With the socket's buffer full the supervisor does not wait: the outcome goes into the record."""
    supervisor.kill(signal.SIGSTOP)
    os.waitid(os.P_PID, supervisor.pid, os.WSTOPPED)
    descriptor = os.pidfd_open(supervisor.pid)
    try:
        theirs = steal_socket(descriptor)
    finally:
        os.close(descriptor)
    with pytest.raises(BlockingIOError):
        while True:
            theirs.send(b"x" * 512, socket.MSG_DONTWAIT)
    theirs.close()
    supervisor.shell("exit 3")
    supervisor.kill(signal.SIGCONT)
    assert supervisor.wait() == 0
    assert read_record(tmp_path / "a.rec").exit_code == 3
