"""What a task is started with, and how its end is told."""

import errno
import os
import resource
import signal
import time
from pathlib import Path

import pytest

from supervise_wire import (EXEC_FAILED, EXITED, NO_STARTED, OUTCOME, OUTCOME_REPORT, SIGNALED, STEP_CWD, STEP_EXEC,
                            STEP_RLIMIT, STEP_STDERR, STEP_STDOUT, boot_id, read_record, start_ticks)


def oom_score(pid):
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


def test_the_supervisor_keeps_an_oom_score_of_its_own(supervisor, mailbox, gate):
    before = oom_score(supervisor.pid)
    supervisor.shell(f"echo $$ > {mailbox.path}; read x < {gate.path}")
    task = int(mailbox.line())
    supervisor.started()
    assert (oom_score(supervisor.pid), oom_score(task) >= max(before, 0) + 300) == (before, True)
    gate.open()
    supervisor.outcome()
    assert oom_score(supervisor.pid) == before


@pytest.mark.parametrize("code", [0, 1, 77, 127, 255])
def test_exit_code(supervisor, tmp_path, code):
    outcome = supervisor.run(f"exit {code}")
    assert (outcome.cause, outcome.exit_code, outcome.signal, outcome.flags) == (EXITED, code, 0, 0)
    assert read_record(tmp_path / "a.rec") == outcome


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1])
def test_signal_of_its_own(supervisor, number):
    outcome = supervisor.run(f"kill -{int(number)} $$", rlimits=[(resource.RLIMIT_CORE, 0, 0)])
    assert (outcome.cause, outcome.exit_code, outcome.signal, outcome.flags) == (SIGNALED, -1, number, 0)


def test_record_tells_who_and_when(supervisor, tmp_path):
    before = (time.clock_gettime_ns(time.CLOCK_BOOTTIME), time.time_ns() // 1_000_000)
    supervisor.shell("cat a.rec > claim", token="r1.t2.0.3")
    started = supervisor.started()
    outcome = supervisor.outcome()
    after = (time.clock_gettime_ns(time.CLOCK_BOOTTIME), time.time_ns() // 1_000_000)

    for record in (started, outcome):
        assert record.pid == supervisor.pid
        assert record.start_ticks == start_ticks(supervisor.pid)
        assert record.boot_id == boot_id()
        assert record.token == "r1.t2.0.3"
    assert outcome.task_pid == started.task_pid > 1
    claim = read_record(tmp_path / "claim")
    assert (claim.pid, claim.token, claim.claimed_ns) == (supervisor.pid, "r1.t2.0.3", outcome.claimed_ns)
    assert before[0] <= outcome.claimed_ns <= outcome.started_ns <= outcome.ended_ns <= after[0]
    assert before[1] <= outcome.claimed_ms <= outcome.started_ms <= outcome.ended_ms <= after[1]


def test_usage_counts_children_too(supervisor):
    burn = "import os\nwhile min(os.times()[:2]) < 0.05: open('/proc/self/stat').read()"  # whatever the kernel's ticks
    outcome = supervisor.run(f'/usr/bin/python3 -c "{burn}"; true')
    assert outcome.user_us > 10_000
    assert outcome.system_us > 10_000
    assert 500 < outcome.max_rss_kib < 1 << 20


@pytest.mark.parametrize("inherited", [0, 0o777])
def test_output_is_appended_to_private_files(supervisors, tmp_path, inherited):
    old = os.umask(inherited)
    try:
        supervisor = supervisors()
    finally:
        os.umask(old)
    (tmp_path / "a.err").write_text("old\n")
    supervisor.run("echo out; echo err >&2")
    assert (tmp_path / "a.out").read_text() == "out\n"
    assert (tmp_path / "a.err").read_text() == "old\nerr\n"
    assert (tmp_path / "a.out").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a.rec").stat().st_mode & 0o777 == 0o600


def test_both_outputs_in_one_file(supervisor, tmp_path):
    supervisor.run("echo 1; echo 2 >&2; echo 3", stderr=tmp_path / "a.out")
    assert (tmp_path / "a.out").read_text() == "1\n2\n3\n"


def test_standard_input_is_empty(supervisor):
    assert supervisor.run("read line && exit 1; exit 0").exit_code == 0


def test_no_descriptor_but_the_first_three(supervisors, tmp_path):
    for turn in range(2):  # the second order of one supervisor, too
        supervisor = supervisors() if turn == 0 else supervisor
        # the list holds the descriptor that is open for listing
        supervisor.order("/bin/ls", "/proc/self/fd", record=tmp_path / f"{turn}.rec", stdout=tmp_path / f"{turn}.out")
        assert supervisor.outcome().exit_code == 0
        supervisor.ack()
        assert (tmp_path / f"{turn}.out").read_text().split() == ["0", "1", "2", "3"]


def test_environment_is_exactly_the_orders(supervisors, monkeypatch, tmp_path):
    monkeypatch.setenv("REPRISE_SECRET_OF_THE_SERVER", "x")
    supervisor = supervisors()
    supervisor.order("/bin/cat", "/proc/self/environ", env={"A": "1", "EMPTY": "", "ODD": "é = \n"})
    supervisor.outcome()
    assert (tmp_path / "a.out").read_bytes() == "A=1\0EMPTY=\0ODD=é = \n\0".encode()


def test_no_environment_at_all(supervisor, tmp_path):
    supervisor.order("/bin/cat", "/proc/self/environ")
    assert supervisor.outcome().exit_code == 0
    assert (tmp_path / "a.out").read_bytes() == b""


def test_arguments_arrive_as_they_are(supervisor, tmp_path):
    supervisor.order("/bin/echo", "", "a b", "$HOME", "ü", "x" * 100_000)
    assert supervisor.outcome().exit_code == 0
    assert (tmp_path / "a.out").read_text() == f" a b $HOME ü {'x' * 100_000}\n"


def test_cwd_and_umask(supervisor, tmp_path):
    (tmp_path / "work").mkdir()
    supervisor.run("pwd; umask", cwd=tmp_path / "work", umask=0o027)
    assert (tmp_path / "a.out").read_text() == f"{tmp_path}/work\n0027\n"


def test_signals_group_session_and_oom_score(supervisor, tmp_path):
    supervisor.order("/bin/cat", "/proc/self/status", "/proc/self/stat", "/proc/self/oom_score_adj")
    outcome = supervisor.outcome()
    lines = (tmp_path / "a.out").read_text().split("\n")
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert int(status["SigBlk"], 16) == int(status["SigIgn"], 16) == int(status["SigCgt"], 16) == 0
    stat = next(line for line in lines if line.startswith(f"{outcome.task_pid} (")).rpartition(")")[2].split()
    parent, group, session = (int(field) for field in stat[1:4])
    assert (parent, group, session) == (supervisor.pid, outcome.task_pid, supervisor.pid)
    assert 300 <= int(lines[-2]) <= 1000


def test_ignored_signals_do_not_reach_the_task(supervisors, tmp_path):
    """A server may ignore what it likes: its tasks do not."""
    old = signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    try:
        supervisor = supervisors()
    finally:
        signal.signal(signal.SIGUSR2, old)
    assert supervisor.run("kill -USR2 $$").signal == signal.SIGUSR2


def test_rlimits(supervisor, tmp_path):
    outcome = supervisor.run("ulimit -n; ulimit -Hn; ulimit -c", rlimits=[
        (resource.RLIMIT_NOFILE, 40, 50), (resource.RLIMIT_CORE, 0, 0)])
    assert outcome.exit_code == 0
    assert (tmp_path / "a.out").read_text() == "40\n50\n0\n"


def test_rlimit_refused(supervisor):
    outcome = supervisor.run("exit 0", rlimits=[(resource.RLIMIT_NOFILE, 50, 40)])
    assert (outcome.cause, outcome.step, outcome.error) == (EXEC_FAILED, STEP_RLIMIT, errno.EINVAL)


def test_full_output_is_the_tasks_own_error(supervisor):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    outcome = supervisor.run("echo x || exit 9", stdout="/dev/full")
    assert (outcome.cause, outcome.exit_code) == (EXITED, 9)


def test_program_found_on_the_orders_path(supervisor, tmp_path):
    for folder, mode in (("closed", 0o600), ("open", 0o700)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "tool").write_text("#!/bin/sh\necho found in $0\n")
        (tmp_path / folder / "tool").chmod(mode)
    supervisor.order("tool", env={"PATH": f"/nowhere:{tmp_path}/closed::{tmp_path}/open"})
    assert supervisor.outcome().exit_code == 0
    assert (tmp_path / "a.out").read_text() == f"found in {tmp_path}/open/tool\n"


@pytest.mark.parametrize("path", [".", "", ":", "here", "/bin/sh:."])
def test_program_not_taken_from_the_current_folder(supervisor, tmp_path, path):
    (tmp_path / "here").mkdir()
    for place in (tmp_path / "tool", tmp_path / "here/tool"):
        place.write_text("#!/bin/sh\nexit 0\n")
        place.chmod(0o700)
    supervisor.order("tool", env={"PATH": path})
    outcome = supervisor.outcome()
    assert (outcome.cause, outcome.step, outcome.error) == (EXEC_FAILED, STEP_EXEC, errno.ENOENT)


def make_unexecutable(tmp_path):
    (tmp_path / "plain").write_text("#!/bin/sh\n")
    (tmp_path / "plain").chmod(0o600)
    (tmp_path / "noformat").write_text("exit 0\n")
    (tmp_path / "noformat").chmod(0o700)
    (tmp_path / "nointerpreter").write_text("#!/nowhere/sh\n")
    (tmp_path / "nointerpreter").chmod(0o700)


@pytest.mark.parametrize("program, error", [
    ("/nowhere/x", errno.ENOENT), ("", errno.ENOENT), ("nosuchprogram", errno.ENOENT),
    ("./plain", errno.EACCES), ("plain", errno.EACCES), ("./noformat", errno.ENOEXEC), ("noformat", errno.ENOEXEC),
    ("./nointerpreter", errno.ENOENT), ("/tmp", errno.EACCES), ("./plain/x", errno.ENOTDIR),
])
def test_exec_fails(supervisor, tmp_path, program, error):
    make_unexecutable(tmp_path)
    supervisor.order(program, env={"PATH": f"{tmp_path}:/nowhere"})
    outcome = supervisor.expect(OUTCOME_REPORT)
    assert (outcome.cause, outcome.step, outcome.error) == (EXEC_FAILED, STEP_EXEC, error)
    assert (outcome.task_pid, outcome.exit_code, outcome.started_ns) == (0, -1, 0)
    assert read_record(tmp_path / "a.rec") == outcome
    supervisor.ack()
    assert supervisor.wait() == 0


def test_too_long_an_argument(supervisor):
    supervisor.order("/bin/true", "x" * 300_000)
    outcome = supervisor.outcome()
    assert (outcome.cause, outcome.step, outcome.error) == (EXEC_FAILED, STEP_EXEC, errno.E2BIG)


@pytest.mark.parametrize("field, place, step, error", [
    ("cwd", "missing", STEP_CWD, errno.ENOENT),
    ("cwd", "file", STEP_CWD, errno.ENOTDIR),
    ("stdout", "missing/a.out", STEP_STDOUT, errno.ENOENT),
    ("stderr", "missing/a.err", STEP_STDERR, errno.ENOENT),
    ("stdout", "folder", STEP_STDOUT, errno.EISDIR),
])
def test_places_that_do_not_serve(supervisor, tmp_path, field, place, step, error):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    supervisor.shell("touch ran", **{field: tmp_path / place})
    outcome = supervisor.expect(OUTCOME_REPORT)
    assert (outcome.state, outcome.cause, outcome.step, outcome.error) == (OUTCOME, EXEC_FAILED, step, error)
    assert not (tmp_path / "ran").exists()


def test_started_is_left_out_on_demand(supervisor):
    supervisor.shell("exit 0", flags=NO_STARTED)
    assert supervisor.expect(OUTCOME_REPORT).exit_code == 0


def test_supervisor_is_deaf_to_other_signals(supervisor, mailbox, gate):
    supervisor.shell(f"echo up > {mailbox.path}; read x < {gate.path}")
    mailbox.line()
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGUSR1, signal.SIGALRM):
        supervisor.kill(number)
    gate.open()
    assert supervisor.outcome().cause == EXITED
