"""schedule next: offline, against a second way of counting with Python's own zones (CONTRACT §7)."""

import json
import random
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

import cli_fake

MINUTE = timedelta(minutes=1)
ZONES = ["UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "America/New_York", "America/St_Johns", "America/Sao_Paulo",
         "America/Havana", "Africa/Casablanca", "Africa/Cairo", "Asia/Kathmandu", "Asia/Gaza", "Australia/Lord_Howe",
         "Pacific/Auckland", "Pacific/Chatham", "Atlantic/Azores"]
# expression, and the same as a condition on the wall clock
TIMES = [
    ("0 30 2 * * ?", lambda wall: (wall.hour, wall.minute) == (2, 30)),
    ("0 0/20 1-3 * * ?", lambda wall: 1 <= wall.hour <= 3 and wall.minute % 20 == 0),
    ("0 0 0 ? * SAT,SUN", lambda wall: wall.isoweekday() >= 6 and (wall.hour, wall.minute) == (0, 0)),
    ("0 15 22-2 L * ?", lambda wall: (wall + timedelta(days=1)).day == 1 and wall.minute == 15 and (wall.hour >= 22 or wall.hour <= 2)),
]


def call(*args):
    return cli_fake.run("schedule", "next", *args)


def times(*args):
    result = call(*args, "-o", "json")
    assert result.returncode == 0, result.stderr
    body = json.loads(result.stdout)
    assert list(body) == ["next"]
    return body["next"]


def wall_times(zone, start, end, fits):
    """Minute by minute; of a wall time that comes twice the second counts."""
    found, at = [], start
    while at < end:
        wall = at.astimezone(zone)
        if fits(wall.replace(tzinfo=None)) and wall.replace(fold=1).utcoffset() == wall.utcoffset():
            found.append(int(at.timestamp() * 1000))
        at += MINUTE
    return found


def changes(zone, year):
    days = [datetime(year, 1, 1, tzinfo=timezone.utc) + timedelta(days=n) for n in range(366)]
    offsets = [day.astimezone(zone).utcoffset() for day in days]
    return [day for day, before, after in zip(days, offsets, offsets[1:]) if before != after]


@pytest.mark.parametrize("name", ZONES)
def test_around_clock_changes(name):
    zone, chosen = ZoneInfo(name), random.Random(name)
    year = chosen.randint(2022, 2036)
    for change in changes(zone, year)[:2] or [datetime(year, 3, 30, tzinfo=timezone.utc)]:
        start = change - timedelta(days=2) + MINUTE * chosen.randint(0, 300)
        end = start + timedelta(days=4)
        for expression, fits in TIMES:
            wanted = wall_times(zone, start, end, fits)
            after = int(start.timestamp() * 1000) - 1
            got = times(expression, "--timezone", name, "--after", str(after), "--count", str(len(wanted) + 1))
            assert got[:len(wanted)] == wanted, (expression, change)
            assert got[-1] >= end.timestamp() * 1000


def test_a_plain_date_begins_with_its_first_time():
    for zone, ms in (("UTC", 1767225600000), ("Europe/Berlin", 1767225600000 - 3600000)):
        assert times("0 0 0 * * ?", "--timezone", zone, "--after", "2026-01-01", "--count", "1") == [ms]


def test_the_table_marks_clock_changes():
    result = call("0 30 1 * * ?", "--timezone", "America/New_York", "--after", "2026-10-31T00:00:00-04:00", "--count", "3")
    lines = result.stdout.decode().splitlines()
    assert lines[0].split() == ["LOCAL", "TIME", "UTC", "NOTE"]
    assert lines[1].split() == ["2026-10-31T01:30:00-04:00", "2026-10-31", "05:30:00Z"]
    assert lines[2].startswith("2026-11-01T01:30:00-05:00") and "overlap day" in lines[2] and "second 01:30" in lines[2]
    assert "day" not in lines[3]


def test_never_and_no_more():
    assert times("0 0 0 30 2 ?", "--timezone", "UTC") == []
    assert call("0 0 0 30 2 ?", "--timezone", "UTC").stdout == b"It never fires: no day is like that.\n"
    assert call("0 0 0 1 1 ? 2020", "--timezone", "UTC").stdout == b"It fires no more.\n"


def test_json_is_exactly_the_times():
    result = call("0 0 9 * * ?", "--timezone", "PST", "--after", "1767225600000", "--count", "2", "-o", "json")
    assert result.stdout == b'{"next":[1767286800000,1767373200000]}\n'
    assert call("0 0 9 * * ?", "--timezone", "UTC", "--after", "0", "--count", "2", "-o", "name").stdout == b"32400000\n118800000\n"


@pytest.mark.parametrize("expression,column", [("0 0 25 * * ?", 5), ("0 0 3 ? * MON-FRI/2", 18), ("* * * * *", 10), ("", 1)])
def test_a_bad_expression_is_pointed_at(expression, column):
    result = call(expression, "--timezone", "UTC")
    assert result.returncode == 2 and result.stdout == b""
    message, shown, caret = result.stderr.decode().split("\n")[:3]
    assert f"column {column})" in message
    assert shown == "  " + expression
    assert caret == " " * (2 + column - 1) + "^"


def test_what_a_terminal_would_obey_is_not_echoed():
    result = call("0 0 \x1b[31m * * ?", "--timezone", "UTC")
    assert result.returncode == 2 and b"\x1b" not in result.stderr
    assert b"\x1b" not in call("0 0 9 * * ?", "--timezone", "\x1b[31m").stderr


@pytest.mark.parametrize("args,word", [
    (["0 0 9 * * ?"], "--timezone is missing"), (["--timezone", "UTC"], "EXPR is missing"),
    (["0 0 9 * * ?", "--timezone", "Europe/Berln"], "did you mean Europe/Berlin?"),
    (["0 0 9 * * ?", "--timezone", "../../etc/passwd"], "is no known time zone"),
    (["0 0 9 * * ?", "--timezone", "UTC", "--after", "soon"], "--after"),
    (["0 0 9 * * ?", "--timezone", "UTC", "--count", "0"], "--count"),
    (["0 0 9 * * ?", "--timezone", "UTC", "--count", "1001"], "1 to 1000"),
])
def test_bad_usage(args, word):
    result = call(*args)
    assert result.returncode == 2 and result.stdout == b""
    assert word in result.stderr.decode()


def test_it_needs_no_server(fake, cli):
    assert cli("schedule", "next", "0 0 9 * * ?", "--timezone", "UTC").returncode == 0
    assert not fake.requests
