"""Parts of the page that compute, without a browser: schedules in words, the layout of big graphs."""

import json
import subprocess

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
