"""What is shown: trees, lines of a watch, hostile text, logs, terminals of any width."""

import re
import time

import pytest

import cli_fake
from cli_fake import RUN, key, plain

TASKS = [("extract", "SUCCESS"), ("clean", "SUCCESS", ["extract"]), ("sizes", "FAILED", ["clean"]),
         ("needs", "SUCCESS", ["clean"]), ("decide", "UPSTREAM_FAILED", ["sizes", "needs"])]
HOSTILE = "evil\x1b]0;title\x07\x1b[2J\u202egnp\u200b\r\n\x9b31m\x7f"


def test_tree_shows_what_depends_on_what(cli, fake):
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("FAILED", TASKS))
    lines = cli("run", "get", RUN).stdout.decode().splitlines()
    assert lines[0].startswith(f"nightly  {RUN}  ✗ FAILED  9.00 s")
    assert [line.split("  ")[0].rstrip() for line in lines[2:5]] == ["extract", "└ clean", ""]
    shown = [re.split(r"\s{2,}", line.strip()) for line in lines[2:]]
    assert shown[0] == ["extract", "✓ SUCCESS", "1.50 s"]
    assert shown[2] == ["├ sizes", "✗ FAILED", "1.50 s", "sizes is FAILED"]
    assert shown[4] == ["└ decide", "△ UPSTREAM_FAILED", "decide is UPSTREAM_FAILED", "(also after sizes)"]


def test_a_repaired_run_tells_what_it_took_in_its_newest_attempt_and_in_all(cli, fake):
    run = cli_fake.job_run("SUCCESS", TASKS, executionDuration=430, runDuration=870, repairHistory=[{"startTime": 1700000000000}] * 2)
    fake.on("GET", f"/jobRuns/{RUN}", {**run, "version": 2})
    fake.on("GET", "/jobRuns", {"items": [{**run, "runDuration": None}]})
    assert cli("run", "get", RUN).stdout.decode().startswith(f"nightly  {RUN}  ✓ SUCCESS  took 0.43 s; 0.87 s over 2 attempts  repair 1\n")
    assert "  0.43 s  " in cli("run", "list").stdout.decode()
    fake.on("GET", f"/jobRuns/{RUN}", {**run, "runDuration": 430})
    assert cli("run", "get", RUN).stdout.decode().startswith(f"nightly  {RUN}  ✓ SUCCESS  0.43 s\n")
    nothing = {"repairHistory": [{"startTime": 1700000000000}, {}], "executionDuration": None}
    fake.on("GET", f"/jobRuns/{RUN}", {**run, **nothing, "version": 2})
    assert cli("run", "get", RUN).stdout.decode().startswith(f"nightly  {RUN}  ✓ SUCCESS  took 0.87 s over 2 attempts  repair 1\n")


def test_columns_stay_apart_however_long_a_name_is(cli, fake):
    tasks = [("x" * 90, "SUCCESS"), ("名" * 40, "FAILED"), ("b", "UPSTREAM_CANCELED", ["x" * 90])]
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("FAILED", tasks))
    lines = cli("run", "get", RUN).stdout.decode().splitlines()
    assert lines[2] == "x" * 90 + "  ✓ SUCCESS  1.50 s"
    assert lines[3].startswith("└ b   ") and "▽ UPSTREAM_CANCELED  " in lines[3]
    assert lines[4].startswith("名" * 40 + "  ✗ FAILED  1.50 s  ")


def test_tree_tells_how_often_a_task_was_tried(cli, fake):
    tasks = [("a", "SUCCESS", [], {"retryAttempt": 0}), ("b", "SUCCESS", [], {"retryAttempt": 1}), ("c", "FAILED", ["a", "b"], {"retryAttempt": 2})]
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("FAILED", tasks))
    for verb in ("get", "watch"):
        text = cli("run", verb, RUN).stdout.decode()
        assert text.count("attempts)") == 2 and "c is FAILED  (3 attempts)" in text, text
        assert re.search(r"b  .*SUCCESS.*  \(2 attempts\)", text), text


def test_what_the_reason_names_is_not_named_again(cli, fake):
    tasks = [("a", "RUNNING"), ("b", "RUNNING"), ("c", "BLOCKED", ["a", "b"], {"state": {"status": "BLOCKED", "stateMessage": "Waiting for a"}}),
             ("d", "BLOCKED", ["a", "b"], {"state": {"status": "BLOCKED", "stateMessage": "Waiting for b"}})]
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("RUNNING", tasks))
    text = cli("run", "get", RUN).stdout.decode()
    assert "Waiting for a\n" in text and "Waiting for b  (also after a)\n" in text


def test_the_trace_of_a_run_names_its_task(cli, fake):
    def failed(trace):
        return {"state": {"status": "FAILED", "stateMessage": "Exit code 1", "errorTrace": trace}}

    tasks = [("a\x1b", "FAILED", [], failed("boom\n")), ("b", "FAILED", [], failed("other\n"))]
    run = cli_fake.job_run("FAILED", tasks, state={"status": "FAILED", "stateMessage": "Failed", "errorTrace": "other\n"})
    fake.on("GET", f"/jobRuns/{RUN}", run)
    fake.on("POST", "/jobRuns", (201, run))
    for words in (["run", "get", RUN], ["run", "start", RUN, "--wait"], ["run", "watch", RUN]):
        assert cli(*words).stdout.decode().endswith("\nError of b:\nother\n")
    run["state"]["errorTrace"] = "of nobody\n"
    assert "Error of" not in cli("run", "get", RUN).stdout.decode()


def failed(name, trace, **more):
    return name, "FAILED", [], {"state": {"status": "FAILED", "stateMessage": "Exited with code 1", "errorTrace": trace}, **more}


def test_each_failed_task_tells_the_last_line_of_its_error(cli, fake):
    tasks = [failed(f"t{n}", f"Traceback\n  of {n}\nValueError: \x1b{n}\n \n") for n in range(6)] + [failed("silent", None), failed("long", "x" * 9999)]
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("FAILED", tasks))
    fake.on("GET", f"/jobRuns/{RUN}/explanation", {"tasks": [
        {"taskKey": name, "status": "FAILED", "reason": "Exited with code 1", "decisions": []} for name, *_ in tasks]})
    shown = "".join(f"  t{n}: ValueError: \\x1b{n}\n" for n in range(5))
    for words in (["run", "get", RUN], ["run", "watch", RUN]):
        assert cli(*words).stdout.decode().endswith(f"\nErrors:\n{shown}  and 2 more\n")
    text = cli("run", "why", RUN).stdout.decode()
    assert "t5  ✗ FAILED\n  Exited with code 1\n  error: ValueError: \\x1b5\n" in text
    assert f"  error: {'x' * 199}…\n" in text and text.count("error:") == 7


def test_a_failed_child_is_told_how_to_look_at(cli, fake):
    run = cli_fake.job_run("FAILED", [failed("call", "boom\n", externalId=key(7)), ("other", "SUCCESS", [], {"externalId": key(8)})],
                           state={"status": "FAILED", "stateMessage": "Failed", "errorTrace": "boom\n"})
    for task in run["tasks"]:
        task["type"] = "JOB_TASK"
    fake.on("GET", f"/jobRuns/{RUN}", run)
    fake.on("GET", f"/jobRuns/{RUN}/explanation", {"tasks": [{"taskKey": "call", "status": "FAILED", "reason": "Child", "decisions": []}]})
    assert f"\nErrors:\n  call: boom\n    reprise run why {key(7)}\n\nError of call:\nboom\n" in cli("run", "get", RUN).stdout.decode()
    assert f"  error: boom\n  why its run failed: reprise run why {key(7)}\n" in cli("run", "why", RUN).stdout.decode()
    del fake.routes["GET", f"/jobRuns/{RUN}"]
    assert cli("run", "why", RUN).returncode == 0


def test_signs_are_ascii_where_the_locale_is(cli, fake):
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("FAILED", TASKS))
    result = cli("run", "get", RUN, LANG="C")
    assert result.stdout.isascii()


def test_colours_only_on_a_terminal_that_wants_them(cli, terminal, fake):
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("FAILED", TASKS))
    assert b"\x1b" not in cli("run", "get", RUN).stdout
    assert "\x1b[31m" in terminal("run", "get", RUN)[1]
    for args, env in ((["--no-color"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})):
        assert "\x1b" not in terminal("run", "get", RUN, *args, **env)[1]


@pytest.mark.parametrize("words, path, what", [
    (["job", "list"], "/jobs", "jobs"), (["run", "list", "-o", "name"], "/jobRuns", "runs"), (["run", "recent"], "/jobs", "runs"),
    (["cluster", "list"], "/clusters", "clusters")])
def test_an_empty_list_is_told_where_people_look(cli, terminal, fake, words, path, what):
    fake.on("GET", path, {"items": []})
    assert terminal(*words) == (0, f"no {what}\n")
    result = cli(*words)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    assert terminal(*words[:2], "-o", "json")[1] == '{"items": []}\n' or words == ["run", "recent"]


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal(terminal, fake, columns):
    tasks = TASKS + [("名前" * 20, "FAILED", ["clean"], {"state": {"status": "FAILED", "stateMessage": "é" * 300}})]
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("FAILED", tasks))
    code, text = terminal("run", "get", RUN, columns=columns)
    assert code == 0
    for line in plain(text).splitlines():
        assert sum(2 if ord(c) > 0x2e80 else 1 for c in line) <= columns, line


def assert_harmless(text, allowed=""):
    for c in text:
        assert c in "\n\t" + allowed or (ord(c) >= 0x20 and not 0x7f <= ord(c) < 0xa0), hex(ord(c))
        assert c not in "\u202e\u200b\u2028"


@pytest.mark.parametrize("args, path, body", [
    (["run", "get", RUN], f"/jobRuns/{RUN}", cli_fake.job_run(
        "FAILED", [(HOSTILE, "FAILED"), ("b", HOSTILE, [HOSTILE])], jobName=HOSTILE,
        state={"status": "FAILED", "stateMessage": HOSTILE, "errorTrace": "Trace\n" + HOSTILE},
        unifiedJobAndJobRunParameters=[{"name": HOSTILE, "value": HOSTILE}])),
    (["run", "watch", RUN], f"/jobRuns/{RUN}", cli_fake.job_run(
        "FAILED", [(HOSTILE, "FAILED")], jobName=HOSTILE, state={"status": HOSTILE, "stateMessage": HOSTILE})),
    (["job", "list"], "/jobs", {"items": [{"key": HOSTILE, "name": HOSTILE, "timeCreated": HOSTILE,
                                           "schedule": {"quartzCronExpression": HOSTILE}}]}),
    (["job", "get", cli_fake.JOB], f"/jobs/{cli_fake.JOB}", {
        "key": HOSTILE, "name": HOSTILE, "description": HOSTILE, "schedule": {"quartzCronExpression": HOSTILE},
        "parameters": [{"name": HOSTILE, "value": HOSTILE}],
        "tasks": [{"taskKey": HOSTILE, "type": HOSTILE, "dependsOn": [{"taskKey": HOSTILE, "outcome": HOSTILE}]}]}),
    (["run", "list"], "/jobRuns", {"items": [{"key": HOSTILE, "jobName": HOSTILE,
                                              "state": {"status": HOSTILE, "stateMessage": HOSTILE}}]}),
    (["run", "list", "-o", "name"], "/jobRuns", {"items": [{"key": HOSTILE}]}),
    (["run", "why", RUN], f"/jobRuns/{RUN}/explanation", {"tasks": [{
        "taskKey": HOSTILE, "status": HOSTILE, "reason": HOSTILE,
        "decisions": [{"kind": HOSTILE, HOSTILE: HOSTILE, "deps": [{"taskKey": HOSTILE, HOSTILE: HOSTILE}, HOSTILE]}]}]}),
    (["run", "history", RUN], f"/jobRuns/{RUN}/repairHistory", {"items": [{
        "key": 0, "type": HOSTILE, "state": {"status": HOSTILE}, "parameters": [{"name": HOSTILE, "value": HOSTILE}],
        "repairedTasks": [HOSTILE]}]}),
    (["task", "get", RUN], f"/taskRuns/{RUN}", {
        "taskKey": HOSTILE, "key": HOSTILE, "state": {"status": HOSTILE, "stateMessage": HOSTILE, "errorTrace": HOSTILE},
        "parameters": [{"name": HOSTILE, "value": HOSTILE}],
        "retries": [{"retryNumber": 0, "state": {"status": HOSTILE, "stateMessage": HOSTILE}}]}),
])
def test_nothing_that_a_terminal_obeys_comes_through(cli, terminal, fake, args, path, body):
    fake.on("GET", path, body)
    result = cli(*args)
    assert b"\x1b" not in result.stdout and "evil\\x1b" in result.stdout.decode()
    assert_harmless(result.stdout.decode())
    assert_harmless(terminal(*args, "--no-color")[1].replace("\x1b[J", "").replace("\x1b[2A", ""))


def test_watch_on_a_pipe_tells_each_change_once(cli, fake):
    def state(run, *tasks):
        return 200, cli_fake.job_run(run, [(f"t{n}", one) for n, one in enumerate(tasks)]), {"etag": f"1-{run}{tasks}"}

    fake.on("GET", f"/jobRuns/{RUN}", state("PENDING", "QUEUED", "BLOCKED"), state("RUNNING", "RUNNING", "BLOCKED"),
            state("RUNNING", "RUNNING", "BLOCKED"), state("RUNNING", "SUCCESS", "RUNNING"),
            state("FAILED", "SUCCESS", "FAILED"))
    result = cli("run", "watch", RUN)
    assert result.returncode == 1
    told = [line.split("  ")[1:3] for line in result.stdout.decode().splitlines()]
    assert told == [["t0", "QUEUED"], ["nightly", "PENDING"], ["t0", "RUNNING"], ["nightly", "RUNNING"],
                    ["t0", "SUCCESS"], ["t1", "RUNNING"], ["t1", "FAILED"], ["nightly", "FAILED"]]
    assert b"\x1b" not in result.stdout


def test_watch_on_a_terminal_redraws_in_place(terminal, fake):
    run = [(200, cli_fake.job_run(status, [("a", task)]), {"etag": status})
           for status, task in (("PENDING", "QUEUED"), ("RUNNING", "RUNNING"), ("SUCCESS", "SUCCESS"))]
    fake.on("GET", f"/jobRuns/{RUN}", *run)
    code, text = terminal("run", "watch", RUN)
    assert code == 0
    assert text.count("\x1b[3A\x1b[J") == 2 and "✓ SUCCESS" in plain(text)


def test_watch_of_more_tasks_than_the_terminal_has_lines(terminal, fake):
    tasks = [(f"t{n}", "SUCCESS" if n != 70 else "FAILED") for n in range(100)]
    fake.on("GET", f"/jobRuns/{RUN}", (200, cli_fake.job_run("RUNNING", tasks), {"etag": "1"}),
            (200, cli_fake.job_run("SUCCESS", tasks), {"etag": "2"}))
    code, text = terminal("run", "watch", RUN, rows=20)
    first, last = text.split("\x1b[J")
    assert first.count("\n") <= 19 and "t70" in first and "more tasks" in first
    assert last.count("\n") == 102


def test_a_long_chain_and_a_wide_fan_are_drawn_quickly(cli, fake):
    chain = [("t0", "SUCCESS")] + [(f"t{n}", "SUCCESS", [f"t{n - 1}"]) for n in range(1, 5000)]
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("SUCCESS", list(reversed(chain))))
    result = cli("run", "get", RUN, timeout=20)
    assert result.stdout.decode().count("\n") == 5002


def logs(fake, data, stream="stdout", chunk=None):
    def answer(request):
        if request.query["stream"] != [stream]:
            return 200, b"", {"x-reprise-next-offset": "0"}
        offset = int(request.query["offset"][0])
        part = data[offset:offset + chunk] if chunk else data[offset:]
        return 200, part, {"x-reprise-next-offset": str(offset + len(part)), "content-type": "text/plain"}

    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("SUCCESS", [("a", "SUCCESS"), ("b", "SUCCESS", ["a"])]))
    fake.on("GET", f"/taskRuns/{key(1000)}/logs", answer)
    fake.on("GET", f"/taskRuns/{key(1001)}/logs", (200, b"", {"x-reprise-next-offset": "0"}))


def test_logs_are_raw_bytes_on_a_pipe(cli, fake):
    data = bytes(range(256)) * 50
    logs(fake, data, chunk=777)
    result = cli("run", "logs", RUN, "--task", "a")
    assert (result.returncode, result.stdout, result.stderr) == (0, data, b"")


def test_stderr_of_a_task_goes_to_stderr_unless_it_is_asked_for(cli, fake):
    logs(fake, b"oops\n", stream="stderr")
    result = cli("run", "logs", RUN, "--task", "a")
    assert (result.stdout, result.stderr) == (b"", b"oops\n")
    result = cli("run", "logs", RUN, "--task", "a", "--stream", "stderr")
    assert (result.stdout, result.stderr) == (b"oops\n", b"")


@pytest.mark.parametrize("chunk", [None, 1, 2, 3])
def test_logs_on_a_terminal_keep_colours_and_show_the_rest(terminal, fake, chunk):
    data = "\x1b[1;31mred\x1b[0m é 名 10%\r20%\r\nok\t\x1b]0;x\x07\x1b[2J\x07\u202e".encode() + b"\xff\xc3 \xe5\x90"
    logs(fake, data, chunk=chunk)
    code, text = terminal("run", "logs", RUN, "--task", "a")
    assert code == 0
    assert text == ("\x1b[1;31mred\x1b[0m é 名 10%\n20%\nok\t\\x1b]0;x\\x07\\x1b[2J\\x07\\u202e"
                    "\\xff\\xc3 \\xe5\\x90\x1b[0m")


def test_logs_of_a_whole_run_have_a_head_for_each_task(cli, fake):
    logs(fake, b"hello\n")
    result = cli("run", "logs", RUN)
    assert result.stdout == b"==> a <==\nhello\n\n==> b <==\n"


def test_logs_follow_until_the_task_has_ended(cli, fake):
    written = [b"one\n", b"one\ntwo\n", b"one\ntwo\nthree\n"]

    def answer(request):
        if request.query["stream"] == ["stderr"]:
            return 200, b"", {"x-reprise-next-offset": "0"}
        data = written[0][int(request.query["offset"][0]):]
        return 200, data, {"x-reprise-next-offset": str(len(written[0]))}

    def state(_):
        written.pop(0)
        return {"key": key(1000), "state": {"status": "SUCCESS" if len(written) == 1 else "RUNNING"}}

    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("RUNNING", [("a", "RUNNING")]))
    fake.on("GET", f"/taskRuns/{key(1000)}/logs", answer)
    fake.on("GET", f"/taskRuns/{key(1000)}", state)
    result = cli("run", "logs", RUN, "--task", "a", "--follow")
    assert (result.returncode, result.stdout) == (0, b"one\ntwo\nthree\n")


SSE = {"content-type": "text/event-stream; charset=utf-8"}


def test_watch_asks_when_it_is_told_to_and_not_before(cli, fake):
    states, asked = ["PENDING", "RUNNING", "SUCCESS"], []

    def tell(_):
        def pieces():
            yield b"retry: 2000\n\n"
            for n in range(1, 3):
                while len(fake.sent("GET", f"/jobRuns/{RUN}")) < n:
                    time.sleep(0.01)
                yield b": still here\n\n"
                time.sleep(0.7)  # silence: nobody polls
                asked.append(len(fake.sent("GET", f"/jobRuns/{RUN}")))
                states.pop(0)
                yield b"id: %d\nevent: RUN_STATE\nda" % n  # a proxy may cut anywhere
                yield b"ta: {}\n\n"
            yield b'event: end\ndata: {"reason":"final"}\n\n'
        return 200, pieces(), SSE

    fake.on("GET", f"/jobRuns/{RUN}/events", tell)
    fake.on("GET", f"/jobRuns/{RUN}", lambda _: cli_fake.job_run(states[0], [("a", states[0])]))
    result = cli("run", "watch", RUN)
    assert result.returncode == 0, result.stderr
    told = [line.split("  ")[2] for line in result.stdout.decode().splitlines() if "  a  " in line]
    assert told == ["PENDING", "RUNNING", "SUCCESS"]
    assert asked == [1, 2] and len(fake.sent("GET", f"/jobRuns/{RUN}")) == 3
    assert [r.query for r in fake.sent("GET", f"/jobRuns/{RUN}/events")] == [{"onlyNew": ["true"]}]


def test_a_stream_whose_head_comes_byte_by_byte_is_heard(cli, fake):
    states = ["RUNNING", "SUCCESS"]

    def pieces():
        yield b"retry: 2000\n\n"
        while not fake.sent("GET", f"/jobRuns/{RUN}"):
            time.sleep(0.01)
        states.pop(0)
        yield b"id: 1\nevent: RUN_STATE\ndata: {}\n\n"
        yield b'event: end\ndata: {"reason":"final"}\n\n'

    fake.on("GET", f"/jobRuns/{RUN}/events", (200, cli_fake.Trickle(pieces()), {**SSE, "x-long": "x" * 200}))
    fake.on("GET", f"/jobRuns/{RUN}", lambda _: cli_fake.job_run(states[0], [("a", states[0])]))
    result = cli("run", "watch", RUN)
    assert result.returncode == 0, result.stderr
    assert len(fake.sent("GET", f"/jobRuns/{RUN}/events")) == 1, "it was not given up and asked for again"


def test_watch_goes_on_when_its_stream_is_cut_or_refused(cli, fake):
    states = ["RUNNING"] * 3 + ["SUCCESS"]
    fake.on("GET", f"/jobRuns/{RUN}/events", cli_fake.DROP, (200, iter([b"retry: 1\n\n"]), SSE), (503, {}), (429, {}))
    fake.on("GET", f"/jobRuns/{RUN}", lambda _: cli_fake.job_run(states[0], [("a", states.pop(0))]))
    result = cli("run", "watch", RUN)
    assert result.returncode == 0, result.stderr


def test_logs_are_followed_through_streams_over_all_attempts(cli, fake):
    written = {0: [b"first ", b"try\n"], 1: [b"second\n"]}
    places = [("PENDING", 0), ("SUCCESS", 1)]

    def log(request):
        number = int(request.query.get("attempt", ["0"])[0])
        pieces = written[number] if request.query["stream"] == ["stdout"] else []
        return 200, iter(pieces), {"content-type": "text/plain; charset=utf-8", "x-reprise-attempt": str(number)}

    def place(_):
        status, number = places.pop(0)
        return {"key": key(1000), "state": {"status": status}, "retryAttempt": number}

    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("RUNNING", [("a", "RUNNING")]))
    fake.on("GET", f"/taskRuns/{key(1000)}/logs", log)
    fake.on("GET", f"/taskRuns/{key(1000)}", place)
    result = cli("run", "logs", RUN, "--task", "a", "--follow")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"first try\nsecond\n", b"")
    asked = [(r.query["stream"], r.query.get("attempt")) for r in fake.sent("GET", f"/taskRuns/{key(1000)}/logs")]
    assert asked == [(["stdout"], None), (["stderr"], ["0"]), (["stdout"], ["1"]), (["stderr"], ["1"])]
    assert len(fake.sent("GET", f"/taskRuns/{key(1000)}")) == 2


def test_a_followed_log_that_is_cut_goes_on_where_it_was(cli, fake):
    def cut():
        yield b"01234"
        raise OSError

    rest = iter([cut(), iter([b"56789"])])
    fake.on("GET", f"/jobRuns/{RUN}", cli_fake.job_run("RUNNING", [("a", "RUNNING")]))
    fake.on("GET", f"/taskRuns/{key(1000)}/logs",
            lambda _: (200, next(rest), {"x-reprise-attempt": "0"}))
    fake.on("GET", f"/taskRuns/{key(1000)}", {"key": key(1000), "state": {"status": "RUNNING"}, "retryAttempt": 0},
            {"key": key(1000), "state": {"status": "FAILED"}, "retryAttempt": 0})
    result = cli("run", "logs", RUN, "--task", "a", "--follow", "--stream", "stdout")
    assert (result.returncode, result.stdout) == (0, b"0123456789"), result.stderr
    assert [r.query["offset"] for r in fake.sent("GET", f"/taskRuns/{key(1000)}/logs")] == [["0"], ["5"]]


def test_bytes_of_a_log_come_once_when_an_answer_is_lost(cli, fake):
    logs(fake, b"0123456789" * 50, chunk=100)
    answer = fake.routes["GET", f"/taskRuns/{key(1000)}/logs"][0]
    fake.on("GET", f"/taskRuns/{key(1000)}/logs", answer, cli_fake.CUT, answer)
    fake.on("GET", f"/taskRuns/{key(1000)}", {"key": key(1000), "state": {"status": "SUCCESS"}})
    result = cli("run", "logs", RUN, "--task", "a", "--follow")
    assert (result.returncode, result.stdout) == (0, b"0123456789" * 50), result.stderr


def test_why_tells_decisions(cli, fake):
    fake.on("GET", f"/jobRuns/{RUN}/explanation", {"tasks": [
        {"taskKey": "load", "status": "UPSTREAM_FAILED", "reason": "Not run: upstream task x ended FAILED", "decisions": [
            {"kind": "TRIGGER_RULE", "runIf": "ALL_SUCCESS", "result": "UPSTREAM_FAILED",
             "dependencies": [{"taskKey": "x", "status": "FAILED"}], "dependencyCount": 3}]},
        {"taskKey": "x", "status": "FAILED", "reason": "Exit code 1", "decisions": []}]})
    text = cli("run", "why", RUN).stdout.decode()
    assert "load  △ UPSTREAM_FAILED\n  Not run: upstream task x ended FAILED\n" in text
    assert "    by runIf ALL_SUCCESS it is UPSTREAM_FAILED\n      x was FAILED\n      and 2 more\n" in text
    assert "load" not in cli("run", "why", RUN, "--task", "x").stdout.decode()
    assert cli("run", "why", RUN, "--task", "nobody").returncode == 2


@pytest.mark.parametrize("decision,lines", [
    ({"kind": "TRIGGER_RULE", "runIf": "NONE_FAILED", "result": "RUN", "dependencyCount": 1, "dependencies": [
        {"taskKey": "big", "status": "SUCCESS", "wantedOutcome": "true", "outcome": "true"}]},
     ["by runIf NONE_FAILED it runs", "  big was SUCCESS, and decided true; wanted is true"]),
    ({"kind": "TRIGGER_RULE", "runIf": "ALL_SUCCESS", "result": "RUN", "dependencyCount": 1, "dependencies": [
        {"taskKey": "dq", "status": "FAILED", "countsAs": "SUCCESS"}]},
     ["by runIf ALL_SUCCESS it runs", "  dq was FAILED, which counts as SUCCESS"]),
    ({"kind": "RETRY", "attempt": 0, "budget": "RETRIES", "used": 1, "of": 3, "notBefore": 1795750148667},
     ["retry 1 of 3 after attempt 0, not before 2026-11-27 03:29:08Z"]),
    ({"kind": "RETRY", "attempt": 1, "budget": "LOST", "used": 1, "of": 3}, ["started again, since attempt 1 was lost: 1 of 3 times"]),
    ({"kind": "RUN_SLOT", "result": "QUEUED", "maxConcurrentRuns": 1, "holders": [RUN], "holderCount": 1},
     ["QUEUED: 1 of 1 run slots is taken", f"  by run {RUN}"]),
    ({"kind": "REPAIR", "repair": 2, "verdict": "RUN", "reason": "It is FAILED"}, ["repair 2: run: It is FAILED"]),
    ({"kind": "CONDITION", "condition": "big", "outcome": "true", "expressions": [{"key": "big", "left": "12", "right": "10", "value": True}]},
     ["the condition big is true", '  big is true: left "12", right "10"']),
    ({"kind": "JOB_DEPENDENCY", "result": "WAIT", "jobKey": RUN, "jobName": "load", "plannedTime": "2026-01-01T03:00:00.000Z",
      "jobRunKey": RUN, "status": "RUNNING", "failPolicy": "FAIL"},
     [f"wait: job load of 2026-01-01 03:00Z, whose run {RUN} is RUNNING (failPolicy FAIL)"]),
    ({"kind": "JOB_DEPENDENCY", "result": "HELD"}, ["held"]),
    ({"kind": "SCHEDULE", "plannedTime": 1795750920000, "lateMillis": 35, "missed": False}, ["planned for 2026-11-27 03:42Z, 0.04 s late"]),
    ({"kind": "NEW_KIND", "howMany": 3, "nothing": None, "items": ["a", {"key": "k", "x": 1}]}, ["new kind: howMany 3", "  a", "  k: x 1"]),
])
def test_decisions_are_told_in_words(cli, fake, decision, lines):
    fake.on("GET", f"/jobRuns/{RUN}/explanation", {"tasks": [
        {"taskKey": "a", "status": "SUCCESS", "reason": "Succeeded", "decisions": [{"time": "2026-01-01T03:00:00.000Z", **decision}]}]})
    shown = cli("run", "why", RUN).stdout.decode().splitlines()
    assert shown[1:1 + len(lines)] == ["    2026-01-01T03:00:00.000Z  " + lines[0]] + ["    " + line for line in lines[1:]]


def test_planned_times_are_told_on_the_clock_of_their_job(cli, fake):
    other = RUN[:-1] + "9"
    held = {"kind": "JOB_DEPENDENCY", "result": "HELD"}
    waits = {"kind": "JOB_DEPENDENCY", "result": "WAIT", "jobKey": other, "jobName": "up", "plannedTime": "2026-01-01T20:00:00.000Z"}
    planned = {"kind": "SCHEDULE", "plannedTime": 1795750920000, "lateMillis": 35, "missed": False}
    fake.on("GET", f"/jobs/{other}", {"key": other, "schedule": {"timezoneId": "Asia/Tokyo"}})
    fake.on("GET", f"/jobRuns/{RUN}", {"key": RUN, "schedule": {"timezoneId": "Europe/Berlin"}})
    fake.on("GET", f"/jobRuns/{RUN}/explanation", {"tasks": [], "run": {
        "status": "QUEUED", "reason": "It depends on job up of 2026-01-01T20:00:00.000Z", "decisions": [planned, held, waits, waits]}})
    shown = cli("run", "why", RUN).stdout.decode()
    assert "  It depends on job up of 2026-01-02 05:00+09:00\n" in shown
    assert "planned for 2026-11-27 04:42+01:00, 0.04 s late" in shown and shown.count("job up of 2026-01-02 05:00+09:00") == 3
    assert len(fake.sent("GET", f"/jobs/{other}")) == 1, "each job is asked for once"


def test_why_tells_where_parameters_came_from(cli, fake):
    parameter = {"name": "answer", "value": "42", "given": "{{job.name}}", "source": "REPAIR", "repair": 2, "overrides": [
        {"value": "41", "source": "RUN", "repair": None}, {"value": "", "source": "JOB", "repair": None}],
        "references": [{"field": None, "reference": "{{job.name}}", "value": "42", "source": None, "repair": None}]}
    use = {"field": "commandLineArguments", "reference": "{{job.parameters.answer}}", "value": None, "source": "TASK",
           "repair": None}
    fake.on("GET", f"/jobRuns/{RUN}/explanation", {
        "run": {"status": "FAILED", "reason": "Failed", "parameters": [parameter], "decisions": []},
        "tasks": [{"taskKey": "a\u009b", "status": "FAILED", "reason": "Exit code 1", "decisions": [],
                   "parameters": [parameter], "references": [use]}]})
    text = cli("run", "why", RUN).stdout.decode()
    line = 'answer = "42", from repair 2; before: "41" from the run, "" from the job\n'
    assert f'\nParameters of the run:\n  {line}    {{{{job.name}}}} = "42"\n' in text
    assert "References" not in text, "of tasks that are named"
    text = cli("run", "why", RUN, "--task", "a\u009b").stdout.decode()
    assert f"  Parameters:\n    {line}" in text and "Parameters of the run" not in text
    assert "  References:\n    commandLineArguments: {{job.parameters.answer}} = (not known), from the task\n" in text
    assert fake.sent("GET", f"/jobRuns/{RUN}/explanation")[-1].query == {"taskKey": ["a\u009b"]}
