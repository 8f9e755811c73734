"""Streams, as a client hears them: chunks of a body as they come, and server-sent events made of them.

    with Stream(server.api, f"/jobRuns/{key}/events") as stream:
        for event in stream.events():       # {"id": "41", "event": "TASK_STATE", "data": {…}}; ends with the stream
            ...
"""

import json
import socket
from urllib.parse import urlencode, urlsplit

from harness import DEADLINE_S

SSE = "text/event-stream"


class Stream:
    """One GET over a socket of its own. `status` and `headers` are there at once; the body when it is asked for."""

    def __init__(self, api, path, headers=None, accept=SSE, receive_buffer=None, **params):
        where = urlsplit(api.endpoint["url"])
        target = api.path(path) + ("?" + urlencode(params) if params else "")
        head = {"host": where.netloc, "authorization": f"Bearer {api.token}", "accept": accept, **(headers or {})}
        lines = [f"GET {target} HTTP/1.1"] + [f"{name}: {value}" for name, value in head.items()]
        self.socket = socket.socket(socket.AF_INET6 if ":" in where.hostname else socket.AF_INET)
        self.socket.settimeout(DEADLINE_S)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect((where.hostname, where.port))
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers, self.ended = {}, False
        while (line := self.file.readline().strip()):
            name, _, value = line.decode().partition(":")
            self.headers[name.lower()] = value.strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def chunks(self):
        """The pieces of a chunked body; `ended` is set by its proper end, and by nothing else."""
        assert self.headers.get("transfer-encoding") == "chunked", self.headers
        while True:
            line = self.file.readline()
            if not line:
                return
            size = int(line, 16)
            data = self.file.read(size)
            if len(data) < size or not self.file.readline():
                return
            if size == 0:
                self.ended = True
                return
            yield data

    def body(self):
        """What is left of it, whole, or of an answer that is no stream."""
        if "content-length" in self.headers:
            return self.file.read(int(self.headers["content-length"]))
        return b"".join(self.chunks())

    def json(self):
        return json.loads(self.body())

    def events(self, comments=False):
        """Each event as {"id", "event", "data"}, the absent left out; with `comments`, {"comment"} too."""
        rest = b""
        for data in self.chunks():
            rest += data
            *blocks, rest = rest.split(b"\n\n")
            for block in blocks:
                event = parse(block.decode())
                if "data" in event or (comments and event):
                    yield event
        assert not rest, f"cut in the middle of an event: {rest!r}"


def parse(block):
    event = {}
    for line in block.split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not name:
            event["comment"] = value
        elif name == "data":
            event["data"] = json.loads(value)
        else:
            event[name] = value
    return event


def until(events, last):
    """The events up to and with the first for which `last` is true."""
    heard = []
    for event in events:
        heard.append(event)
        if last(event):
            return heard
    raise AssertionError(f"the stream ended before that: {heard[-3:]}")


def run_is(status):
    return lambda e: e["event"] == "RUN_STATE" and e["data"]["to"] == status


def ids(events):
    return [int(e["id"]) for e in events if "id" in e]


def check_items(events, items):
    """The events of a stream are these items of the list, no more and no less, in order."""
    with_id = [e for e in events if "id" in e]
    assert [e["data"] for e in with_id] == items
    for event in with_id:
        assert event["id"] == str(event["data"]["id"])
        assert event["event"] == event["data"]["type"]
