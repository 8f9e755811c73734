"""examples/tell: somebody is told of every run that fails, once, whatever dies in between."""

import http.server
import json
import os
import shutil
import signal
import socketserver
import subprocess
import threading
from urllib.parse import urlsplit

import pytest
from harness import BINARY, FINAL, ROOT, eventually, key_of, named, node, step, task
from kept import ACCOUNTS, keep_secret

EXAMPLE = ROOT / "examples/tell"


class Hook(http.server.ThreadingHTTPServer):
    """A chat's: `texts` is what it took, `refusals` the statuses with which it answers first."""

    def __init__(self):
        self.texts, self.refusals = [], []
        super().__init__(("127.0.0.1", 0), Post)
        self.url = f"http://127.0.0.1:{self.server_port}/hook"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Post(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status = self.server.refusals.pop(0) if self.server.refusals else 200
        if status == 200:
            assert set(body) == {"text"}
            self.server.texts.append(body["text"])
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Mailbox(socketserver.ThreadingTCPServer):
    """As much of SMTP as one message takes."""

    def __init__(self):
        self.mails = []
        super().__init__(("127.0.0.1", 0), Smtp)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Smtp(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 here\r\n")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self.server.mails.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 good\r\n")


@pytest.fixture
def hook():
    hook = Hook()
    yield hook
    hook.shutdown()
    hook.server_close()


@pytest.fixture
def mailbox():
    mailbox = Mailbox()
    yield mailbox
    mailbox.shutdown()
    mailbox.server_close()


def tell(server, hook, **parameters):
    """The example as its README has it; the job's key."""
    api = server.api
    shutil.copytree(EXAMPLE, server.workspace / "tell")
    api.made(f"{ACCOUNTS}/users", {"name": "tell", "role": "VIEWER"})
    keep_secret(api, "tell-token", api.made(f"{ACCOUNTS}/tokens", {"name": "t", "user": "tell"})["token"])
    keep_secret(api, "tell-hook", hook.url)
    resting = (EXAMPLE / "job.yaml").read_text().replace("continuous: {}", "continuous: {pauseStatus: PAUSED}")
    made = subprocess.run([BINARY, "--data", server.data, "-o", "name", "job", "create", "-f", "-"],
                          input=resting, capture_output=True, text=True, check=True)
    job = api.read(f"/jobs/{made.stdout.strip()}")
    given = {p["name"]: p["value"] for p in job["parameters"]} | {"server": server.url} | parameters
    api.replace(job, job["tasks"], name="tell", continuous={}, parameters=named(**given))
    eventually(lambda: "telling the hook" in said(server, job), "it listens")
    return job


def active(api, job):
    return [r for r in api.page_through("/jobRuns", jobKey=key_of(job)) if r["state"]["status"] not in FINAL]


def said(server, job):
    """What its runs have written, newest last."""
    logs = [server.api.get(f"/taskRuns/{server.api.get_run(run)['taskToTaskRunMap']['tell']}/logs")
            for run in reversed(server.api.page_through("/jobRuns", jobKey=key_of(job)))]
    return "".join(log.text for log in logs if log.ok)


def heard(hook, count):
    """The texts, as soon as there are so many."""
    return eventually(lambda: len(hook.texts) >= count and list(hook.texts), f"{count} are told")


def on_same_port(server):
    return "--listen", urlsplit(server.url).netloc


def last_of_all(server, hook, count):
    """That nothing else was told: events are told in their order, so of one more run nothing comes before."""
    server.api.go([task("a", "fail.py")], "FAILED", name="last")
    texts = heard(hook, count + 1)
    assert len(texts) == count + 1 and texts[-1].startswith("FAILED: last\n"), texts
    return texts[:-1]


def test_failures_are_told_and_repairs_that_fail_again_and_that_it_is_well(own, hook):
    own.api.go([task("a", "fail.py")], "FAILED", name="before")
    tell(own, hook, page="https://jobs.example.org/")
    own.api.go([step("a")], "SUCCESS", name="good")
    run = own.api.go([step("a"), step("load", "a", exit=3, err="'<!here> no disk'", until="mended"), step("b", "load")], "FAILED", name="night")
    own.api.repair(run)
    heard(hook, 2)
    own.open_gate("mended")
    own.api.wait_final(run, "FAILED")
    own.api.repair(run)
    own.api.wait_final(run, "SUCCESS")
    first, again, well = last_of_all(own, hook, 3)
    where = [f"run {run['key']}", f"https://jobs.example.org/#/w/{own.endpoint['workspaceKey']}/runs/{run['key']}"]
    assert first.split("\n") == ["FAILED: night", "Failed; 1 task failed: load", "load: Exited with code 3", "<\u200b!here> no disk", *where]
    assert again.split("\n") == ["FAILED: night, repair 1", *first.split("\n")[1:]]
    assert well.split("\n") == ["RECOVERED: night, repair 2", "Succeeded", *where]


def test_whatever_a_bad_end_is_called(own, hook):
    tell(own, hook)
    api = own.api
    job = api.job([step("a", gate="never")], name="busy")
    busy = api.run(job)
    skipped = api.run(job)
    assert skipped["state"]["status"] == "SKIPPED"
    api.cancel(busy)
    api.wait_final(busy, "CANCELED")
    api.go([task("a", "away.py")], "INTERNAL_ERROR", name="away")
    api.run(api.job([task("a", "fail.py", **{"x-failPolicy": "SUSPEND"}), step("b", "a")], name="asks"))
    heard(hook, 4)
    parent = [node("nested", "JOB_TASK", jobKey=api.job([task("a", "fail.py")], name="child")["key"])]
    api.go(parent, "FAILED", name="parent")
    texts = last_of_all(own, hook, 5)
    assert [text.split("\n")[0] for text in texts] == ["SKIPPED: busy", "CANCELED: busy", "INTERNAL_ERROR: away", "SUSPENDED: asks", "FAILED: parent"]
    assert "1 of 1 run slots is held" in texts[0] and "Canceled by admin" in texts[1]
    assert "nested: " in texts[4]


def test_the_planned_time_is_that_of_the_schedule(own, hook):
    tell(own, hook)
    schedule = {"quartzCronExpression": "* * * * * ?", "timezoneId": "Asia/Tokyo"}
    job = own.api.job([task("a", "fail.py")], name="tick", schedule=schedule)
    text = heard(hook, 1)[0]
    own.api.delete(f"/jobs/{job['key']}")
    planned = [line for line in text.split("\n") if line.startswith("planned ")]
    assert planned and planned[0].endswith(" Asia/Tokyo"), text


def test_nothing_is_lost_while_the_server_is_away(own, hook):
    tell(own, hook)
    run = own.api.run(own.api.job([step("a", gate="go", exit=1)], name="through"))
    own.wait_witness("start", "a")
    own.kill9()
    own.open_gate("go")
    own.wait_witness("end", "a")
    own.start(*on_same_port(own))
    own.api.wait_final(run, "FAILED")
    assert [text.split("\n")[0] for text in last_of_all(own, hook, 1)] == ["FAILED: through"]
    assert own.stop() == 0
    own.start(*on_same_port(own))
    own.api.go([task("a", "fail.py")], "FAILED", name="after")
    assert heard(hook, 3)[2].startswith("FAILED: after\n")


def test_a_hook_that_is_away_is_tried_again_by_this_run_and_by_the_next(own, hook):
    hook.refusals += [500, 429, 500]  # two tries, the run ends; one more in the next run
    job = tell(own, hook, tries="2")
    own.api.go([task("a", "fail.py")], "FAILED", name="one")
    own.api.go([task("a", "fail.py")], "FAILED", name="two")
    assert [text.split("\n")[0] for text in last_of_all(own, hook, 2)] == ["FAILED: one", "FAILED: two"]
    failed = next(r for r in own.api.page_through("/jobRuns", jobKey=job["key"]) if r["state"]["status"] == "FAILED")
    assert 'the hook does not take "FAILED: one"' in own.api.task_run(failed, "tell")["state"]["errorTrace"]


def test_nothing_is_lost_when_it_is_killed_itself(own, hook):
    job = tell(own, hook)
    for pid in own.processes():
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not active(own.api, job), "it is gone")
    own.api.go([task("a", "fail.py")], "FAILED", name="meanwhile")
    assert [text.split("\n")[0] for text in last_of_all(own, hook, 1)] == ["FAILED: meanwhile"]


def test_mail_does_not_wait_for_a_hook_that_is_away(own, hook, mailbox):
    hook.refusals += [500] * 3
    tell(own, hook, mail_to="night@example.org", smtp=f"127.0.0.1:{mailbox.port}")
    run = own.api.go([task("a", "fail.py")], "FAILED", name="one")
    mail, = eventually(lambda: mailbox.mails, "it is mailed")
    assert "Subject: FAILED: one\r\n" in mail and "To: night@example.org\r\n" in mail and run["key"] in mail
    heard(hook, 1)


def test_a_token_that_may_not_read_is_the_reason(own, hook):
    job = tell(own, hook)
    keep_secret(own.api, "tell-token", "rpr_none")
    own.api.cancel(active(own.api, job)[0])

    def refused():
        runs = own.api.page_through("/jobRuns", jobKey=job["key"])
        return next((r for r in runs if r["state"]["status"] == "FAILED"), None)

    assert "the server refuses: 401" in own.api.task_run(eventually(refused, "it fails"), "tell")["state"]["errorTrace"]
