"""Where the benchmark writes: a journaled ext4, found or made, and how fast it makes files.

Nothing is deleted before or while something is measured: a file system that has just lost many files is slow to make
new ones for minutes. So every repetition has names of its own, and the whole goes at the very end.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

MOST_US_PER_FILE = 50.0


class Refused(Exception):
    """The benchmark cannot measure anything here; the text says why and what would help."""


def file_system(folder):
    """(type, is it a journaled ext4?) of the file system that `folder` is on."""
    place, best, kind, device = os.path.realpath(folder), "", "", ""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ")
        point = left.split()[4].replace("\\040", " ")
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind, device = point, right.split()[0], left.split()[2]
    if kind != "ext4":
        return kind, False
    name = os.path.basename(os.path.realpath(f"/sys/dev/block/{device}"))
    try:
        journal = Path(f"/sys/fs/ext4/{name}/journal_task").read_text().strip()
    except OSError:
        return kind, False
    return kind, journal != "<none>"


class Scratch:
    """A folder for everything that is written; `kind` says in words on which file system it is."""

    def __init__(self, base, any_file_system, image_bytes):
        base.mkdir(parents=True, exist_ok=True)
        self.top = Path(tempfile.mkdtemp(prefix="run-", dir=base))
        self.mounted = self.device = None
        self.count = 0
        kind, journaled = file_system(self.top)
        self.kind = f"{kind}, journaled" if journaled else kind
        self.root = self.top
        if not journaled and not any_file_system:
            try:
                self._make_image(kind, image_bytes)
            except BaseException:
                self.remove()
                raise

    def _make_image(self, kind, image_bytes):
        """A journaled ext4 in a file. Direct I/O: its pages are cached once, and its flushes are the disk's. Its
        blocks are taken beforehand, so that the file system below has nothing to look for while we measure."""
        if os.geteuid() != 0:
            raise Refused(f"{self.top} is on {kind} and not on a journaled ext4, and only root may mount one: "
                          "give a folder on a journaled ext4 with --scratch")
        image, point = self.top / "image", self.top / "mounted"
        try:
            with open(image, "wb") as file:
                os.posix_fallocate(file.fileno(), 0, image_bytes)
        except OSError as error:
            raise Refused(f"no room for a loop image of {image_bytes >> 20} MiB ({error.strerror}): "
                          "give another folder with --scratch") from error
        point.mkdir()
        self._run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image)
        self.device = self._run("losetup", "--show", "--find", "--direct-io=on", image).strip()
        self._run("mount", self.device, point)
        self.mounted = self.root = point
        self.kind = f"ext4, journaled, in a loop image on {kind}"

    @staticmethod
    def _run(*command):
        try:
            done = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            detail = getattr(error, "stderr", None) or error
            raise Refused(f"no journaled ext4 can be made here ({command[0]}: {detail}): "
                          "give a folder on one with --scratch") from error
        return done.stdout

    def new(self, what):
        """A path in here that nobody had before; what it becomes is the caller's business."""
        self.count += 1
        return self.root / f"{self.count:04d}-{what}"

    def folder(self, what):
        path = self.new(what)
        path.mkdir()
        return path

    def remove(self):
        """The very end."""
        if self.mounted:
            subprocess.run(["umount", str(self.mounted)], check=False)
        if self.device:
            subprocess.run(["losetup", "--detach", self.device], check=False)
        if self.mounted and os.path.ismount(self.mounted):
            return  # somebody still holds it: better left behind than deleted through
        shutil.rmtree(self.top, ignore_errors=True)
