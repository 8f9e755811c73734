"""What a loss of power leaves of an outcome that no server acknowledged: a file system of its own, and its disk as it was in that moment."""

import os
import shutil
import subprocess

import pytest

from supervise_wire import CLAIM, OUTCOME, read_record

IMAGE_BYTES = 64 << 20


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


class Disk:
    """ext4 in a file; `cut` mounts a copy of what has reached it by now, whose journal is replayed."""

    def __init__(self, folder):
        self.folder, self.mounted = folder, []
        self.image = folder / "image"
        with open(self.image, "wb") as file:
            file.truncate(IMAGE_BYTES)
        made = run("mkfs.ext4", "-q", "-F", str(self.image))
        if made.returncode != 0:
            pytest.skip(f"no ext4 can be made here: {made.stdout.strip()[-200:]}")
        self.root = self.mount(self.image, "disk")

    def mount(self, image, name):
        place = self.folder / name
        place.mkdir()
        done = run("mount", "-o", "loop", str(image), str(place))
        if done.returncode != 0:
            pytest.skip(f"nothing can be mounted here: {done.stdout.strip()[-200:]}")
        self.mounted.append(place)
        return place

    def cut(self):
        copy = self.folder / "copy"
        shutil.copyfile(self.image, copy)
        return self.mount(copy, "after")

    def close(self):
        for place in reversed(self.mounted):
            run("umount", str(place))


@pytest.fixture
def disk(tmp_path):
    if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
        pytest.skip("needs root and mkfs.ext4")
    disk = Disk(tmp_path)
    yield disk
    disk.close()


def order(supervisor, disk, name, script):
    supervisor.shell(script, token=name, record=disk.root / f"{name}.rec", stdout=disk.root / f"{name}.out",
                     stderr=disk.root / f"{name}.err")


@pytest.mark.parametrize("passed_on", [False, True])
def test_an_outcome_survives_under_its_name(supervisor, disk, mailbox, gate, passed_on):
    if passed_on:
        order(supervisor, disk, "a", "exit 0")
        supervisor.outcome()
        supervisor.ack()
        os.sync()  # what made the record is history when it is passed on
    order(supervisor, disk, "b", f"echo up > {mailbox.path}; read x < {gate.path}; exit 7")
    mailbox.line()
    assert read_record(disk.root / "b.rec").state == CLAIM
    supervisor.hang_up()
    gate.open()
    assert supervisor.wait() == 0
    after = disk.cut()
    record = read_record(after / "b.rec")
    assert (record.state, record.token, record.exit_code) == (OUTCOME, "b", 7)
    assert not (after / "a.rec").exists()
