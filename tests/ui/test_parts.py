"""Parts of the page that compute, without a browser: schedules in words, zones, the layout of graphs, long outputs."""

import json
import subprocess
from datetime import datetime, timezone

import pytest

from harness import ROOT


@pytest.fixture(scope="module")
def call(tmp_path_factory):
    """call(file, function, *arguments): what the function of ui/src returns."""
    folder = tmp_path_factory.mktemp("parts")

    def call(file, function, *arguments):
        made = folder / f"{file}.mjs"
        if not made.exists():
            subprocess.run([ROOT / "ui/node_modules/.bin/esbuild", ROOT / f"ui/src/{file}.ts", "--bundle", "--format=esm", f"--outfile={made}",
                            "--log-level=error"], check=True)
        code = f"import {{ {function} as f }} from {json.dumps(str(made))}; console.log(JSON.stringify({json.dumps(arguments[0])}.map((a) => f(...a))))"
        done = subprocess.run(["node", "--input-type=module", "-e", code], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return call


WORDS = {
    "0 30 2 * * ?": "Every day at 02:30", "0 0 * * * ?": "Every hour", "0 15 * * * ? *": "Every hour at :15", "* * * * * ?": "Every second",
    "0 * * * * ?": "Every minute", "0 0/15 * * * ?": "Every 15 minutes", "0 */5 * * * ?": "Every 5 minutes",
    "0 0/30 6-20 ? * MON-FRI": "Monday to Friday every 30 minutes from 06:00 to 20:30", "0 0 9-17 * * ?": "Every hour from 09:00 to 17:00",
    "0 0 4 ? * SUN": "Every Sunday at 04:00", "0 0 4 ? * 1": "Every Sunday at 04:00", "0 0 4 ? * mon,wed,7": "Monday, Wednesday and Saturday at 04:00",
    "0 0 5 1 * ?": "Monthly on the 1st at 05:00", "0 0 5 22 * ?": "Monthly on the 22nd at 05:00", "0 0 5 L * ?": "Monthly on the last day at 05:00",
    "0 10 0/6 * * ?": "Every 6 hours at :10",
    # what cannot be said shortly and exactly
    "0 0/7 * * * ?": None, "0 5/10 * * * ?": None, "0 0 12 15W * ?": None, "0 0 12 ? * 6#3": None, "0 0 12 1 1 ?": None, "30 0 12 * * ?": None,
    "0 0 12 * * ? 2030": None, "0 0 0/7 * * ?": None, "0 0 12 1,15 * ?": None, "nonsense": None, "": None, "0 0 12 ? * MON-FRI/2": None,
}


def test_schedules_in_words(call):
    assert dict(zip(WORDS, call("cron", "cronWords", [[expression] for expression in WORDS]))) == WORDS


NAMES = ["day", "region", "source.path", "café"]
MEANT = {"dya": "day", "Day": "day", "days": "day", "date": None, "d": None, "month": None, "regoin": "region", "sourcepath": "source.path", "path": None,
         "cafe": "café", "": None, "x" * 5000: None}


def test_what_a_wrong_name_was_meant_to_be(call):
    assert dict(zip(MEANT, call("near", "nearest", [[name, NAMES] for name in MEANT]))) == MEANT
    assert call("near", "distance", [["", "abc"], ["abc", "abc"], ["abc", "acb"], ["kitten", "sitting"], ["ab", "ba"]]) == [3, 0, 1, 3, 1]


SIZES = {"width": 178, "height": 46, "across": 56, "apart": 16, "margin": 16}


def test_a_big_graph_is_laid_out_in_layers(call):
    count = 1000
    edges = [[i - back, i] for i in range(count) for back in (10, 17, 230) if i >= back]
    done = call("layers", "layered", [[count, edges, SIZES]])[0]
    spots = done["tasks"]
    for from_, to in edges:
        assert spots[from_]["x"] + SIZES["width"] < spots[to]["x"], "a task stands behind what it waits for"
    columns = {}
    for spot in spots:
        columns.setdefault(spot["x"], []).append(spot["y"])
        assert SIZES["width"] / 2 <= spot["x"] <= done["width"] and SIZES["height"] / 2 <= spot["y"] <= done["height"] - SIZES["height"] / 2
    for ys in columns.values():
        ys.sort()
        assert all(b - a >= SIZES["height"] + SIZES["apart"] - 1e-6 for a, b in zip(ys, ys[1:])), "two tasks lie on each other"
    assert [len(bend) for bend in done["bends"]] == [round((spots[b]["x"] - spots[a]["x"]) / (SIZES["width"] + SIZES["across"])) - 1 for a, b in edges]


def test_odd_graphs_are_laid_out_as_well(call):
    chain = [[i, i + 1] for i in range(199)]
    one, star, rest = call("layers", "layered", [[200, chain, SIZES], [200, [[0, i] for i in range(1, 200)], SIZES], [200, [], SIZES]])
    assert len({spot["y"] for spot in one["tasks"]}) == 1 and len({spot["x"] for spot in one["tasks"]}) == 200
    assert len({spot["x"] for spot in star["tasks"]}) == 2
    assert abs(star["tasks"][0]["y"] - star["height"] / 2) < 1, "in the middle of those that wait for it"
    assert len({spot["y"] for spot in rest["tasks"]}) == 200


def test_the_day_stands_at_its_first_run_where_there_is_room(call):
    job = {"schedule": {"timezoneId": "Asia/Tokyo"}}
    runs = [{"plannedTime": f"2026-03-{day:02d}T{hour:02d}:00:00Z", "timeCreated": "2026-04-01T00:00:00Z", "startTime": None}
            for day, hour in ((1, 1), (1, 14), (1, 16), (2, 1), (2, 15), (3, 15), (4, 14), (4, 16))]  # in Tokyo the day begins at 15:00
    made = call("daymarks", "dayMarks", [[runs, job, 2], [[], job, 2]])
    assert [mark["isFirst"] for mark in made[0]] == [False, False, True, False, True, True, False, True]
    assert [bool(mark["text"]) for mark in made[0]] == [True, False, True, False, True, False, False, True] and made[1] == []


def test_names_are_cut_in_the_middle(tmp_path):
    source = json.dumps(str(ROOT / "ui/src/graphlib.ts"))
    made = tmp_path / "cut.mjs"
    code = f"""import {{ cutMiddle }} from {source}
    for (const [text, room] of JSON.parse(process.argv[2])) console.log(JSON.stringify(cutMiddle(text, (part) => [...part].length <= room)))"""
    subprocess.run([ROOT / "ui/node_modules/.bin/esbuild", "--bundle", "--format=esm", f"--outfile={made}", "--log-level=error"], input=code, text=True,
                   cwd=ROOT / "ui/src", check=True)
    names = {("abc", 3): "abc", ("load_customers_west", 9): "load…west", ("load_customers_east", 10): "load_…east", ("abcdef", 1): "…", ("abcdef", 0): "…",
             ("abcdef", 2): "a…", ("日本語の名前", 4): "日本…前", ("\U0001f600" * 5, 4): "\U0001f600\U0001f600…\U0001f600", ("", 0): ""}
    done = subprocess.run(["node", made, json.dumps(list(names))], capture_output=True, text=True, check=True)
    assert [json.loads(line) for line in done.stdout.splitlines()] == list(names.values())


WALLS = [  # a wall clock, its zone, the moment
    ("2026-07-01T03:00", "Europe/Berlin", "2026-07-01T01:00Z"), ("2026-01-01T03:00", "Europe/Berlin", "2026-01-01T02:00Z"),
    ("2026-03-29T01:59", "Europe/Berlin", "2026-03-29T00:59Z"), ("2026-03-29T03:00", "Europe/Berlin", "2026-03-29T01:00Z"),
    ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30Z"),  # there are two: the first
    ("2026-10-25T03:00", "Europe/Berlin", "2026-10-25T02:00Z"), ("2026-01-01T00:00", "America/New_York", "2026-01-01T05:00Z"),
    ("2026-01-01T00:00", "Asia/Kolkata", "2025-12-31T18:30Z"), ("2026-01-01T00:00", "Pacific/Kiritimati", "2025-12-31T10:00Z"),
    ("2026-11-28T03:00", "GMT+8", "2026-11-27T19:00Z"), ("2026-11-28T03:00", "GMT-3", "2026-11-28T06:00Z"),
    ("2026-11-28T03:00", "GMT+08:00", "2026-11-27T19:00Z"), ("2026-04-05T01:45", "Australia/Lord_Howe", "2026-04-04T14:45Z"), ("2026-01-01T00:00", "No/Such_Zone", "2026-01-01T00:00Z"),
]


def test_wall_clocks_of_other_zones(call):
    ms = [datetime.fromisoformat(utc.replace("Z", "+00:00")).timestamp() * 1000 for _, _, utc in WALLS]
    assert call("zone", "fromWall", [[wall, zone] for wall, zone, _ in WALLS]) == ms
    assert call("zone", "toWall", [[at, zone] for at, (_, zone, _) in zip(ms, WALLS)]) == [wall for wall, _, _ in WALLS]
    # an hour that was left out: what it would have been
    assert call("zone", "fromWall", [["2026-03-29T02:30", "Europe/Berlin"]]) == [datetime(2026, 3, 29, 1, 30, tzinfo=timezone.utc).timestamp() * 1000]


def test_no_edge_leads_out_of_the_picture(call):
    """Also one that goes around the outermost tasks, as dagre likes to draw it."""
    tasks = [{"taskKey": f"t{i}", "dependsOn": [{"taskKey": f"t{j}"} for j in {i - 1, i // 3, i * 7 % max(i, 1)} if 0 <= j < i]} for i in range(60)]
    for direction in ("LR", "TB"):
        made = call("graphlib", "place", [[tasks, direction]])[0]
        points = [at for link in made["links"] for at in link["points"]] + made["nodes"]
        assert all(0 < at["x"] < made["width"] and 0 < at["y"] < made["height"] for at in points), direction


def spans(*parts):
    """Of a task run, each (status, from, to, attempt)."""
    return {"taskKey": "t", "taskRunKey": "T", "repairKey": 0,
            "spans": [{"status": status, "from": start, "to": end, "attempt": attempt, "end": None, "isRetryWait": False} for status, start, end, attempt in parts]}


def test_spans_have_the_times_of_the_newest_attempt(call):
    own = {"key": "T", "retryAttempt": 0, "startTime": 12, "endTime": 20}
    cases = [
        (spans(("PENDING", 5, 10, 0), ("RUNNING", 10, 40, 0), ("SUCCESS", 40, None, None)), own, [(5, 12), (12, 20), (20, None)]),
        (spans(("RUNNING", 10, None, 0)), {**own, "endTime": None}, [(12, None)]),
        (spans(("RUNNING", 10, 15, 0), ("CANCELING", 15, 40, 0), ("CANCELED", 40, None, None)), own, [(12, 15), (15, 20), (20, None)]),
        (spans(("RUNNING", 10, 25, 0), ("CANCELING", 25, 40, 0), ("CANCELED", 40, None, None)), own, [(12, 20), (20, 20), (20, None)]),
        (spans(("RUNNING", 1, 3, 0), ("PENDING", 3, 11, 0), ("RUNNING", 11, 40, 1), ("FAILED", 40, None, 1)), {**own, "retryAttempt": 1},
         [(1, 3), (3, 12), (12, 20), (20, None)]),
        (spans(("RUNNING", 10, 40, 0)), {**own, "key": "of another repair"}, [(10, 40)]),
        (spans(("UPSTREAM_FAILED", 10, None, None)), {**own, "retryAttempt": None, "startTime": None, "endTime": None}, [(10, None)]),
    ]
    made = call("timeline", "withTimes", [[lane, task] for lane, task, _ in cases])
    assert [[(span["from"], span["to"]) for span in lane["spans"]] for lane in made] == [expected for _, _, expected in cases]


READ = r"""
import { LogStore } from './logstore'
import { LogReader } from './logread'

// An output of so many lines, in pieces, out of which the server has cut a part; what the page has of it, and what it asked.
async function read(head, tail, lines, [cutFrom, cutTo], grown) {
  const all = new TextEncoder().encode(Array.from({ length: lines + grown }, (_, i) => `line ${String(i).padStart(9, '0')}\n`).join(''))
  let [end, asked, most] = [lines * 15, 0, 0]
  const from = (offset) => (offset >= cutFrom && offset < cutTo ? cutTo : offset)
  const until = (at) => Math.min(end, at < cutFrom ? cutFrom : end)
  const store = new LogStore(head, tail)
  const reader = new LogReader(store, () => end < all.length, async (offset) => {
    const at = from(offset)
    async function* pieces() { for (let i = at; i < until(at); i += 1000) yield all.subarray(i, Math.min(i + 1000, until(at))) }
    return { offset: at, pieces: pieces() }
  }, async (offset) => {
    asked++
    const at = from(offset)
    return Math.max(offset, Math.min(until(at), at + (4 << 20)))
  })
  for (;;) {
    const got = await reader.readOnce(new AbortController().signal, () => (most = Math.max(most, store.length)))
    if (got) continue
    if (end === all.length) break
    end = Math.min(all.length, end + 15 * 997)
  }
  const shown = Array.from({ length: store.lines }, (_, i) => store.line(i))
  return { shown, asked, most, leftOut: store.leftOut, gap: store.gapLine, numbers: [0, store.gapLine + 1].map((i) => store.numberOf(i)),
    found: await store.find(/^line 0*99$|^\w*nothing/i, 9, 0, new AbortController().signal) }
}
for (const [args] of JSON.parse(process.argv[2])) console.log(JSON.stringify(await read(...args)))
"""


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    made = tmp_path_factory.mktemp("read") / "read.mjs"
    subprocess.run([ROOT / "ui/node_modules/.bin/esbuild", "--bundle", "--format=esm", "--log-level=error", f"--outfile={made}"],
                   cwd=ROOT / "ui/src", input=READ, text=True, check=True)

    def read(head, tail, lines, cut=(0, 0), grown=0):
        done = subprocess.run(["node", made, json.dumps([[[head, tail, lines, cut, grown]]])], capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    return read


def line(i):
    return f"line {i:09d}"


def test_an_output_that_fits_is_read_whole(read):
    for lines in (0, 1, 500, 1000):
        done = read(10_000, 5_000, lines)
        assert done["shown"] == [line(i) for i in range(lines)] and done["gap"] == -1 and done["leftOut"] == 0, lines
    assert done["found"] == [99] and done["numbers"][0] == 1


def test_of_an_output_that_does_not_fit_the_end_is_there(read):
    for lines in (1001, 5000, 2_000_000):
        done = read(10_000, 5_000, lines)
        first, behind = done["shown"][:done["gap"]], done["shown"][done["gap"] + 1:]
        assert first == [line(i) for i in range(len(first))] and len(first) == 10_000 // 15
        assert behind == [line(i) for i in range(lines - len(behind), lines)] and len(behind) == 5_000 // 15
        assert "bytes 9990 to" in done["shown"][done["gap"]] and done["numbers"] == [1, None]
        assert done["leftOut"] == lines * 15 - 5_000 - 9_990 and done["most"] <= 15_200
    assert done["asked"] < 40, "the end is found by a few questions"


def test_what_the_server_has_cut_out_is_leapt_over(read):
    done = read(10_000, 5_000, 5000, cut=(3_000, 60_000))
    assert done["shown"][:200] == [line(i) for i in range(200)] and done["shown"][200] == line(4000)
    assert done["shown"][-1] == line(4999)


def test_of_an_output_that_grows_the_newest_is_there(read):
    done = read(10_000, 5_000, 3000, grown=20_000)
    assert done["shown"][0] == line(0) and done["shown"][-1] == line(22_999) and done["most"] <= 15_200
    behind = done["shown"][done["gap"] + 1:]
    assert behind == [line(i) for i in range(23_000 - len(behind), 23_000)]


STORE = """import { readFileSync } from 'node:fs'
import { LogStore } from './logstore'
const [text, needles] = JSON.parse(readFileSync(0, 'utf8'))
const store = new LogStore()
store.append(new TextEncoder().encode(text), 0)
const found = []
for (const needle of needles) found.push(await store.find(new RegExp(needle, 'i'), 99, 0, new AbortController().signal))
console.log(JSON.stringify({ found, lines: Array.from({ length: store.lines }, (_, i) => store.line(i)) }))
"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    made = tmp_path_factory.mktemp("store") / "store.mjs"
    subprocess.run([ROOT / "ui/node_modules/.bin/esbuild", "--bundle", "--format=esm", "--platform=node", "--log-level=error", f"--outfile={made}"],
                   cwd=ROOT / "ui/src", input=STORE, text=True, check=True)
    return lambda text, *needles: json.loads(subprocess.run(["node", made], input=json.dumps([text, needles]), capture_output=True, text=True,
                                                            check=True, timeout=60).stdout)


def test_what_is_searched_is_what_is_seen(stored):
    text = "\x1b[1mER\x1b[31mROR\x1b[0m: red\nprogress 1%\rprogress 100%\r\nplain 31m\n\x1b]8;;https://example.com/\x1b\\here\x1b]8;;\x1b\\ it is\n\x1b[1mbro\x1b(B\x1b[mken"
    assert stored(text, "error: red", "^error", "1%", "00%$", "31m", r"here \(https://example.com/\) it", "broken")["found"] == [[0], [0], [], [1], [2], [3], [4]]


def test_a_search_in_one_long_line_ends(stored):
    """However it is made: each of these took time by the square of its length, some minutes."""
    for line in ("\r" * 1_000_000 + "x", "\x1b]8;;http://x\x07a" * 60_000, "x\r" * 500_000):
        assert stored(line, "nothing")["found"] == [[]]


def test_how_much_of_a_long_line_is_not_shown_is_counted_in_bytes(stored):
    for text, more in (("x" * 10_000, 6_000), ("é" * 5_000, 2_000), ("日" * 10_000, 18_000), ("gone\r" + "é" * 5_000, 2_000)):
        assert stored(text)["lines"][0].endswith(f" … {more:,} more bytes in this line")


# --- places in a JSON text --------------------------------------------------------------------------------------------

PLACES = """import { lineCounter, places, placeOfMessage } from %s
export const lineAt = (text, at) => lineCounter(text)(at)
export function pointed(text, message) { const { start, end } = placeOfMessage(places(text), message); return text.slice(start, end) }
export function refused(text) { try { places(text); return null } catch (error) { return [error.at, error.message] } }
"""


@pytest.fixture(scope="module")
def json_text(tmp_path_factory):
    """json_text(function, [arguments…]): the functions of jsonplace.ts, and two that are made of them."""
    folder = tmp_path_factory.mktemp("json")
    source = json.dumps(str(ROOT / "ui/src/jsonplace.ts"))
    (folder / "all.ts").write_text(PLACES % source)
    made = folder / "all.mjs"
    subprocess.run([ROOT / "ui/node_modules/.bin/esbuild", folder / "all.ts", "--bundle", "--format=esm", f"--outfile={made}", "--log-level=error"],
                   check=True)

    def call(function, arguments):
        code = (f"import {{ {function} as f }} from {json.dumps(str(made))}; "
                f"console.log(JSON.stringify({json.dumps(arguments)}.map((a) => f(...a))))")
        return json.loads(subprocess.run(["node", "--input-type=module", "-e", code], capture_output=True, text=True, check=True).stdout)

    return call


TEXT = """{
  "name": "n\\u00e9\\"x", "on": true, "none" : null,
  "tasks": [ {"taskKey": "a", "x-secrets": []},
             {"taskKey": "b", "dependsOn": [{"taskKey": "a"}], "timeoutSeconds": -1.5e3} ]
}"""


def test_what_a_message_is_about(json_text):
    about = {
        "name is too long": '"n\\u00e9\\"x"', "on must be text": "true", "none: what": "null",
        "tasks[1].dependsOn[0].taskKey \"a\" names no task": '"a"', "tasks[1].timeoutSeconds must be": "-1.5e3",
        "tasks[0].x-secrets is bad": "[]",
        "tasks[0].filePath is required": '{"taskKey": "a", "x-secrets": []}',  # is not there: what it should be in
        "tasks[7] is odd": TEXT[TEXT.index("[ {"):TEXT.rindex("]") + 1], "path is required": TEXT, "Something else": TEXT, "": TEXT,
        "constructor is no field": TEXT, "tasks.length is no field": TEXT[TEXT.index("[ {"):TEXT.rindex("]") + 1],
    }
    assert dict(zip(about, json_text("pointed", [[TEXT, message] for message in about]))) == about
    assert json_text("lineAt", [["a\nb\nc", 0], ["a\nb\nc", 2], ["a\nb\nc", 4]]) == [1, 2, 3]


def test_where_a_text_stops_being_json(json_text):
    wrong = {
        "": 0, "  ": 2, "{": 1, '{"a"}': 4, '{"a":}': 5, '{"a":1,}': 7, "[1 2]": 3, "[1,]": 3, "{a:1}": 1, "tru": 0, "01": 1, "1.": 1, "-": 0,
        '"a': 0, '"a\nb"': 0, '"\\x"': 0, "{} x": 3, '{"a":1,"a":2}': 7, '{"a":1,"\\u0061":2}': 7, "'a'": 0, "[" * 65 + "]" * 65: 64, "[" * 64 + "1,{}" + "]" * 64: 66, "NaN": 0, "\ufeff{}": 0,
    }
    told = json_text("refused", [[text] for text in wrong])
    assert {text: said and said[0] for text, said in zip(wrong, told)} == wrong
    assert told[4][1] == 'a value is expected, and there is "}"' and told[2][1] == "a name in double quotes is expected, and the text ends"


def test_what_is_json_has_places(json_text):
    right = [TEXT, "1", '"x"', "[]", "{}", " [ 1 , 2.5E-7 , -0 ] ", '{"":{}}', "[" * 64 + "]" * 64, '"\\ud800"', '"\u2028"', json.dumps({"a": [None, True, {"b": "\U0001f600"}]})]
    assert json_text("refused", [[text] for text in right]) == [None] * len(right)
    assert [json.loads(text) is not ... for text in right] == [True] * len(right), "and it is JSON for others too"
