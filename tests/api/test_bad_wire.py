"""Below HTTP: raw sockets that trickle, pipeline, lie about lengths, send garbage, or just stay (CONTRACT §2)."""

import json
import os
import resource
import socket
import time

import pytest
from harness import eventually, step, task

pytestmark = pytest.mark.sanitize


@pytest.fixture(scope="module", autouse=True)
def goes_on(server):
    """After all of it the server works as before, and its log has no secret (the harness looks for it at the end)."""
    yield
    assert server.api.get("//readyz").status_code == 200
    server.api.go([task("a")], "SUCCESS")


def dial(server, timeout_s=30):
    host, port = server.url.removeprefix("http://").rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=timeout_s)


def head(server, method, path, *headers, token=None):
    lines = [f"{method} {server.api.path(path)} HTTP/1.1", "Host: x", f"Authorization: Bearer {token or server.token}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read_answer(reader):
    """(status, headers, body) of one answer with a Content-Length."""
    status = reader.readline()
    assert status.startswith(b"HTTP/1.1 "), status
    headers = {}
    while (line := reader.readline().strip()):
        name, value = line.decode("latin-1").split(":", 1)
        headers[name.lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", 0)))
    return int(status.split()[1]), headers, body


def drain(connection):
    """Whatever comes until the other side closes, or until it has kept silent for a while: then we leave."""
    data = b""
    connection.settimeout(0.5)
    try:
        while (more := connection.recv(65536)):
            data += more
    except OSError:
        pass
    return data


def test_a_request_byte_by_byte(server):
    body = json.dumps({"name": "slow", "path": "Shared", "tasks": []}).encode()
    request = head(server, "POST", "/jobs", "Content-Type: application/json", f"Content-Length: {len(body)}") + body
    with dial(server) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for n in range(len(request)):
            connection.sendall(request[n:n + 1])
        status, _, answer = read_answer(connection.makefile("rb"))
    assert status == 201 and json.loads(answer)["name"] == "slow"


def test_slow_clients_hold_nobody_up(server):
    slow = [dial(server) for _ in range(50)]
    for n, connection in enumerate(slow):
        connection.sendall(head(server, "POST", "/jobs", "Content-Type: application/json", "Content-Length: 100000")[:40 + n * 4])
    begun = time.monotonic()
    for _ in range(20):
        assert server.api.get("/jobs").status_code == 200
    server.api.go([task("a")], "SUCCESS")
    assert time.monotonic() - begun < 20
    for connection in slow:
        connection.close()


def test_a_reader_that_does_not_read(server):
    """A client that asks for much and takes nothing stops neither the server nor its end."""
    big = server.api.job([task(f"t{n:04}") for n in range(1000)])
    stuck = [dial(server) for _ in range(8)]
    for connection in stuck:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(head(server, "GET", f"/jobs/{big['key']}") * 20)
    for _ in range(10):
        assert server.api.get("/jobs", limit=1).status_code == 200
    for connection in stuck:
        connection.close()


def test_a_thousand_open_connections(server):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 1100:
        if hard != resource.RLIM_INFINITY and hard < 1100:
            pytest.skip(f"this process may open only {hard} files")
        resource.setrlimit(resource.RLIMIT_NOFILE, (1200, hard))
    idle = []
    try:
        for _ in range(1000):
            idle.append(dial(server))
        for connection in idle[::10]:
            connection.sendall(b"GET / HTTP/1.1\r\n")
        for _ in range(20):
            assert server.api.get("/jobs", limit=1).status_code == 200
        server.api.go([task("a")], "SUCCESS")
        with dial(server) as connection:
            connection.sendall(head(server, "GET", "/jobs"))
            assert read_answer(connection.makefile("rb"))[0] == 200, "and a new one is served"
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.parametrize("scheme", ["http://", "HTTPS://"])
def test_a_target_in_absolute_form(server, scheme):
    """RFC 9112 §3.2.2: as a client of a proxy sends it."""
    for path, status in (("/jobs?limit=1", 200), ("/nothing", 404)):
        target = f"{scheme}elsewhere:1234{server.api.path(path)}"
        request = f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n\r\n"
        with dial(server) as conn, conn.makefile("rb") as reader:
            conn.sendall(request.encode())
            assert read_answer(reader)[0] == status


def test_pipelined_requests_are_answered_in_order(server):
    keys = [server.api.job([task("a")], name=f"piped{n}")["key"] for n in range(5)]
    with dial(server) as connection:
        connection.sendall(b"".join(head(server, "GET", f"/jobs/{key}") for key in keys * 4))
        reader = connection.makefile("rb")
        answers = [read_answer(reader) for _ in range(20)]
    assert [status for status, _, _ in answers] == [200] * 20
    assert [json.loads(body)["key"] for _, _, body in answers] == keys * 4


def test_pipelined_writes_all_happen(server):
    job = server.api.job([step("a")], maxConcurrentRuns=1000)
    body = json.dumps({"jobKey": job["key"]}).encode()
    one = head(server, "POST", "/jobRuns", "Content-Type: application/json", f"Content-Length: {len(body)}") + body
    with dial(server) as connection:
        connection.sendall(one * 10)
        reader = connection.makefile("rb")
        answers = [read_answer(reader) for _ in range(10)]
    assert [status for status, _, _ in answers] == [201] * 10
    runs = {json.loads(body)["key"] for _, _, body in answers}
    assert len(runs) == 10
    for run in runs:
        server.api.wait_final(run, "SUCCESS")


@pytest.mark.parametrize("garbage", [
    b"\0" * 1000, b"\xff\xfe" * 500, b"hello\r\n\r\n", b"GET\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\r\n" * 1000,
    b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"GET /jobs HTTP/1.1\r\n: empty\r\n\r\n", b"G" * 100_000,
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
], ids=lambda g: repr(g[:24]))
def test_garbage_is_refused_or_dropped(server, garbage):
    with dial(server) as connection:
        try:
            connection.sendall(garbage)
        except OSError:
            pass  # closed already
        answer = drain(connection)
    assert not answer or answer.startswith(b"HTTP/1.1 4") or answer.startswith(b"HTTP/1.1 5"), answer[:200]
    assert b" 500 " not in answer[:20]
    assert server.api.get("//healthz").status_code == 200


@pytest.mark.parametrize("lines", [
    ["Content-Length: 5", "Content-Length: 6"], ["Content-Length: 5", "Transfer-Encoding: chunked"],
    ["Transfer-Encoding: gzip"], ["Content-Length: x"], ["Content-Length: 5, 5"], ["Content-Length: +5"],
])
def test_lengths_that_contradict_smuggle_nothing(server, lines):
    """Whatever is made of the first request, a second one hidden in its body is not served as one of its own."""
    hidden = head(server, "POST", "/jobs", "Content-Type: application/json", "Content-Length: 20") + b'{"name": "smuggled"}'
    request = head(server, "POST", "/jobs", "Content-Type: application/json", *lines)
    with dial(server) as connection:
        connection.sendall(request + b"0\r\n\r\n" + hidden)
        drain(connection)
    names = [i["name"] for i in server.api.page_through("/jobs", displayName="smuggled")]
    chunked = any("chunked" in line for line in lines)
    # With both lengths, RFC 9112 lets a server take the chunked one, but it must close the connection after the answer.
    assert names == [], f"smuggled behind {lines}" if not chunked else "the connection was used again after both lengths"


@pytest.mark.parametrize("lines", [["Content-Length : 5"], ["Transfer-Encoding : chunked", "Content-Length: 5"], ["X\tY: 1"], ["X(1): 1"]])
def test_a_name_that_others_may_read_otherwise_is_refused(server, lines):
    with dial(server) as connection:
        connection.sendall(head(server, "GET", "/jobs", *lines) + head(server, "GET", "/jobs"))
        answer = drain(connection)
    assert answer.startswith(b"HTTP/1.1 400") and b"CannotParseRequest" in answer and answer.count(b"HTTP/1.1 ") == 1, answer


@pytest.mark.parametrize("folded", [
    "Content-Length:\r\n {}", "Content-Length: \r\n\t{}", "Content-Length:{blanks}\r\n {}", "content-length:\r\n \r\n  {}",
    "Content-Length: 1\r\n {}", "Transfer-Encoding:\r\n chunked", "Transfer-Encoding:{blanks}\r\n  chunked", "If-Match:{blanks}\r\n abc",
])
def test_a_folded_header_is_refused(server, folded):
    """Whoever stands in between reads it as one with a value: what it says is the body would be served as a request."""
    hidden = head(server, "POST", "/jobs", "Content-Type: application/json", "Content-Length: 18") + b'{"name": "folded"}'
    lines = folded.format(len(hidden), blanks=" " * 60)
    with dial(server) as connection:
        connection.sendall(head(server, "GET", "/jobs", "X-Before: a", lines, "X-Behind: b") + hidden)
        answer = drain(connection)
    assert answer.startswith(b"HTTP/1.1 400") and b"CannotParseRequest" in answer and answer.count(b"HTTP/1.1 ") == 1, answer
    assert server.api.page_through("/jobs", displayName="folded") == []


def test_chunks_are_not_of_http_1_0(server):
    request = head(server, "POST", "/jobs", "Content-Type: application/json", "Transfer-Encoding: chunked").replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    with dial(server) as connection:
        connection.sendall(request + b"2\r\n{}\r\n0\r\n\r\n")
        answer = drain(connection)
    assert answer.split(b"\r\n")[0].split()[1] == b"400" and b"how long the body is" in answer, answer


def test_a_body_that_ends_too_soon(server):
    before = len(server.api.page_through("/jobs", limit=1000))
    for sent in (b"", b'{"name": "half', b'{"name": "whole", "path": "Shared", "tasks": []}'):
        with dial(server) as connection:
            connection.sendall(head(server, "POST", "/jobs", "Content-Type: application/json", "Content-Length: 1000") + sent)
            answer = drain(connection)
        assert not answer or answer.startswith(b"HTTP/1.1 400"), answer[:100]
    assert len(server.api.page_through("/jobs", limit=1000)) == before


def test_a_client_that_leaves_after_its_request(server):
    """The answer cannot be delivered; what was accepted happens all the same, at most once."""
    job = server.api.job([step("a")], maxConcurrentRuns=1000)
    body = json.dumps({"jobKey": job["key"]}).encode()
    for _ in range(20):
        connection = dial(server)
        connection.sendall(head(server, "POST", "/jobRuns", "Content-Type: application/json", f"Content-Length: {len(body)}",
                                "opc-retry-token: leaving") + body)
        connection.close()
    runs = eventually(lambda: server.api.page_through("/jobRuns", jobKey=job["key"]), "the run")
    assert len(runs) == 1
    server.api.wait_final(runs[0], "SUCCESS")


def test_expect_100_continue(server):
    body = b'{"name": "expected", "path": "Shared", "tasks": []}'
    with dial(server) as connection:
        connection.sendall(head(server, "POST", "/jobs", "Content-Type: application/json", f"Content-Length: {len(body)}",
                                "Expect: 100-continue"))
        reader = connection.makefile("rb")
        assert reader.readline().startswith(b"HTTP/1.1 100")
        assert reader.readline() == b"\r\n"
        connection.sendall(body)
        assert read_answer(reader)[0] == 201


def test_a_body_that_would_be_too_large_is_refused_by_its_length(server):
    """Refused before it is sent: nobody waits for 17 MiB that are known to be too many."""
    with dial(server) as connection:
        connection.sendall(head(server, "POST", "/jobs", "Content-Type: application/json", f"Content-Length: {17 << 20}"))
        status, _, body = read_answer(connection.makefile("rb"))
    assert status == 413 and json.loads(body)["code"] == "PayloadTooLarge"


@pytest.mark.parametrize("line,status", [
    ("Content-Type: application/json\r\nContent-Type: text/plain", 415), ("opc-retry-token: a\r\nopc-retry-token: b", 400),
    ("if-match: a\r\nif-match: b", 400),
])
def test_a_header_twice(server, line, status):
    """The papers do not say which of two counts; a client error or the first one, but no crash and no 500."""
    body = b'{"name": "twice", "path": "Shared"}'
    with dial(server) as connection:
        connection.sendall(head(server, "POST", "/jobs", *line.split("\r\n"), "Content-Type: application/json"
                                if "Type" not in line else "X: y", f"Content-Length: {len(body)}") + body)
        assert read_answer(connection.makefile("rb"))[0] in (status, 201)


@pytest.mark.parametrize("blanks", ["  ", "\t", " \t "])
def test_blanks_around_a_value_are_none_of_it(server, blanks):
    api = server.api
    job = api.job([task("a")], name="blanks")
    etag = api.get(f"/jobs/{job['key']}").headers["etag"].strip('"')
    body = json.dumps({"name": "blanks", "path": "Shared"}).encode()
    with dial(server) as connection:
        connection.sendall(head(server, "PUT", f"/jobs/{job['key']}", "Content-Type: application/json", f"If-Match:{blanks}{etag}{blanks}",
                                f"Content-Length: {len(body)}") + body)
        status, _, answer = read_answer(connection.makefile("rb"))
    assert status == 202, answer
    with dial(server) as connection:
        connection.sendall(head(server, "GET", f"/jobs/{job['key']}", f"should-update-recent: true{blanks}"))
        assert read_answer(connection.makefile("rb"))[0] == 200


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def test_closed_connections_are_let_go(own):
    before = descriptors(own)
    for sent in (b"", head(own, "GET", "/jobs"), head(own, "GET", "//nowhere")):
        for _ in range(100):
            connection = dial(own)
            connection.sendall(sent)
            connection.close()
    eventually(lambda: descriptors(own) <= before + 5, "closed connections are let go")


@pytest.mark.skipif(not os.environ.get("REPRISE_TEST_LONG"), reason="REPRISE_TEST_LONG=1: waits for the idle timeout, a minute")
def test_half_a_request_is_let_go_at_the_latest_by_the_idle_timeout(own):
    """libmicrohttpd does not see a client leave when its last bytes came in one piece with the end of its stream."""
    before = descriptors(own)
    for _ in range(200):
        connection = dial(own)
        connection.sendall(b"GET / HT")
        connection.close()
    eventually(lambda: descriptors(own) <= before + 5, "half a request is let go", 100, pause_s=0.5)
