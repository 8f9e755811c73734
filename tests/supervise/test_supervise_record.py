"""The record as a register with one winner: refusals, recovery's look at it, and the race between the two."""

import ctypes
import errno
import fcntl
import os
import resource
import signal
import subprocess
import sys

import pytest

from supervise_wire import (CLAIM, EMPTY, EXITED, ORDER, OUTCOME, OUTCOME_REPORT, REFUSED, STARTED, TORN, VOID, boot_id,
                            compile_record_library, encode, frame, lock_holder, order_payload, read_record, start_ticks)


class Time(ctypes.Structure):
    _fields_ = [("boot_ns", ctypes.c_uint64), ("wall_ms", ctypes.c_int64)]


class CRecord(ctypes.Structure):
    _fields_ = [
        ("state", ctypes.c_int), ("pid", ctypes.c_int), ("task_pid", ctypes.c_int), ("start_ticks", ctypes.c_uint64),
        ("boot_id", ctypes.c_char * 40), ("token", ctypes.c_char * 192), ("cause", ctypes.c_int),
        ("step", ctypes.c_int), ("exit_code", ctypes.c_int), ("signal", ctypes.c_int), ("error", ctypes.c_int),
        ("stop_reason", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("launch", ctypes.c_int), ("user_us", ctypes.c_uint64),
        ("system_us", ctypes.c_uint64), ("max_rss_kib", ctypes.c_uint64), ("in_blocks", ctypes.c_uint64),
        ("out_blocks", ctypes.c_uint64), ("claimed", Time), ("started", Time), ("ended", Time)]


class Finding(ctypes.Structure):
    _fields_ = [("held", ctypes.c_bool), ("holder", ctypes.c_int), ("voided", ctypes.c_bool), ("record", CRecord)]


@pytest.fixture(scope="module")
def recover(tmp_path_factory):
    """record_void() of the server: (result, finding)."""
    library = ctypes.CDLL(str(compile_record_library(tmp_path_factory.mktemp("library"))))
    library.record_void.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(Finding)]

    def call(path, token=b"run.task.0.0"):
        finding = Finding()
        fd = library.record_open(os.fsencode(path))
        if fd < 0:
            return fd, finding
        result = library.record_void(fd, token, ctypes.byref(finding))
        os.close(fd)
        return result, finding

    return call


@pytest.mark.parametrize("state", [CLAIM, OUTCOME, VOID])
def test_refuses_a_record_that_is_taken(supervisor, tmp_path, state):
    block = encode(state)
    (tmp_path / "a.rec").write_bytes(block)
    supervisor.shell("touch ran")
    refusal = supervisor.expect(REFUSED)
    assert (refusal.state, refusal.error, refusal.holder) == (state, 0, 0)
    assert supervisor.wait() == 0
    assert (tmp_path / "a.rec").read_bytes() == block
    assert not (tmp_path / "ran").exists() and not (tmp_path / "a.out").exists()


@pytest.mark.parametrize("content", [
    b"x", b"\0" * 512, encode(VOID)[:511], encode(VOID) + b"\0", b"\0" + encode(CLAIM)[1:],
], ids=["short", "zeros", "cut", "long", "magic"])
def test_refuses_a_torn_record(supervisor, tmp_path, content):
    (tmp_path / "a.rec").write_bytes(content)
    supervisor.shell("touch ran")
    assert supervisor.expect(REFUSED).state == TORN
    assert (tmp_path / "a.rec").read_bytes() == content
    assert not (tmp_path / "ran").exists()


def test_refuses_a_record_that_is_locked(supervisor, tmp_path):
    with open(tmp_path / "a.rec", "wb+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        supervisor.shell("touch ran")
        refusal = supervisor.expect(REFUSED)
        assert (refusal.state, refusal.error, refusal.holder) == (EMPTY, errno.EAGAIN, os.getpid())
    assert supervisor.wait() == 0
    assert (tmp_path / "a.rec").read_bytes() == b"" and not (tmp_path / "ran").exists()


def test_refuses_another_attempts_record(supervisors, tmp_path, mailbox):
    first, second = supervisors(), supervisors()
    first.shell(f"echo up > {mailbox.path}; exec sleep 1000")
    mailbox.line()
    second.shell("touch ran")
    refusal = second.expect(REFUSED)
    assert (refusal.state, refusal.error, refusal.holder) == (CLAIM, errno.EAGAIN, first.pid)


@pytest.mark.parametrize("place, error", [("missing/a.rec", errno.ENOENT), ("link", errno.ELOOP), (".", errno.EISDIR)])
def test_refuses_a_place_where_no_record_can_be(supervisor, tmp_path, place, error):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    supervisor.shell("touch ran", record=tmp_path / place)
    refusal = supervisor.expect(REFUSED)
    assert (refusal.state, refusal.error) == (TORN, error)
    assert not (tmp_path / "ran").exists() and not (tmp_path / "target").exists()


def test_full_disk_shows_at_the_claim(supervisor, tmp_path):
    """Nothing is decided then: the record is empty again, and recovery may void it."""
    resource.prlimit(supervisor.pid, resource.RLIMIT_FSIZE, (100, 100))
    supervisor.shell("touch ran")
    refusal = supervisor.expect(REFUSED)
    assert (refusal.state, refusal.error) in [(EMPTY, errno.EFBIG), (EMPTY, errno.EIO)]
    assert (tmp_path / "a.rec").stat().st_size == 0
    assert not (tmp_path / "ran").exists()


def test_claim_takes_the_whole_block(supervisor, tmp_path, mailbox, gate):
    supervisor.shell(f"echo up > {mailbox.path}; read x < {gate.path}")
    mailbox.line()
    claimed = (tmp_path / "a.rec").stat()
    assert claimed.st_size == 512 and claimed.st_blocks > 0
    gate.open()
    supervisor.outcome()
    ended = (tmp_path / "a.rec").stat()
    assert (ended.st_size, ended.st_blocks, ended.st_ino) == (512, claimed.st_blocks, claimed.st_ino)


def test_longest_token(supervisor):
    outcome = supervisor.run("exit 0", token="t" * 191)
    assert outcome.token == "t" * 191


def test_recovery_voids_what_was_never_claimed(recover, tmp_path):
    for content in (None, b""):
        path = tmp_path / f"{content}.rec"
        if content is not None:
            path.write_bytes(content)
        result, finding = recover(path, b"run.task.1.2")
        assert (result, finding.held, finding.voided, finding.record.state) == (0, False, True, VOID)
        void = read_record(path)
        assert (void.state, void.pid, void.token, void.boot_id) == (VOID, os.getpid(), "run.task.1.2", boot_id())
        assert void.start_ticks == start_ticks(os.getpid())
        if content is None:
            assert path.stat().st_mode & 0o777 == 0o600


def test_recovery_looks_twice_and_sees_its_own_void(recover, tmp_path):
    assert recover(tmp_path / "a.rec")[1].voided
    result, finding = recover(tmp_path / "a.rec")
    assert (result, finding.voided, finding.held, finding.record.state) == (0, False, False, VOID)


def test_supervisor_refuses_what_recovery_has_voided(recover, supervisor, tmp_path):
    recover(tmp_path / "a.rec")
    supervisor.shell("touch ran")
    assert supervisor.expect(REFUSED).state == VOID
    assert not (tmp_path / "ran").exists()


def test_recovery_finds_a_running_attempt(recover, supervisor, tmp_path, mailbox):
    supervisor.shell(f"echo up > {mailbox.path}; exec sleep 1000", token="live")
    mailbox.line()
    for _ in range(3):  # looking changes nothing, not the lock either
        result, finding = recover(tmp_path / "a.rec")
        assert (result, finding.held, finding.holder, finding.voided) == (0, True, supervisor.pid, False)
        assert (finding.record.state, finding.record.token) == (CLAIM, b"live")
        assert finding.record.start_ticks == start_ticks(finding.holder)


def test_recovery_finds_a_claim_whose_supervisor_was_killed(recover, supervisor, tmp_path, mailbox):
    supervisor.shell(f"echo up > {mailbox.path}; exec sleep 1000")
    mailbox.line()
    supervisor.kill(signal.SIGKILL)
    supervisor.wait()
    before = (tmp_path / "a.rec").read_bytes()
    result, finding = recover(tmp_path / "a.rec")
    assert (result, finding.held, finding.voided, finding.record.state) == (0, False, False, CLAIM)
    assert (tmp_path / "a.rec").read_bytes() == before


def test_recovery_finds_an_outcome(recover, supervisor, tmp_path):
    expected = supervisor.run("exit 12")
    supervisor.hang_up()
    supervisor.wait()
    result, finding = recover(tmp_path / "a.rec")
    assert (result, finding.held, finding.voided, finding.record.state) == (0, False, False, OUTCOME)
    found = finding.record
    assert (found.cause, found.exit_code, found.task_pid) == (EXITED, 12, expected.task_pid)
    assert (found.ended.boot_ns, found.ended.wall_ms) == (expected.ended_ns, expected.ended_ms)
    assert (found.user_us, found.system_us) == (expected.user_us, expected.system_us)
    assert found.max_rss_kib == expected.max_rss_kib > 0


def test_recovery_takes_any_flipped_bit_for_torn(recover, tmp_path):
    whole = encode(OUTCOME, cause=EXITED)
    path = tmp_path / "a.rec"
    for offset in range(512):
        block = bytearray(whole)
        block[offset] ^= 1 << offset % 8
        path.write_bytes(block)
        result, finding = recover(path)
        assert (result, finding.voided, finding.record.state) == (0, False, TORN), offset
        assert path.read_bytes() == block


def test_recovery_does_not_guess_at_a_newer_version(recover, tmp_path):
    (tmp_path / "a.rec").write_bytes(encode(CLAIM, version=2))
    assert recover(tmp_path / "a.rec")[0] == -errno.EPROTONOSUPPORT


@pytest.mark.parametrize("place, error", [("missing/a.rec", errno.ENOENT), ("link", errno.ELOOP), (".", errno.EISDIR)])
def test_recovery_says_when_it_cannot_look(recover, tmp_path, place, error):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    assert recover(tmp_path / place)[0] == -error


def test_one_of_void_and_claim_wins(recover, supervisors, tmp_path):
    """Recovery looks while the order is on its way. Whoever is first, the other finds it, and says so."""
    rounds, seen, supervisor = 400, {"void": 0, "claim": 0}, None
    for turn in range(rounds):
        if supervisor is None:
            supervisor = supervisors()
            supervisor.run("exit 0", record=tmp_path / f"warm{turn}.rec")  # it is up before the race
            supervisor.ack()
        record, ran = tmp_path / f"{turn}.rec", tmp_path / f"{turn}.ran"
        supervisor.order("/usr/bin/touch", str(ran), record=record)
        for _ in range(turn % 40 * 25):  # recovery comes a little later each time
            pass
        result, finding = recover(record)
        kind, answer = supervisor.answer()
        if kind == REFUSED:
            # it came too late, or in the very moment in which recovery held the lock
            assert result == 0 and finding.voided and not finding.held
            assert answer.state == VOID or answer.error == errno.EAGAIN
            assert read_record(record).state == VOID
            assert supervisor.wait() == 0
            assert not ran.exists()
            supervisor = None
            seen["void"] += 1
        else:
            assert kind == STARTED and result == 0 and not finding.voided
            assert finding.held or finding.record.state == OUTCOME
            assert supervisor.expect(OUTCOME_REPORT).exit_code == 0
            assert read_record(record).state == OUTCOME and ran.exists()
            supervisor.ack()
            seen["claim"] += 1
    assert seen["void"] and seen["claim"], seen


def test_two_supervisors_never_run_the_same_attempt(supervisors, tmp_path):
    for turn in range(30):
        pair = [supervisors(), supervisors()]
        order = order_payload(tmp_path, ["/bin/sh", "-c", f"echo ran >> {turn}.ran"], record=tmp_path / f"{turn}.rec")
        for supervisor in pair:
            supervisor.socket.sendall(frame(ORDER, order))
        kinds = sorted(supervisor.answer()[0] for supervisor in pair)
        assert kinds == [STARTED, REFUSED]
        for supervisor in pair:
            supervisor.hang_up()
            assert supervisor.wait() == 0
        assert (tmp_path / f"{turn}.ran").read_text() == "ran\n"


def test_lock_is_seen_from_another_process(supervisor, tmp_path, mailbox):
    supervisor.shell(f"echo up > {mailbox.path}; exec sleep 1000")
    mailbox.line()
    probe = "import sys; sys.path.insert(0, sys.argv[1]); import supervise_wire as w; print(w.lock_holder(sys.argv[2]))"
    seen = subprocess.run([sys.executable, "-c", probe, os.path.dirname(__file__), tmp_path / "a.rec"],
                          check=True, capture_output=True, text=True).stdout
    assert int(seen) == supervisor.pid == lock_holder(tmp_path / "a.rec")
