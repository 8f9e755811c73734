"""The goals: each function measures one and gives its rows. docs/design/performance.md explains each."""

import glob
import re
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from harness.page import Pages
from harness.product import HTTP_THREADS, MAX_RUNNING, Product, chain, independent, python_task, wide
from harness.programs import Failed, HttpLimit, processor_us
from harness.result import Row, at_least, at_most, number

POLL_US = 300
LOOK_SHARE = 0.005  # of a run between two looks at it: looking costs what the run then lacks
PYTHON = "/usr/bin/python3"
HERE = Path(__file__).resolve().parents[1]


@dataclass
class Sizes:
    repetitions: int = 5
    chain: int = 100
    python_chain: int = 40
    fanout: int = 1000
    posts: int = 10000
    gets: int = 20000
    commits: int = 10000
    runs_many: int = 100000
    runs_few: int = 1000
    list_gets: int = 1000
    page: int = 1000
    page_rows: int = 25
    prints: int = 5000
    idle_s: float = 5.0
    ballast_mib: int = 1024
    schedules_many: int = 100000
    firing: int = 100
    firing_s: int = 5
    page_tasks: int = 1000
    page_runs: int = 100
    past_runs: int = 100000
    pending_runs: int = 10
    pending_tasks: int = 10000
    queued_runs: int = 10000
    saved_jobs: int = 100000


QUICK = Sizes(repetitions=1, chain=5, python_chain=2, fanout=20, posts=100, gets=200, commits=100, runs_many=2400,
              runs_few=600, list_gets=50, page=6, page_rows=10, prints=50, idle_s=0.5, ballast_mib=64,
              schedules_many=300, firing=10, firing_s=2,
              page_tasks=200, page_runs=20, past_runs=300,
              pending_runs=2, pending_tasks=200, queued_runs=100, saved_jobs=100)


class Bench:
    """What the goals share: where to write, what to run, how large."""

    def __init__(self, scratch, programs, sizes, label=""):
        self.scratch, self.programs, self.sizes, self.label = scratch, programs, sizes, label
        self.products = []

    def product(self, **arguments):
        product = Product(self.programs, self.scratch, **arguments)
        self.products.append(product)
        return product

    def close(self):
        for product in self.products:
            product.stop()
        self.products = []

    def in_turn(self, first, second):
        """Figures of both, one after the other, the order changing; once before, uncounted."""
        figures = ([], [])
        if self.sizes.repetitions > 1:
            first(), second()
        for i in range(self.sizes.repetitions):
            for side in (0, 1) if i % 2 == 0 else (1, 0):
                figures[side].append((first, second)[side]())
        return figures


class Timed:
    """Runs of one job, timed from POST to the final state that a GET shows."""

    def __init__(self, bench, product, job):
        self.bench, self.product, self.fastest = bench, product, None
        self.post = product.request_file("POST", "/jobRuns", {"jobKey": job})
        self.poll = product.request_file("GET", f"/jobRuns?jobKey={job}&limit=1")

    def __call__(self):
        first_wait_us = int(self.fastest * 0.7e6) if self.fastest else 1000
        poll_us = max(POLL_US, int(self.fastest * LOOK_SHARE * 1e6)) if self.fastest else POLL_US
        figures = self.bench.programs.run(
            "run-client", self.product.port, self.post, self.poll, first_wait_us, poll_us)
        if figures["state"] != "SUCCESS":
            raise Failed(f"a run ended as {figures['state']}")
        self.fastest = min(self.fastest or figures["seconds"], figures["seconds"])
        return figures["seconds"]


# ---- runs against the composite limit ----

def _composite_chain(bench, length, program):
    path = bench.scratch.new("limit.db")
    return bench.programs.run("limit-composite", path, "chain", length, *program)["seconds"]


def _chain(bench, product, length, program):
    timed = Timed(bench, product, product.create_job("chain", chain(length)))
    return bench.in_turn(timed, lambda: _composite_chain(bench, length, program))


def g1(bench):
    length = bench.sizes.chain
    figures = _chain(bench, bench.product(), length, [bench.programs.path("noop")])
    yield Row("G1", f"chain of {length} no-op processes", "s", *figures, at_most(1.3), at_most(1.15))


def g1f(bench):
    """G1 without engine, store and HTTP: what of it is the supervisor's, against the same must."""
    length, noop = bench.sizes.chain, bench.programs.path("noop")
    supervisor = bench.programs.build / "reprise-supervise"

    def floor():
        path, folder = bench.scratch.new("floor.db"), bench.scratch.folder("attempts")
        return bench.programs.run("floor-supervised", path, folder, length, supervisor, noop)["seconds"]

    figures = bench.in_turn(floor, lambda: _composite_chain(bench, length, [noop]))
    yield Row("G1f", f"chain of {length} by a supervisor alone", "s", *figures, at_most(1.3), at_most(1.15))


def g2(bench):
    product, count = bench.product(), bench.sizes.fanout
    timed = Timed(bench, product, product.create_job("fanout", independent(count)))

    def limit():
        path = bench.scratch.new("limit.db")
        return bench.programs.run(
            "limit-composite", path, "fanout", count, MAX_RUNNING, bench.programs.path("noop"))["seconds"]

    yield Row("G2", f"{count:,} independent no-op tasks, {MAX_RUNNING} in flight", "s", *bench.in_turn(timed, limit),
              at_least(0.85), at_least(1.1), inverse=True)


def g3(bench):
    length = bench.sizes.python_chain
    product = bench.product(python=PYTHON)
    figures = _chain(bench, product, length, [PYTHON, str(product.workspace / "task.py")])
    yield Row("G3", f"chain of {length} fresh python3", "s", *figures, at_most(1.10), at_most(1.05))


def _is_warm(product, key):
    said = product.call("GET", f"/jobRuns/{key}/explanation").json()
    return all(task["attempts"][-1]["launch"] == "WARM" for task in said["tasks"])


def g4(bench):
    length = bench.sizes.python_chain
    product = bench.product(python=PYTHON)
    job = product.create_job("warm", [task | {"x-warmPython": True} for task in chain(length)])
    for _ in range(100):  # until there is an interpreter to fork from
        key = product.start_run(job)
        if product.await_run(key) and _is_warm(product, key):
            break
    else:
        raise Failed("no run became warm")
    timed = Timed(bench, product, job)
    loop = [PYTHON, HERE / "fork_loop.py", product.workspace / "task.py"]

    def limit():
        return bench.programs.run("limit-composite", bench.scratch.new("limit.db"), "warm", length, *loop)["seconds"]

    yield Row("G4", f"chain of {length} short Python tasks, warm", "s", *bench.in_turn(timed, limit), at_most(1.5),
              at_most(1.2))


# ---- requests ----

class Load:
    """The same request over and over. `cost_us`: processor time of the server for one of them, newest repetition."""

    def __init__(self, bench, server, port, connections, count, status):
        self.bench, self.pid, self.port = bench, server.process.pid, port
        self.connections, self.count, self.status, self.cost_us = connections, count, status, 0.0

    def __call__(self, request):
        before = processor_us(self.pid)
        figures = self.bench.programs.run("load", self.port, request, self.connections, self.count, self.status)
        self.cost_us = (processor_us(self.pid) - before) / self.count
        return figures


def g5(bench):
    product, sizes, count = bench.product(), bench.sizes, iter(range(1000))
    load = Load(bench, product, product.port, 32, sizes.posts, 201)

    def posts():
        # A job of its own for each repetition, so that all have the same queue to go through: from none to all.
        job = product.create_job(f"queued_{next(count)}", independent(1), maxConcurrentRuns=0, queue={"isEnabled": True})
        return load(product.request_file("POST", "/jobRuns", {"jobKey": job}))["rate"]

    def commits():
        return bench.programs.run("limit-commits", bench.scratch.new("limit.db"), sizes.commits)["rate"]

    row = Row("G5", f"durable POST of {sizes.posts:,} runs, 32 connections", "/s", *bench.in_turn(posts, commits),
              at_least(1.2), at_least(2))
    row.notes.append(f"processor time of a POST {load.cost_us:.0f} µs")
    yield row


def _finished_run(bench, product, tasks):
    key = product.start_run(product.create_job("finished", chain(tasks)))
    if product.await_run(key)["state"]["status"] != "SUCCESS":
        raise Failed("the run that is to be read has not succeeded")
    return key


def g7(bench):
    product, sizes = bench.product(), bench.sizes
    path = f"/jobRuns/{_finished_run(bench, product, 10)}"
    get = product.request_file("GET", path)
    answer = product.call("GET", path)
    answer_file = bench.scratch.new("answer")
    answer_file.write_bytes(answer.bytes())
    limit = HttpLimit(bench.programs, answer_file, HTTP_THREADS)

    ours_load, limit_load = (Load(bench, server, server.port, 32, sizes.gets, 200) for server in (product, limit))
    try:
        ours, theirs = bench.in_turn(lambda: ours_load(get), lambda: limit_load(get))
    finally:
        limit.stop()
    what = f"GET of a run of 10 tasks ({len(answer.body):,} bytes), 32 connections"
    cost = f"processor time of a GET {ours_load.cost_us:.1f} µs against {limit_load.cost_us:.1f} µs"
    yield Row("G7", what, "/s", [f["rate"] for f in ours], [f["rate"] for f in theirs], at_least(0.5), at_least(0.7),
              notes=[cost])
    yield Row("G7p99", "the same, 99th percentile", "µs", [f["p99_us"] for f in ours], [f["p99_us"] for f in theirs],
              at_most(2))


# ---- many runs stored ----

def _filled(bench, runs, jobs=20):
    """A server with that many finished runs of 3 tasks, and the keys of its jobs."""
    product = bench.product()
    keys = [product.create_job(f"nightly_{i}", chain(3)) for i in range(jobs)]
    product.stop()
    bench.programs.run("fill", product.data / "reprise.db", ",".join(keys), runs)
    product.start()
    return product, keys


def _page(product, path, number):
    """The path of that page, or of the last whole one: pages are found by walking."""
    query = path
    for _ in range(number - 1):
        answer = product.call("GET", query)
        if not answer.next_page:
            raise Failed(f"{path} has fewer than {number} pages")
        query = f"{path}&page={answer.next_page}"
    return query


def g8(bench):
    sizes = bench.sizes
    many, many_jobs = _filled(bench, sizes.runs_many)
    few, few_jobs = _filled(bench, sizes.runs_few)
    pages_of_few = sizes.runs_few // sizes.page_rows

    def queries(product, jobs, page):
        rows = f"limit={sizes.page_rows}"
        return {
            "recent runs of a job": f"/recentJobRuns?jobKey={jobs[0]}&recordCount=10&{rows}",
            "recent runs of ten jobs": "/recentJobRuns?recordCount=10&" + rows + "".join(
                f"&jobKey={key}" for key in jobs[:10]),
            "runs, first page": f"/jobRuns?{rows}",
            f"runs, page {sizes.page:,}": _page(product, f"/jobRuns?{rows}", page),
            "runs of a job, failed": f"/jobRuns?jobKey={jobs[0]}&status=FAILED&limit=3",
            "failed runs, first page": f"/jobRuns?status=FAILED&limit={sizes.page_rows // 2}",
            "runs by status": f"/jobRuns?sortBy=status&{rows}",
        }

    of_many = queries(many, many_jobs, sizes.page)
    of_few = queries(few, few_jobs, pages_of_few - 1)

    def latency(product, path):
        get = product.request_file("GET", path)
        return lambda: bench.programs.run("load", product.port, get, 1, sizes.list_gets, 200)["p50_us"]

    for name, path in of_many.items():
        figures = bench.in_turn(latency(many, path), latency(few, of_few[name]))
        yield Row("G8", f"{name}: {sizes.runs_many:,} stored against {sizes.runs_few:,}", "µs", *figures,
                  at_most(1.2), at_most(1.05))


# ---- much that waits ----

A_FEW = 100  # tasks that wait where few do


def _blocked(product, count):
    """A run that does not end soon: its first task is tried again in ten minutes, and all others wait for that one."""
    gate = {"taskKey": "gate", "type": "SHELL_TASK", "script": "exit 1", "maxRetries": 9,
            "minRetryIntervalMillis": 600000}
    behind = [python_task(f"task_{i}", ["gate"]) for i in range(count - 1)]
    product.start_run(product.create_job("blocked", [gate, *behind], maxConcurrentRuns=1000))


def _await_metric(product, name, least):
    while product.metric(name) < least:
        time.sleep(0.02)


def _fan_out(bench, product, count):
    return Timed(bench, product, product.create_job("fanout", independent(count)))


def g9(bench):
    sizes, many, few = bench.sizes, bench.product(), bench.product()
    pending = sizes.pending_runs * sizes.pending_tasks
    for _ in range(sizes.pending_runs):
        _blocked(many, sizes.pending_tasks)
    _blocked(few, A_FEW)
    for product, runs in (many, sizes.pending_runs), (few, 1):
        _await_metric(product, 'reprise_attempts_finished_total{cause="exited"}', runs)
    figures = bench.in_turn(*(_fan_out(bench, product, sizes.fanout) for product in (many, few)))
    yield Row("G9", f"{sizes.fanout:,} tasks of a run while {pending:,} wait for others, against {A_FEW}", "s", *figures,
              at_most(1.2), at_most(1.05))


def g9r(bench):
    """Tasks that are ready all at once, and wait for one of the slots: what the next ones cost."""
    sizes, many, few = bench.sizes, bench.product(), bench.product()
    finished = 'reprise_tasks_finished_total{state="SUCCESS"}'
    window = sizes.fanout // 2
    large = many.create_job("large", independent(sizes.pending_tasks), maxConcurrentRuns=1000)
    small = few.create_job("small", independent(sizes.fanout))
    for _ in range(sizes.pending_runs):
        many.start_run(large)

    def of_many():
        return _task_cost(many, finished, window)

    def of_few():
        key = few.start_run(small)
        cost = _task_cost(few, finished, window)
        few.await_run(key)
        return cost

    figures = bench.in_turn(of_many, of_few)
    if many.metric("reprise_tasks_waiting") < 1:
        raise Failed("no task waits any more: what was measured is not what was meant")
    yield Row("G9r", f"processor time of a task while up to {sizes.pending_runs * sizes.pending_tasks:,} wait for a slot, "
              f"against {sizes.fanout:,}", "µs", *figures, at_most(1.2), at_most(1.05))


def _task_cost(product, finished, window):
    """Processor time of the server for each of the next `window` tasks that end."""
    first, before = product.metric(finished), processor_us(product.process.pid)
    _await_metric(product, finished, first + window)
    return (processor_us(product.process.pid) - before) / (product.metric(finished) - first)


def g10(bench):
    sizes = bench.sizes
    plain, queued, saved = (bench.product() for _ in range(3))
    waiting = queued.create_job("queued", independent(1), maxConcurrentRuns=0, queue={"isEnabled": True})
    bench.programs.run("load", queued.port, queued.request_file("POST", "/jobRuns", {"jobKey": waiting}), 32,
                       sizes.queued_runs, 201)
    job = saved.request_file("POST", "/jobs", {"name": "saved", "path": "Shared", "tasks": independent(1)})
    bench.programs.run("load", saved.port, job, 32, sizes.saved_jobs, 201)
    base = _fan_out(bench, plain, sizes.fanout)
    large = _fan_out(bench, plain, sizes.pending_tasks)
    scale = sizes.pending_tasks / sizes.fanout
    for what, timed in ((f"a task of a run of {sizes.pending_tasks:,}", lambda: large() / scale),
                        (f"with {sizes.queued_runs:,} runs queued", _fan_out(bench, queued, sizes.fanout)),
                        (f"with {sizes.saved_jobs:,} jobs saved", _fan_out(bench, saved, sizes.fanout))):
        yield Row("G10", f"{sizes.fanout:,} independent tasks, {what}: against the same without", "s",
                  *bench.in_turn(timed, base), at_most(1.1), at_most(1.05))


# ---- the process ----

def g11(bench):
    product = bench.product()
    run = bench.scratch.new("run.json")
    run.write_bytes(product.call("GET", f"/jobRuns/{_finished_run(bench, product, 10)}").body)
    product.stop()
    figures = [bench.programs.run("print-run", run, bench.sizes.prints) for _ in range(bench.sizes.repetitions)]
    dump = statistics.median(f["dump_us"] / f["fields_us"] for f in figures)
    yield Row("G11", f"a run of 10 tasks as JSON ({figures[0]['bytes']:,} bytes)", "µs",
              [f["fields_us"] for f in figures], [f["tree_us"] for f in figures], at_least(3), at_least(10),
              inverse=True, notes=[f"against dumping a tree that is there already: {dump:.3g}"])


def _switches(pid):
    """How often threads of the process have gone to sleep of their own will: each means that it was awake."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/status"):
        with open(path, encoding="ascii") as file:
            total += int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", file.read(), re.MULTILINE)[1])
    return total


def g12(bench):
    product = bench.product()
    _finished_run(bench, product, 10)
    product.connection.close()
    time.sleep(1.0)
    memory, wakes = [], []
    for _ in range(bench.sizes.repetitions):
        before = _switches(product.process.pid)
        time.sleep(bench.sizes.idle_s)
        wakes.append((_switches(product.process.pid) - before) / bench.sizes.idle_s)
        memory.append(product.status("VmRSS") / 1024)
    yield Row("G12", "resident memory of an idle server", "MiB", memory, [], at_most(20))
    yield Row("G12w", "its wake-ups a second", "/s", wakes, [], at_most(0))


def g13(bench):
    """A fresh supervisor for every attempt, so that each one is started by the server itself."""
    sizes, plain = bench.sizes, bench.product(settings=["--exec.max-idle=0"])
    large = Bench(bench.scratch, bench.programs.with_preload(BENCH_BALLAST_MIB=sizes.ballast_mib), sizes)
    try:
        ballast = large.product(settings=["--exec.max-idle=0"])
        timed = [Timed(large, product, product.create_job("chain", chain(sizes.chain))) for product in (ballast, plain)]
        yield Row("G13", f"chain of {sizes.chain}, all supervisors fresh: {sizes.ballast_mib:,} MiB resident against none",
                  "s", *bench.in_turn(*timed), at_most(1.1), at_most(1.05))
    finally:
        large.close()


# ---- schedules ----

EVERY_SECOND = {"quartzCronExpression": "* * * * * ?", "timezoneId": "Europe/Berlin"}
ONCE_A_YEAR = {"quartzCronExpression": "0 0 0 1 1 ?", "timezoneId": "America/New_York"}


def _scheduled(bench, resting):
    """A server with so many schedules that do not fire soon, and sizes.firing that fire every second into a queue that
    does not move."""
    product, count = bench.product(), bench.sizes.firing
    fields = {"path": "Shared", "tasks": independent(1), "maxConcurrentRuns": 0, "queue": {"isEnabled": True}}
    rare = product.request_file("POST", "/jobs", {"name": "rare", "schedule": ONCE_A_YEAR} | fields)
    if resting:
        bench.programs.run("load", product.port, rare, 32, resting, 201)
    keys = [product.create_job(f"often_{i}", **({"schedule": EVERY_SECOND} | fields)) for i in range(count)]
    return product, keys


def g15(bench):
    sizes = bench.sizes
    many, _ = _scheduled(bench, sizes.schedules_many - sizes.firing)
    few, _ = _scheduled(bench, 0)

    def firing(product):
        def cost():
            before = processor_us(product.process.pid)
            time.sleep(sizes.firing_s)
            return (processor_us(product.process.pid) - before) / (sizes.firing * sizes.firing_s)
        return cost

    yield Row("G15", f"processor time of a firing: {sizes.schedules_many:,} schedules against {sizes.firing}", "µs",
              *bench.in_turn(firing(many), firing(few)), at_most(1.2), at_most(1.05))


def g15w(bench):
    product = bench.product()
    rare = product.request_file("POST", "/jobs", {"name": "rare", "schedule": ONCE_A_YEAR, "path": "Shared",
                                                  "tasks": independent(1)})
    bench.programs.run("load", product.port, rare, 32, bench.sizes.schedules_many, 201)
    product.connection.close()
    time.sleep(1.0)
    wakes = []
    for _ in range(bench.sizes.repetitions):
        before = _switches(product.process.pid)
        time.sleep(bench.sizes.idle_s)
        wakes.append((_switches(product.process.pid) - before) / bench.sizes.idle_s)
    yield Row("G15w", f"wake-ups a second with {bench.sizes.schedules_many:,} schedules", "/s", wakes, [], at_most(0))


# ---- the page ----

A_CELL = "[data-cell][data-status=SUCCESS]"
A_NODE = "[data-node][data-status=SUCCESS]"
FEW = 10
PAST_FEW = 100
WHEEL_STEPS = 40
WHEEL_PX = 240  # a frame: 14,400 a second, two notches of a wheel each


class Screens:
    """A server with a large and a small job, one with a long past and one with a short, and a browser on it."""

    def __init__(self, bench):
        sizes = bench.sizes
        self.product = product = bench.product()
        self.large, self.small = (product.create_job(f"wide_{n}", wide(n)) for n in (sizes.page_tasks, FEW))
        self.old, self.young = (product.create_job(name, chain(3)) for name in ("old", "young"))
        product.stop()
        for seed, (job, runs) in enumerate([(self.large, sizes.page_runs), (self.small, FEW), (self.old, sizes.past_runs),
                                            (self.young, PAST_FEW)]):
            bench.programs.run("fill", product.data / "reprise.db", job, runs, 100 + seed)
        product.start()
        self.runs = {job: product.call("GET", f"/jobRuns?jobKey={job}&status=SUCCESS&limit=1").json()["items"][0]["key"]
                     for job in (self.large, self.small)}
        self.pages = Pages(product)

    def paint(self, place, wanted):
        return lambda: self.pages.open(place, wanted)

    def run_of(self, job):
        return self.paint(f"runs/{self.runs[job]}", A_NODE)

    def grid_of(self, job):
        return self.paint(f"jobs/{job}", A_CELL)

    def opening_cost(self, job):
        """Processor time of the server for a job that is opened and looked at."""
        def cost():
            before = processor_us(self.product.process.pid)
            self.pages.open(f"jobs/{job}", A_CELL)
            self.pages.settle()
            return processor_us(self.product.process.pid) - before
        return cost

    def scrolled(self):
        """The wheel is turned over each long thing: its name, the longest task, what a step of the wheel computes."""
        def turn(box, dx, dy):
            return self.pages.scroll(box, dx, dy, WHEEL_STEPS)

        self.pages.open(f"jobs/{self.large}", A_CELL)
        self.pages.settle()
        yield "grid, down", turn(".grid", 0, WHEEL_PX)
        yield "grid, back in time", turn(".grid", -WHEEL_PX, 0)
        self.pages.open(f"runs/{self.runs[self.large]}", A_NODE)
        self.pages.settle()
        yield "graph", turn(".graph-frame", WHEEL_PX / 2, WHEEL_PX)
        for tab, wanted, box in (("tasks", ".tr", ".tbody"), ("gantt", ".gantt-row", ".gantt-rows"), ("events", ".tr", ".tbody")):
            self.pages.open(f"runs/{self.runs[self.large]}?tab={tab}", wanted)
            self.pages.settle()
            yield tab, turn(box, 0, WHEEL_PX)


def _paint(bench, goal, what, large, small):
    """Times until the paint, and as a note what the page has computed until then."""
    figures = bench.in_turn(large, small)
    row = Row(goal, f"first paint of {what}", "ms", *([painted for painted, _ in side] for side in figures), at_most(4))
    large_ms, small_ms = (statistics.median(cost for _, cost in side) for side in figures)
    row.notes.append(f"aim: under 1,000 ms; computed by the page {large_ms:.0f} against {small_ms:.0f} ms, ratio {large_ms / small_ms:.3g}")
    return row


def g16(bench):
    sizes, screens = bench.sizes, Screens(bench)
    try:
        large, small, tasks = screens.large, screens.small, f"{sizes.page_tasks:,}"
        yield _paint(bench, "G16", f"a run of {tasks} tasks against one of {FEW}", screens.run_of(large), screens.run_of(small))
        yield _paint(bench, "G16g", f"a grid of {tasks} tasks × {sizes.page_runs} runs against {FEW} × {FEW}",
                     screens.grid_of(large), screens.grid_of(small))
        past = f"a job with {sizes.past_runs:,} past runs against one with {PAST_FEW}"
        row = _paint(bench, "G16o", past, screens.grid_of(screens.old), screens.grid_of(screens.young))
        row.must = at_most(1.2)
        yield row
        yield Row("G16c", f"processor time of the server to open {past}", "µs",
                  *bench.in_turn(screens.opening_cost(screens.old), screens.opening_cost(screens.young)), at_most(1.2))
        turns = [dict(screens.scrolled()) for _ in range(sizes.repetitions)]
        worst = {name: max(one[name][0] for one in turns) for name in turns[0]}
        step = {name: statistics.median(one[name][1] for one in turns) for name in turns[0]}
        yield Row("G16s", f"longest task of the page while {tasks} tasks are scrolled", "ms", [max(worst.values())], [], at_most(100),
                  notes=[", ".join(f"{name} {number(worst[name])}, {step[name]:.0f} computed a step" for name in worst)])
    finally:
        screens.pages.close()


GOALS = {"G1": g1, "G1f": g1f, "G2": g2, "G3": g3, "G4": g4, "G5": g5, "G7": g7, "G8": g8, "G9": g9, "G9r": g9r, "G10": g10, "G11": g11,
         "G12": g12, "G13": g13, "G15": g15, "G15w": g15w, "G16": g16}
DURABLE = ("G1", "G2", "G5")  # what a slow disk is felt in


def rows_of(bench, goal):
    """Its rows one by one; servers are stopped behind the last."""
    try:
        for row in GOALS[goal](bench):
            row.goal += bench.label
            yield row
    finally:
        bench.close()
