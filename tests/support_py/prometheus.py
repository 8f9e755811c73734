"""Prometheus text (exposition format 0.0.4), read strictly: what a scraper might forgive fails here.

    families = parse(text)              # name -> Family; an AssertionError names the line that is wrong
    families["reprise_runs"].value(state="RUNNING")
"""

import math
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)')
TYPES = {"counter", "gauge", "histogram"}
# What a name may end with: base units, counts of things, and what is always 1 (https://prometheus.io/docs/practices/naming/).
UNITLESS = ("_info", "_ready", "_runs", "_running", "_waiting", "_idle", "_connections", "_streams", "_fds", "_rows")
UNITS = ("_seconds", "_bytes")


class Family:
    def __init__(self, name, kind, text):
        self.name, self.kind, self.text = name, kind, text
        self.samples = {}  # (name, labels as a sorted tuple of pairs) -> float

    def value(self, suffix="", /, **labels):
        """The sum of the samples that have these labels; 0 where there are none."""
        wanted = set(labels.items())
        return sum(v for (name, pairs), v in self.samples.items()
                   if name == self.name + suffix and wanted <= {p for p in pairs if p[0] != "le" or "le" in labels})


def parse(text):
    assert text.endswith("\n"), "the last line has no end"
    families, family, helped = {}, None, None
    for line in text[:-1].split("\n"):
        words = line.split(" ", 3)
        if words[:2] == ["#", "HELP"]:
            assert len(words) == 4 and re.fullmatch(NAME, words[2]), line
            assert words[2] not in families, f"twice, or in pieces: {line}"
            helped, text_of_help = words[2], words[3]
            assert text_of_help.strip() and "\\" not in text_of_help, line
        elif words[:2] == ["#", "TYPE"]:
            assert words[2] == helped and words[3] in TYPES, f"TYPE does not follow its HELP: {line}"
            family = families[helped] = Family(helped, words[3], text_of_help)
            helped = None
        else:
            assert helped is None, f"HELP without TYPE before: {line}"
            _sample(family, line)
    for one in families.values():
        _check(one)
    return families


def _sample(family, line):
    found = SAMPLE.fullmatch(line)
    assert found, f"no sample: {line}"
    name, text, number = found.groups()
    suffixes = ("_bucket", "_sum", "_count") if family and family.kind == "histogram" else ("",)
    assert family and name in {family.name + suffix for suffix in suffixes}, f"outside of its family: {line}"
    labels, at = [], 0
    while text and at < len(text):
        pair = LABEL.match(text, at)
        assert pair, f"labels: {line}"
        labels.append(pair.groups())
        at = pair.end()
    assert not text or not text.endswith(","), line
    assert len({key for key, _ in labels}) == len(labels), f"a label twice: {line}"
    assert re.fullmatch(r"[+-]?(\d+(\.\d+)?(e[+-]?\d+)?|Inf)|NaN", number), f"number: {line}"
    key = (name, tuple(sorted(labels)))
    assert key not in family.samples, f"a series twice: {line}"
    family.samples[key] = float(number)


def _check(family):
    name, kind = family.name, family.kind
    assert not re.search(r"_(total|sum|count|bucket)$", name) or (kind == "counter" and name.endswith("_total")), name
    assert (kind == "counter") == name.endswith("_total"), f"{name} is a {kind}"
    stem = name.removesuffix("_total")
    assert kind == "counter" or stem.endswith(UNITS + UNITLESS), f"{name} has no unit"
    assert not re.search(r"_(ms|us|milliseconds|kib|mib|percent)(_|$)", name), f"{name}: not a base unit"
    assert len({tuple(key for key, _ in pairs if key != "le") for _, pairs in family.samples}) <= 1, f"{name}: different labels"
    if kind != "histogram":
        assert all(v >= 0 for v in family.samples.values()), name
        return
    series = {}
    for (sample, pairs), value in family.samples.items():
        rest = tuple(p for p in pairs if p[0] != "le")
        series.setdefault(rest, {"buckets": []})
        if sample.endswith("_bucket"):
            bound = dict(pairs)["le"]
            series[rest]["buckets"].append((math.inf if bound == "+Inf" else float(bound), value))
        else:
            series[rest][sample.removeprefix(name)] = value
    for rest, one in series.items():
        bounds, counts = zip(*one["buckets"])
        assert list(bounds) == sorted(set(bounds)) and bounds[-1] == math.inf, (name, rest, bounds)
        assert list(counts) == sorted(counts), f"{name} {rest}: not cumulative"
        assert counts[-1] == one["_count"], f"{name} {rest}: +Inf and count differ"
        assert one["_sum"] >= 0 and (one["_count"] or one["_sum"] == 0), (name, rest)
