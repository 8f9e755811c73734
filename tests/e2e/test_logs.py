"""Output within its limit (exec/trim.h): beginning and end are kept, offsets stay, the cut is told, the disk gets its room back."""

import os
import re
import subprocess

import pytest
import requests
from harness import BINARY, Server, eventually, refused, task
from sse import Stream

LIMIT = 256 << 10
LINE = 64  # "line 000000001 ...\n"
NOTICE = re.compile(rb"\n--- reprise: cut here, bytes (\d+) to (\d+) are gone \(logs.max-bytes\) ---\n")

# Writes `first` lines, waits at the gate `name`, writes `then` lines: 64 bytes each, numbered.
CHATTER = '''\
import os, sys, time
words = dict(w.split("=") for w in sys.argv[1:])
number = 0
def talk(count):
    global number
    for _ in range(count):
        number += 1
        os.write(int(words.get("fd", 1)), b"line %09d " % number + b"." * 48 + b"\\n")
talk(int(words["first"]))
while "gate" in words and not os.path.exists(os.environ["REPRISE_WORKSPACE"] + "/gates/" + words["gate"]):
    time.sleep(.01)
talk(int(words.get("then", 0)))
'''


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"), "--logs.max-bytes", str(LIMIT))
    server.start()
    server.script("chatter.py", CHATTER)
    yield server
    server.close()


def chatter(api, **words):
    job = api.job([task("a", "chatter.py", commandLineArguments=" ".join(f"{k}={v}" for k, v in words.items()))])
    run = api.run(job)
    return run, run["taskToTaskRunMap"]["a"]


def file_of(server, run, task_run, suffix=".out"):
    return next((server.data / "runs" / run["key"]).glob(f"{task_run}.0.*{suffix}"))


def on_disk(path):
    return os.stat(path).st_blocks * 512


def pieces(api, task_run, offset=0, **params):
    """[(offset, bytes)] as a client reads that goes by x-reprise-next-offset, and the cut."""
    found, cut = [], None
    while True:
        answer = api.get(f"/taskRuns/{task_run}/logs", offset=offset, **params)
        assert answer.status_code == 200
        begin, end = int(answer.headers["x-reprise-offset"]), int(answer.headers["x-reprise-next-offset"])
        assert begin >= offset and end == begin + len(answer.content)
        cut = answer.headers.get("x-reprise-cut", cut)
        if not answer.content:
            return found, cut
        found.append((begin, answer.content))
        offset = end


def check_cut(found, cut, lines):
    """Every byte is the one that was written at its place, but for the notice before the cut."""
    first, last = map(int, cut.split("-"))
    text = b"".join(data for _, data in found)
    notice = NOTICE.search(text)
    assert notice and [int(n) for n in notice.groups()] == [first, last]
    assert b"\0" not in text and len(text) == lines * LINE - (last + 1 - first)
    for begin, data in found:
        for at in range(begin - begin % LINE + (LINE if begin % LINE else 0), begin + len(data) - LINE + 1, LINE):
            line = data[at - begin:at - begin + LINE]
            if b"reprise" in line or b"---" in line or first - 2 * LINE <= at < first:
                continue
            assert line == b"line %09d " % (at // LINE + 1) + b"." * 48 + b"\n", (at, line)
    assert text.startswith(b"line 000000001 ") and f"line {lines:09} ".encode() in text[-LINE:]
    head, tail = first, lines * LINE - last - 1
    assert LIMIT // 8 <= head <= LIMIT // 4 and LIMIT // 2 <= tail <= 2 * LIMIT


def test_what_is_within_the_limit_is_whole(server):
    run, key = chatter(server.api, first=LIMIT // LINE)
    server.api.wait_final(run, "SUCCESS")
    found, cut = pieces(server.api, key)
    assert cut is None and sum(len(d) for _, d in found) == LIMIT


def test_output_is_cut_while_the_task_runs_and_after_it(server):
    api, lines = server.api, 40000
    run, key = chatter(api, first=lines, gate="more", then=lines)
    eventually(lambda: f"line {lines:09} ".encode() in b"".join(d for _, d in pieces(api, key)[0]), "all of the first part")
    path = file_of(server, run, key)
    eventually(lambda: on_disk(path) < 2 * LIMIT, "the middle is cut out while it runs")
    found, cut = pieces(api, key)
    check_cut(found, cut, lines)
    assert path.stat().st_size == lines * LINE, "offsets stay what they were"
    # an offset within the cut leads to what is behind it
    first, last = map(int, cut.split("-"))
    answer = api.get(f"/taskRuns/{key}/logs", offset=(first + last) // 2)
    assert int(answer.headers["x-reprise-offset"]) == last + 1 and answer.content.endswith(b".\n")
    server.open_gate("more")
    api.wait_final(run, "SUCCESS")
    eventually(lambda: on_disk(path) < 2 * LIMIT, "and once more when it has ended")
    found, cut = pieces(api, key)
    check_cut(found, cut, 2 * lines)
    with Stream(api, f"/taskRuns/{key}/logs") as stream:
        heard = list(stream.events())
    first, last = map(int, cut.split("-"))
    told = [e for e in heard if e["event"] == "cut"]
    assert told == [{"id": f"0:{last + 1}", "event": "cut", "data": {"attempt": 0, "from": first, "to": last}}]
    assert "".join(e["data"]["text"] for e in heard if e["event"] == "output").encode() == b"".join(data for _, data in found)
    output = api.post(f"/taskRuns/{key}/actions/fetchOutput", {}).json()
    assert output["isTruncated"] and "\0" not in output["data"][0]["value"]
    assert output["data"][0]["value"].endswith("." * 48 + "\n") and not output["data"][0]["isBase64"]


def test_stderr_has_a_limit_of_its_own(server):
    run, key = chatter(server.api, first=40000, fd=2)
    server.api.wait_final(run, "SUCCESS")
    path = file_of(server, run, key, ".err")
    eventually(lambda: on_disk(path) < 2 * LIMIT, "it is cut")
    check_cut(*pieces(server.api, key, stream="stderr"), 40000)


def test_the_client_prints_beginning_notice_and_end(server):
    lines = 40000
    run, key = chatter(server.api, first=lines)
    server.api.wait_final(run, "SUCCESS")
    eventually(lambda: on_disk(file_of(server, run, key)) < 2 * LIMIT, "it is cut")
    for more in ((), ("--follow",)):
        done = subprocess.run([BINARY, "--data", server.data, "run", "logs", run["key"], "--task", "a", "--stream", "stdout",
                               *more], capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert len(NOTICE.findall(done.stdout)) == 1 and b"\0" not in done.stdout
        assert done.stdout.startswith(b"line 000000001 ") and f"line {lines:09} ".encode() in done.stdout[-LINE:]
        assert done.stdout.count(f"line {lines:09} ".encode()) == 1


def test_who_follows_slowly_is_told_what_is_gone(server):
    """The file is cut under a reader: it gets no zeros, is cut off, and goes on where the next answer says it does."""
    lines = 60000
    run, key = chatter(server.api, first=2000, gate="flood", then=lines)
    url = server.api.endpoint["url"] + server.api.path(f"/taskRuns/{key}/logs")

    def follow(offset):
        return server.api.session.get(url, params={"follow": "true", "offset": offset}, stream=True, timeout=60)

    eventually(lambda: pieces(server.api, key)[0], "it runs")
    got, ends, offset, opened = b"", 0, 0, False
    while True:
        answer = follow(offset)
        assert answer.status_code == 200
        begin = int(answer.headers["x-reprise-offset"])
        assert begin >= offset
        ends += begin > offset
        offset, whole = begin, True
        try:
            for data in answer.iter_content(4096):
                got, offset = got + data, offset + len(data)
                if not opened:
                    opened = True  # behind the first bytes the task writes far more than is kept
                    server.open_gate("flood")
                    eventually(lambda: server.api.get_run(run)["state"]["status"] == "SUCCESS", "it has written all")
                    eventually(lambda: on_disk(file_of(server, run, key)) < 2 * LIMIT, "it is cut")
        except requests.exceptions.ChunkedEncodingError:
            whole = False
        if whole:
            break
    assert ends == 1 and offset == (2000 + lines) * LINE, "all but the cut"
    assert b"\0" not in got and f"line {2000 + lines:09} ".encode() in got[-LINE:]


def test_a_cut_outlives_the_server_and_is_made_after_its_absence(servers):
    own = servers("--logs.max-bytes", str(LIMIT)).start()
    own.script("chatter.py", CHATTER)
    run, key = chatter(own.api, first=1, gate="go", then=40000)
    eventually(lambda: pieces(own.api, key)[0], "it runs")
    own.kill9()
    own.open_gate("go")
    path = file_of(own, run, key)
    eventually(lambda: path.stat().st_size == 40001 * LINE, "it has written all, nobody cut anything")
    own.start()
    own.api.wait_final(run, "SUCCESS")
    eventually(lambda: on_disk(path) < 2 * LIMIT, "the next server does")
    check_cut(*pieces(own.api, key), 40001)


def test_bytes_are_bytes(server):
    """Colours, broken UTF-8 and NUL come as they were written; where text is asked for they are made safe."""
    raw = b"\x1b[31mred\x1b[0m \xff\xfe\xc3 \x00 end\n"
    server.script("raw.py", f"import os\nos.write(1, {raw!r})\nos.write(2, {raw!r})\nraise SystemExit(1)\n")
    run = server.api.run(server.api.job([task("a", "raw.py")]))
    key = run["taskToTaskRunMap"]["a"]
    with server.api.session.get(server.api.endpoint["url"] + server.api.path(f"/taskRuns/{key}/logs"),
                                params={"follow": "true"}, timeout=60) as followed:
        assert followed.content == raw
        assert followed.headers["x-content-type-options"] == "nosniff"
    done = server.api.wait_final(run, "FAILED")
    assert server.api.get(f"/taskRuns/{key}/logs", stream="stdout").content == raw
    trace = server.api.task_run(done, "a")["state"]["errorTrace"]
    assert trace == "\x1b[31mred\x1b[0m \ufffd\ufffd\ufffd \ufffd end\n"
    output = server.api.post(f"/taskRuns/{key}/actions/fetchOutput", {}).json()
    assert output["data"][0]["isBase64"]
    refused(server.api.get(f"/taskRuns/{key}/logs", offset=-1), 400, "InvalidParameter", "offset")
