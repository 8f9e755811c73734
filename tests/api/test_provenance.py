"""Where parameters come from: the explanation of a run (CONTRACT §6; RULES §5)."""

import pytest
from harness import if_else, node, named, step, task

pytestmark = pytest.mark.sanitize


def explain(api, run, *tasks):
    return api.read(f"/jobRuns/{run['key']}/explanation", **({"taskKey": tasks} if tasks else {}))


def by_name(items):
    return {p["name"]: p for p in items}


def of_task(explanation, task_key):
    return next(t for t in explanation["tasks"] if t["taskKey"] == task_key)


def layers(parameter):
    """[(source, repair, value as given), …], strongest first."""
    return [(parameter["source"], parameter["repair"], parameter["given"])] + [
        (o["source"], o["repair"], o["value"]) for o in parameter["overrides"]]


@pytest.fixture(scope="module")
def repaired(server):
    """Repaired twice; `kept` ran in the original only."""
    api = server.api
    job = api.job([step("kept"), step("a", "kept", exit=1, parameters=named(own="task", c="task", seen="{{task.name}}"))],
                  name="nightly", parameters=named(a="job", b="job", c="job", d="job", who="{{job.name}}"))
    run = api.wait_final(api.run(job, parameters=named(b="run", c="run", d="run")), "FAILED")
    api.wait_final(api.repair(run, parameters=named(d="first")), "FAILED")
    return api.wait_final(api.repair(run, parameters=named(d="second", e="new")), "FAILED")


def test_every_parameter_of_the_run_has_an_origin(api, repaired):
    run = explain(api, repaired)["run"]
    seen = by_name(run["parameters"])
    assert {n: p["value"] for n, p in seen.items()} == {
        p["name"]: p["value"] for p in repaired["unifiedJobAndJobRunParameters"]}
    assert layers(seen["a"]) == [("JOB", None, "job")]
    assert layers(seen["b"]) == [("RUN", None, "run"), ("JOB", None, "job")]
    assert layers(seen["d"]) == [("REPAIR", 2, "second"), ("REPAIR", 1, "first"), ("RUN", None, "run"),
                                 ("JOB", None, "job")]
    assert layers(seen["e"]) == [("REPAIR", 2, "new")]
    who = seen["who"]
    assert (who["value"], who["given"]) == ("nightly", "{{job.name}}")
    assert [(r["reference"], r["value"], r["source"]) for r in who["references"]] == [("{{job.name}}", "nightly", None)]


def test_a_task_has_its_own_layer(api, repaired):
    a = of_task(explain(api, repaired), "a")
    seen = by_name(a["parameters"])
    task_run = api.task_run(repaired, "a")
    assert {n: p["value"] for n, p in seen.items()} == {p["name"]: p["value"] for p in task_run["parameters"]}
    assert layers(seen["own"]) == [("TASK", None, "task")]
    assert layers(seen["c"]) == [("RUN", None, "run"), ("TASK", None, "task"), ("JOB", None, "job")], "a run's wins"
    assert layers(seen["seen"])[0] == ("TASK", None, "{{task.name}}") and seen["seen"]["value"] == "a"
    assert seen["seen"]["references"][0]["value"] == "a"
    assert seen["who"]["references"][0]["value"] == "nightly", "a job's value keeps its references"


def test_a_kept_task_is_explained_as_of_then(api, repaired):
    kept = by_name(of_task(explain(api, repaired), "kept")["parameters"])
    assert layers(kept["d"]) == [("RUN", None, "run"), ("JOB", None, "job")], "it has not seen the repairs"
    assert "e" not in kept


def test_references_of_the_other_texts(api):
    line = "name=b out={{job.parameters.p}}-{{tasks.a.result_state}}-{{ tasks.a.execution_count }} exit=1"
    job = api.job([step("a", exit=1, until="provenance"), task("b", "step.py", "a", commandLineArguments=line,
                                                              runIf="ALL_DONE"),
                   if_else("d", "{{job.parameters.p}} == {{job.repair_count}}")], parameters=named(p="0"))
    run = api.wait_final(api.run(job), "FAILED")
    run = api.wait_final(api.repair(run, taskKeys=["b"], parameters=named(p="7")), "FAILED")
    whole = explain(api, run)
    uses = of_task(whole, "b")["references"]
    assert [(u["field"], u["reference"], u["value"], u["source"], u["repair"]) for u in uses] == [
        ("commandLineArguments", "{{job.parameters.p}}", "7", "REPAIR", 1),
        ("commandLineArguments", "{{tasks.a.result_state}}", "failed", None, None),
        ("commandLineArguments", "{{ tasks.a.execution_count }}", "1", None, None)]
    uses = of_task(whole, "d")["references"]
    assert [(u["field"], u["reference"], u["value"], u["source"]) for u in uses] == [
        ("expressions[0].value", "{{job.parameters.p}}", "0", "JOB"),
        ("expressions[0].value", "{{job.repair_count}}", "0", None)], "as of when it was decided"


def test_references_of_libraries_conditions_and_git(api):
    """Each text that a job is checked for; what an argument has as text is none."""
    tasks = [step("a", set="rows:3"),
             {**task("b", "step.py", commandLineArguments=r"\{{job.id}} name=b"),
              "dependsOn": [{"taskKey": "a", "x-condition": "{{tasks.a.values.rows}} > {{job.parameters.most}}"}]},
             {**task("c", "step.py", commandLineArguments="name=c"), "x-expressionLanguage": "EL",
              "dependsOn": [{"taskKey": "a", "x-condition": "#{Job.getNodeStatus('a') == 'success'}"}]},
             {**task("e", "step.py", commandLineArguments="name=e"), "x-expressionLanguage": "EL",
              "dependsOn": [{"taskKey": "a", "x-condition": "Job.getNodeStatus('a') == 'success'"}]},
             node("j", "JAR_TASK", mainClass="{{job.parameters.branch}}", dependentLibraries=["a.jar", "{{job.parameters.lib}}"]),
             {**task("g", "x.py", source="GIT_PROVIDER"),
              "gitConfig": {"repositoryUrl": "file:///nowhere/{{job.parameters.repo}}", "branch": "{{job.parameters.branch}}"}}]
    given = named(lib="other.jar", most="2", repo="none", branch="main")
    run = api.wait_final(api.run(api.job(tasks, parameters=given)))
    whole = explain(api, run)
    uses = {key: [(u["field"], u["reference"], u["value"]) for u in of_task(whole, key)["references"]] for key in "bcegj"}
    assert uses == {
        "b": [("dependsOn[0].x-condition", "{{tasks.a.values.rows}}", "3"), ("dependsOn[0].x-condition", "{{job.parameters.most}}", "2")],
        "c": [("dependsOn[0].x-condition", "#{Job.getNodeStatus('a') == 'success'}", "true")],
        "e": [("dependsOn[0].x-condition", "#{Job.getNodeStatus('a') == 'success'}", "true")],
        "g": [("gitConfig.repositoryUrl", "{{job.parameters.repo}}", "none"), ("gitConfig.branch", "{{job.parameters.branch}}", "main")],
        "j": [("mainClass", "{{job.parameters.branch}}", "main"), ("dependentLibraries[1]", "{{job.parameters.lib}}", "other.jar")]}


def test_a_task_that_has_not_started_has_none(api):
    run = api.go([step("a", exit=1), step("b", "a", parameters=named(x="1"))], "FAILED", parameters=named(p="1"))
    b = of_task(explain(api, run), "b")
    assert b["parameters"] == [] and b["references"] == []


def test_only_the_tasks_that_are_named(api, repaired):
    assert [t["taskKey"] for t in explain(api, repaired, "a")["tasks"]] == ["a"]
    assert [t["taskKey"] for t in explain(api, repaired, "a", "kept", "ghost")["tasks"]] == ["kept", "a"]
    assert of_task(explain(api, repaired, "a"), "a") == of_task(explain(api, repaired), "a")
    assert explain(api, repaired)["areParametersLeftOut"] is False


def test_another_definition_brings_its_own_layer(api):
    job = api.job([step("a", exit=1), step("kept")], parameters=named(p="old"))
    run = api.wait_final(api.run(job), "FAILED")
    api.replace(job, [step("a"), step("kept")], parameters=named(p="new"))
    run = api.wait_final(api.repair(run, definition="CURRENT"), "SUCCESS")
    whole = explain(api, run)
    assert by_name(whole["run"]["parameters"])["p"]["value"] == "new"
    assert by_name(of_task(whole, "a")["parameters"])["p"]["value"] == "new"
    kept = by_name(of_task(whole, "kept")["parameters"])["p"]
    assert kept["value"] == "old" and layers(kept) == [("JOB", None, "old")]


def test_too_many_parameters_are_left_out(api):
    tasks = [step(f"t{n}") for n in range(150)]
    many = [{"name": f"p{n}", "value": str(n)} for n in range(800)]
    run = api.go(tasks, "SUCCESS", parameters=many)
    whole = explain(api, run)
    assert whole["areParametersLeftOut"] is True
    told = [len(t["parameters"]) for t in whole["tasks"]]
    assert told[0] == 800 and told[-1] == 0 and len(told) == 150
    assert len(explain(api, run, "t149")["tasks"][0]["parameters"]) == 800


def test_a_value_that_a_task_published_is_shown_where_it_is_referred_to(api):
    run = api.go([step("a", set="rows:3"), step("b", "a", parameters=named(n="{{tasks.a.values.rows}}"))], "SUCCESS")
    seen = by_name(of_task(explain(api, run, "b"), "b")["parameters"])
    assert seen["n"]["value"] == "3"
    assert [(r["reference"], r["value"]) for r in seen["n"]["references"]] == [("{{tasks.a.values.rows}}", "3")]
