"""Repositories for tests, and a server that hands them out over smart HTTP (git http-backend), with or without a password.

    place = GitPlace(folder)             # no network, nothing of the user's git configuration
    repo = place.repository("lib", {"main.py": "print(1)"})
    commit = repo.commit({"main.py": "print(2)"})
    with GitHttp(folder, user="oauth2", password="s3cret") as http:
        http.url("lib")                  # http://127.0.0.1:PORT/lib
        http.hold.clear()                # fetches (not ls-remote) wait until it is set
"""

import base64
import http.server
import os
import subprocess
import threading
from pathlib import Path

ENV = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
       "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}


class Repository:
    def __init__(self, path):
        self.path = Path(path)
        self.url = f"file://{self.path}"

    def git(self, *words):
        done = subprocess.run(["git", "-C", self.path, *words], env=ENV, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, files, links=()):
        for name, text in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text)
        for name, target in links:
            (self.path / name).symlink_to(target)
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", "x")
        return self.git("rev-parse", "HEAD")


class GitPlace:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)

    def repository(self, name, files=None, links=()):
        path = self.folder / name
        subprocess.run(["git", "init", "-q", "-b", "main", path], env=ENV, check=True, timeout=60)
        repo = Repository(path)
        if files is not None:
            repo.commit(files, links)
        return repo


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.handle_git(b"")

    def do_POST(self):
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if self.headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        self.handle_git(body)

    def handle_git(self, body):
        place = self.server.place
        given = self.headers.get("authorization")
        place.asked.append((self.path, given))
        if place.elsewhere:
            self.send_response(302)
            self.send_header("location", place.elsewhere + self.path)
            self.end_headers()
            return
        if place.wanted and given != place.wanted:
            self.send_response(401)
            self.send_header("www-authenticate", 'Basic realm="tests"')
            self.end_headers()
            return
        if b"command=fetch" in body:
            place.fetches += 1
            place.fetching.set()
            place.hold.wait(60)
        path, _, query = self.path.partition("?")
        env = {**ENV, "GIT_PROJECT_ROOT": str(place.folder), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
               "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_ADDR": "127.0.0.1",
               "CONTENT_TYPE": self.headers.get("content-type", ""), "CONTENT_LENGTH": str(len(body)),
               "GIT_PROTOCOL": self.headers.get("git-protocol", ""),
               "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", "")}
        done = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, timeout=60)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        lines = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        try:
            self.send_response(int(lines.pop("Status", "200").split()[0]))
            for name, value in lines.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(rest)
        except OSError:
            pass  # who asked was killed


class GitHttp:
    def __init__(self, folder, user=None, password=None, elsewhere=None):
        self.folder, self.asked, self.fetches = Path(folder), [], 0
        self.elsewhere = elsewhere  # where everything is redirected to
        self.hold, self.fetching = threading.Event(), threading.Event()
        self.hold.set()
        self.wanted = password and "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads, self.server.place = True, self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()

    def url(self, name):
        return f"http://127.0.0.1:{self.server.server_port}/{name}/.git"
