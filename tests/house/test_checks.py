"""The checks of the house see what they are there to see: each rule fires on a bad tree, none on a good one."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(os.environ.get("REPRISE_SOURCE_ROOT") or Path(__file__).resolve().parents[2])


@pytest.fixture
def tree(tmp_path):
    """A small house in git, with the good files that the bad ones refer to."""

    class Tree:
        def write(self, path, text):
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)

        def check(self, name, *files):
            """(exit status, set of (file, line, rule)) of scripts/check-NAME."""
            done = subprocess.run(
                [SOURCE / f"scripts/check-{name}", *files], stdout=subprocess.PIPE, text=True, check=False,
                env=dict(os.environ, REPRISE_HOUSE_ROOT=str(tmp_path)))
            found = [line.split(":")[:3] for line in done.stdout.splitlines()]
            return done.returncode, {(path, int(line), rule.strip()) for path, line, rule in found}

    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    house = Tree()
    for header in ("base/buf.h", "model/run.h", "engine/engine.h", "store/store.h", "store/sqlite.h", "api/api.h",
                   "supervise/record.h", "supervise/task.h", "server/pump.h"):
        house.write(f"src/{header}", "#pragma once\n")
    return house


@pytest.mark.parametrize("path, line, rule", [
    ("src/base/a.c", '#include "model/run.h"', "layer-knows"),
    ("src/model/a.c", '#include "engine/engine.h"', "layer-knows"),
    ("src/api/a.c", '#include "store/store.h"', "layer-knows"),
    ("src/api/oracle/a.c", '#include "server/pump.h"', "layer-knows"),
    ("src/store/a.c", '#include "engine/engine.h"', "layer-knows"),
    ("src/exec/a.c", '#include "supervise/task.h"', "layer-knows"),
    ("src/sim/a.c", '#include "store/sqlite.h"', "layer-knows"),
    ("src/supervise/a.c", '#include "base/buf.h"', "layer-knows"),
    ("src/cli/a.c", '#include "model/run.h"', "layer-knows"),
    ("src/elsewhere/a.c", "int a;", "layer-knows"),
    ("src/base/a.c", '#include "buf.h"', "include-path"),
    ("src/base/a.c", '#include "../base/buf.h"', "include-path"),
    ("src/base/a.c", '  #  include "base/../base/buf.h"', "include-path"),
    ("src/base/a.c", '#include "base/gone.h"', "include-missing"),
    ("src/engine/a.c", "#include <stdio.h>", "pure-header"),
    ("src/engine/a.c", "#include <time.h>", "pure-header"),
    ("src/engine/a.c", "#include <pthread.h>", "pure-header"),
    ("src/engine/a.c", "#include <unistd.h>", "pure-header"),
    ("src/engine/a.c", "#include <sys/stat.h>", "pure-header"),
])
def test_layer_rule_fires(tree, path, line, rule):
    tree.write(path, f"/* first line */\n{line}\n")
    status, found = tree.check("layers")
    assert status == 1
    assert {(p, r) for p, _, r in found} == {(path, rule)}


def test_layers_quiet_on_good_tree(tree):
    tree.write("src/engine/a.c", '#include "engine/engine.h"\n#include "model/run.h"\n#include <string.h>\n')
    tree.write("src/exec/a.c", '#include "supervise/record.h"\n#include <unistd.h>\n')
    tree.write("src/sim/a.c", '#include "store/store.h"\n#include "engine/engine.h"\n')
    tree.write("src/server/a.c", '#include "store/sqlite.h"\n#include "api/api.h"\n')
    tree.write("src/base/a.c", '/*\n#include "model/run.h"\n*/\n// #include "model/run.h"\n#include "base/buf.h"\n')
    assert tree.check("layers") == (0, set())


@pytest.mark.parametrize("path, line, rule", [
    ("src/api/a.c", "strcpy(a, b);", "unsafe-string"),
    ("src/api/a.c", "if (x) strcat (a, b);", "unsafe-string"),
    ("tests/unit/a.c", "sprintf(a, b);", "unsafe-string"),
    ("src/api/a.c", "n = sscanf(text, f, &a);", "scanf"),
    ("src/api/a.c", "p = strtok(a, b);", "hidden-state"),
    ("src/api/a.c", "tm = gmtime(&t);", "hidden-state"),
    ("src/server/a.c", "t = mktime(&tm);", "host-zone"),
    ("src/api/a.c", "srand(1);", "weak-random"),
    ("src/api/a.c", "n = atoi(text);", "unchecked-number"),
    ("src/cli/a.c", "system(command);", "shell"),
    ("src/cli/a.c", "f = popen(command, mode);", "shell"),
    ("src/cli/a.c", "tmpnam(name);", "temp-race"),
    ("src/server/a.c", "signal(SIGPIPE, SIG_IGN);", "bsd-signal"),
    ("src/exec/a.c", "pid = fork();", "fork"),
    ("src/supervise/a.c", "pid = fork();", "fork"),
    ("src/exec/a.c", "pid = vfork();", "vfork"),
    ("src/exec/a.c", "setenv(a, b, 1);", "environment-write"),
    ("src/exec/a.c", "p = malloc(10);", "raw-malloc"),
    ("src/engine/a.c", "now = time(NULL);", "clock-in-logic"),
    ("src/model/a.c", "clock_gettime(CLOCK_REALTIME, &ts);", "clock-in-logic"),
    ("src/sim/a.c", "now = boot_ms();", "clock-in-logic"),
    ("src/calendar/a.c", "n = getrandom(p, 8, 0);", "random-in-logic"),
    ("src/engine/a.c", "p = getenv(name);", "environment-in-logic"),
    ("src/engine/a.c", "fd = open(path, 0);", "io-in-engine"),
    ("src/api/a.c", "longjmp(env, 1);", "unbounded-jump"),
    ("src/server/a.c", "usleep(5);", "sleep-in-server"),
    ("src/api/a.c", "assert(n++ < 4);", "assert-side-effect"),
    ("src/api/a.c", "assert(f(a) && (b = 1));", "assert-side-effect"),
])
def test_banned_rule_fires(tree, path, line, rule):
    tree.write(path, f"/* first line */\nvoid f(void)\n{{\n    {line}\n}}\n")
    assert tree.check("banned") == (1, {(path, 4, rule)})


@pytest.mark.parametrize("path, line", [
    ("src/api/a.c", "/* strcpy(a, b) */ // strcpy(a, b)"),
    ("src/api/a.c", "/* it's */ char *s = \"strcpy(a, b) \\\" system(x)\"; /* 'quoted */"),
    ("src/api/a.c", "my_strcpy(a, b);"),
    ("src/engine/a.c", "env->time(env); env.time();"),
    ("src/supervise/a.c", "pid = vfork();"),
    ("src/supervise/a.c", "p = malloc(4);"),
    ("src/base/mem.c", "p = malloc(4);"),
    ("src/server/a.c", "now = time(NULL);"),
    ("tests/unit/a.c", "setenv(a, b, 1);"),
    ("src/api/a.c", "assert(a == 1 && b <= 2 && c >= 3 && d != 4);"),
    ("src/api/a.c", "n = atoi(text); /* allow unchecked-number: the digits were counted */"),
])
def test_banned_quiet_on_good_line(tree, path, line):
    tree.write(path, f"void f(void)\n{{\n    {line}\n}}\n")
    assert tree.check("banned") == (0, set())


def test_allowance_names_its_rule_and_a_reason(tree):
    tree.write("src/api/a.c", "int a = atoi(t); /* allow shell: no */\nint b = atoi(t); /* allow unchecked-number: */\n")
    assert tree.check("banned") == (1, {("src/api/a.c", 1, "unchecked-number"), ("src/api/a.c", 2, "unchecked-number")})


@pytest.mark.parametrize("path, text, rule", [
    ("a.py", "x = 1 \n", "trailing-space"),
    ("a.py", "x = 1", "final-newline"),
    ("a.py", "x = 1\n\n", "final-newline"),
    ("a.py", "p = '/" + "home/alice/x'\n", "machine-path"),
    ("a.json", '"resolved": "https://' + 'registry.example.org/x"\n', "package-host"),
    ("src/a.o", "x\n", "build-output"),
])
def test_hygiene_rule_fires(tree, path, text, rule):
    tree.write(path, text)
    status, found = tree.check("files")
    assert status == 1
    assert {(p, r) for p, _, r in found} == {(path, rule)}


def test_hygiene_quiet_on_good_tree(tree):
    tree.write("a.py", "x = 'path/of/home/x'\n")
    assert tree.check("files") == (0, set())


@pytest.mark.skipif(not shutil.which("clang-tidy"), reason="clang-tidy is not installed (scripts/setup check)")
def test_tidy_fires_and_forgets_when_a_header_changes(tree, tmp_path):
    tree.write(".clang-tidy", (SOURCE / ".clang-tidy").read_text())
    tree.write("src/api/a.c", '#include "api/api.h"\nint f(void)\n{\n    return *(int *)ZERO;\n}\n')
    run = [SOURCE / "scripts/check-tidy"]
    env = dict(os.environ, REPRISE_HOUSE_ROOT=str(tmp_path), BUILD="b")

    tree.write("src/api/api.h", "#pragma once\n#define ZERO &(int){1}\n")
    assert subprocess.run(run, env=env, check=False).returncode == 0
    assert len(list((tmp_path / "b-check/tidy").iterdir())) == 1
    tree.write("src/api/api.h", "#pragma once\n#define ZERO 0\n")
    done = subprocess.run(run, env=env, check=False, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "NullDereference" in done.stdout


def test_size_names_what_is_long_and_never_fails(tree, tmp_path):
    tree.write("src/api/a.c", "void f(void)\n{\n" + "    g();\n" * 80 + "}\n")
    tree.write("src/api/b.c", "int b;\n" * 601)
    done = subprocess.run([SOURCE / "scripts/check-size"], stdout=subprocess.PIPE, text=True, check=True,
                          env=dict(os.environ, REPRISE_HOUSE_ROOT=str(tmp_path)))
    assert "src/api/a.c:2: a function of 82 lines" in done.stdout
    assert "src/api/b.c: 601 lines" in done.stdout
