"""The supervisor's protocol from the server's side: the record's block, the frames, and a process to drive.

Written from the tables in src/supervise/record.h and order.h, not from the code, so that the two hold each other.
"""

import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import zlib
from collections import namedtuple
from pathlib import Path

SOURCE_ROOT = Path(__file__).resolve().parents[2]
HELPER = os.environ.get("REPRISE_SUPERVISE") or str(SOURCE_ROOT / "build/reprise-supervise")
WAIT_S = 30  # for anything that must happen; nothing here takes a tenth of it

EMPTY, CLAIM, OUTCOME, VOID, TORN = range(5)
EXITED, SIGNALED, TIMED_OUT, STOPPED, EXEC_FAILED = range(1, 6)
STEP_STDOUT, STEP_STDERR, STEP_SPAWN, STEP_SETUP, STEP_RLIMIT, STEP_CWD, STEP_EXEC, STEP_CGROUP, STEP_USER = range(1, 10)
KILL_USED, STRAYS_KILLED, STRAYS_LEFT, WRITE_FAILED = 1, 2, 4, 8
ORDER, STOP, ACK, STARTED, OUTCOME_REPORT, REFUSED = 1, 2, 3, 16, 17, 18
NO_STARTED = 1
FRAME_MAX = 4 << 20
KEEP_USER = 0xffffffff

BLOCK = struct.Struct("<4sHHIIQ40s192sHHiiiII5Q QqQqQqI136xI")
FIELDS = ("magic version state pid task_pid start_ticks boot_id token cause step exit_code signal error stop_reason "
          "flags user_us system_us max_rss_kib in_blocks out_blocks claimed_ns claimed_ms started_ns started_ms "
          "ended_ns ended_ms launch crc")
Record = namedtuple("Record", FIELDS)
Refusal = namedtuple("Refusal", "state error holder")


def boot_id():
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_ticks(pid):
    """Field 22 of /proc/PID/stat; the name before it may hold anything."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def decode(block):
    assert len(block) == BLOCK.size == 512
    record = Record(*BLOCK.unpack(block))
    assert record.magic == b"RPSR" and record.version == 1
    assert record.crc == zlib.crc32(block[:508])
    return record._replace(boot_id=record.boot_id.rstrip(b"\0").decode(), token=record.token.rstrip(b"\0").decode())


def encode(state, **fields):
    values = dict.fromkeys(FIELDS.split(), 0)
    values.update(magic=b"RPSR", version=1, state=state, pid=1, boot_id=boot_id().encode(), token=b"other")
    values.update(fields)
    block = BLOCK.pack(*values.values())
    return block[:508] + struct.pack("<I", zlib.crc32(block[:508]))


def read_record(path):
    return decode(Path(path).read_bytes())


def lock_holder(path):
    """The pid that holds the record's lock, None when it is free: F_GETLK, which takes nothing."""
    with open(path, "rb+") as file:
        wanted = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack("hhqqi", fcntl.fcntl(file, fcntl.F_GETLK, wanted))
    return None if kind == fcntl.F_UNLCK else pid


def frame(kind, payload=b""):
    return struct.pack("<IB", len(payload) + 1, kind) + payload


def text(value):
    value = value if isinstance(value, bytes) else str(value).encode()
    return struct.pack("<I", len(value)) + value + b"\0"


def order_payload(folder, argv, token="run.task.0.0", env=(), timeout_ms=0, grace_ms=10_000, umask=0o022, flags=0,
                  rlimits=(), record=None, stdout=None, stderr=None, cwd=None, version=3, cgroup="", uid=KEEP_USER, gid=KEEP_USER,
                  launch=0, warm="", preload=""):
    env = [f"{name}={value}" for name, value in dict(env).items()]
    head = struct.pack("<HHIIIQQ", version, flags, umask, uid, gid, timeout_ms, grace_ms)
    head += b"" if version == 2 else struct.pack("<I", launch)
    head += struct.pack("<III", len(rlimits), len(argv), len(env))
    head += b"".join(struct.pack("<IQQ", *limit) for limit in rlimits)
    paths = (record or folder / "a.rec", stdout or folder / "a.out", stderr or folder / "a.err", cwd or folder, cgroup,
             *(() if version == 2 else (warm, preload)))
    return head + b"".join(text(value) for value in (token, *paths, *argv, *env))


def wait_readable(fd, what):
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    assert poll.poll(WAIT_S * 1000), f"{what}: nothing within {WAIT_S} s"


def wait_dead(pid, what="process"):
    """Waits until `pid`, anybody's child, has ended (a zombie has)."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        wait_readable(fd, f"end of {what} {pid}")
    finally:
        os.close(fd)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Mailbox:
    """A named pipe by which a task tells the test something: `echo … > path`."""

    def __init__(self, folder, name="mailbox"):
        self.path = folder / name
        os.mkfifo(self.path)
        self.fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)  # our own writing end: no end of file, ever
        self.pending = b""

    def line(self):
        while b"\n" not in self.pending:
            wait_readable(self.fd, "mailbox")
            self.pending += os.read(self.fd, 4096)
        line, _, self.pending = self.pending.partition(b"\n")
        return line.decode()

    def open(self):
        """Lets a task go on that waits in `read x < path`."""
        os.write(self.fd, b"go\n")

    def close(self):
        os.close(self.fd)


class Supervisor:
    """One reprise-supervise at the other end of a socketpair, started as the server does."""

    def __init__(self, folder, helper=HELPER, before_order=b""):
        self.folder = folder
        self.exit_code = None
        self.buffer = b""
        self.errors, their_errors = os.pipe()
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(WAIT_S)
        high = fcntl.fcntl(theirs.fileno(), fcntl.F_DUPFD_CLOEXEC, 100)  # dup2 onto itself would keep CLOEXEC
        if before_order:
            self.socket.sendall(before_order)
        self.pid = os.posix_spawn(helper, [helper], os.environ, setsid=True, file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDWR, 0),
            (os.POSIX_SPAWN_DUP2, their_errors, 2),
            (os.POSIX_SPAWN_DUP2, high, 3),
        ])
        os.close(high)
        os.close(their_errors)
        theirs.close()

    # what the server says

    def order(self, *argv, **fields):
        self.socket.sendall(frame(ORDER, order_payload(self.folder, argv, **fields)))

    def shell(self, script, **fields):
        fields.setdefault("env", {"PATH": os.environ["PATH"]})
        self.order("/bin/sh", "-c", script, **fields)

    def stop(self, reason=7):
        self.socket.sendall(frame(STOP, struct.pack("<I", reason)))

    def ack(self):
        self.socket.sendall(frame(ACK))

    def hang_up(self):
        self.socket.close()

    # what it answers

    def receive(self, size):
        while len(self.buffer) < size:
            data = self.socket.recv(65536)
            if not data:
                return None
            self.buffer += data
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def answer(self):
        """(type, decoded payload), or None at end of file."""
        head = self.receive(5)
        if head is None:
            return None
        size, kind = struct.unpack("<IB", head)
        payload = self.receive(size - 1)
        if kind == REFUSED:
            return kind, Refusal(*struct.unpack("<IiI", payload))
        return kind, decode(payload)

    def expect(self, kind):
        answer = self.answer()
        assert answer is not None, f"hung up: {self.said()}"
        assert answer[0] == kind, answer
        return answer[1]

    def started(self):
        return self.expect(STARTED)

    def outcome(self):
        """The outcome, past STARTED if that comes first; the record must hold the same."""
        answer = self.answer()
        if answer is not None and answer[0] == STARTED:
            answer = self.answer()
        assert answer is not None and answer[0] == OUTCOME_REPORT, f"{answer}: {self.said()}"
        return answer[1]

    def run(self, script, **fields):
        self.shell(script, **fields)
        return self.outcome()

    def said(self):
        """What it has written to standard error since the last look."""
        os.set_blocking(self.errors, False)
        try:
            return os.read(self.errors, 65536).decode()
        except BlockingIOError:
            return ""

    # the process

    def wait(self):
        """Its exit code, or minus the signal; waits for it."""
        if self.exit_code is None:
            wait_dead(self.pid, "supervisor")
            self.exit_code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.exit_code

    def kill(self, number):
        os.kill(self.pid, number)

    def close(self):
        if self.errors is None:
            return
        if self.exit_code is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()
        self.socket.close()
        os.close(self.errors)
        self.errors = None


def compile_record_library(folder):
    """The server's side of the record, as a shared library for ctypes."""
    target = folder / "librecord.so"
    sources = SOURCE_ROOT / "src"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-std=gnu17", "-D_GNU_SOURCE", "-I", sources, "-o", target,
                    sources / "supervise/record.c"], check=True)
    return target
