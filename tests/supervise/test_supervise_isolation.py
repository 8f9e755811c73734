"""The cgroup and the user that an order names."""

import errno
import os
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support_py"))

from cgroups import cgroup  # noqa: E402
from supervise_wire import (EXEC_FAILED, EXITED, STEP_CGROUP, STEP_USER, STOPPED, STRAYS_KILLED, alive, wait_dead)  # noqa: E402

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def open_way(folder):
    """Others may pass through the folders above, which are ours."""
    for place in (folder, *folder.parents):
        mode = place.stat().st_mode
        if not mode & 0o001:
            place.chmod(mode | 0o011)


@pytest.fixture
def group():
    with cgroup() as place:
        yield place


def test_the_task_joins_its_cgroup(supervisor, group):
    outcome = supervisor.run("grep -o 'reprise-test.*' /proc/self/cgroup", cgroup=group)
    assert outcome.cause == EXITED and outcome.exit_code == 0 and outcome.flags == 0
    assert (supervisor.folder / "a.out").read_text().strip() == group.name
    assert (group / "cgroup.procs").read_text() == "", "nothing is left in it"


def test_strays_are_killed_with_their_cgroup(supervisor, group, mailbox):
    outcome = supervisor.run("for i in 1 2 3 4 5; do (trap '' TERM; setsid sleep 1000) & done; exit 3", cgroup=group)
    assert (outcome.exit_code, outcome.flags) == (3, STRAYS_KILLED)
    assert (group / "cgroup.procs").read_text() == ""


def test_a_cgroup_that_is_not_there(supervisor, tmp_path):
    outcome = supervisor.run("exit 0", cgroup=tmp_path / "none")
    assert (outcome.cause, outcome.step, outcome.error) == (EXEC_FAILED, STEP_CGROUP, errno.ENOENT)


@needs_root
def test_the_task_is_of_its_user(supervisor, tmp_path):
    open_way(tmp_path)
    outcome = supervisor.run("id -u; id -g; id -G; cat /etc/shadow", uid=NOBODY, gid=NOBODY)
    assert outcome.cause == EXITED and outcome.exit_code != 0
    assert (supervisor.folder / "a.out").read_text().split() == [str(NOBODY)] * 3, "and no group of ours is kept"


@needs_root
def test_a_task_of_another_user_dies_with_its_supervisor(supervisor, tmp_path, mailbox):
    os.chmod(mailbox.path, 0o666)
    open_way(tmp_path)
    supervisor.shell(f"echo $$ > {mailbox.path}; exec sleep 1000", uid=NOBODY, gid=NOBODY)
    pid = int(mailbox.line())
    assert alive(pid)
    supervisor.kill(signal.SIGKILL)
    wait_dead(pid, "task")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may become anybody")
def test_who_may_not_become_another_user(supervisor):
    outcome = supervisor.run("exit 0", uid=NOBODY, gid=NOBODY)
    assert (outcome.cause, outcome.step, outcome.error) == (EXEC_FAILED, STEP_USER, errno.EPERM)


@needs_root
def test_stop_reaches_another_users_task(supervisor, tmp_path, mailbox):
    os.chmod(mailbox.path, 0o666)
    open_way(tmp_path)
    supervisor.shell(f"echo $$ > {mailbox.path}; exec sleep 1000", uid=NOBODY, gid=NOBODY)
    mailbox.line()
    supervisor.stop()
    assert supervisor.outcome().cause == STOPPED
