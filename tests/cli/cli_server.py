"""A real server on a scratch folder, for tests that need one."""

import json
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import cli_fake

READY_S = 60


class Server:
    def __init__(self, folder, workspace, environment=None):
        self.data, self.workspace, self.environment = Path(folder), Path(workspace), environment
        self.log = open(self.data.parent / "server.log", "ab")
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [cli_fake.BINARY, "serve", "--listen", "127.0.0.1:0", "--data", str(self.data),
             "--workspace", str(self.workspace)], stdout=subprocess.DEVNULL, stderr=self.log,
            env=self.environment or cli_fake.environment())
        wait_ready(self.data, self.process)
        self.endpoint = json.loads((self.data / "endpoint.json").read_text())

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def close(self):
        try:
            self.stop()
        finally:
            self.log.close()

    def get(self, path):
        """The body that the API gives, and nothing else: below …/workspaces/KEY."""
        e = self.endpoint
        request = urllib.request.Request(
            f"{e['url']}/20260430/aiDataPlatforms/{e['aiDataPlatformId']}/workspaces/{e['workspaceKey']}{path}",
            headers={"authorization": "Bearer " + (self.data / "admin.token").read_text().strip()})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return answer.read()


def wait_ready(data, process):
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        try:
            if json.loads((data / "endpoint.json").read_text())["pid"] == process.pid:
                return
        except (FileNotFoundError, ValueError):
            pass
        time.sleep(0.02)
    raise AssertionError("the server is not ready")


def wait_for_file(path):
    """Until the file holds a whole line."""
    deadline = time.monotonic() + READY_S
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < deadline, f"{path.name} stays empty"
        time.sleep(0.02)
