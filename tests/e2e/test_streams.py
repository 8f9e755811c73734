"""Live streams of events and of logs (CONTRACT §6): order, resumption, ends, restarts, many of them, bad clients."""

import os
import socket
import threading
import time

import pytest
from harness import SANITIZED, Client, eventually, if_else, key_of, refused, step, task
from sse import SSE, Stream, check_items, ids, run_is, until

sanitize = pytest.mark.sanitize


def events_of(run):
    return f"/jobRuns/{key_of(run)}/events"


def stored(api, run):
    """All events of the run, as the list has them."""
    items = []
    while True:
        page = api.read(events_of(run), after=items[-1]["id"] if items else 0, limit=1000)["items"]
        items += page
        if not page:
            return items


def all_stored(api, **params):
    return api.page_through("/events", limit=1000, **params)


def listen(stream, heard):
    """A thread that appends what the stream says to `heard`."""
    thread = threading.Thread(target=lambda: heard.extend(stream.events()), daemon=True)
    thread.start()
    return thread


# --- the stream of a run ---


@sanitize
def test_a_finished_run_is_told_whole_and_ends(own):
    run = own.api.go([step("a"), step("b", "a"), step("c", "a", exit=3), if_else("d", "x == y", "b")], "FAILED")
    with Stream(own.api, events_of(run)) as stream:
        assert stream.status == 200 and stream.headers["content-type"].startswith(SSE)
        assert stream.headers["cache-control"] == "no-store" and stream.headers["opc-request-id"]
        heard = list(stream.events())
    check_items(heard, stored(own.api, run))
    assert heard[-1] == {"event": "end", "data": {"reason": "final", "status": "FAILED"}}
    assert stream.ended


@sanitize
def test_what_happens_is_told_while_it_happens(own):
    run = own.api.run(own.api.job([step("a", gate="a"), step("b", "a", gate="b")]))
    with Stream(own.api, events_of(run)) as stream:
        events = stream.events()
        heard = until(events, lambda e: e["data"]["taskKey"] == "a" and e["data"]["to"] == "RUNNING")
        begun = time.monotonic()
        own.open_gate("a")
        heard += until(events, lambda e: e["data"]["taskKey"] == "b" and e["data"]["to"] == "RUNNING")
        assert time.monotonic() - begun < 5, "live, not by a heartbeat"
        own.open_gate("b")
        heard += list(events)
    check_items(heard, stored(own.api, run))
    assert heard[-1]["data"]["status"] == "SUCCESS"


@sanitize
def test_it_is_resumed_behind_any_event(own):
    run = own.api.go([step("a"), step("b", "a")], "SUCCESS")
    items = stored(own.api, run)
    for n, item in enumerate(items[:-1]):
        for how in ({"headers": {"Last-Event-ID": str(item["id"])}}, {"after": item["id"]},
                    {"headers": {"last-event-id": str(item["id"])}, "after": 0}):
            with Stream(own.api, events_of(run), **how) as stream:
                check_items(stream.events(), items[n + 1:])
    with Stream(own.api, events_of(run), headers={"Last-Event-ID": str(items[-1]["id"])}) as stream:
        assert stream.status == 204, "an EventSource that comes back by itself is told to stay away"
    with Stream(own.api, events_of(run), after=items[-1]["id"]) as stream:
        assert [e["event"] for e in stream.events()] == ["end"]
    with Stream(own.api, events_of(run), onlyNew="true") as stream:
        assert [e["event"] for e in stream.events()] == ["end"]


@sanitize
def test_a_repair_goes_on_in_a_stream_that_is_open_or_in_a_new_one(own):
    run = own.api.go([step("a", exit=1, until="ok"), step("b", "a")], "FAILED")
    own.open_gate("ok")
    with Stream(own.api, events_of(run)) as stream:
        before = list(stream.events())
    own.api.repair(run)
    with Stream(own.api, events_of(run), headers={"Last-Event-ID": str(ids(before)[-1])}) as stream:
        assert stream.status == 200
        after = list(stream.events())
    assert after[-1]["data"] == {"reason": "final", "status": "SUCCESS"}
    check_items(before + after, stored(own.api, run))
    with Stream(own.api, events_of(run)) as stream:
        check_items(stream.events(), stored(own.api, run))  # through the first end without stopping there


@pytest.fixture(name="ended")
def an_ended_run(api):
    return api.go([step("a")], "SUCCESS")


def test_what_is_asked_wrongly_is_refused(api, ended):
    key = ended["key"]
    for bad in ("x", "-1", "1.5", "99999999999999999999", "1 2"):
        with Stream(api, f"/jobRuns/{key}/events", headers={"Last-Event-ID": bad}) as stream:
            assert stream.status == 400 and "Last-Event-ID" in stream.json()["message"]
    with Stream(api, f"/jobRuns/{key}/events", after=2**40) as stream:
        assert stream.status == 400 and "newest" in stream.json()["message"]
    accept = {"accept": SSE}
    refused(api.get("/jobRuns/01900000-0000-7000-8000-000000000000/events", headers=accept), 404,
            "NotAuthorizedOrNotFound")
    refused(api.get("/events", headers=accept, jobKey="a", after="b"), 400, "InvalidParameter", "after")
    assert api.get("/events", headers={"authorization": "Bearer rpr_no", **accept}).status_code == 401


@pytest.mark.parametrize("accept,streams", [
    ("text/event-stream", True), ("application/json, text/event-stream;q=0.5", True), ("Text/Event-Stream", True),
    ("text/event-stream;q=0", False), ("*/*", False), ("application/json", False), ("text/event-stream-2", False),
])
def test_it_takes_an_accept_header_that_names_it(api, ended, accept, streams):
    with Stream(api, events_of(ended), accept=accept) as stream:
        assert stream.headers["content-type"].startswith(SSE if streams else "application/json")


# --- the stream of the workspace ---


@sanitize
def test_the_workspace_is_told_with_the_names_of_runs(own):
    first, second = own.api.job([step("a")], name="first"), own.api.job([step("b", exit=1)], name="second")
    heard, of_first = [], []
    with Stream(own.api, "/events", onlyNew="true") as everything, \
            Stream(own.api, "/events", jobKey=first["key"]) as filtered:
        threads = [listen(everything, heard), listen(filtered, of_first)]
        runs = [own.api.run(job) for job in (first, second, first)]
        for run in runs:
            own.api.wait_final(run)
        items = all_stored(own.api)
        eventually(lambda: len(heard) == len(items), "everything was heard")
        check_items(heard, items)
        wanted = [i for i in items if i["jobName"] == "first"]
        eventually(lambda: len(of_first) == len(wanted), "what was asked for was heard")
        check_items(of_first, wanted)
        own.stop()
        for thread in threads:
            thread.join(10)
        assert everything.ended and filtered.ended, "a stop ends them properly"
    own.start()
    assert {(i["jobName"], i["jobKey"]) for i in items} == {("first", first["key"]), ("second", second["key"])}
    assert [i["id"] for i in items] == list(range(1, len(items) + 1))
    for run in runs:
        mine = [{k: v for k, v in i.items() if k not in ("jobKey", "jobName", "jobRunKey")}
                for i in items if i["jobRunKey"] == run["key"]]
        assert mine == stored(own.api, run), "the same items as in the run's own list"


def test_the_list_of_the_workspace_is_paged_and_filtered(own):
    jobs = [own.api.job([step("a"), step("b", "a")], name=name) for name in ("x", "y")]
    runs = [own.api.wait_final(own.api.run(jobs[n % 2])) for n in range(6)]
    items = own.api.page_through("/events", limit=7)
    assert [i["id"] for i in items] == list(range(1, len(items) + 1))
    of_job = own.api.page_through("/events", limit=5, jobKey=jobs[0]["key"])
    assert of_job == [i for i in items if i["jobKey"] == jobs[0]["key"]]
    of_run = own.api.page_through("/events", limit=4, jobRunKey=runs[3]["key"], after=items[10]["id"])
    assert of_run == [i for i in items[11:] if i["jobRunKey"] == runs[3]["key"]]
    assert own.api.page_through("/events", jobRunKey=runs[3]["key"], jobKey=jobs[0]["key"]) == []
    assert own.api.page_through("/events", jobRunKey="nonsense") == []
    assert own.api.read("/events", onlyNew="true")["items"] == []
    token = own.api.get("/events", limit=5).headers["opc-next-page"]
    refused(own.api.get("/events", limit=5, page=token, jobKey=jobs[0]["key"]), 400, "InvalidParameter", "page")
    assert own.api.delete(f"/jobRuns/{runs[2]['key']}").status_code == 204
    left = own.api.page_through("/events", limit=7)
    assert left == [i for i in items if i["jobRunKey"] != runs[2]["key"]]


# --- load, restarts ---


@sanitize
def test_no_gap_and_no_duplicate_under_load(own):
    """Streams that are cut and resumed again and again while runs go on hear each event once."""
    job = own.api.job([step("a"), step("b", "a"), step("c", "a")], maxConcurrentRuns=100)
    over, heard = threading.Event(), [[] for _ in range(4)]

    def cut_and_resume(mine, seed):
        while not over.is_set() or not mine or int(mine[-1]["id"]) < newest[0]:
            with Stream(own.api, "/events", headers={"Last-Event-ID": mine[-1]["id"]} if mine else {}) as stream:
                for n, event in enumerate(stream.events()):
                    mine.append(event)
                    if n == seed or (over.is_set() and int(event["id"]) >= newest[0]):
                        break

    newest = [None]
    threads = [threading.Thread(target=cut_and_resume, args=(mine, 1 + 17 * n), daemon=True)
               for n, mine in enumerate(heard)]
    for thread in threads:
        thread.start()
    runs = [own.api.run(job) for _ in range(30)]
    for run in runs:
        own.api.wait_final(run, "SUCCESS")
    items = all_stored(own.api)
    newest[0] = items[-1]["id"]
    over.set()
    own.api.wait_final(own.api.run(job))  # wakes whoever heard the newest before it was told
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    for mine in heard:
        check_items(mine[:len(items)], items)


@sanitize
def test_a_restart_in_the_middle(own):
    run = own.api.run(own.api.job([step("a"), step("b", "a", gate="b"), step("c", "b")]))
    heard = []
    with Stream(own.api, events_of(run)) as stream:
        heard += until(stream.events(), lambda e: e["data"]["taskKey"] == "b" and e["data"]["to"] == "RUNNING")
        own.restart()
        assert list(stream.chunks()) == [] and not stream.ended, "killed: cut off, without an end"
    with Stream(own.api, events_of(run), headers={"Last-Event-ID": heard[-1]["id"]}) as stream:
        own.open_gate("b")
        heard += list(stream.events())
    own.api.wait_final(run, "SUCCESS")
    check_items(heard, stored(own.api, run))
    assert heard[-1]["event"] == "end"


# --- many, slow, vanished ---


def proc(server, name):
    text = (f"/proc/{server.process.pid}/status")
    with open(text) as file:
        return int(next(line for line in file if line.startswith(name)).split()[1])


def test_a_thousand_parked_streams(servers):
    count = 1000
    server = servers(env={"REPRISE_HTTP_HEARTBEAT": "3600"}).start()
    run = server.api.run(server.api.job([step("a", gate="go")]))
    server.wait_witness("start", "a")
    threads, memory = proc(server, "Threads:"), proc(server, "VmRSS:")
    streams = [Stream(server.api, events_of(run) if n % 2 else "/events") for n in range(count)]
    try:
        heard = [s.events() for s in streams]
        for events in heard:
            until(events, lambda e: e["data"]["taskKey"] == "a" and e["data"]["to"] == "RUNNING")
        assert proc(server, "Threads:") == threads, "no thread for a stream"
        growth = proc(server, "VmRSS:") - memory
        assert growth < (400 if SANITIZED else 60) * count, f"{growth} KiB for {count} streams"
        cpu = cpu_ticks(server)
        time.sleep(1)
        assert cpu_ticks(server) - cpu <= 2, "parked streams do nothing"
        assert server.api.get("/jobs").status_code == 200, "and leave room for others"
        server.open_gate("go")
        for n, events in enumerate(heard):
            until(events, lambda e: e["event"] == "end" if n % 2 else run_is("SUCCESS")(e))
    finally:
        for stream in streams:
            stream.close()
    eventually(lambda: open_sockets(server) < 50, "the server lets go of clients that left")


def cpu_ticks(server):
    with open(f"/proc/{server.process.pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def open_sockets(server):
    folder = f"/proc/{server.process.pid}/fd"
    links = []
    for name in os.listdir(folder):
        try:
            links.append(os.readlink(f"{folder}/{name}"))
        except OSError:
            pass
    return sum(link.startswith("socket:") for link in links)


@sanitize
def test_there_is_a_limit_and_a_place_comes_free_at_once(servers):
    server = servers(env={"REPRISE_HTTP_MAX_STREAMS": "3", "REPRISE_HTTP_HEARTBEAT": "3600"}).start()
    streams = [Stream(server.api, "/events") for _ in range(3)]
    with Stream(server.api, "/events") as one_more:
        assert one_more.status == 429 and one_more.headers["retry-after"]
        assert one_more.json() == {"code": "TooManyRequests",
                                   "message": "too many streams are open: this server has at most 3"}
    assert server.api.get("/events").status_code == 200, "lists are no streams"
    streams.pop().close()  # nothing happens, and no heartbeat is near: its end alone is noticed

    def place():
        with Stream(server.api, "/events") as stream:
            return stream.status == 200

    eventually(place, "a place is free again", seconds=10)
    for stream in streams:
        stream.close()


@sanitize
def test_one_user_does_not_take_all_places(servers):
    server = servers(env={"REPRISE_HTTP_MAX_STREAMS": "8", "REPRISE_HTTP_HEARTBEAT": "3600"}).start()
    server.api.made("//reprise/v1/users", {"name": "other", "role": "VIEWER"})
    other = Client(server.endpoint, server.api.made("//reprise/v1/tokens", {"name": "t", "user": "other"})["token"])
    streams = [Stream(server.api, "/events") for _ in range(6)]
    assert [stream.status for stream in streams] == [200] * 6
    with Stream(server.api, "/events") as one_more:
        assert one_more.status == 429
    streams += [Stream(other, "/events") for _ in range(2)]
    assert [stream.status for stream in streams[6:]] == [200] * 2
    with Stream(other, "/events") as one_more:
        assert one_more.status == 429, "there are no more"
    for stream in streams:
        stream.close()


@sanitize
def test_a_slow_reader_holds_little_and_misses_nothing(servers):
    server = servers().start()
    megabytes = 64
    server.script("loud.py", f"import os\nfor n in range({megabytes}):\n    os.write(1, b'%08d\\n' % n * 116509)\n")
    run = server.api.go([task("a", "loud.py")], "SUCCESS")
    key = run["taskToTaskRunMap"]["a"]
    before = proc(server, "VmRSS:")
    with Stream(server.api, f"/taskRuns/{key}/logs", accept="*/*", receive_buffer=4096, follow="true") as stream:
        time.sleep(1)  # it takes nothing, and the server must not read on for it
        assert proc(server, "VmRSS:") - before < 4096, "what is not taken stays in the file"
        total = sum(len(chunk) for chunk in stream.chunks())
        assert stream.ended and total == megabytes * 9 * 116509


@sanitize
def test_a_reader_that_takes_nothing_is_cut_off(servers):
    server = servers(env={"REPRISE_HTTP_REQUEST_TIMEOUT": "1"}).start()
    server.script("loud.py", "import os\nfor n in range(32):\n    os.write(1, b'x' * 1048576)\n")
    run = server.api.go([task("a", "loud.py")], "SUCCESS")
    key = run["taskToTaskRunMap"]["a"]
    before = open_sockets(server)
    with Stream(server.api, f"/taskRuns/{key}/logs", accept="*/*", receive_buffer=4096, follow="true"):
        eventually(lambda: open_sockets(server) <= before, "its connection is closed")


@sanitize
def test_silence_is_filled_with_comments(servers):
    server = servers(env={"REPRISE_HTTP_HEARTBEAT": "1"}).start()
    run = server.api.run(server.api.job([step("a", gate="go")]))
    with Stream(server.api, events_of(run)) as stream:
        events = stream.events(comments=True)
        comments = 0
        for event in events:
            comments += "comment" in event
            if comments == 2:
                break
        server.open_gate("go")
        heard = [e for e in events if "data" in e]
        assert heard[-1]["event"] == "end"


@sanitize
def test_a_stop_ends_streams_within_its_time(own):
    run = own.api.run(own.api.job([step("a", gate="go", out="said")]))
    own.wait_witness("start", "a")
    key = own.api.get_run(run)["taskToTaskRunMap"]["a"]
    streams = [Stream(own.api, events_of(run)), Stream(own.api, "/events"),
               Stream(own.api, f"/taskRuns/{key}/logs", accept="*/*", follow="true")]
    begun = time.monotonic()
    assert own.stop() == 0
    assert time.monotonic() - begun < 5
    for n, stream in enumerate(streams):
        for _ in stream.chunks():
            pass
        assert stream.ended == (n < 2), "events end properly; of a log that would say that it is whole"
        stream.close()
    own.start()
    own.open_gate("go")
    own.api.wait_final(run, "SUCCESS")


# --- logs ---


def follow(server, run, task_key="a", **params):
    key = server.api.get_run(run)["taskToTaskRunMap"][task_key]
    return Stream(server.api, f"/taskRuns/{key}/logs", accept="*/*", follow="true", **params)


TALK = '''\
import os, sys, time
gates = os.path.join(os.environ["REPRISE_WORKSPACE"], "gates")
for n in range(3):
    while not os.path.exists(os.path.join(gates, f"say{n}")):
        time.sleep(0.005)
    os.write(1, f"line {n}\\n".encode())
    os.write(2, f"error {n}\\n".encode())
'''


@sanitize
def test_a_log_is_followed_to_the_attempts_end(own):
    own.script("talk.py", TALK)
    run = own.api.run(own.api.job([task("a", "talk.py")]))
    with follow(own, run) as out, follow(own, run, stream="stderr") as err, follow(own, run, offset=3) as rest:
        assert out.status == 200 and out.headers["content-type"].startswith("text/plain")
        chunks = out.chunks()
        own.open_gate("say0")
        begun = time.monotonic()
        assert next(chunks) == b"line 0\n"
        assert time.monotonic() - begun < 5, "as it is written"
        own.open_gate("say1")
        assert next(chunks) == b"line 1\n"
        own.open_gate("say2")
        assert b"".join(chunks) == b"line 2\n" and out.ended
        assert err.body() == b"error 0\nerror 1\nerror 2\n" and err.ended
        assert rest.body() == b"e 0\nline 1\nline 2\n" and rest.ended
    own.api.wait_final(run, "SUCCESS")
    with follow(own, run) as again:
        assert again.body() == b"line 0\nline 1\nline 2\n", "of an attempt that has ended: all of it"


@sanitize
def test_a_silent_log_ends_with_its_attempt_however_much_others_do(own):
    run = own.api.run(own.api.job([step("a", gate="go")]))
    nothing = own.api.job([{"taskKey": "d", "type": "DUMMY_TASK"}], name="nothing", maxConcurrentRuns=1000)
    own.wait_witness("start", "a", 1)
    with follow(own, run) as plain, follow(own, run, stream="stderr") as other:
        for _ in range(600):  # a commit each, and none of them is about the run
            own.api.run(nothing)
        own.open_gate("go")
        assert plain.body() == b"" and plain.ended and other.body() == b"" and other.ended
    own.api.wait_final(run, "SUCCESS")


@sanitize
def test_a_log_is_waited_for_before_the_task_starts(own):
    run = own.api.run(own.api.job([step("first", gate="go"), step("a", "first", out="hello"),
                                   step("never", "first", runIf="ALL_FAILED")]))
    with follow(own, run) as stream, follow(own, run, "never") as never:
        own.open_gate("go")
        assert stream.body() == b"hello\n" and stream.ended
        assert never.body() == b"" and never.ended


@sanitize
def test_each_attempt_is_followed_on_its_own(own):
    run = own.api.run(own.api.job([step("a", out="tried", gate="go", exit=1, maxRetries=1)]))
    own.wait_witness("start", "a")
    with follow(own, run) as newest, follow(own, run, attempt=1) as second, follow(own, run, attempt=7) as none:
        own.open_gate("go")
        assert newest.body() == b"tried\n", "the first, which was the newest then"
        assert second.body() == b"tried\n"
        assert none.body() == b"" and none.ended
    own.api.wait_final(run, "FAILED")
    key = own.api.get_run(run)["taskToTaskRunMap"]["a"]
    refused(own.api.get(f"/taskRuns/{key}/logs", attempt=7), 404, "NotAuthorizedOrNotFound")


@sanitize
def test_a_log_goes_on_after_a_restart(own):
    own.script("talk.py", TALK)
    run = own.api.run(own.api.job([task("a", "talk.py")]))
    own.open_gate("say0")
    with follow(own, run) as stream:
        assert next(stream.chunks()) == b"line 0\n"
        own.restart()
    with follow(own, run, offset=7) as stream:
        own.open_gate("say1")
        assert next(stream.chunks()) == b"line 1\n"
        own.open_gate("say2")
        assert stream.body() == b"line 2\n" and stream.ended


def hear(server, run, task_key="a", headers=None, **params):
    key = server.api.get_run(run)["taskToTaskRunMap"][task_key]
    return Stream(server.api, f"/taskRuns/{key}/logs", headers=headers, **params)


def output_of(events):
    """The events of output, their texts put together; each begins where the one before has ended."""
    events = [e for e in events if e["event"] == "output"]
    for before, after in zip(events, events[1:]):
        assert after["data"]["offset"] == int(before["id"].rpartition(":")[2])
    return "".join(e["data"]["text"] for e in events)


ODD = """\
import os, sys, time
gate = os.path.join(os.environ["REPRISE_WORKSPACE"], "gates", "odd")
while not os.path.exists(gate):
    time.sleep(0.005)
for piece in (b"\\xe2\\x82", b"\\xac a\\r\\n\\tb\\0 \\xff", b"\\xf0\\x9f"):
    os.write(1, piece)
sys.exit(3)
"""


@sanitize
def test_a_log_is_told_as_events(own):
    """Of a chain of calls: from the beginning, with a broken connection, over a restart, and when all was told."""
    own.script("talk.py", TALK)
    run = own.api.run(own.api.job([task("a", "talk.py")]))
    with hear(own, run) as stream:
        assert stream.status == 200 and stream.headers["content-type"].startswith("text/event-stream")
        events = stream.events()
        own.open_gate("say0")
        assert next(events) == {"id": "0:7", "event": "output", "data": {"attempt": 0, "offset": 0, "text": "line 0\n"}}
        own.open_gate("say1")
        assert next(events) == {"id": "0:14", "event": "output", "data": {"attempt": 0, "offset": 7, "text": "line 1\n"}}
        own.restart()
        assert "end" not in [e["event"] for e in events], "cut by a server that stops: come again"
    with hear(own, run, headers={"last-event-id": "0:7"}) as stream, \
            hear(own, run, attempt=0, stream="stderr") as err:
        own.open_gate("say2")
        heard, errors = list(stream.events()), list(err.events())
    assert output_of(heard) == "line 1\nline 2\n"
    assert heard[-1] == {"event": "end", "data": {"reason": "ended", "attempt": 0, "status": "SUCCESS"}}
    assert output_of(errors) == "error 0\nerror 1\nerror 2\n" and errors[-2]["id"] == "24", "of a call that names the attempt"
    own.api.wait_final(run, "SUCCESS")
    with hear(own, run, attempt=0, headers={"last-event-id": "14"}) as stream:
        assert output_of(stream.events()) == "line 2\n"
    with hear(own, run, headers={"last-event-id": "0:21"}) as stream:
        assert stream.status == 204, "everything was told: do not come again"
    for bad in ("x", "-1", "0:x", "1:", "7 8"):
        with hear(own, run, headers={"last-event-id": bad}) as stream:
            assert stream.status == 400 and "Last-Event-ID" in stream.json()["message"]
    with hear(own, run, attempt=0, headers={"last-event-id": "1:3"}) as stream:
        assert stream.status == 400 and "is of attempt 1" in stream.json()["message"]

    # Characters are not cut, what is none is U+FFFD, and the offsets count bytes.
    own.script("odd.py", ODD)
    run = own.api.run(own.api.job([task("a", "odd.py", maxRetries=1), task("b", "ok.py", "a")]))
    with hear(own, run, offset=0) as stream, hear(own, run, "b") as never:
        own.open_gate("odd")
        heard = list(stream.events())
        assert list(never.events()) == [{"event": "end", "data": {"reason": "never started", "attempt": None, "status": "UPSTREAM_FAILED"}}]
    assert output_of(heard) == "\u20ac a\r\n\tb\0 \ufffd\ufffd\ufffd"
    assert heard[-2]["id"] == "0:14" and heard[-1]["data"] == {"reason": "ended", "attempt": 0, "status": "FAILED"}
    own.api.wait_final(run, "FAILED")
    with hear(own, run) as newest, hear(own, run, headers={"last-event-id": "0:3"}) as first:
        assert [e["id"] for e in newest.events() if "id" in e][-1] == "1:14"
        assert {e["data"]["attempt"] for e in first.events()} == {0}, "not the next attempt's output behind the first one's"


def test_a_client_that_closes_half_is_taken_as_gone(own):
    """Documented: whoever shuts its sending half down hears no more of a stream that was silent."""
    with Stream(own.api, "/events") as stream:
        next(stream.chunks())
        stream.socket.shutdown(socket.SHUT_WR)
        assert list(stream.chunks()) == []
