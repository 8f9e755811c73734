"""scripts/test reads what a cmocka program said and how it ended: nothing that went wrong may look green."""

import importlib.machinery
import importlib.util
import os
import signal
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(os.environ.get("REPRISE_SOURCE_ROOT") or Path(__file__).resolve().parents[2]) / "scripts"
sys.path.insert(0, str(SCRIPTS))
loader = importlib.machinery.SourceFileLoader("runner", str(SCRIPTS / "test"))
runner = importlib.util.module_from_spec(importlib.util.spec_from_loader("runner", loader))
loader.exec_module(runner)

PASS = "[ RUN      ] good\n[       OK ] good\n"
FAIL = "[ RUN      ] bad\n[  ERROR   ] --- 0x1 != 0x2\n[  FAILED  ] bad\n"
SKIP = "[ RUN      ] later\n[  SKIPPED ] later\n"
SUMMARY = "[  PASSED  ] 1 test(s).\n[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] bad\n"


@pytest.mark.parametrize("status, text, passed, failures, skips", [
    (0, PASS + PASS, 2, [], []),
    (0, PASS + SKIP, 1, [], ["t: later"]),
    (1, PASS + FAIL + SUMMARY, 1, ["t: bad"], []),
    (2, PASS + FAIL + FAIL + SUMMARY, 1, ["t: bad", "t: bad"], []),
    (-signal.SIGSEGV, PASS + "[ RUN      ] bad\n", 1, ["t: bad: crashed (SIGSEGV)"], []),
    (99, PASS + "[ RUN      ] bad\n", 1, ["t: bad: sanitizer report"], []),
    (None, "[ RUN      ] bad\n", 0, ["t: bad: hung (killed after 7 s)"], []),
    (0, PASS + "[ RUN      ] bad\n", 1, ["t: bad: exit status 0"], []),
    (99, PASS, 1, ["t: sanitizer report"], []),
    (1, "", 0, ["t: exit status 1"], []),
    (0, "", 0, ["t: ran no test"], []),
    (0, "[ RUN      ] good\nnoise of the code [       OK ] good\n", 1, [], []),
])
def test_reading_of_a_program(status, text, passed, failures, skips):
    tally = runner.read_cmocka("t", status, text, 7)
    assert (tally.passed, tally.failures, tally.skips) == (passed, failures, skips)


def test_selection_is_by_whole_path():
    assert runner.selected("tests/unit/test_buf.c", [])
    assert runner.selected("tests/unit/test_buf.c", ["tests/unit"])
    assert runner.selected("tests/unit/test_buf.c", ["tests/unit/test_buf.c"])
    assert not runner.selected("tests/unit/test_buf.c", ["tests/un"])


def test_a_hanging_program_and_what_it_started_are_killed():
    scratch = runner.Scratch()
    try:
        script = "sleep 300 & setsid sleep 300 & echo $! > pid; wait"
        status, _ = runner.run(["sh", "-c", script], scratch, scratch.path, 1)
        assert status is None
        pid = int((scratch.path / "1" / "pid").read_text())
        stat = Path(f"/proc/{pid}/stat")
        assert not stat.exists() or stat.read_text().split()[2] == "Z"
    finally:
        scratch.remove()
    assert not scratch.path.exists()
