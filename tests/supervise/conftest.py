import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support_py"))

import supervise_wire as wire  # noqa: E402


@pytest.fixture
def supervisors(tmp_path):
    """Makes supervisors; whatever a test leaves of them is killed after it."""
    made = []

    def make(**options):
        made.append(wire.Supervisor(options.pop("folder", tmp_path), **options))
        return made[-1]

    yield make
    for supervisor in made:
        supervisor.close()


@pytest.fixture
def supervisor(supervisors):
    return supervisors()


@pytest.fixture
def mailbox(tmp_path):
    box = wire.Mailbox(tmp_path)
    yield box
    box.close()


@pytest.fixture
def gate(tmp_path):
    box = wire.Mailbox(tmp_path, "gate")
    yield box
    box.close()
