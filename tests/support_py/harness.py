"""A real server for black-box tests: `reprise serve` on a free port, with a data and a workspace folder of its own.

    server = Server(folder)            # folder: empty, the caller's
    server.start()                     # returns when the ready line is there
    job = server.api.job([step("a"), step("b", after="a", exit=3)])
    run = server.api.run(job)
    run = server.api.wait_final(run)
    server.close()                     # nothing that it started is left

Tasks are Python scripts in the workspace folder. `step.py` is there from the start and does what its arguments say:
it appends a line to the witness file as it starts and as it ends, waits at a gate (a file that the test makes), fails.
"""

import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path

import openapi
import requests

ROOT = Path(os.environ.get("REPRISE_SOURCE_ROOT") or Path(__file__).resolve().parents[2])
BINARY = Path(os.environ.get("REPRISE_BIN") or ROOT / "build/reprise")
SANITIZED = BINARY.resolve().parent.name.endswith(("-asan", "-tsan"))
DEADLINE_S = 90 if SANITIZED else 45  # only a failing test ever waits so long
FINAL = {"SUCCESS", "FAILED", "CANCELED", "TIMED_OUT", "INTERNAL_ERROR", "SKIPPED"}
SANITIZER_WORDS = ("AddressSanitizer", "LeakSanitizer", "ThreadSanitizer", "runtime error:")

STEP = '''\
"""What a task of the tests does: NAME=VALUE arguments, in this order: stubborn, gate, until, out, err, set, exit."""
import os, signal, sys, time
home = os.environ["REPRISE_WORKSPACE"]
do = dict(word.split("=", 1) for word in sys.argv[1:])
def witness(what):
    line = " ".join((what, do.get("name", "?"), os.environ["REPRISE_ATTEMPT_TOKEN"], str(os.getpid()))) + "\\n"
    fd = os.open(os.path.join(home, "witness"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, line.encode())
    os.close(fd)
if "stubborn" in do:
    signal.signal(signal.SIGTERM, lambda *_: witness("term"))
witness("start")
while "gate" in do and not os.path.exists(os.path.join(home, "gates", do["gate"])):
    time.sleep(0.005)
code = int(do.get("exit", 0))
if "until" in do and os.path.exists(os.path.join(home, "gates", do["until"])):
    code = 0
if "out" in do:
    print(do["out"], flush=True)
if "err" in do:
    print(do["err"], file=sys.stderr, flush=True)
if "set" in do:
    open(os.environ["REPRISE_OUTPUT"], "a").write(do["set"].replace(":", "=") + "\\n")
witness("end")
os._exit(code)
'''


def eventually(probe, what, seconds=DEADLINE_S, pause_s=0.01):
    """The first truthy answer of `probe`; an assertion when the deadline passes."""
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(pause_s)


def task(key, file="ok.py", after=(), **fields):
    """A PYTHON_TASK. `after`: taskKeys, or (taskKey, outcome) pairs; one alone needs no list."""
    after = [after] if isinstance(after, (str, tuple)) and after and not _many(after) else after
    depends = [{"taskKey": a} if isinstance(a, str) else {"taskKey": a[0], "outcome": a[1]} for a in after]
    body = {"taskKey": key, "type": "PYTHON_TASK", "runIf": "ALL_SUCCESS", "filePath": file, "dependsOn": depends}
    return {**body, **fields}


def _many(after):
    return isinstance(after, tuple) and not (len(after) == 2 and after[1] in ("true", "false"))


STEP_WORDS = ("gate", "until", "out", "err", "set", "exit", "stubborn")


def step(key, after=(), **fields):
    """A task that runs step.py; the words of STEP_WORDS become its arguments, other fields are the task's own."""
    words = {name: fields.pop(name) for name in STEP_WORDS if name in fields}
    line = " ".join([f"name={key}"] + [f"{name}={value}" for name, value in words.items()])
    return task(key, "step.py", after, commandLineArguments=line, **fields)


def if_else(key, value, after=(), **fields):
    decides = {"expressions": [{"key": "A", "value": value}], "condition": "A"}
    return node(key, "IF_ELSE_TASK", after, **{**decides, **fields})


def node(key, kind, after=(), **fields):
    """A task of another type, without a file."""
    body = task(key, after=after, type=kind)
    del body["filePath"]
    return {**body, **fields}


def named(**values):
    """Parameters as the API's list of pairs."""
    return [{"name": name, "value": value} for name, value in values.items()]


def refused(answer, status, code, *words):
    """Asserts an error answer of the Oracle dialect; every one of `words` is in its message, which is returned."""
    assert answer.status_code == status, f"{answer.status_code} instead of {status}: {answer.text[:500]}"
    assert answer.headers.get("opc-request-id"), "an error without opc-request-id"
    assert answer.headers["content-type"].split(";")[0] == "application/json"
    body = answer.json()
    assert set(body) == {"code", "message"}, body
    assert body["code"] == code, body
    assert body["message"].strip(), body
    for word in words:
        assert word.lower() in body["message"].lower(), f"{word!r} is not in {body['message']!r}"
    return body["message"]


class Client:
    """Calls on one workspace. A path begins with `/` (in the workspace), `~/` (in the platform) or `//` (at the root)."""

    def __init__(self, endpoint, token, prefix="/20260430"):
        self.endpoint, self.token = endpoint, token
        self.base = f"{prefix}/aiDataPlatforms/{endpoint['aiDataPlatformId']}"
        self.place = f"{self.base}/workspaces/{endpoint['workspaceKey']}"
        self.session = requests.Session()
        self.session.trust_env = False
        if token:
            self.session.headers["authorization"] = f"Bearer {token}"

    def path(self, path):
        if path.startswith("//"):
            return path[1:]
        return (self.base + path[1:]) if path.startswith("~") else (self.place + path)

    def call(self, method, path, body=None, /, *, headers=None, data=None, **params):
        if body is not None:
            data = json.dumps(body)
        headers = dict(headers or {})
        if data is not None and not any(name.lower() == "content-type" for name in headers):
            headers["content-type"] = "application/json"
        answer = self.session.request(method, self.endpoint["url"] + self.path(path), data=data, headers=headers,
                                      params=params or None, timeout=DEADLINE_S)
        if self.token:
            assert self.token not in answer.text, "the admin token is in an answer"
            assert self.token not in str(answer.headers), "the admin token is in a header"
        openapi.check(answer)
        return answer

    def get(self, path, /, **options):
        return self.call("GET", path, **options)

    def post(self, path, body=None, /, **options):
        return self.call("POST", path, body, **options)

    def put(self, path, body=None, /, **options):
        return self.call("PUT", path, body, **options)

    def delete(self, path, /, **options):
        return self.call("DELETE", path, **options)

    def read(self, path, /, **params):
        """The body of a GET that must succeed."""
        answer = self.get(path, **params)
        assert answer.status_code == 200, f"GET {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def made(self, path, body=None, /, **options):
        """The body of a POST that must answer 201."""
        answer = self.post(path, body, **options)
        assert answer.status_code == 201, f"POST {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def job(self, tasks, name="job", **fields):
        return self.made("/jobs", {"name": name, "path": "Shared", "tasks": tasks, **fields})

    def replace(self, job, tasks=None, name="job", **fields):
        """PUT of a job; the etag after it."""
        body = {"name": name, "path": "Shared", **({"tasks": tasks} if tasks is not None else {}), **fields}
        answer = self.put(f"/jobs/{key_of(job)}", body)
        assert answer.ok, f"PUT: {answer.status_code} {answer.text[:500]}"
        return answer.headers["etag"]

    def run(self, job, **fields):
        return self.made("/jobRuns", {"jobKey": key_of(job), **fields})

    def get_run(self, run):
        return self.read(f"/jobRuns/{key_of(run)}")

    def etag(self, run):
        return self.get(f"/jobRuns/{key_of(run)}").headers["etag"]

    def repair(self, run, **body):
        return self.made(f"/jobRuns/{key_of(run)}/actions/repair", body)

    def plan(self, run, **body):
        answer = self.post(f"/jobRuns/{key_of(run)}/actions/planRepair", body)
        assert answer.status_code == 200, f"planRepair: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def cancel(self, run, **options):
        answer = self.post(f"/jobRuns/{key_of(run)}/actions/cancel", **options)
        assert answer.status_code == 200, f"cancel: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def wait_for(self, run, statuses, seconds=DEADLINE_S):
        """The run, once its status is one of `statuses`."""
        wanted, last = ({statuses} if isinstance(statuses, str) else set(statuses)), {}

        def probe():
            last.update(self.get_run(run))
            return last["state"]["status"] in wanted

        try:
            eventually(probe, f"run in {sorted(wanted)}", seconds)
        except AssertionError as late:
            states = {t["taskKey"]: t["state"] for t in last["taskRunSummaryMap"].values()}
            raise AssertionError(f"{late}: {last['state']}, tasks {states}") from None
        return last

    def wait_final(self, run, status=None, seconds=DEADLINE_S):
        """The run, once it is final; with `status`, it must be that."""
        run = self.wait_for(run, FINAL, seconds)
        if status:
            states = {t["taskKey"]: t["state"] for t in run["taskRunSummaryMap"].values()}
            assert run["state"]["status"] == status, f"{run['state']}, tasks {states}"
        return run

    def go(self, tasks, status=None, run_fields=None, **fields):
        """Makes a job, runs it, waits for the end; the final run."""
        return self.wait_final(self.run(self.job(tasks, **fields), **(run_fields or {})), status)

    def task_run(self, run, task_key):
        """The newest task run of `task_key`, whole."""
        return self.read(f"/taskRuns/{self.get_run(run)['taskToTaskRunMap'][task_key]}")

    def wait_task(self, run, task_key, statuses, seconds=DEADLINE_S):
        wanted, last = ({statuses} if isinstance(statuses, str) else set(statuses)), {}

        def probe():
            last.update(summary_of(self.get_run(run), task_key))
            return last["state"]["status"] in wanted

        eventually(probe, f"{task_key} in {sorted(wanted)}", seconds)
        return last

    def page_through(self, path, /, **params):
        """All items of a list, page by page."""
        items, seen = [], set()
        while True:
            answer = self.get(path, **params)
            assert answer.status_code == 200, answer.text[:500]
            items += answer.json()["items"]
            token = answer.headers.get("opc-next-page")
            if token is None:
                return items
            assert token not in seen, "a page token that leads to itself"
            seen.add(token)
            params["page"] = token


def key_of(thing):
    return thing if isinstance(thing, str) else thing["key"]


def summary_of(run, task_key):
    return run["taskRunSummaryMap"][run["taskToTaskRunMap"][task_key]]


def statuses(run):
    """taskKey -> status of the newest task runs."""
    return {t["taskKey"]: t["state"]["status"] for t in run["taskRunSummaryMap"].values()}


class Witness:
    """One line of the witness file: what happened (start, end, term), to which task and attempt, in which process."""

    def __init__(self, line):
        self.what, self.name, self.token, self.pid = line.split(" ")
        # a token is run.taskRun.repair.attempt.epoch; a number is never started twice, whatever the epoch
        self.attempt = tuple(self.token.split(".")[:4])

    def __repr__(self):
        return f"<{self.what} {self.name} {self.token} {self.pid}>"


class Server:
    def __init__(self, folder, *options, env=None):
        self.folder = Path(folder)
        self.data, self.workspace = self.folder / "data", self.folder / "workspace"
        self.log, self.options = self.folder / "stderr", options
        self.env = {**os.environ, **(env or {})}
        self.printed, self.process, self.api = "", None, None
        (self.workspace / "gates").mkdir(parents=True)
        self.script("step.py", STEP)
        self.script("ok.py", "pass\n")
        self.script("fail.py", "import sys\nsys.exit('it failed')\n")

    # --- life ---

    def command(self, *options):
        return [BINARY, "serve", "--data", self.data, "--listen", "127.0.0.1:0", "--workspace", self.workspace,
                *self.options, *options]

    def spawn(self, *options):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(*options), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=log, env=self.env, start_new_session=True)

    def start(self, *options):
        self.spawn(*options)
        line = self._read_line()
        assert line.startswith(("reprise: listening on http://", "reprise: listening on https://")), f"{line!r}; stderr: {self.tail()}"
        self.printed += line
        self.url = line.split()[-1]
        self.endpoint = json.loads((self.data / "endpoint.json").read_text())
        self.token = (self.data / "admin.token").read_text().strip()
        self.api = Client(self.endpoint, self.token)
        return self

    def _read_line(self):
        line, deadline = b"", time.monotonic() + DEADLINE_S
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self.process.stdout], [], [], left)[0]
            more = os.read(self.process.stdout.fileno(), 1) if ready else b""
            if not more:
                break
            line += more
        return line.decode()

    def stop(self):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self._wait()

    def kill9(self):
        self.process.kill()
        self._wait()

    def _wait(self):
        status = self.process.wait(DEADLINE_S)
        self.printed += self.process.stdout.read().decode()
        self.process.stdout.close()
        self.process = None
        return status

    def restart(self, *options):
        """kill -9 if it still runs, then a new server on the same data."""
        if self.process:
            self.kill9()
        return self.start(*options)

    def close(self):
        """Stops the server and whatever it left running, and looks into what it said."""
        died, status = self.process is not None and self.process.poll() is not None, 0
        if self.process:
            status = self._wait() if died else self.stop()
        self.sweep()
        log = self.log.read_text(errors="replace")
        token = getattr(self, "token", None)
        assert not died, f"the server died with status {status}: {self.tail()}"
        assert not any(word in log for word in SANITIZER_WORDS), log[-8000:]
        assert status == 0, f"exit status {status} after SIGTERM: {self.tail()}"
        assert not token or token not in log, "the admin token is on stderr"
        assert not token or token not in self.printed, "the admin token is on stdout"

    def processes(self):
        """Everything alive that belongs to this server's tasks, by the workspace folder in the environment."""
        mark, found = f"REPRISE_WORKSPACE={self.workspace}\0".encode(), []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes() + b"\0":
                    found.append(int(entry.name))
            except OSError:
                pass  # gone meanwhile
        return found

    def sweep(self):
        def none_left():
            left = self.processes()
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return not left

        eventually(none_left, "no task is left")

    def tail(self, lines=30):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    # --- the workspace ---

    def script(self, name, text):
        path = self.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return name

    def open_gate(self, name):
        (self.workspace / "gates" / name).touch()

    def shut_gate(self, name):
        (self.workspace / "gates" / name).unlink()

    def witness(self, what=None, name=None):
        path = self.workspace / "witness"
        lines = path.read_text().splitlines() if path.exists() else []
        found = [Witness(line) for line in lines]
        return [w for w in found if what in (None, w.what) and name in (None, w.name)]

    def wait_witness(self, what, name, count=1):
        return eventually(lambda: len(self.witness(what, name)) >= count and self.witness(what, name),
                          f"{count} times {what} of {name}")
