"""Follows what happens in a workspace and tells of every run that fails: see README.md beside this file.

The place in the stream of events is kept in the workspace and moves only behind what somebody has taken. So whatever ends in
between, this program, its server or the host, nothing is left out; what was taken a moment before such an end is told again.
"""

import contextlib
import datetime
import email.message
import http.client
import itertools
import json
import os
import queue
import re
import smtplib
import ssl
import sys
import threading
import time
import traceback
import urllib.error
import urllib.request
import zoneinfo
from pathlib import Path

BAD = {"FAILED", "TIMED_OUT", "INTERNAL_ERROR", "CANCELED", "SKIPPED"}
FAILED = {"FAILED", "TIMED_OUT", "INTERNAL_ERROR"}  # of a task: it is why the run is bad
SUSPENDED = "Suspended: "  # how the note begins of a run that waits for somebody (x-failPolicy)
SILENCE_S = 90             # the server gives a sign of life every 15 s
ANSWER_S = 30
PAUSE_MOST_S = 60
TRIES = 10                 # of one message, some five minutes
EVENTS_BETWEEN_SAVES = 1000
RUNS_REMEMBERED = 1000     # told of, and not known to have recovered
LINES, CHARACTERS = 5, 700 # of an error


class GiveUp(Exception):
    """What does not mend itself: the run fails with it, so that it is seen, and the next one begins at the same place."""


def parameter(name, otherwise=""):
    return os.environ.get(f"REPRISE_PARAM_{name}") or otherwise


def secret(name):
    return os.environ.get(f"REPRISE_SECRET_{name}", "").strip()


def say(*words):
    print(datetime.datetime.now().isoformat(" ", "seconds"), *words, flush=True)


def pauses():
    """1, 2, 4, … seconds."""
    return itertools.chain((2 ** n for n in range(6)), itertools.repeat(PAUSE_MOST_S))


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A POST that is sent elsewhere would arrive as a GET, without what it says; and a token is for one server."""

    def redirect_request(self, *_):
        return None


# ---- the server ----

class Server:
    """Its API, in one workspace."""

    def __init__(self, url, workspace, token, ca_file):
        context = ssl.create_default_context(cafile=ca_file or None)
        self.url, self.workspace, self.token = url.rstrip("/"), workspace, token
        self.opener = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}),
                                                  urllib.request.HTTPSHandler(context=context))
        self.place = None

    def open(self, path, timeout=ANSWER_S, **headers):
        headers = {"Authorization": f"Bearer {self.token}", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.opener.open(urllib.request.Request(self.url + path, headers=headers), timeout=timeout)

    def get(self, path):
        """A body below …/workspaces/KEY, however long the server is away; None: there is no such thing (any more)."""
        for pause in pauses():
            try:
                with self.open(self.within(path)) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code == 404:
                    return None
                self.refused(error)
            except (OSError, http.client.HTTPException, ValueError) as error:
                say("the server does not answer:", error)
            time.sleep(pause)

    def within(self, path):
        if not self.place:
            with self.open("/reprise/v1") as answer:
                self.place = f"/20260430/aiDataPlatforms/{json.load(answer)['aiDataPlatformId']}/workspaces/{self.workspace}"
        return self.place + path

    def events(self, place):
        """What happens behind the place, for ever, over cut connections and restarts of the server; None while nothing does."""
        waits = pauses()
        while True:
            try:
                with self.open(self.within("/events"), SILENCE_S, Accept="text/event-stream", Last_Event_ID=str(place.after)) as answer:
                    for event in parse(answer):
                        waits = pauses()
                        yield event
            except urllib.error.HTTPError as error:
                self.refused(error, place)
            except (OSError, http.client.HTTPException, ValueError) as error:
                say("the stream was cut, going on:", error)
            time.sleep(next(waits))

    @staticmethod
    def refused(error, place=None):
        """A server that is busy or stops gets over it; a token that may not read does not."""
        message = error.read(1000).decode(errors="replace")
        if error.code == 400 and place and "newest" in message:
            place.set_aside()
        if 300 <= error.code < 500 and error.code != 429:
            raise GiveUp(f"the server refuses: {error.code} {message}")
        say("the server cannot now:", error.code, message)


def parse(lines):
    """The items of a stream of server-sent events; None for each comment. What was cut in the middle is not there."""
    item = None
    for line in lines:
        if line.startswith(b"data: "):
            item = json.loads(line[6:])
        elif line.startswith(b":"):
            yield None
        elif line == b"\n" and item:
            yield item
            item = None


# ---- the place ----

class Place:
    """How far one way of telling has come (the id of an event), and the runs that it has told of and may yet tell to be well."""

    def __init__(self, path, workspace, begin):
        self.path, self.workspace, self.unsaved = path, workspace, 0
        try:
            kept = json.loads(path.read_text())
        except FileNotFoundError:
            kept = {}
        if kept and kept["workspace"] != workspace:
            say(f"{path} is of another workspace: beginning with now")
        if not kept or kept["workspace"] != workspace:
            kept = {"after": begin(), "told": []}
        self.after, self.told = kept["after"], dict.fromkeys(kept["told"])
        self.save()

    def move(self, event):
        self.after, self.unsaved = event["id"], self.unsaved + 1
        if self.unsaved >= EVENTS_BETWEEN_SAVES:
            self.save()

    def remember(self, run, is_well):
        self.told.pop(run, None)
        if not is_well:
            self.told[run] = None
        while len(self.told) > RUNS_REMEMBERED:
            del self.told[next(iter(self.told))]

    def save(self):
        """The old or the new, never half of one, also when the power goes."""
        self.path.parent.mkdir(exist_ok=True)
        beside = self.path.with_suffix(".new")
        with open(beside, "w") as file:
            json.dump({"workspace": self.workspace, "after": self.after, "told": list(self.told)}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        self.unsaved = 0

    def set_aside(self):
        os.replace(self.path, self.path.with_suffix(".old"))
        raise GiveUp(f"event {self.after} is not there: was an older database put back? The next run begins with now; "
                     "what happened before it is not told")


# ---- what is told ----

def verdict(event, place, own_job):
    """The word that stands for what happened, if anybody wants to hear of it."""
    if event["jobKey"] == own_job:
        return None
    if event["type"] == "NOTE" and event["reason"].startswith(SUSPENDED):
        return "SUSPENDED"
    if event["type"] != "RUN_STATE":
        return None
    if event["to"] == "SUCCESS" and event["jobRunKey"] in place.told:
        return "RECOVERED"
    return event["to"] if event["to"] in BAD else None


def clean(text):
    """Without what a terminal or a chat would take for an order, and not too long."""
    lines = re.sub(r"[^\S\n]+|[\x00-\x09\x0b-\x1f\x7f-\x9f]+", " ", text).strip().split("\n")
    return "\n".join(lines[-LINES:])[-CHARACTERS:]


def first_failure(run, event):
    """Lines on the task that failed first, as long as what the run says is still of this attempt."""
    if run["repairHistory"][-1]["key"] != event["repairKey"]:
        return []
    failed = [task for task in run["taskRunSummaryMap"].values() if task["state"]["status"] in FAILED]
    if not failed:
        return []
    first = min(failed, key=lambda task: task["endTime"] or float("inf"))
    return [f"{first['taskKey']}: {first['state']['stateMessage']}", first["state"]["errorTrace"] or ""]


def planned(server, run):
    """The time that a scheduled run is for, as its schedule has it."""
    if run["launched"] != "SCHEDULED":
        return []
    items = (server.get(f"/plannedRuns?jobRunKey={run['key']}") or {"items": []})["items"]
    if not items:
        return []
    when, zone = datetime.datetime.fromisoformat(items[0]["plannedTime"].replace("Z", "+00:00")), "UTC"
    with contextlib.suppress(KeyError, TypeError, ValueError, OSError):  # ids of Java, as GMT+8, are UTC here
        when, zone = when.astimezone(zoneinfo.ZoneInfo(items[0]["schedule"]["timezoneId"])), items[0]["schedule"]["timezoneId"]
    return [f"planned {when:%Y-%m-%d %H:%M:%S} {zone}"]


def describe(server, page, word, event):
    """Lines: what happened to which job, why, where to look; None where its parent's run tells."""
    run = server.get(f"/jobRuns/{event['jobRunKey']}")
    if run and run["parentJobRunKey"] and word != "SUSPENDED":
        return None
    repair = f", repair {event['repairKey']}" if event["repairKey"] else ""
    lines = [f"{word}: {event['jobName']}{repair}", event["reason"] or ""]
    if run and word != "RECOVERED":
        lines += first_failure(run, event)
    lines += planned(server, run) if run else ["(the run was deleted since)"]
    lines += [f"run {event['jobRunKey']}", f"{page}/#/w/{server.workspace}/runs/{event['jobRunKey']}"]
    return [text for text in map(clean, lines) if text]


# ---- ways of telling ----

class Hook:
    name = "hook"

    def __init__(self, url):
        self.url, self.opener = url, urllib.request.build_opener(NoRedirect)

    def send(self, lines, _):
        """{"text": …}, as the hooks of chats take it. An invisible character behind each < and @ keeps an error from calling everybody in the channel."""
        text = "\n".join([re.sub("[<@]", "\\g<0>\u200b", line) for line in lines[:-1]] + lines[-1:])
        request = urllib.request.Request(self.url, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"})
        try:
            with self.opener.open(request, timeout=ANSWER_S) as answer:
                answer.read(1000)
        except urllib.error.HTTPError as error:
            wait = error.headers.get("Retry-After", "")
            time.sleep(min(int(wait), PAUSE_MOST_S) if wait.isdigit() else 0)
            raise OSError(f"{error.code} {error.read(200).decode(errors='replace')}") from None


class Mail:
    name = "mail"

    def __init__(self, to, sender, smtp, login):
        self.to, self.sender, self.login = to, sender or to, login
        self.host, _, self.port = smtp.partition(":")

    def send(self, lines, event):
        message = email.message.EmailMessage()
        message["To"], message["From"], message["Subject"] = self.to, self.sender, lines[0]
        message["Message-ID"] = f"<{event['jobRunKey']}.{event['id']}@reprise.invalid>"  # the same, should it be sent twice
        message.set_content("\n".join(lines))
        with smtplib.SMTP(self.host, int(self.port or 25), timeout=ANSWER_S) as server:
            server.ehlo()
            is_here = self.host in ("localhost", "127.0.0.1")
            if server.has_extn("starttls") and not is_here:
                server.starttls(context=ssl.create_default_context())
            elif self.login and not is_here:
                raise GiveUp(f"{self.host} offers no TLS: the login is not sent to it")
            if self.login:
                server.login(*self.login.split(":", 1))
            server.send_message(message)


def deliver(way, lines, event):
    """Until it is taken, or for some minutes."""
    for left, pause in zip(reversed(range(int(parameter("tries", str(TRIES))))), pauses()):
        try:
            return way.send(lines, event)
        except (OSError, http.client.HTTPException, ValueError) as error:  # smtplib's are OSErrors
            say(f"the {way.name} did not take it:", error)
            if not left:
                raise GiveUp(f"the {way.name} does not take \"{lines[0]}\" of run {event['jobRunKey']}: {error}. "
                             "The next run tries again; later ones wait behind it") from None
        time.sleep(pause)


def now(server, own_run):
    """The event with which this run began: at the first start nothing before it is told, and nothing behind it is left out."""
    events = server.get(f"/jobRuns/{own_run}/events?limit=1")
    if not events:
        raise GiveUp("the token may not read this workspace: its user needs the role VIEWER")
    return events["items"][0]["id"]


def follow(server, way, own_job, own_run):
    """One way of telling, for ever."""
    page = parameter("page", server.url).rstrip("/")
    place = Place(Path(os.environ["REPRISE_WORKSPACE"], "tell-state", f"{way.name}.json"), server.workspace,
                  lambda: now(server, own_run))
    say(f"telling the {way.name} of what comes behind event {place.after}")
    for event in server.events(place):
        if event is None:
            if place.unsaved:
                place.save()
            continue
        word = verdict(event, place, own_job)
        lines = describe(server, page, word, event) if word else None
        if lines:
            deliver(way, lines, event)
            say(f"told the {way.name}:", lines[0], event["jobRunKey"])
            place.remember(event["jobRunKey"], is_well=word == "RECOVERED")
        place.move(event)
        if lines:
            place.save()


def guarded(ends, *args):
    try:
        follow(*args)
    except GiveUp as end:
        ends.put(str(end))
    except BaseException:
        ends.put(traceback.format_exc())


def main():
    workspace, own_job, own_run = sys.argv[1:]
    ways = []
    if hook := secret("tell_hook") or parameter("hook"):
        ways.append(Hook(hook))
    if parameter("mail_to"):
        ways.append(Mail(parameter("mail_to"), parameter("mail_from"), parameter("smtp", "localhost:25"), secret("tell_smtp")))
    if not ways:
        sys.exit("there is nobody to tell: neither a secret tell-hook nor a parameter mail_to")
    server = Server(parameter("server"), workspace, secret("tell_token"), parameter("ca_file"))
    ends = queue.SimpleQueue()
    for way in ways:
        threading.Thread(target=guarded, args=(ends, server, way, own_job, own_run), daemon=True).start()
    sys.exit(ends.get())


if __name__ == "__main__":
    main()
