"""Trigger rules, conditions and the run's result on real processes (RULES §2, §6)."""

import pytest
from harness import eventually, if_else, named, refused, statuses, step, summary_of, task
from seeds import check_lifecycle

pytestmark = pytest.mark.sanitize

RUN, EXCLUDED, FAILED, CANCELED = "SUCCESS", "EXCLUDED", "UPSTREAM_FAILED", "UPSTREAM_CANCELED"


@pytest.mark.parametrize("upstream,expected", [
    ("SS", {"ALL_SUCCESS": RUN, "NONE_FAILED": RUN, "AT_LEAST_ONE_SUCCESS": RUN, "ALL_DONE": RUN, "ALL_FAILED": EXCLUDED,
            "AT_LEAST_ONE_FAILED": EXCLUDED}),
    ("SF", {"ALL_SUCCESS": FAILED, "NONE_FAILED": FAILED, "AT_LEAST_ONE_SUCCESS": RUN, "ALL_DONE": RUN,
            "ALL_FAILED": EXCLUDED, "AT_LEAST_ONE_FAILED": RUN}),
    ("FF", {"ALL_SUCCESS": FAILED, "NONE_FAILED": FAILED, "AT_LEAST_ONE_SUCCESS": FAILED, "ALL_DONE": RUN,
            "ALL_FAILED": RUN, "AT_LEAST_ONE_FAILED": RUN}),
    ("SX", {"ALL_SUCCESS": RUN, "NONE_FAILED": RUN, "AT_LEAST_ONE_SUCCESS": RUN, "ALL_DONE": RUN, "ALL_FAILED": EXCLUDED,
            "AT_LEAST_ONE_FAILED": EXCLUDED}),
    ("FX", {"ALL_SUCCESS": FAILED, "NONE_FAILED": FAILED, "AT_LEAST_ONE_SUCCESS": FAILED, "ALL_DONE": RUN,
            "ALL_FAILED": EXCLUDED, "AT_LEAST_ONE_FAILED": RUN}),
    ("XX", {rule: EXCLUDED for rule in ("ALL_SUCCESS", "NONE_FAILED", "AT_LEAST_ONE_SUCCESS", "ALL_DONE", "ALL_FAILED",
                                        "AT_LEAST_ONE_FAILED")}),
    ("UU", {"ALL_SUCCESS": FAILED, "NONE_FAILED": FAILED, "AT_LEAST_ONE_SUCCESS": FAILED, "ALL_DONE": RUN,
            "ALL_FAILED": RUN, "AT_LEAST_ONE_FAILED": RUN}),
])
def test_every_rule_on_every_mixture(server, api, upstream, expected):
    """S succeeds, F fails, X is excluded by a condition, U is failed upstream."""
    tasks, names = [if_else("never", "1 == 2"), task("broken", "fail.py")], []
    for n, kind in enumerate(upstream):
        names.append(f"{kind}{n}")
        tasks.append({"S": task(names[-1]), "F": task(names[-1], "fail.py"),
                      "X": task(names[-1], after=[("never", "true")]), "U": task(names[-1], after="broken")}[kind])
    tasks += [step(rule, names, runIf=rule) for rule in expected]
    begun = len(server.witness("start"))
    seen = statuses(api.go(tasks))
    assert {rule: seen[rule] for rule in expected} == expected
    started = {w.name for w in server.witness("start")[begun:]}
    assert started == {rule for rule, state in expected.items() if state == RUN}, "only what runs has started"


@pytest.mark.parametrize("value,outcome", [
    ("a == a", "true"), ("a == b", "false"), ("a != b", "true"), ("12.0 == 12", "false"), ("12.0 >= 12", "true"),
    ("10.0 >= 12", "false"), ("9 < 10", "true"), ("'9' < \"10\"", "true"), ("-1 < 0", "true"), ("1 > 1", "false"),
    ("1 <= 1.0", "true"), ("'' == \"\"", "true"), ("'a b' == a b", "true"),
    ("{{job.parameters.n}} > 5", "true"), ("{{job.parameters.text}} == 'x == y'", "true"),
    ("{{job.parameters.empty}} == ''", "true"), ("{{tasks.before.result_state}} == success", "true"),
])
def test_if_else(server, api, value, outcome):
    run = api.go([task("before"), if_else("decide", value, "before"), task("yes", after=("decide", "true")),
                  task("no", after=("decide", "false")), task("both", after=["yes", "no"], runIf="NONE_FAILED")],
                 "SUCCESS", parameters=named(n="7", text="x == y", empty=""))
    seen = statuses(run)
    assert (seen["yes"], seen["no"]) == (("SUCCESS", "EXCLUDED") if outcome == "true" else ("EXCLUDED", "SUCCESS"))
    assert seen["both"] == "SUCCESS"
    assert run["state"]["stateMessage"].startswith("Succeeded")


@pytest.mark.parametrize("condition,outcome", [
    ("A", True), ("B", False), ("NOT B", True), ("A AND B", False), ("A OR B", True), ("NOT A OR A", True),
    ("A OR B AND B", True), ("(A OR B) AND B", False), ("NOT (A AND B)", True), ("NOT A AND B OR A", True),
])
def test_conditions_bind_as_the_rules_say(api, condition, outcome):
    decide = if_else("decide", "", condition=condition,
                     expressions=[{"key": "A", "value": "1 == 1"}, {"key": "B", "value": "1 == 2"}])
    seen = statuses(api.go([decide, task("yes", after=("decide", "true"))], "SUCCESS"))
    assert (seen["yes"] == "SUCCESS") is outcome


def test_a_bad_operand_fails_and_is_named(api):
    run = api.go([if_else("decide", "{{job.parameters.n}} > 5"), task("yes", after=("decide", "true"))], "FAILED",
                 parameters=named(n="many"))
    assert statuses(run) == {"decide": "FAILED", "yes": "UPSTREAM_FAILED"}
    assert "many" in summary_of(run, "decide")["state"]["stateMessage"]


def test_all_expressions_are_evaluated(api):
    decide = if_else("decide", "", condition="A OR B",
                     expressions=[{"key": "A", "value": "1 == 1"}, {"key": "B", "value": "x > 1"}])
    assert statuses(api.go([decide], "FAILED")) == {"decide": "FAILED"}


def test_an_excluded_chain(api):
    run = api.go([if_else("decide", "1 == 2"), task("a", after=("decide", "true")), task("b", after="a"),
                  task("c", after="b", runIf="ALL_DONE")], "SUCCESS")
    assert statuses(run) == {"decide": "SUCCESS", "a": "EXCLUDED", "b": "EXCLUDED", "c": "EXCLUDED"}


@pytest.mark.parametrize("leaves,expected", [
    (["ok.py", "ok.py"], "SUCCESS"), (["ok.py", "fail.py"], "FAILED"), (["ok.py", "missing.py"], "INTERNAL_ERROR"),
    (["missing.py", "fail.py"], "FAILED"),
])
def test_the_result_comes_from_the_leaves(api, leaves, expected):
    api.go([task("root")] + [task(f"leaf{n}", file, "root") for n, file in enumerate(leaves)], expected)


def test_a_wide_and_deep_graph(api):
    tasks = [task("root")]
    for level in range(5):
        before = [t["taskKey"] for t in tasks if t["taskKey"].startswith(f"l{level - 1}")] or ["root"]
        tasks += [task(f"l{level}n{n}", after=before) for n in range(6)]
    run = api.go(tasks, "SUCCESS")
    assert set(statuses(run).values()) == {"SUCCESS"}
    summaries = {t["taskKey"]: t for t in run["taskRunSummaryMap"].values()}
    for body in tasks:
        for dependency in body["dependsOn"]:
            assert summaries[body["taskKey"]]["startTime"] >= summaries[dependency["taskKey"]]["endTime"]
    check_lifecycle(run["lifecycleStates"], run["state"])


def test_a_task_waits_for_all_its_dependencies_even_to_fail(server, api):
    run = api.run(api.job([task("quick", "fail.py"), step("slow", gate="slow"), step("join", ["quick", "slow"])]))
    eventually(lambda: statuses(api.get_run(run))["quick"] == "FAILED", "quick failed")
    server.wait_witness("start", "slow")
    assert statuses(api.get_run(run))["join"] == "BLOCKED", "once all dependencies are final"
    server.open_gate("slow")
    assert statuses(api.wait_final(run, "FAILED"))["join"] == "UPSTREAM_FAILED"


def test_a_child_run(api):
    child = api.job([task("a")], name="child")
    api.go([{"taskKey": "call", "type": "JOB_TASK", "jobKey": child["key"]}], "SUCCESS")


def test_policies_of_failure_and_conditions(server):
    api = server.api
    server.script("rows.py", "import os\nopen(os.environ['REPRISE_OUTPUT'], 'w').write('rows=3\\n')\n")
    run = api.go([step("bad", exit=1, **{"x-failPolicy": "FAIL"}), step("slow", gate="never"), step("after", "slow")], "FAILED")
    assert statuses(run) == {"bad": "FAILED", "slow": "CANCELED", "after": "CANCELED"}
    assert not run["state"]["isUserCanceledOrTimedOut"]
    run = api.go([step("bad", exit=1, **{"x-failPolicy": "IGNORE"}), step("next", "bad")], "SUCCESS")
    assert statuses(run) == {"bad": "FAILED", "next": "SUCCESS"}
    assert run["tasks"][0]["x-failPolicy"] == "IGNORE" and "x-failPolicy" not in run["tasks"][1]
    few = task("few", after="count")
    few["dependsOn"][0]["x-condition"] = "{{tasks.count.values.rows}} < 10"
    many = task("many", after="count")
    many["dependsOn"][0]["x-condition"] = "{{tasks.count.values.rows}} >= 10"
    run = api.go([task("count", "rows.py"), few, many], "SUCCESS")
    assert statuses(run) == {"count": "SUCCESS", "few": "SUCCESS", "many": "EXCLUDED"}
    run = api.run(api.job([step("bad", exit=1, **{"x-failPolicy": "SUSPEND"}), step("next", "bad")]))
    seen = eventually(lambda: "Suspended" in (r := api.get_run(run))["state"]["stateMessage"] and r, "it is suspended")
    assert seen["state"]["status"] == "RUNNING" and statuses(seen) == {"bad": "FAILED", "next": "BLOCKED"}
    assert "suspended" in api.task_run(run, "next")["state"]["stateMessage"]
    api.cancel(run)
    assert statuses(api.wait_final(run, "CANCELED")) == {"bad": "FAILED", "next": "CANCELED"}
    refused(api.post("/jobs", {"name": "x", "tasks": [task("a", **{"x-failPolicy": "NO"})]}), 400, "InvalidParameter",
            "x-failPolicy")


def test_what_waits_for_a_slot_in_a_suspended_run_says_so(servers):
    server = servers("--exec.max-running", "2").start()
    api = server.api
    run = api.run(api.job([step("bad", gate="fail", exit=1, **{"x-failPolicy": "SUSPEND"}), step("holds", gate="never"), step("waits")]))
    for name in ("bad", "holds"):
        server.wait_witness("start", name)
    before = api.get(f"/taskRuns/{run['taskToTaskRunMap']['waits']}")
    assert before.json()["state"]["stateMessage"] == "Ready, waiting for an execution slot"
    server.open_gate("fail")
    eventually(lambda: "Suspended" in api.get_run(run)["state"]["stateMessage"], "it is suspended")
    after = api.get(f"/taskRuns/{run['taskToTaskRunMap']['waits']}")
    assert "the run is suspended" in after.json()["state"]["stateMessage"] and after.headers["etag"] != before.headers["etag"]
    api.cancel(run)
    api.wait_final(run, "CANCELED")


def test_what_is_compared_is_bounded(api):
    """Many comparisons of long texts hold up everybody: each side has 256 KiB."""
    long = "{{job.parameters.p}}"
    run = api.go([if_else("fits", f"{long * 3} == {long * 3}"), if_else("does_not", f"{long * 5} == x")], parameters=named(p="x" * 65536))
    assert statuses(run) == {"fits": "SUCCESS", "does_not": "INTERNAL_ERROR"}
    assert "longer than 262144 bytes" in summary_of(run, "does_not")["state"]["stateMessage"]
