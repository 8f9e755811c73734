"""A cgroup (v2) for one test, where the host lets us make one."""

import os
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest


def root():
    """The folder in which we may make cgroups; the test is skipped where there is none."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        if right.split()[0] != "cgroup2":
            continue
        place = Path(left.split()[4] + Path("/proc/self/cgroup").read_text().partition("0::")[2].split("\n")[0].rstrip("/"))
        if os.access(place, os.W_OK):
            return place
    pytest.skip("no cgroup of version 2 is delegated to us on this host")


@contextmanager
def cgroup():
    place = root() / f"reprise-test-{os.getpid()}-{time.monotonic_ns()}"
    try:
        place.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made in {place.parent}: {error}")
    try:
        yield place
    finally:
        if (place / "cgroup.kill").exists():
            (place / "cgroup.kill").write_text("1")
        for _ in range(100):
            left = [p for p in place.glob("**/") if p != place]
            for folder in sorted(left, reverse=True):
                subprocess.run(["rmdir", folder], capture_output=True)
            if subprocess.run(["rmdir", place], capture_output=True).returncode == 0:
                break
            time.sleep(0.05)


def controllers(place):
    return (place / "cgroup.controllers").read_text().split()
