"""The commands of the guide and the README, run as they stand, each page with a home of its own.

A block ```LANGUAGE PATH is written to that file. In a block ```sh, lines after "$ " are commands (a comment
"# exits N" tells the code, else it is 0) and the lines below one are its output: keys, times and durations may differ, "…"
stands for anything, a line "…" for any number of lines. Without such lines the output does not count.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

import cli_fake
import cli_server

SOURCE = Path(os.environ.get("REPRISE_SOURCE_ROOT") or Path(__file__).resolve().parents[2])
PAGES = sorted((SOURCE / "docs/guide").glob("*.md")) + [SOURCE / "README.md"]
FENCE = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LOOSE = [(r"\d+\\\.\d+\\ s\b", r"\\d+\\.\\d+\\ s"), ("…", ".*"), (r"(\\ )+", r"\\s+")]


def commands(block):
    """(command, exit code, expected lines)."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *expected = part.rstrip("\n").split("\n")
        code = re.search(r"#\s*exits (\d)", command)
        yield command, int(code.group(1)) if code else 0, expected


def pattern(line):
    text = re.escape(line.strip())
    for loose, replacement in LOOSE:
        text = re.sub(loose, replacement, text)
    return re.compile(text + r"\s*")


def assert_output(expected, got, command):
    """Every expected line in order, without others between them, but for "…" lines."""
    lines, at, skipping = got.strip().split("\n"), 0, False
    for line in expected:
        if line.strip() == "…":
            skipping = True
            continue
        wanted = pattern(line)
        while skipping and at < len(lines) and not wanted.fullmatch(lines[at].strip()):
            at += 1
        assert at < len(lines) and wanted.fullmatch(lines[at].strip()), f"{command}\nwants: {line}\nin:\n{got}"
        at, skipping = at + 1, False
    assert skipping or at == len(lines) or not expected, f"{command}: unexpected\n" + "\n".join(lines[at:])


class Shell:
    """One bash for a page, so that variables and jobs last from block to block."""

    END = "end-of-command"

    def __init__(self, home):
        (home / "bin").mkdir()
        (home / "bin/reprise").symlink_to(Path(cli_fake.BINARY).resolve())
        (home / "examples").symlink_to(SOURCE / "examples")
        self.home = home
        self.log = open(home / "shell.log", "wb")
        self.bash = subprocess.Popen(
            ["bash", "--norc", "-m"], cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
            env=cli_fake.environment(HOME=str(home), PATH=f"{home}/bin:{os.environ['PATH']}",
                                     REPRISE_SERVE_LISTEN="127.0.0.1:0"))

    def run(self, command):
        if command.rstrip().endswith("&"):
            return self.serve(command)
        self.write(f"{{ {command}\n}} 2>&1 </dev/null; code=$?; echo; echo {self.END} $code\n")
        lines = []
        for line in self.bash.stdout:
            line = line.decode().rstrip("\n")
            if line.startswith(self.END):
                return int(line.split()[1]), "\n".join(lines)
            lines.append(line)
        raise AssertionError(f"the shell ended at: {command}")

    def serve(self, command):
        """A server in the background: its first line is what counts, and that it is ready."""
        ready = self.home / "ready"
        ready.unlink(missing_ok=True)
        self.write(command.rstrip().removesuffix("&") + f" >{ready} 2>>{self.home}/server.log &\n")
        cli_server.wait_for_file(ready)
        return 0, ready.read_text()

    def write(self, text):
        self.bash.stdin.write(text.encode())
        self.bash.stdin.flush()

    def close(self):
        self.write("kill %1 %2 2>/dev/null; wait; exit\n")
        self.bash.stdin.close()
        self.bash.wait(timeout=60)
        self.bash.stdout.close()
        self.log.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_a_page(page, tmp_path):
    blocks = [match.groups() for match in FENCE.finditer(page.read_text())]
    if not any(language == "sh" for language, _, _ in blocks):
        return
    shell = Shell(tmp_path)
    try:
        for language, path, text in blocks:
            if path:
                (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / path).write_text(text)
            if language != "sh":
                continue
            for command, wanted, expected in commands(text):
                code, got = shell.run(command)
                assert code == wanted, f"{command}\n{got}"
                if any(line.strip() for line in expected):
                    assert_output(expected, got, command)
    finally:
        shell.close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_calls_yaml_is_yaml(page):
    """To others too: their files are not read by our own reader."""
    yaml = pytest.importorskip("yaml")
    for language, _, text in (match.groups() for match in FENCE.finditer(page.read_text())):
        if language == "yaml":
            assert isinstance(yaml.safe_load(text), dict), text


def test_links_of_the_guide_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
