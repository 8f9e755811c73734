"""A server that says what a test tells it to, and remembers what it was asked; and ways to run the client."""

import fcntl
import json
import os
import re
import socket
import subprocess
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BINARY = os.environ.get("REPRISE_BIN") or str(Path(__file__).resolve().parents[2] / "build/reprise")
PLATFORM = "ocid1.datalake.oc1.iad.fake"
WORKSPACE = "0199f6c2-0000-7000-8000-00000000ffff"
ROOT = f"/20260430/aiDataPlatforms/{PLATFORM}/workspaces/{WORKSPACE}"
TOKEN = "fake-token"
JOB = "0199f6c2-0000-7000-8000-000000000001"
RUN = "0199f6c2-0000-7000-8000-000000000002"
DROP = object()  # an answer: the connection is closed without one
CUT = object()  # an answer that ends in the middle


def key(n):
    return f"0199f6c2-0000-7000-8000-{n:012x}"


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        path, _, query = target.partition("?")
        self.path = path.removeprefix(ROOT)
        self.query = urllib.parse.parse_qs(query, keep_blank_values=True)

    def json(self):
        return json.loads(self.body)


class Fake:
    """`on("GET", "/jobs", answer, …)`: the answers are given in turn, the last one for ever. An answer is a dict or list
    (200 with JSON), bytes (200), DROP, CUT, (status, body) or (status, body, headers), or a function of the request.
    A body that is a generator is streamed, a chunk for each of its pieces; of a Trickle the head too comes in pieces."""

    def __init__(self, folder):
        self.folder, self.requests, self.routes = Path(folder), [], {}
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                length = int(self.headers.get("content-length") or 0)
                request = Request(self.command, self.path, self.headers, self.rfile.read(length))
                fake.requests.append(request)
                fake.answer(self, request)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "endpoint.json").write_text(json.dumps(
            {"url": self.url, "aiDataPlatformId": PLATFORM, "workspaceKey": WORKSPACE, "projectId": "0" * 32, "pid": 1}))
        (self.folder / "admin.token").write_text(TOKEN + "\n")
        self.lock = open(self.folder / "server.lock", "w")
        fcntl.lockf(self.lock, fcntl.LOCK_EX)

    def on(self, method, path, *answers):
        self.routes[method, path] = list(answers)

    def answer(self, handler, request):
        answers = self.routes.get((request.method, request.path))
        answer = (404, {"code": "NotFound", "message": f"no such call: {request.method} {request.path}"})
        if answers:
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer = answer(request)
        if answer is CUT:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n0123")
        if answer in (DROP, CUT):
            handler.close_connection = True
            return
        status, body, headers = (*answer, {})[:3] if isinstance(answer, tuple) else (200, answer, {})
        if hasattr(body, "__next__"):
            stream(handler, body, headers)
            return
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        handler.send_response(status)
        for name, value in {"opc-request-id": "req-1", **headers}.items():
            handler.send_header(name, value)
        if status != 204:
            handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        if status != 204:
            handler.wfile.write(body)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.lock.close()

    def sent(self, method, path):
        return [r for r in self.requests if (r.method, r.path) == (method, path)]


class Trickle:
    """Pieces of a body, behind a head that comes byte by byte."""

    def __init__(self, pieces):
        self.pieces = iter(pieces)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.pieces)


def stream(handler, pieces, headers):
    headers = {"transfer-encoding": "chunked", **headers}
    try:
        if isinstance(pieces, Trickle):
            handler.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in "\r\n".join(["HTTP/1.1 200 OK", *map(": ".join, headers.items()), "", ""]):
                handler.wfile.write(byte.encode())
                time.sleep(0.002)  # else some would travel together
        else:
            handler.send_response(200)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.end_headers()
        for piece in pieces:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.write(b"0\r\n\r\n")
    except OSError:
        handler.close_connection = True  # the client has gone


def environment(**changes):
    """Nothing of the caller's that client or server would heed, or warn of."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(("REPRISE_", "XDG_STATE", "LC_", "LANG", "NO_COLOR"))}
    env.update({"LANG": "C.UTF-8", "TERM": "xterm"})
    env.update({name: value for name, value in changes.items() if value is not None})
    return env


def run(*args, input=b"", timeout=60, **env):
    return subprocess.run([BINARY, *args], input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=timeout, env=environment(**env))


def on_terminal(*args, columns=100, rows=40, timeout=60, **env):
    """Exit code and everything that the program writes to a terminal of that size."""
    import pty
    import select
    import struct
    import termios
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen([BINARY, *args], stdin=follower, stdout=follower, stderr=follower, env=environment(**env))
    os.close(follower)
    seen, deadline = b"", time.monotonic() + timeout
    while time.monotonic() < deadline:
        if select.select([leader], [], [], 0.1)[0]:
            try:
                chunk = os.read(leader, 65536)
            except OSError:
                break
            if not chunk:
                break
            seen += chunk
    else:
        process.kill()
    os.close(leader)
    return process.wait(timeout=10), seen.replace(b"\r\n", b"\n").decode("utf-8", "replace")


ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def plain(text):
    return ANSI.sub("", text)


def job_run(status="SUCCESS", tasks=(), run=RUN, etag_version=1, **more):
    """A JobRun. `tasks`: (key, status, after…), or (key, status, after, {more of the summary})."""
    definitions, to_run, summaries = [], {}, {}
    for n, (name, state, *rest) in enumerate(tasks):
        after = rest[0] if rest else []
        definitions.append({"taskKey": name, "type": "PYTHON_TASK", "runIf": "ALL_SUCCESS",
                            "dependsOn": [{"taskKey": one, "outcome": None} for one in after]})
        to_run[name] = key(1000 + n)
        summaries[key(1000 + n)] = {
            "key": key(1000 + n), "taskKey": name, "startTime": 1700000000000 + n if state in ("SUCCESS", "FAILED") else None,
            "endTime": 1700000001500 + n if state in ("SUCCESS", "FAILED") else None,
            "state": {"status": state, "stateMessage": "Succeeded" if state == "SUCCESS" else f"{name} is {state}"}, **(rest[1] if len(rest) > 1 else {})}
    return {"key": run, "jobKey": JOB, "jobName": "nightly", "name": "nightly", "version": etag_version,
            "startTime": 1700000000000, "endTime": 1700000009000 if status in ("SUCCESS", "FAILED") else None,
            "state": {"status": status, "stateMessage": f"It is {status}", "errorTrace": None},
            "tasks": definitions, "taskToTaskRunMap": to_run, "taskRunSummaryMap": summaries,
            "unifiedJobAndJobRunParameters": [], **more}
