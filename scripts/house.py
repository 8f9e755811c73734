"""What the scripts of the house share: the layers and what each may know, the files of the tree, C without comments.

Standard library only; every script that imports this runs with Debian's /usr/bin/python3.
"""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(os.environ.get("REPRISE_HOUSE_ROOT") or Path(__file__).resolve().parent.parent)

# The law of the house (docs/design/build.md): layer -> what its #include lines may name, besides itself.
# A whole layer, or one header of it. In the order of linking: a layer knows only what stands above it.
KNOWS = {
    "base": [],
    "calendar": ["base"],
    "model": ["base"],
    "engine": ["model", "calendar", "base"],
    "store": ["model", "base"],
    "supervise": [],
    "exec": ["model", "base", "supervise/record.h", "supervise/order.h"],
    "sim": ["engine", "model", "calendar", "base", "store/store.h", "store/columns.h"],
    "auth": ["base"],
    "api": ["model", "auth", "calendar", "base"],
    "wire": ["base"],
    "cli": ["base", "calendar"],
}
KNOWS["server"] = list(KNOWS)

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^">]+)[">]', re.MULTILINE)


def tracked_files():
    """Every file of the tree that git tracks or would track, relative to ROOT; those being deleted are left out."""
    out = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, stdout=subprocess.PIPE,
    ).stdout.decode()
    return sorted(p for p in set(out.split("\0")) if p and (ROOT / p).is_file())


def c_files(paths=None):
    """Our C: all of it, or those among `paths`."""
    chosen = paths if paths else tracked_files()
    return [p for p in chosen if p.endswith((".c", ".h")) and p.split("/")[0] in ("src", "tests", "bench")]


def read(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


# A comment, a string or a character constant; whichever begins first wins, so quotes in comments do no harm.
_LITERAL = re.compile(
    r"""//(?:\\\n|[^\n])*|/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)


def code_only(text):
    """`text` with comments and the inside of literals blanked, #include names kept; lines keep their numbers."""

    def blank(match):
        literal = match.group(0)
        line = text[text.rfind("\n", 0, match.start()) + 1:match.end()]
        if literal[0] == '"' and INCLUDE.match(line):
            return literal
        return literal[0] * 2 if literal[0] in "\"'" else " " + "\n" * literal.count("\n")

    return _LITERAL.sub(blank, text)


def includes(text):
    """(line number, '<' or '"', name) of each #include, comments not counted."""
    code = code_only(text)
    for match in INCLUDE.finditer(code):
        yield code.count("\n", 0, match.start()) + 1, match.group(1), match.group(2)


MAIN = re.compile(r"^int main\(", re.MULTILINE)


def layer_sources(layer):
    """The .c files of a layer's library, relative to src/: all but the one that holds a program's main."""
    found = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "src" / layer).rglob("*.c"))
    return [p.removeprefix("src/") for p in found if not MAIN.search(read(p))]


def closure(layers):
    """`layers` and everything that they know, in link order."""
    seen, todo = set(), list(layers)
    while todo:
        layer = todo.pop()
        if layer not in seen:
            seen.add(layer)
            todo += [k.split("/")[0] for k in KNOWS[layer]]
    return [name for name in KNOWS if name in seen]


class Test:
    """One cmocka program: tests/<suite>/test_<x>.c, the suite's other .c files, tests/support/*.c."""

    def __init__(self, source, helpers):
        self.source = f"tests/{source}"  # tests/unit/test_buf.c
        self.name = source[:-2]  # unit/test_buf
        self.target = self.name.replace("/", ".")  # unit.test_buf, the program in build/tests
        self.files = [source] + helpers  # relative to tests/
        self.layers = closure(_layers_named(self.files))


def _layers_named(files):
    """The layers that the files include from, through the headers of tests/ that they include."""
    layers, seen, todo = set(), set(), list(files)
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for _, kind, name in includes(read(f"tests/{path}")):
            beside = os.path.normpath(os.path.join(os.path.dirname(path), name))
            if kind == "<":
                continue
            if (ROOT / "src" / name).is_file() or name.split("/")[0] in KNOWS:
                layers.add(name.split("/")[0])
            else:
                todo += [p for p in (beside, name) if (ROOT / "tests" / p).is_file()]
    return layers


def c_tests(kind="test"):
    """The cmocka programs (`test`) or the fuzz targets (`fuzz`, tests/fuzz/fuzz_<x>.c)."""
    tests = ROOT / "tests"
    shared = sorted(str(p.relative_to(tests)) for p in tests.glob("support/*.c"))
    for suite in sorted(p for p in tests.glob("*") if p.is_dir()):
        mains = sorted(str(p.relative_to(tests)) for p in suite.glob(f"{kind}_*.c"))
        helpers = sorted(
            str(p.relative_to(tests)) for p in suite.glob("*.c")
            if not p.name.startswith(("test_", "fuzz_")) and suite.name != "support")
        for main in mains:
            yield Test(main, helpers + shared)


def pytest_suites():
    """The folders of tests/ that hold test_*.py."""
    return sorted({str(p.parent.relative_to(ROOT)) for p in (ROOT / "tests").rglob("test_*.py")
                   if "node_modules" not in p.parts})
