"""The server's life: ready, drained, refused, out of disk (CONTRACT §2; DURABILITY §1)."""

import json
import os
import resource
import signal
import socket
import subprocess
import time

import pytest
from harness import BINARY, DEADLINE_S, SANITIZED, Client, eventually, refused, statuses, step, task
from seeds import check_lifecycle

sanitize = pytest.mark.sanitize


def attempt_to_start(server, *options):
    """(exit status, stdout, stderr) of a server that must not come up."""
    result = subprocess.run(server.command(*options), capture_output=True, text=True, timeout=60, env=server.env)
    return result.returncode, result.stdout, result.stderr


@sanitize
def test_sigterm_ends_within_five_seconds_and_tasks_go_on(own):
    run = own.api.run(own.api.job([step("a", gate="go"), step("b", "a")]))
    own.wait_witness("start", "a")
    begun = time.monotonic()
    assert own.stop() == 0
    assert time.monotonic() - begun < 5
    ready, sign_in = own.printed.splitlines()
    assert ready == f"reprise: listening on {own.url}", "nothing else goes to stdout, but for where to sign in"
    assert sign_in.startswith("reprise: sign in once, ") and f" {own.url}/#code=" in sign_in
    assert not (own.data / "endpoint.json").exists(), "removed at a clean stop"
    assert len(own.processes()) == 1, "the task goes on"
    own.open_gate("go")
    own.wait_witness("end", "a")
    own.start()
    own.api.wait_final(run, "SUCCESS")
    assert [w.name for w in own.witness("start")] == ["a", "b"]


@sanitize
def test_while_it_drains_nothing_new_starts(own):
    """The server is asked to end while a chain of tasks runs; afterwards the chain goes on where it was."""
    tasks = [step(f"t{n}", f"t{n - 1}" if n else ()) for n in range(30)]
    run = own.api.run(own.api.job(tasks))
    own.wait_witness("end", "t2")
    run_started = own.api.get_run(run)["startTime"]
    assert own.stop() == 0
    eventually(lambda: not own.processes(), "the last task has ended")
    reached = len(own.witness("start"))
    assert reached < 30
    own.start()
    done = own.api.wait_final(run, "SUCCESS")
    assert [w.name for w in own.witness("start")] == [f"t{n}" for n in range(30)]
    assert [s["status"] for s in done["lifecycleStates"]] == [
        "PENDING", "RUNNING", "PAUSED_MAINTENANCE", "RUNNING", "SUCCESS"]
    check_lifecycle(done["lifecycleStates"], done["state"])
    assert own.api.get_run(run)["startTime"] == run_started


@sanitize
def test_what_a_restored_copy_does_not_know_did_not_happen(own):
    """Epochs that were begun since are not begun again: a task is not taken for the one that ran before the restore."""
    run = own.api.run(own.api.job([step("a", gate="a"), step("b", "a", gate="b"), step("c", "b")]))
    own.wait_witness("start", "a")
    copy = own.data / "copy.db"
    subprocess.run([BINARY, "backup", copy, "--data", own.data], check=True, timeout=60, stdout=subprocess.DEVNULL, env=own.env)
    assert own.stop() == 0
    own.start()
    own.open_gate("a")
    own.wait_witness("start", "b")
    assert own.stop() == 0
    own.open_gate("b")
    own.wait_witness("end", "b")
    copy.rename(own.data / "reprise.db")
    for rest in ("reprise.db-wal", "reprise.db-shm"):
        (own.data / rest).unlink(missing_ok=True)
    own.start()
    own.api.wait_final(run, "SUCCESS")
    assert [w.name for w in own.witness("start")] == ["a", "b", "a", "b", "c"]


@sanitize
def test_a_queue_keeps_its_order_over_a_drain(own):
    job = own.api.job([step("a", gate="go")], queue={"isEnabled": True})
    runs = [own.api.run(job) for _ in range(3)]
    own.wait_witness("start", "a")
    assert own.stop() == 0
    own.start()
    own.api.wait_for(runs[0], "RUNNING")
    assert [own.api.get_run(r)["state"]["status"] for r in runs[1:]] == ["QUEUED", "QUEUED"]
    own.open_gate("go")
    ends = [own.api.wait_final(r, "SUCCESS")["endTime"] for r in runs]
    assert ends == sorted(ends)


@sanitize
def test_a_second_server_on_the_same_data_is_refused(own):
    run = own.api.run(own.api.job([step("a", gate="go")]))
    endpoint = (own.data / "endpoint.json").read_text()
    status, out, err = attempt_to_start(own)
    assert status not in (0, None) and status > 0
    assert "listening" not in out
    assert "another server" in err.lower() or "in use" in err.lower() or "already" in err.lower(), err
    assert own.token not in err
    assert (own.data / "endpoint.json").read_text() == endpoint
    own.open_gate("go")
    own.api.wait_final(run, "SUCCESS")


@pytest.mark.parametrize("options,word", [
    (["--listen", "0.0.0.0:0"], "insecure-listen"), (["--listen", "nonsense"], "listen"), (["--listen", "::1"], "in brackets ([::1]:8787)"), (["--listen", "[]:0"], "HOST:PORT"),
    (["--listen", "[fe80::1%lo]:0"], "fe80::1%lo is not a loopback address"),
    (["--listen", "127.0.0.1:99999"], "listen"), (["--no-such-option"], "no-such-option"),
    (["--config", "/nonexistent/reprise.ini"], "reprise.ini"),
])
def test_a_start_that_cannot_be_is_refused(servers, options, word):
    status, out, err = attempt_to_start(prepared(servers), *options)
    assert status == 2 and "listening" not in out
    assert word in err, err


def prepared(servers):
    server = servers()
    server.log.touch()
    return server


def test_a_port_that_is_taken(own, servers):
    other = prepared(servers)
    status, out, err = attempt_to_start(other, "--listen", own.url.removeprefix("http://"))
    assert status > 0 and "listening" not in out
    assert own.url.rsplit(":", 1)[1] in err or "in use" in err.lower(), err


def test_a_data_path_that_is_a_file(servers):
    server = prepared(servers)
    server.data.touch()
    status, _, err = attempt_to_start(server)
    assert status > 0 and err


@sanitize
def test_options_come_from_the_environment_and_a_file_too(servers, tmp_path):
    config = tmp_path / "reprise.ini"
    config.write_text("[exec]\nmax-running = 1\n")
    server = servers("--config", config)
    server.start()
    run = server.api.run(server.api.job([step("a", gate="go"), step("b", gate="go")]))
    eventually(lambda: len(server.witness("start")) == 1, "one at work")
    server.api.wait_for(run, "RUNNING")
    assert sorted(statuses(server.api.get_run(run)).values()) == ["QUEUED", "RUNNING"]
    server.open_gate("go")
    server.api.wait_final(run, "SUCCESS")


@sanitize
def test_a_restart_keeps_who_and_what_it_is(own):
    before, token = own.endpoint, own.token
    job = own.api.job([step("a")])
    run = own.api.wait_final(own.api.run(job))
    assert own.stop() == 0
    own.start()
    assert own.token == token
    for field in ("aiDataPlatformId", "workspaceKey", "projectId"):
        assert own.endpoint[field] == before[field]
    assert own.api.get_run(run) == run
    assert own.api.read(f"/jobs/{job['key']}") == job


def test_a_lost_token_file_is_made_anew(own):
    old = own.token
    assert own.stop() == 0
    (own.data / "admin.token").unlink()
    own.start()
    assert own.token != old
    assert own.api.get("/jobs").status_code == 200
    assert Client(own.endpoint, old).get("/jobs").status_code == 200, "a second token: the first is still good"


@sanitize
def test_logs_are_logfmt_or_json(servers):
    plain, structured = servers(), servers("--log-format", "json")
    for server in (plain, structured):
        server.start()
        server.api.go([step("a", exit=1)], "FAILED")
        assert server.stop() == 0
    for line in plain.log.read_text().splitlines():
        assert line.startswith("time="), line
    for line in structured.log.read_text().splitlines():
        assert "level" in json.loads(line)


def test_signals_that_do_not_end_it(own):
    for number in (signal.SIGHUP, signal.SIGPIPE):
        own.process.send_signal(number)
        own.api.go([task("a")], "SUCCESS")
    own.api.go([task("a")], "SUCCESS")


@pytest.mark.skipif(SANITIZED, reason="its runtime opens files at the end")
def test_a_loop_that_cannot_go_on_is_a_failure(own):
    """poll takes no more descriptors than a process may have. The service manager starts again only what has failed."""
    resource.prlimit(own.process.pid, resource.RLIMIT_NOFILE, (1, 1))
    own.process.send_signal(signal.SIGHUP)
    assert own._wait() == 1
    assert "cannot wait for anything" in own.log.read_text()


def test_ids_are_not_reused_and_keys_sort_by_time(own):
    job = own.api.job([step("a")], maxConcurrentRuns=0, queue={"isEnabled": True})
    keys = []
    for _ in range(3):
        keys += [own.api.run(job)["key"] for _ in range(10)]
        own.restart()
    assert len(set(keys)) == 30 and keys == sorted(keys)


# --- out of disk ------------------------------------------------------------------------------------------------------

@pytest.fixture
def small_disk(servers):
    """A server whose data folder is a file system of 12 MiB of its own."""
    server = servers()
    server.data.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m,mode=700", "tmpfs", server.data],
                             capture_output=True, text=True)
    if mounted.returncode:
        server.log.touch()
        pytest.skip(f"cannot mount a small file system here: {mounted.stderr.strip()}")
    yield server
    if server.process:
        server.kill9()
    server.sweep()
    for _ in range(100):
        if subprocess.run(["umount", server.data], capture_output=True).returncode == 0:
            break
        time.sleep(0.05)
    else:
        subprocess.run(["umount", "-l", server.data], check=True)


def fill(path):
    """Writes until there is no room, down to the last block."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    size = 1 << 20
    while size >= 512:
        try:
            os.write(fd, b"\0" * size)
        except OSError:
            size //= 2
    os.close(fd)


def test_a_full_disk_stops_starting_not_running_and_goes_on_by_itself(small_disk):
    server = small_disk.start()
    api, filler = server.api, server.data / "filler"
    job = api.job([step("a", gate="go"), step("b", "a")], maxConcurrentRuns=1000)
    running = api.run(job)
    server.wait_witness("start", "a")
    waiting = api.job([task("x")], maxConcurrentRuns=0, queue={"isEnabled": True},
                      parameters=[{"name": "p", "value": "x" * 60000}])
    fill(filler)
    accepted, answer = [], None
    for n in range(3000):  # until the room in the database's own files is used up
        answer = api.post("/jobRuns", {"jobKey": waiting["key"], "parameters": [{"name": "q", "value": "y" * 60000}]},
                          headers={"opc-retry-token": f"full-{n}"})
        if answer.status_code != 201:
            break
        accepted.append(answer.json()["key"])
    refused(answer, 503, "ServiceUnavailable")
    assert int(answer.headers["retry-after"]) >= 0
    assert api.get_run(running)["state"]["status"] == "RUNNING", "reads go on"
    eventually(lambda: api.get("//readyz").status_code == 503, "it says that it is not ready")
    assert api.get("//healthz").status_code == 200
    server.open_gate("go")
    server.wait_witness("end", "a")
    filler.unlink()
    again = eventually(lambda: (a := api.post("/jobRuns", {"jobKey": job["key"]})).status_code == 201 and a,
                       "it goes on by itself", pause_s=0.1)
    api.wait_final(again.json(), "SUCCESS")
    api.wait_final(running, "SUCCESS")
    eventually(lambda: api.get("//readyz").status_code == 200, "it says that it is ready again")
    begun = [w.attempt for w in server.witness("start")]
    assert len(begun) == 4 == len(set(begun))
    listed = {i["key"] for i in api.page_through("/jobRuns", jobKey=waiting["key"], limit=1000)}
    assert set(accepted) <= listed, "what was accepted is there"
    server.restart()
    assert {i["key"] for i in server.api.page_through("/jobRuns", jobKey=waiting["key"], limit=1000)} == listed


def test_what_is_ready_waits_while_the_disk_is_full(small_disk):
    """Before there is no room left: what starts and cannot have its files would fail."""
    server = small_disk.start()
    api, filler = server.api, server.data / "filler"
    names = [f"x{n}" for n in range(10)]
    run = api.run(api.job([step("a", gate="go"), *(step(name, "a") for name in names)]))
    server.wait_witness("start", "a")
    room = os.statvfs(server.data)
    filler.write_bytes(b"\0" * (room.f_bavail * room.f_bsize - (640 << 10)))
    server.open_gate("go")
    eventually(lambda: "too full for tasks to start" in server.tail(20000), "it says so")
    eventually(lambda: {api.task_run(run, name)["state"]["status"] for name in names} == {"QUEUED"}, "what is behind is ready")
    assert "disk of the data folder is too full" in api.task_run(run, "x0")["state"]["stateMessage"], "slots are free"
    filler.unlink()
    api.wait_final(run, "SUCCESS")
    assert len(server.witness("start")) == 11 and {api.task_run(run, name)["retryAttempt"] for name in names} == {0}


def test_a_database_that_somebody_took_away_is_not_ready(own):
    database = own.data / "reprise.db"
    assert own.api.get("//readyz").status_code == 200
    job = own.api.job([task("a")])
    database.rename(own.data / "away.db")
    refused(own.api.post("/jobRuns", {"jobKey": job["key"]}), 503, "ServiceUnavailable")
    for path, body in (("secrets", {"name": "s", "value": "v"}), ("users", {"name": "u", "role": "VIEWER"}), ("tokens", {"name": "t"})):
        assert own.api.post(f"//reprise/v1/{path}", body).status_code == 503, path
    eventually(lambda: own.api.get("//readyz").status_code == 503, "what is written goes nowhere")
    told = own.tail(20000)
    assert "the database is no longer where it was" in told and "row that was to be changed" not in told
    (own.data / "away.db").rename(database)
    eventually(lambda: own.api.get("//readyz").status_code == 200, "it is back")
    run = eventually(lambda: (made := own.api.post("/jobRuns", {"jobKey": job["key"]})).status_code == 201 and made.json(), "runs are taken")
    own.api.wait_final(run, "SUCCESS")
    assert len(own.api.page_through("/jobRuns", jobKey=job["key"])) == 1, "what was refused is not there"


def test_the_service_manager_hears_of_it(servers, tmp_path):
    """sd_notify's protocol: ready, then alive twice in every period of the watchdog, then stopping."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(DEADLINE_S)
        server = servers(env={"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "200000"})
        began = time.monotonic()  # before the first can be sent: those read late have waited in the socket
        server.start()
        assert manager.recv(100) == b"READY=1"
        for _ in range(20):
            assert manager.recv(100) == b"WATCHDOG=1"
        assert time.monotonic() - began >= 1.8, "they come every half of a period, not as fast as they can"
        server.api.go([step("one")], "SUCCESS")
        assert server.stop() == 0
        heard = set()
        while b"STOPPING=1" not in heard:
            heard.add(manager.recv(100))
        assert heard <= {b"WATCHDOG=1", b"STOPPING=1"}


def test_a_data_folder_is_one_databases(servers, tmp_path):
    """Started once with another database by mistake, it loses nothing: neither the key of secrets nor outputs of runs."""
    server = servers().start()
    api = server.api
    api.made("//reprise/v1/secrets", {"name": "kept", "value": "v"})
    run = api.go([task("a")], "SUCCESS")
    key, folder = (server.data / "secret.key").read_bytes(), server.data / "runs" / run["key"]
    server.stop()
    other = subprocess.run([*server.command(), f"--store=sqlite:{tmp_path}/other.db"], capture_output=True, text=True, timeout=DEADLINE_S, env=server.env)
    assert other.returncode == 1 and "is of another database" in other.stderr and "platform.id" in other.stderr, other
    assert (server.data / "secret.key").read_bytes() == key and folder.is_dir()
    api = server.start().api
    shell = {"taskKey": "s", "type": "SHELL_TASK", "script": "test $REPRISE_SECRET_kept = v", "x-secrets": ["kept"]}
    api.go([shell], "SUCCESS")
    assert folder.is_dir()


def test_a_key_that_the_database_does_not_know_is_kept(servers):
    """As a crash leaves it between the two."""
    server = servers()
    server.data.mkdir()
    server.data.chmod(0o700)
    path = server.data / "secret.key"
    path.write_text("A" * 43 + "\n")
    path.chmod(0o600)
    server.start()
    server.restart()
    assert path.read_text() == "A" * 43 + "\n"
