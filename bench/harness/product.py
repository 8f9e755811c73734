"""The product as its users have it: a server on a data folder of its own, driven over HTTP."""

import http.client
import json
import signal
import subprocess
import time
import urllib.parse

from harness.programs import Failed

HTTP_THREADS = 2
MAX_RUNNING = 16
START_S = 20


class Answer:
    def __init__(self, response, body):
        self.status, self.body = response.status, body
        self.head = f"HTTP/1.1 {response.status} {response.reason}\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in response.getheaders()) + "\r\n"
        self.next_page = response.getheader("opc-next-page")

    def json(self):
        return json.loads(self.body)

    def bytes(self):
        return self.head.encode("latin-1") + self.body


class Product:
    """One `reprise serve`. `settings` are further options; tasks run `python`, by default the no-op."""

    def __init__(self, programs, scratch, data=None, python=None, settings=()):
        self.programs, self.scratch = programs, scratch
        self.data = data or scratch.folder("data")
        self.workspace = self.data / "workspace"
        self.workspace.mkdir(exist_ok=True)
        (self.workspace / "task.py").write_text("")
        self.settings = [f"--exec.python={python or programs.path('noop')}",
                         f"--exec.max-running={MAX_RUNNING}", f"--http.threads={HTTP_THREADS}", *settings]
        self.process = self.connection = None
        self.start()

    # ---- life ----

    def start(self):
        log = open(scratch_log(self.data), "ab")  # noqa: SIM115: the server's as long as it lives
        self.process = subprocess.Popen(
            [str(self.programs.build / "reprise"), "serve", "--data", str(self.data),
             "--listen", "127.0.0.1:0", "--workspace", str(self.workspace), *self.settings],
            env=self.programs.env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        log.close()
        line = self.process.stdout.readline()
        if "listening on" not in line:
            raise Failed(f"the server did not start: {scratch_log(self.data).read_text()[-600:]}")
        endpoint = json.loads((self.data / "endpoint.json").read_text())
        self.port = urllib.parse.urlsplit(endpoint["url"]).port
        self.token = (self.data / "admin.token").read_text().strip()
        self.base = (f"/20260430/aiDataPlatforms/{endpoint['aiDataPlatformId']}"
                     f"/workspaces/{endpoint['workspaceKey']}")
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def stop(self):
        if not self.process:
            return
        self.connection.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process = None

    # ---- calls ----

    def call(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}"}
        data = None
        if body is not None:
            data = json.dumps(body)
            headers["Content-Type"] = "application/json"
        self.connection.request(method, self.base + path, data, headers)
        response = self.connection.getresponse()
        answer = Answer(response, response.read())
        if answer.status >= 300:
            raise Failed(f"{method} {path}: {answer.status} {answer.body[:300]!r}")
        return answer

    def request_file(self, method, path, body=None):
        """The bytes of a request, for load and run-client."""
        data = b"" if body is None else json.dumps(body).encode()
        head = [f"{method} {self.base}{path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}",
                f"Authorization: Bearer {self.token}"]
        if body is not None:
            head += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
        file = self.scratch.new("request")
        file.write_bytes("\r\n".join([*head, "", ""]).encode() + data)
        return file

    # ---- jobs and runs ----

    def create_job(self, name, tasks, **fields):
        return self.call("POST", "/jobs", {"name": name, "path": "Shared", "tasks": tasks} | fields).json()["key"]

    def start_run(self, job):
        return self.call("POST", "/jobRuns", {"jobKey": job}).json()["key"]

    def await_run(self, key, timeout_s=120):
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            run = self.call("GET", f"/jobRuns/{key}").json()
            if run["state"]["status"] in ("SUCCESS", "FAILED", "INTERNAL_ERROR", "CANCELED", "SKIPPED", "TIMED_OUT"):
                return run
            time.sleep(0.02)
        raise Failed(f"a run has not ended after {timeout_s} s")

    # ---- the process ----

    def metric(self, name):
        """A number of /metrics; 0 while it is not there."""
        self.connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {self.token}"})
        lines = self.connection.getresponse().read().decode().splitlines()
        return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.rsplit(" ", 1)[0] == name), 0.0)

    def status(self, name):
        """A number of /proc/PID/status, e.g. VmRSS in KiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith(name + ":"))


def scratch_log(data):
    return data / "server.log"


def python_task(key, after=()):
    task = {"taskKey": key, "type": "PYTHON_TASK", "filePath": "task.py"}
    if after:
        task["dependsOn"] = [{"taskKey": other} for other in after]
    return task


def chain(length):
    return [python_task(f"task_{i}", [f"task_{i - 1}"] if i else []) for i in range(length)]


def independent(count):
    return [python_task(f"task_{i}") for i in range(count)]


def wide(count, width=10):
    """A graph of so many tasks in rows of `width`; each waits for two of the row before."""
    return [python_task(f"task_{i}", [] if i < width else [f"task_{i - width}", f"task_{i - i % width - width + (i + 1) % width}"])
            for i in range(count)]
