"""The programs of bench/, each of which measures one thing once and says so as a JSON object."""

import glob
import json
import os
import subprocess


class Failed(Exception):
    """A program of the benchmark, or the product, did not do what it was to do."""


class Programs:
    """`environment` goes to every program: LD_PRELOAD and what it reads, for instance."""

    def __init__(self, build, environment=None):
        self.build = build
        self.environment = environment or {}

    def path(self, name):
        return str(self.build / "bench" / name)

    def env(self):
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
        return kept | self.environment

    def run(self, name, *arguments):
        command = [self.path(name), *map(str, arguments)]
        done = subprocess.run(command, env=self.env(), stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{name}: {done.stderr.strip() or f'ended with {done.returncode}'}")
        return json.loads(done.stdout)

    def with_preload(self, **variables):
        """The same programs on a slower disk, or in a larger process."""
        preload = {"LD_PRELOAD": self.path("preload.so")} | {k: str(v) for k, v in variables.items()}
        return Programs(self.build, self.environment | preload)


def processor_us(pid):
    """What all threads of a process have used so far, in µs: unlike time, it hardly depends on who else is busy."""
    used = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            with open(path, encoding="ascii") as file:
                used += int(file.read().split()[0])
        except OSError:
            continue  # a thread that has just ended
    return used / 1000


class HttpLimit:
    """limit-http as a server that runs."""

    def __init__(self, programs, answer_file, threads):
        self.process = subprocess.Popen(
            [programs.path("limit-http"), str(answer_file), str(threads)], env=programs.env(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise Failed("limit-http did not start")
        self.port = json.loads(line)["port"]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()
