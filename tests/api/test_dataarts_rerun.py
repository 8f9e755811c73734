"""Rerun of the DataArts dialect: both requests of its page, every refusal with its code, restart, supplement data (RULES §10)."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import harness
from dataarts import EVERY_SECOND, DataArts, done, job, node, python, refused, shell
from harness import eventually

pytestmark = pytest.mark.sanitize

GATE = 'test -e "$REPRISE_WORKSPACE/gates/{}"'


@pytest.fixture(scope="module")
def huawei(server):
    return DataArts(server)


def gate(server, name):
    (server.workspace / "gates" / name).touch()


def count_of(server, name):
    path = server.workspace / name
    return len(path.read_text().split()) if path.exists() else 0


def note(name):
    return f"echo x >> $REPRISE_WORKSPACE/{name}"


@pytest.fixture(scope="module")
def failed(server, huawei):
    """A scheduled job with instances that failed at their second node: (name, instances)."""
    nodes = [shell("first", statement=note("first")), python("second", "first", failPolicy="FAIL_CHILD", statement=(
        "import os, sys\nsys.exit(0 if os.path.exists(os.environ['REPRISE_WORKSPACE'] + '/gates/second') else 'not yet')")),
        shell("third", "second", statement="echo ${p} >> $REPRISE_WORKSPACE/third")]
    huawei.made(job("test_job_name", nodes, EVERY_SECOND, params=[{"name": "p", "value": "old"}]))
    huawei.start("test_job_name")
    return "test_job_name", huawei.wait_planned("test_job_name", 3)


def key_of(item, **other):
    return {"job_id": item["job_id"], "plan_time": item["plan_time"], "submit_time": item["submit_time"], **other}


def body(chosen=(), **more):
    return {"retry_location": "errorNode", "retry_task_version": "original_version", "ignore_obs_monitor": True,
            **({"task_retrys": [key_of(i) for i in chosen]} if chosen else {}), **more}


def test_every_refusal_has_its_code(server, huawei, failed):
    name, instances = failed
    one, path = instances[0], f"jobs/{failed[0]}/instances/retry"
    manual = huawei.run(name)
    huawei.wait(name, manual)
    by_hand = next(i for i in huawei.instances(name) if i["instance_id"] == manual)
    huawei.made(job("neighbour", [node("a", "Dummy")]))
    other = server.api.made("~/workspaces", {"displayName": "other"})["key"].replace("-", "")
    rows = [
        ("jobs/nobody/instances/retry", body([one]), "DLF.1000", ["Failed to find the job."]),
        (path, {**body([one]), "retry_location": None}, "DLF.3051", ["retry_location", "required"]),
        (path, {**body([one]), "retry_task_version": None}, "DLF.3051", ["retry_task_version", "required"]),
        (path, body([one], retry_location="lastNode"), "DLF.3051", ["retry_location", "errorNode"]),
        (path, body([one], retry_location="error_node"), "DLF.3051", ["retry_location", "errorNode"]),
        (path, body([one], retry_task_version="latest_version"), "DLF.3051", ["retry_task_version"]),
        (path, body(), "DLF.3051", ["task_retrys", "begin_time"]),
        (path, body([one], begin_time=1, end_time=2), "DLF.3051", ["not both"]),
        (path, body(begin_time=2, end_time=1), "DLF.3051", ["begin_time"]),
        (path, body(begin_time=2), "DLF.3051", ["end_time"]),
        (path, body(jobs=[]), "DLF.3051", ["task_retrys"]),
        (path, body(begin_time=-2**63 + 1, end_time=2), "DLF.3051", ["begin_time"]),
        (path, body(begin_time=-62135596800001, end_time=2), "DLF.3051", ["begin_time"]),
        (path, body(begin_time=1, end_time=253402300800000), "DLF.3051", ["end_time"]),
        (path, body(begin_time=-62135596800000, end_time=-62135596799999), "DLF.3051", ["have no instances to rerun"]),
        (path, body(begin_time=1, end_time=2, concurrent=129), "DLF.3051", ["concurrent", "128"]),
        (path, body(begin_time=1, end_time=2, concurrent=0), "DLF.3051", ["concurrent"]),
        (path, body(begin_time=1, end_time=2, retry_location="specifiedNode", node_name="first"), "DLF.3051", ["specifiedNode"]),
        (path, body(begin_time=1, end_time=2), "DLF.3051", [f"Job {name} have no instances to rerun"]),
        (path, body(begin_time=1, end_time=2, jobs=[{"job_name": "nobody", "workspace_id": huawei.workspace}]), "DLF.1000", ["nobody"]),
        (path, body(begin_time=1, end_time=2, jobs=[{"job_name": name, "workspace_id": "0" * 32}]), "DLF.0819", ["workspace_id"]),
        (path, body(begin_time=1, end_time=2, jobs=[{"job_name": name, "workspace_id": "none"}]), "DLF.0819", ["workspace_id"]),
        (path, body(begin_time=1, end_time=2, jobs=[{"job_name": name, "workspace_id": other}]), "DLF.3051", ["workspace_id", "another"]),
        (path, body([one], retry_location="specifiedNode"), "DLF.3051", ["node_name"]),
        (path, body([one], retry_location="specifiedNode", node_name="fourth"), "DLF.3051", ["fourth"]),
        (path, body([one], retry_location="specifiedNode", node_name="obs-monitor"), "DLF.3051", ["obs-monitor"]),
        (path, {**body(), "task_retrys": [key_of(one, job_id=987654)]}, "DLF.3051", ["987654"]),
        (path, {**body(), "task_retrys": [{"job_id": one["job_id"]}]}, "DLF.3051", ["plan_time"]),
        (path, {**body(), "task_retrys": [key_of(one, plan_time=1732601580000)]}, "DLF.30137", ["does not exist"]),
        (path, {**body(), "task_retrys": [key_of(one, submit_time=1732239754684)]}, "DLF.30137", ["1732239754684"]),
        (path, body([by_hand]), "DLF.3051", [str(manual), "by hand"]),
        ("jobs/neighbour/instances/retry", body([one]), "DLF.3051", ["job_id"]),
    ]
    for place, given, code, words in rows:
        try:
            refused(huawei.v2("POST", place, given), code, *words)
        except AssertionError as wrong:
            raise AssertionError(f"{given}: {wrong}") from None
    refused(huawei.v2("POST", path, body([one]), headers={"workspace": None}), "APIGW.0106")
    server.api.made("//reprise/v1/users", {"name": "vera", "role": "VIEWER"})
    token = server.api.made("//reprise/v1/tokens", {"name": "t", "user": "vera"})["token"]
    refused(DataArts(server, token=token).v2("POST", path, body([one])), "DLF.6888")
    assert [i["status"] for i in huawei.instances(name, instance_type=0)] == ["fail"] * len(instances)


def test_all_of_them_or_none(server, huawei, failed):
    name, instances = failed
    before = count_of(server, "first")
    given = body(instances[:2])
    given["task_retrys"].append(key_of(instances[2], submit_time=1))
    refused(huawei.v2("POST", f"jobs/{name}/instances/retry", given), "DLF.30137")
    assert {i["status"] for i in huawei.instances(name, instance_type=0)} == {"fail"} and count_of(server, "first") == before


def test_the_first_request_of_the_page(server, huawei, failed):
    """Rerun the current instance; verbatim but for ids and times."""
    name, instances = failed
    one, firsts = instances[0], count_of(server, "first")
    gate(server, "second")
    answer = huawei.v2("POST", f"jobs/{name}/instances/retry", {
        "retry_location": "errorNode", "retry_task_version": "original_version", "ignore_obs_monitor": True,
        "task_retrys": [{"job_id": one["job_id"], "plan_time": one["plan_time"], "submit_time": one["submit_time"]}]})
    done(answer, 200)
    assert "X-Reprise-Campaign" not in answer.headers and answer.headers["X-Request-Id"]
    after = huawei.wait(name, one["instance_id"])
    assert after["status"] == "success" and {n["status"] for n in after["nodes"]} == {"success"}
    assert count_of(server, "first") == firsts, "the node that was good ran again"
    assert (after["planTime"], after["submitTime"], after["instanceId"]) == (one["plan_time"], one["submit_time"], one["instance_id"])
    assert after["startTime"] > one["end_time"], "a rerun begins the times anew"
    assert [i["status"] for i in huawei.instances(name, instance_type=0)].count("success") == 1


def test_a_successful_one_begins_at_the_first_node(server, huawei, failed):
    name, instances = failed
    firsts, thirds = count_of(server, "first"), count_of(server, "third")
    done(huawei.retry(name, [instances[0], instances[0]]), 200)  # named twice is named once
    assert huawei.wait(name, instances[0]["instance_id"])["status"] == "success"
    assert (count_of(server, "first"), count_of(server, "third")) == (firsts + 1, thirds + 1)
    done(huawei.retry(name, [instances[0]], "specifiedNode", node_name="third"), 200)
    huawei.wait(name, instances[0]["instance_id"])
    assert count_of(server, "first") == firsts + 2, "RULES: a successful instance begins at its first node"


def test_sub_jobs_with_one_key(server, huawei):
    """They stand for the planned time of what runs them: of two the failed one is meant, and otherwise none is guessed."""
    below = shell("z", statement=f'echo "$REPRISE_PARAM_who" >> $REPRISE_WORKSPACE/siblings; test "$REPRISE_PARAM_who" = good || {GATE.format("siblings")}')
    huawei.made(job("siblings", [below], None))
    nodes = [node(who, "SubJob", after, jobName="siblings", jobParams=f"who={who}", failPolicy="FAIL_CHILD")
             for who, after in (("bad", ()), ("good", ()))]
    huawei.made(job("family", nodes, None))
    assert huawei.wait("family", huawei.run("family"))["status"] == "fail"
    one, other = huawei.instances("siblings")
    assert key_of(one) == key_of(other) and {one["status"], other["status"]} == {"success", "fail"}
    gate(server, "siblings")
    done(huawei.retry("siblings", [one]), 200)
    for instance in (one, other):
        assert huawei.wait("siblings", instance["instance_id"])["status"] == "success"
    said = (server.workspace / "siblings").read_text().split()
    assert (said.count("bad"), said.count("good")) == (2, 1)
    refused(huawei.retry("siblings", [one]), "DLF.3051", "2 instances", str(one["instance_id"]), str(other["instance_id"]))
    # a node that runs again has another instance, which alone stands for it then
    parent = server.api.read("/jobRuns", jobKey=next(j["key"] for j in server.api.read("/jobs", displayName="family")["items"]))["items"][0]
    server.api.repair(parent, repairMode="RERUN")
    server.api.wait_final(parent, "SUCCESS")
    again = [i for i in huawei.instances("siblings") if i["instance_id"] not in (one["instance_id"], other["instance_id"])]
    assert len(again) == 2
    refused(huawei.retry("siblings", [one]), "DLF.3051", "2 instances", *(str(i["instance_id"]) for i in again))


def test_specified_node_and_all_behind(server, huawei, failed):
    name, instances = failed
    firsts = count_of(server, "first")
    done(huawei.retry(name, [instances[1]], "specifiedNode", node_name="second"), 200)
    assert huawei.wait(name, instances[1]["instance_id"])["status"] == "success" and count_of(server, "first") == firsts


def test_current_version(server, huawei, failed):
    name, instances = failed
    now = huawei.read1(f"jobs/{name}")
    now["params"][0]["value"] = "new"
    done(huawei.v1("PUT", f"jobs/{name}", now), 204)
    firsts, lines = count_of(server, "first"), (server.workspace / "third").read_text().split()
    assert "new" not in lines
    done(huawei.retry(name, [instances[2]], version="current_version"), 200)
    assert huawei.wait(name, instances[2]["instance_id"])["status"] == "success" and count_of(server, "first") == firsts
    assert (server.workspace / "third").read_text().split()[-1] == "new"
    # the original is what it began with, also after that
    done(huawei.retry(name, [instances[2]], "firstNode"), 200)
    huawei.wait(name, instances[2]["instance_id"])
    assert (server.workspace / "third").read_text().split()[-1] == "old"


def test_other_nodes_begin_anew(server, huawei):
    huawei.made(job("grown", [shell("a", statement=note("grown-a")), shell("b", "a", statement="exit 1")], EVERY_SECOND))
    huawei.start("grown")
    one = huawei.wait_planned("grown", 1)[0]
    before = count_of(server, "grown-a")
    done(huawei.v1("PUT", "jobs/grown", job("grown", [shell("a", statement=note("grown-a")), shell("c", "a")], EVERY_SECOND)), 204)
    done(huawei.retry("grown", [one], version="current_version"), 200)
    after = huawei.wait("grown", one["instance_id"])
    assert after["status"] == "success" and [n["nodeName"] for n in after["nodes"]] == ["a", "c"]
    assert count_of(server, "grown-a") == before + 1


def test_what_is_not_over_is_refused(server, huawei):
    huawei.made(job("slow", [shell("a", statement=f"until {GATE.format('slow')}; do sleep 0.02; done")], EVERY_SECOND))
    huawei.start("slow")
    one = eventually(lambda: [i for i in huawei.instances("slow") if i["status"] == "running"], "a running instance")[0]
    waiting = eventually(lambda: [i for i in huawei.instances("slow", status="waiting")], "a waiting instance")[0]
    huawei.stop("slow")
    refused(huawei.retry("slow", [one]), "DLF.3051", str(one["instance_id"]), "running")
    refused(huawei.retry("slow", [waiting]), "DLF.3051", str(waiting["instance_id"]), "waiting")
    refused(huawei.v1("POST", f"jobs/slow/instances/{one['instance_id']}/restart"), "DLF.3051", "running")
    for item in huawei.instances("slow"):
        if item["status"] in ("running", "waiting"):
            done(huawei.v1("POST", f"jobs/slow/instances/{item['instance_id']}/stop"), 204)
    assert huawei.wait("slow", one["instance_id"])["status"] == "manual-stop"
    gate(server, "slow")
    done(huawei.retry("slow", [one, waiting]), 200)
    assert huawei.wait("slow", one["instance_id"])["status"] == huawei.wait("slow", waiting["instance_id"])["status"] == "success"


def test_restart_of_v1(server, huawei):
    huawei.made(job("restarted", [shell("a", statement=note("restart-a")), shell("b", "a", statement=GATE.format("restart"))],
                    EVERY_SECOND))
    huawei.start("restarted")
    one = huawei.wait_planned("restarted", 1)[0]
    place, before = f"jobs/restarted/instances/{one['instance_id']}/restart", count_of(server, "restart-a")
    refused(huawei.v1("POST", place, {"retry_location": "specified_node"}), "DLF.3051", "node_name")
    done(huawei.v1("POST", place, {"retry_location": "error_node", "job_param_version": "latest_version",
                                   "ignore_obs_monitor": "true"}), 204)
    assert huawei.wait("restarted", one["instance_id"])["status"] == "fail" and count_of(server, "restart-a") == before
    gate(server, "restart")
    done(huawei.v1("POST", place), 204)  # older clients say nothing: from the first node
    assert huawei.wait("restarted", one["instance_id"])["status"] == "success" and count_of(server, "restart-a") == before + 1
    done(huawei.v1("POST", place, {"retry_location": "specified_node", "node_name": "b"}), 204)
    huawei.wait("restarted", one["instance_id"])


def test_the_watched_path(server, huawei):
    watched = job("watching", [shell("a", statement=GATE.format("watched")), shell("b")], EVERY_SECOND)
    watched["schedule"]["cron"] |= {"monitorObsPath": "incoming/#{DateUtil.format(Job.planTime, 'yyyy')}", "scanInterval": 1,
                                    "scanDuration": "5"}
    huawei.made(watched)
    assert huawei.read1("jobs/watching")["schedule"]["cron"]["monitorObsPath"].startswith("incoming/")
    huawei.start("watching")
    one = eventually(lambda: [i for i in huawei.instances("watching") if i["status"] == "running"], "an instance that waits")[0]
    huawei.stop("watching")
    assert huawei.statuses("watching", one["instance_id"]) == {"a": "waiting", "b": "waiting"}
    done(huawei.v1("POST", f"jobs/watching/instances/{one['instance_id']}/stop"), 204)
    assert huawei.wait("watching", one["instance_id"])["status"] == "manual-stop"
    done(huawei.retry("watching", [one]), 200)  # the path was never there: no matter, by default
    assert huawei.wait("watching", one["instance_id"])["status"] == "fail"
    assert huawei.statuses("watching", one["instance_id"])["a"] == "fail"  # it ran, its gate is shut
    done(huawei.retry("watching", [one], "firstNode", ignore_obs_monitor=False), 200)
    eventually(lambda: huawei.instance("watching", one["instance_id"])["status"] == "running", "it waits again")
    assert huawei.statuses("watching", one["instance_id"]) == {"a": "waiting", "b": "waiting"}
    year = time.gmtime(one["plan_time"] / 1000).tm_year
    (server.workspace / "incoming").mkdir()
    (server.workspace / f"incoming/{year}").touch()
    assert huawei.wait("watching", one["instance_id"])["status"] == "fail"
    (server.workspace / f"incoming/{year}").unlink()
    gate(server, "watched")
    done(huawei.retry("watching", [one], "firstNode"), 200)  # does not wait again
    assert huawei.wait("watching", one["instance_id"])["status"] == "success"
    done(huawei.retry("watching", [one], "firstNode", ignore_obs_monitor=False), 200)
    eventually(lambda: huawei.instance("watching", one["instance_id"])["status"] == "running", "it waits again")
    assert huawei.statuses("watching", one["instance_id"]) == {"a": "waiting", "b": "waiting"}
    (server.workspace / f"incoming/{year}").touch()
    assert huawei.wait("watching", one["instance_id"])["status"] == "success"


def test_the_watched_path_comes_first_also_where_kept_nodes_lie_between(server, huawei):
    watched = job("passed", [shell("a"), shell("b", "a", statement=GATE.format("passed"))], EVERY_SECOND)
    watched["schedule"]["cron"] |= {"monitorObsPath": "passed-path", "scanInterval": 1, "scanDuration": "1"}
    (server.workspace / "passed-path").touch()
    huawei.made(watched)
    huawei.start("passed")
    one = huawei.wait_planned("passed", 1)[0]
    huawei.stop("passed")
    assert huawei.wait("passed", one["instance_id"])["status"] == "fail"  # b's gate is shut
    (server.workspace / "passed-path").unlink()
    gate(server, "passed")
    done(huawei.retry("passed", [one], ignore_obs_monitor=False), 200)
    assert huawei.statuses("passed", one["instance_id"]) == {"a": "success", "b": "waiting"}
    (server.workspace / "passed-path").touch()
    assert huawei.wait("passed", one["instance_id"])["status"] == "success"


def test_what_was_skipped_is_not_rerun_by_a_range(server, huawei):
    """RULES §10: only success, fail and manual-stop may be."""
    held = server.api.job([{"taskKey": "a", "type": "SHELL_TASK", "script": "sleep 1000", "dependsOn": [], "runIf": "ALL_SUCCESS"}], name="full",
                          schedule={"quartzCronExpression": "* * * * * ?", "timezoneId": "UTC", "pauseStatus": "UNPAUSED"})
    skipped = eventually(lambda: [i for i in huawei.instances("full") if i["status"] == "skip-by-depend"], "one that found no slot")[0]
    at = skipped["plan_time"]
    refused(huawei.v2("POST", "jobs/full/instances/retry", {
        "retry_location": "firstNode", "retry_task_version": "original_version", "begin_time": at, "end_time": at,
        "jobs": [{"job_name": "full", "workspace_id": huawei.workspace}]}), "DLF.3051", "Job full have no instances to rerun")
    server.api.replace(held, [harness.step("a")], name="full")  # its schedule goes
    for run in server.api.read("/jobRuns", jobKey=held["key"], status="RUNNING")["items"]:
        server.api.cancel(run)


def test_an_instance_tells_its_newest_version(server, huawei):
    huawei.made(job("versions", [shell("a", statement="false")], EVERY_SECOND))
    huawei.start("versions")
    one = huawei.wait_planned("versions", 1)[0]
    huawei.stop("versions")
    before = huawei.instance("versions", one["instance_id"])["version"]
    done(huawei.v1("PUT", "jobs/versions", job("versions", [shell("a")], EVERY_SECOND)), 204)
    done(huawei.retry("versions", [one], version="current_version"), 200)
    assert huawei.wait("versions", one["instance_id"])["status"] == "success"
    assert huawei.instance("versions", one["instance_id"])["version"] > before
    listed = [i for i in huawei.instances("versions") if i["instance_id"] == one["instance_id"]]
    assert listed[0]["version"] == huawei.instance("versions", one["instance_id"])["version"]


def test_the_second_request_of_the_page(server, huawei):
    """Rerun the current job and its upstream and downstream job instances; verbatim but for ids and times."""
    huawei.made(job("up_job", [shell("a", statement=GATE.format("range"))], EVERY_SECOND))
    below = job("job_test_smn2", [shell("a", statement=GATE.format("range"))], EVERY_SECOND)
    below["schedule"]["cron"]["dependJobs"] = {"jobs": ["up_job"], "dependPeriod": "SAME_PERIOD", "dependFailPolicy": "IGNORE"}
    huawei.made(below)
    for name in ("up_job", "job_test_smn2"):
        huawei.start(name)
    ups, downs = huawei.wait_planned("up_job", 2), huawei.wait_planned("job_test_smn2", 2)
    assert {i["status"] for i in ups} == {"fail"}
    gate(server, "range")
    answer = huawei.v2("POST", "jobs/up_job/instances/retry", {
        "retry_location": "errorNode", "retry_task_version": "current_version", "ignore_obs_monitor": True,
        "begin_time": ups[0]["plan_time"], "end_time": max(ups[-1]["plan_time"], downs[-1]["plan_time"]),
        "jobs": [{"job_name": "job_test_smn2", "workspace_id": huawei.workspace}], "concurrent": 2})
    done(answer, 200)
    key = answer.headers["X-Reprise-Campaign"]
    campaign = eventually(lambda: (c := server.api.read(f"/rerunCampaigns/{key}")) and c["status"] == "SUCCESS" and c, "the campaign")
    assert campaign["cellCounts"]["success"] >= len(ups)
    for name, items in (("up_job", ups), ("job_test_smn2", downs)):
        assert {huawei.instance(name, i["instance_id"])["status"] for i in items} == {"success"}


def test_supplement_data(server, huawei):
    huawei.made(job("patched", [shell("a", statement="echo #{DateUtil.format(Job.planTime, 'HH')} >> $REPRISE_WORKSPACE/patched")],
                    "0 0 * * * ?"))
    given = {"name": "P_patched_1", "job_name": "patched", "start_date": "2026-01-05T00:00:00 +00",
             "end_date": "2026-01-05T03:30:00 +00", "parallel": 2, "reverse_order": 1, "is_stop_when_fail": "true",
             "supplement_data_run_time": {"time_of_day": "00:00-00:00"}, "depend_jobs": []}
    answer = done(huawei.v2("POST", "supplement-data", given), 200)
    assert answer.content == b"" and answer.headers["X-Reprise-Campaign"]

    def row():
        return huawei.read2("supplement-data", name="P_patched")["rows"][0]

    eventually(lambda: row()["status"] == "SUCCESS", "the supplement")
    assert row()["job_list"] == ["patched"] and row()["parallel"] == 2 and row()["user_name"] == "admin"
    listed = huawei.read2("jobs/patched/instances/detail", min_plan_time=1767571200000, max_plan_time=1767585600000, limit=100)
    assert listed["total"] == 4 and {i["instance_type"] for i in listed["instances"]} == {5}
    assert {i["submit_time"] for i in listed["instances"]} == {row()["submitted_date"]}
    assert listed["instances"][0]["job_instance_name"].startswith("P_patched_")
    assert sorted((server.workspace / "patched").read_text().split()) == ["08", "09", "10", "11"]  # GMT+8
    page = huawei.read2("supplement-data", sort="asc", page=1, size=1)
    assert page["success"] is True and page["rows"] == [] and page["total"] == 1
    done(huawei.v2("POST", "supplement-data/P_patched_1/stop"), 200)  # over: nothing changes
    assert row()["status"] == "SUCCESS"


def test_a_supplement_is_stopped(server, huawei):
    huawei.made(job("patient", [shell("a", statement=f"until {GATE.format('never')}; do sleep 0.02; done")], "0 0 * * * ?"))
    given = {"name": "P_patient", "job_name": "patient", "start_date": "2026-01-05T00:00:00 +00",
             "end_date": "2026-01-05T03:30:00 +00", "parallel": 1}
    done(huawei.v2("POST", "supplement-data", given), 200)
    refused(huawei.v2("POST", "supplement-data", {**given, "name": "another"}), "DLF.3051", "going on")
    refused(huawei.v2("POST", "supplement-data", {**given, "force": "true"}), "DLF.3051", "P_patient")
    done(huawei.v2("POST", "supplement-data/P_patient/stop"), 200)
    eventually(lambda: huawei.read2("supplement-data", status="CANCEL")["total"] == 1, "the end")


def test_of_supplements_that_are_asked_for_at_once_one_is_made(huawei):
    huawei.made(job("asked_at_once", [shell("a", statement=f"until {GATE.format('never')}; do sleep 0.02; done")], "0 0 * * * ?"))
    given = {"job_name": "asked_at_once", "start_date": "2026-01-05T00:00:00 +00", "end_date": "2026-01-05T01:30:00 +00", "parallel": 1}
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda i: huawei.v2("POST", "supplement-data", {**given, "name": f"P_at_once_{i % 2}"}), range(12)))
    done(*[(answer, 200) for answer in answers if answer.status_code == 200][0])
    for answer in answers:
        if answer.status_code != 200:
            refused(answer, "DLF.3051", "P_at_once_", "going on")
    row, = huawei.read2("supplement-data", name="P_at_once")["rows"]
    assert sum(answer.status_code == 200 for answer in answers) == 1
    done(huawei.v2("POST", f"supplement-data/{row['name']}/stop"), 200)


def test_supplements_that_are_refused(server, huawei):
    huawei.made(job("unplanned-job", [node("a", "Dummy")], None))
    huawei.made(job("planned-job", [node("a", "Dummy")]))
    good = {"name": "s", "job_name": "planned-job", "start_date": "2026-01-05T00:00:00 +00",
            "end_date": "2026-01-05T03:30:00 +00", "parallel": 1}
    for more, code, words in (
            ({"job_name": "nobody"}, "DLF.0100", ["nobody"]), ({"job_name": "unplanned-job"}, "DLF.30111", ["unplanned-job"]),
            ({"start_date": "2026-01-05"}, "DLF.30121", ["start_date"]),
            ({"end_date": "2026-01-05T00:00:01 +00"}, "DLF.30121", ["2 second"]), ({"parallel": 6}, "DLF.3051", ["parallel", "5"]),
            ({"name": None}, "DLF.3051", ["name"]), ({"depend_jobs": [{"job_name": "nobody"}]}, "DLF.0100", ["depend_jobs[0]"]),
            ({"supplement_data_run_time": {"time_of_day": "10:15-23:30"}}, "DLF.3051", ["time_of_day"]),
            ({"supplement_data_instance_time": {"days": ["1"]}}, "DLF.3051", ["instance_time"])):
        refused(huawei.v2("POST", "supplement-data", {**good, **more}), code, *words)
    for form in ("{}T{}+00", "{} {} +00", "{}t{} +00", "{}T{}Z", "{}T{} +0000", "{}T{} +00:00", "{}T{} .5Z", "{}T{}.000 +00", "{}T{} +00 "):
        for field, time in (("start_date", "00:00:00"), ("end_date", "03:30:00")):
            refused(huawei.v2("POST", "supplement-data", {**good, field: form.format("2026-01-05", time)}), "DLF.30121", field)
    refused(huawei.v2("POST", "supplement-data/nobody/stop"), "DLF.20810", "nobody")


def test_more_reruns_than_slots(server, huawei):
    job_key = server.api.job([harness.step("a")], name="narrow",
                             schedule={"quartzCronExpression": "0 * * * * ?", "timezoneId": "UTC", "pauseStatus": "PAUSED"})["key"]
    campaign = server.api.made("/rerunCampaigns", {"jobKey": job_key, "kind": "SUPPLEMENT", "beginTime": "2026-01-05T10:01:00Z",
                                                   "endTime": "2026-01-05T10:02:00Z"})["key"]
    eventually(lambda: server.api.read(f"/rerunCampaigns/{campaign}")["status"] == "SUCCESS", "two instances")
    two = huawei.read2("jobs/narrow/instances/detail", min_plan_time=1767607200000, max_plan_time=1767607400000)["instances"]
    said = refused(huawei.retry("narrow", two, "firstNode"), "DLF.3051", "more run slots", "the job has 1 (maxConcurrentRuns)")
    assert "no run slots" not in said


def test_a_replay_comes_to_the_same(server):
    """What the reruns above did, a watched path that was passed over too."""
    server.stop()
    done = subprocess.run([harness.BINARY, "selftest", "--replay", server.data / "reprise.db"], capture_output=True, text=True)
    assert done.returncode == 0 and " 0 differences" in done.stdout, done.stdout + done.stderr
    server.restart()
