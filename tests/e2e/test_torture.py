"""Torture (P4, P5, P9, P10): server and supervisors are killed at random under load, and the disk fills up. Only the tasks write
the witness file, so it tells what really ran: no attempt twice, none without a fate, no fate without an attempt.

`make soak` runs 200 rounds; REPRISE_TORTURE_ROUNDS=n and REPRISE_TORTURE_SEED=n choose others.
"""

import os
import random
import signal
import subprocess
import time
from collections import Counter, defaultdict

import pytest
import requests
from harness import SANITIZED, eventually, named, statuses, step, task

ROUNDS = int(os.environ.get("REPRISE_TORTURE_ROUNDS") or (3 if SANITIZED else 6))
SEED = int(os.environ.get("REPRISE_TORTURE_SEED") or 20)
MAX_RETRIES, LOSSES_MAX = 2, 4

# What it does follows from its token, so a failure can be told from the witness alone. Every fifth leaves a child behind
# in a session of its own that does not go by itself.
VICTIM = '''\
import os, time, zlib
home, token = os.environ["REPRISE_WORKSPACE"], os.environ["REPRISE_ATTEMPT_TOKEN"]
dice = zlib.crc32(token.encode())
def witness(what):
    fd = os.open(home + "/witness", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(fd, f"{what} victim {token} {os.getpid()}\\n".encode())
    os.close(fd)
witness("start")
os.write(1, f"out of {token}\\n".encode())
if dice % 5 == 0 and os.fork() == 0:
    os.setsid()
    time.sleep(3600)
time.sleep(dice % 7 * 0.03)
code = int(dice % 4 == 0)
witness(f"end{code}")
os._exit(code)
'''


def victims():
    """Eight tasks: two chains of three, what joins them whatever they came to, and what is behind that."""
    after = {"c0n0": (), "c0n1": "c0n0", "c0n2": "c0n1", "c1n0": (), "c1n1": "c1n0", "c1n2": "c1n1",
             "join": ["c0n2", "c1n2"], "last": "join"}
    return [task(key, "victim.py", behind, maxRetries=MAX_RETRIES, runIf="ALL_DONE") for key, behind in after.items()]


def stat_of(pid):
    """(state, parent) of a process, None when it is gone."""
    try:
        fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        return fields[0], int(fields[1])
    except OSError:
        return None


def alive(pid):
    stat = stat_of(pid)
    return stat is not None and stat[0] != "Z"


def supervisors(server):
    """Those of the tasks that run, and the idle ones of the server."""
    found = set()
    for pid in server.processes():
        stat = stat_of(pid)
        if stat and _is_supervisor(stat[1]):
            found.add(stat[1])
    if server.process:
        children = f"/proc/{server.process.pid}/task/{server.process.pid}/children"
        found.update(int(pid) for pid in open(children).read().split() if _is_supervisor(pid))
    return sorted(found)


def _is_supervisor(pid):
    try:
        return open(f"/proc/{pid}/comm").read().startswith("reprise-superv")
    except OSError:
        return False


def kill(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Torture:
    def __init__(self, server, seed):
        self.server, self.dice, self.seed = server, random.Random(seed), seed
        self.job = server.api.job(victims(), maxConcurrentRuns=1000)
        self.tokens, self.runs, self.kills = 0, [], Counter()

    def submit(self):
        """A run, made once however often it is asked for: the server may die while it answers."""
        self.tokens += 1
        token = f"torture-{self.tokens}"
        for _ in range(2):
            try:
                answer = self.server.api.post("/jobRuns", {"jobKey": self.job["key"]}, headers={"opc-retry-token": token})
                assert answer.status_code == 201, answer.text
                self.runs.append(answer.json()["key"])
                return
            except requests.RequestException:
                self.revive()

    def revive(self):
        if self.server.process and self.server.process.poll() is not None:
            self.server._wait()
        if not self.server.process:
            self.server.start()

    def kill_supervisors(self, most):
        there = supervisors(self.server)
        chosen = self.dice.sample(there, min(len(there), self.dice.randint(1, most)))
        self.kills["supervisor"] += len(chosen)
        kill(chosen)

    def kill_server(self):
        self.kills["server"] += 1
        self.kills["busy"] += bool(self.server.processes())
        self.server.kill9()

    def round(self):
        for _ in range(self.dice.randint(1, 3)):
            self.submit()
        time.sleep(self.dice.uniform(0, 0.25))
        what = self.dice.choice(["server", "server", "supervisors", "both", "down", "twice"])
        if what in ("supervisors", "both"):
            self.kill_supervisors(3)
        if what != "supervisors":
            self.kill_server()
        if what == "down":
            time.sleep(self.dice.choice([0, 0.05, 0.2]))
            self.kill_supervisors(4)
        self.revive()
        if what == "twice":
            time.sleep(self.dice.uniform(0, 0.02))
            self.kill_server()
            self.revive()

    # --- the account ---

    def check(self):
        starts, ends = defaultdict(list), {}
        for line in self.server.witness():
            if line.what == "start":
                starts[line.attempt].append(line.token)
            else:
                ends[line.attempt] = int(line.what.removeprefix("end"))
        twice = {a: tokens for a, tokens in starts.items() if len(tokens) > 1}
        assert not twice, f"seed {self.seed}: started twice: {twice}"
        seen = set()
        for key in self.runs:
            run = self.server.api.get_run(key)
            for task_key, task_run in run["taskToTaskRunMap"].items():
                retries = self.server.api.page_through(f"/taskRuns/{task_run}/retries", limit=1000)
                seen |= self.check_task_run(key, task_run, run["taskRunSummaryMap"][task_run], retries, starts, ends)
        unknown = set(starts) - seen
        assert not unknown, f"seed {self.seed}: ran, and the history knows nothing of it: {unknown}"

    def check_task_run(self, run, task_run, summary, retries, starts, ends):
        place = f"seed {self.seed}, run {run}, task run {task_run}"
        assert [r["retryNumber"] for r in retries] == list(range(len(retries))), place
        attempts, fates = set(), Counter()
        for retry in retries:
            attempt, status = (run, task_run, "0", str(retry["retryNumber"])), retry["state"]["status"]
            message = retry["state"]["stateMessage"]
            attempts.add(attempt)
            if status == "INTERNAL_ERROR":
                fates["lost" if "lost" in message.lower() else "unstarted"] += 1
                assert "lost" in message.lower() or attempt not in starts, (place, message)
                continue
            fates[status] += 1
            assert status in ("SUCCESS", "FAILED"), (place, status, message)
            assert attempt in starts and ends.get(attempt) == int(status == "FAILED"), (place, status, ends.get(attempt))
            token = starts[attempt][0]
            log = self.server.api.get(f"/taskRuns/{task_run}/logs", attempt=retry["retryNumber"]).content
            assert log == f"out of {token}\n".encode(), (place, log)
        failures = fates["FAILED"] + fates["unstarted"]
        assert fates["lost"] <= LOSSES_MAX and failures <= MAX_RETRIES + 1 and fates["SUCCESS"] <= 1, (place, fates)
        assert {"SUCCESS": fates["SUCCESS"] == 1, "FAILED": failures == MAX_RETRIES + 1,
                "INTERNAL_ERROR": LOSSES_MAX == fates["lost"] or failures == MAX_RETRIES + 1}[summary["state"]["status"]], (place, fates)
        return attempts


@pytest.mark.parametrize("rounds", [ROUNDS, pytest.param(200, marks=pytest.mark.soak)])
def test_no_attempt_twice_none_lost_every_outcome_accounted_for(servers, rounds):
    # Of the long form another one each time; not in the name of the test, for all processes of pytest must see the same.
    is_chosen = rounds == ROUNDS or os.environ.get("REPRISE_TORTURE_SEED")
    seed = SEED if is_chosen else time.time_ns() % 10**6
    server = servers("--exec.max-running", "16").start()
    server.script("victim.py", VICTIM)
    torture = Torture(server, seed)
    for number in range(4 * rounds):
        if number >= rounds and torture.kills["busy"] and torture.kills["supervisor"]:
            break  # a slow host may need more rounds until kills meet what they are to meet
        torture.round()
        if number % 25 == 24:  # so that what waits does not grow without end
            for run in torture.runs[-60:]:
                server.api.wait_final(run, seconds=240)
    assert torture.kills["busy"] and torture.kills["supervisor"], f"seed {seed}: no kill met a running task: this proved nothing"
    for run in torture.runs:
        server.api.wait_final(run, seconds=240)
    eventually(lambda: not server.processes(), "nothing of any attempt is alive")
    torture.check()
    listed = server.api.page_through("/jobRuns", jobKey=torture.job["key"], limit=1000)
    assert sorted(r["key"] for r in listed) == sorted(torture.runs), "every run once"


def test_fifty_tasks_outlive_the_server(own):
    """Of fifty tasks some end while the server is down, some go on, some die with their supervisors, one passes its deadline."""
    own.script("hold.py", VICTIM.split("if dice % 5")[0] +
               "name = os.environ['REPRISE_PARAM_name']\n"
               "while not os.path.exists(home + '/gates/' + name): time.sleep(.02)\n"
               "witness('end0')\n")
    groups = {"early": 20, "late": 19, "shot": 10}
    tasks = [task(f"{g}{n}", "hold.py", parameters=named(name=g)) for g, count in groups.items() for n in range(count)]
    tasks.append(step("slow", gate="never", timeoutSeconds=2))
    run = own.api.run(own.api.job(tasks))
    eventually(lambda: len(own.witness("start")) == 50, "fifty tasks run")
    pids = {w.token.split(".")[1]: int(w.pid) for w in own.witness("start")}
    pid_of = {t: pids[key] for t, key in run["taskToTaskRunMap"].items()}
    before = {key: own.api.task_run(run, key)["startTime"] for key in ("early3", "late3")}
    own.kill9()
    assert all(alive(pid) for key, pid in pid_of.items() if key != "slow"), "tasks survive the server"
    own.open_gate("early")
    kill({stat_of(pid_of[f"shot{n}"])[1] for n in range(groups["shot"])})
    eventually(lambda: not any(alive(pid) for key, pid in pid_of.items() if not key.startswith("late")),
               "they end without the server, at their gate, with their supervisor, or at their deadline")
    own.start()
    seen = statuses(own.api.get_run(run))
    assert all(seen[f"late{n}"] == "RUNNING" and alive(pid_of[f"late{n}"]) for n in range(groups["late"]))
    own.open_gate("late"), own.open_gate("shot")
    done = own.api.wait_final(run, "FAILED")
    assert statuses(done) == {**{t["taskKey"]: "SUCCESS" for t in tasks}, "slow": "TIMED_OUT"}
    assert {key: own.api.task_run(run, key)["startTime"] for key in before} == before
    begun = Counter(w.attempt for w in own.witness("start"))
    assert set(begun.values()) == {1} and len(begun) == 60, "ten were lost and started again, as other attempts"
    assert Counter(s["retryAttempt"] for s in done["taskRunSummaryMap"].values()) == {0: 40, 1: 10}
    eventually(lambda: not own.processes(), "nothing is left")


# --- the disk -----------------------------------------------------------------------------------------------------------

@pytest.fixture
def small_disk(servers):
    """A server whose data folder is a file system of 16 MiB of its own."""
    server = servers()
    server.data.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=700", "tmpfs", server.data],
                             capture_output=True, text=True)
    if mounted.returncode:
        server.log.touch()
        pytest.skip(f"cannot mount a small file system here: {mounted.stderr.strip()}")
    yield server
    if server.process:
        server.kill9()
    server.sweep()
    eventually(lambda: subprocess.run(["umount", server.data], capture_output=True).returncode == 0, "nobody uses the disk",
               pause_s=0.05)


def fill(path):
    """Writes until there is no room, down to the last block."""
    fd, size = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1 << 20
    while size >= 512:
        try:
            os.write(fd, b"\0" * size)
        except OSError:
            size //= 2
    os.close(fd)


def use_up(api, job, most=3000):
    """Makes runs until the database has no room even in its own files."""
    for n in range(most):
        answer = api.post("/jobRuns", {"jobKey": job["key"], "parameters": named(q="y" * 60000)})
        if answer.status_code == 503:
            return
        assert answer.status_code == 201
    raise AssertionError("the disk does not get full")


WRITER = '''\
import os, sys, time
home = os.environ["REPRISE_WORKSPACE"]
while not os.path.exists(home + "/gates/write"): time.sleep(.01)
open(home + "/began", "w").close()
try:
    while True: os.write(1, b"x" * 65536)
except OSError as error:
    sys.exit(0 if os.environ["REPRISE_PARAM_mode"] == "shrug" else 28)
'''


@pytest.mark.parametrize("server_dies", [False, True])
def test_a_full_disk_changes_no_tasks_fate(small_disk, server_dies):
    """While output, outcome and database find no room: each task's fate is what it did, once there is room again."""
    server = small_disk.start()
    api = server.api
    server.script("writer.py", WRITER)
    job = api.job([step("good", gate="go"), step("bad", gate="go", exit=7), step("behind", "good"),
                   task("minds", "writer.py", parameters=named(mode="minds")),
                   task("shrugs", "writer.py", parameters=named(mode="shrug"))])
    waiting = api.job([task("x")], name="waiting", maxConcurrentRuns=0, queue={"isEnabled": True})
    run = api.run(job)
    server.wait_witness("start", "good"), server.wait_witness("start", "bad")
    server.open_gate("write")  # they fill the disk, and one after the other finds that it is full
    use_up(api, waiting)
    server.open_gate("go")
    server.wait_witness("end", "good"), server.wait_witness("end", "bad")
    fill(server.data / "filler")
    eventually(lambda: not server.processes(), "all have ended")
    if server_dies:
        idle = supervisors(server)
        server.kill9()
        eventually(lambda: not any(alive(pid) for pid in idle), "who has nothing to do goes")
        fill(server.data / "filler")  # what they have freed with their records
        server.spawn()  # it cannot begin its epoch now: it must say so, not guess
        assert server._wait() != 0
        assert "disk" in server.tail() or "recovered" in server.tail(), server.tail()
    (server.data / "filler").unlink()
    for path in (server.data / "runs" / run["key"]).glob("*.out"):
        os.truncate(path, 0)
    if server_dies:
        server.start()
    done = server.api.wait_final(run, "FAILED")
    assert statuses(done) == {"good": "SUCCESS", "bad": "FAILED", "behind": "SUCCESS", "minds": "FAILED", "shrugs": "SUCCESS"}
    codes = {key: server.api.task_run(done, key)["state"]["stateMessage"] for key in ("bad", "minds")}
    assert "code 7" in codes["bad"] and "code 28" in codes["minds"], codes
    begun = Counter(w.attempt for w in server.witness("start"))
    assert len(begun) == 3 and set(begun.values()) == {1}
    assert all(s["retryAttempt"] == 0 for s in done["taskRunSummaryMap"].values()), "nothing was lost"
