"""Which supervisor takes another order, and which one leaves after the ACK."""

import resource
import signal

import pytest

from supervise_wire import (
    ACK, CLAIM, ORDER, OUTCOME, OUTCOME_REPORT, REFUSED, STARTED, VOID, encode, frame, lock_holder, order_payload,
    read_record, wait_dead)


@pytest.fixture
def takes_another(supervisor, tmp_path):
    """Acknowledges, sends one more order, and tells whether it was carried out."""

    def check():
        supervisor.ack()
        try:
            supervisor.shell("exit 0", record=tmp_path / "next.rec")
            answer = supervisor.answer()
        except (BrokenPipeError, ConnectionResetError):
            answer = None
        if answer is None:
            assert supervisor.wait() == 0
            assert not (tmp_path / "next.rec").exists()
        return answer is not None

    return check


@pytest.mark.parametrize("script", ["exit 0", "exit 1", "(exit 0) & wait"])
def test_after_an_end_of_its_own(supervisor, takes_another, script):
    supervisor.run(script)
    assert takes_another()


def test_a_hundred_in_a_row_by_one_process(supervisor, tmp_path):
    seen = set()
    for i in range(100):
        supervisor.order("/bin/true", token=f"t{i}", record=tmp_path / f"{i}.rec", stdout=tmp_path / f"{i}.out")
        outcome = supervisor.outcome()
        assert (outcome.token, outcome.exit_code, outcome.pid) == (f"t{i}", 0, supervisor.pid)
        seen.add(outcome.task_pid)
        supervisor.ack()
    assert len(seen) == 100
    supervisor.hang_up()
    assert supervisor.wait() == 0


def test_nothing_of_one_attempt_is_in_the_next(supervisor, tmp_path):
    burn = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; exit 9"
    first = supervisor.run(burn, token="a-long-token-of-the-first")
    supervisor.ack()
    supervisor.order("/bin/true", token="short", record=tmp_path / "b.rec")
    second = supervisor.outcome()
    assert (second.token, second.exit_code) == ("short", 0)
    assert second.user_us < first.user_us
    assert second.claimed_ns > first.ended_ns


def test_order_sent_together_with_the_ack(supervisor, tmp_path):
    supervisor.run("exit 0")
    order = order_payload(tmp_path, ["/bin/sh", "-c", "exit 5"], record=tmp_path / "b.rec")
    supervisor.socket.sendall(frame(ACK) + frame(ORDER, order))
    assert supervisor.outcome().exit_code == 5


def test_not_after_a_timeout(supervisor, takes_another):
    supervisor.run("exec sleep 1000", timeout_ms=50)
    assert not takes_another()


def test_not_after_a_stop(supervisor, takes_another):
    supervisor.shell("exec sleep 1000")
    assert supervisor.started()
    supervisor.stop()
    supervisor.outcome()
    assert not takes_another()


def test_not_after_a_stop_that_the_task_answered_by_itself(supervisor, mailbox, takes_another):
    supervisor.shell(f"trap 'exit 0' TERM; echo up > {mailbox.path}; while :; do sleep 0.01; done")
    mailbox.line()
    supervisor.stop()
    assert supervisor.outcome().exit_code == 0
    assert not takes_another()


def test_not_after_strays(supervisor, takes_another):
    supervisor.run("sleep 1000 & exit 0")
    assert not takes_another()


def test_not_after_a_signal(supervisor, takes_another):
    assert supervisor.run("kill -SEGV $$", rlimits=[(resource.RLIMIT_CORE, 0, 0)]).signal == signal.SIGSEGV
    assert not takes_another()


def test_not_after_a_failed_exec(supervisor, takes_another):
    supervisor.order("/nowhere")
    supervisor.outcome()
    assert not takes_another()


def test_started_and_outcome_come_in_order(supervisor, tmp_path):
    for i in range(50):
        supervisor.order("/bin/true", record=tmp_path / f"{i}.rec")
        assert [supervisor.answer()[0], supervisor.answer()[0]] == [STARTED, OUTCOME_REPORT]
        supervisor.ack()


# ---- the record of the attempt before becomes the next one's ----

def test_the_record_moves_to_the_next_attempt(supervisor, tmp_path, mailbox, gate):
    first, second, alias = tmp_path / "a.rec", tmp_path / "b.rec", tmp_path / "alias"
    supervisor.run("exit 3", token="first")
    alias.hardlink_to(first)  # so that no new file gets its number
    supervisor.ack()
    supervisor.shell(f"echo up > {mailbox.path}; read x < {gate.path}", token="second", record=second)
    mailbox.line()
    assert (second.samefile(alias), first.exists()) == (True, False)
    claim = read_record(second)
    assert (claim.state, claim.token, claim.exit_code, claim.ended_ns) == (CLAIM, "second", 0, 0)
    assert lock_holder(second) == supervisor.pid
    gate.open()
    outcome = supervisor.outcome()
    assert (outcome.token, outcome.exit_code) == ("second", 0)
    assert read_record(second) == outcome


def test_in_another_folder_it_is_a_new_one(supervisor, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    supervisor.run("exit 0")
    supervisor.ack()
    outcome = supervisor.run("exit 0", token="there", record=other / "a.rec")
    assert not (tmp_path / "a.rec").exists()
    assert read_record(other / "a.rec") == outcome


def test_who_leaves_while_idle_leaves_no_record(supervisor, tmp_path):
    supervisor.run("exit 0")
    supervisor.ack()
    supervisor.hang_up()
    assert supervisor.wait() == 0
    assert not (tmp_path / "a.rec").exists()


def test_what_recovery_has_made_void_stays_void(supervisor, tmp_path):
    supervisor.run("exit 0")
    supervisor.ack()
    void = encode(VOID, token=b"next")
    (tmp_path / "b.rec").write_bytes(void)
    supervisor.shell(f"touch {tmp_path}/ran", token="next", record=tmp_path / "b.rec")
    assert supervisor.expect(REFUSED).state == VOID
    assert supervisor.wait() == 0
    assert (tmp_path / "b.rec").read_bytes() == void
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "a.rec").exists()


def test_an_empty_record_that_is_there_is_claimed(supervisor, tmp_path):
    supervisor.run("exit 0")
    supervisor.ack()
    (tmp_path / "b.rec").write_bytes(b"")
    (tmp_path / "alias").hardlink_to(tmp_path / "b.rec")
    outcome = supervisor.run("exit 4", token="next", record=tmp_path / "b.rec")
    assert (outcome.token, outcome.exit_code) == ("next", 4)
    assert (tmp_path / "b.rec").samefile(tmp_path / "alias")
    assert not (tmp_path / "a.rec").exists()


def test_an_attempt_that_is_over_is_not_run_again(supervisor, tmp_path):
    outcome = supervisor.run("exit 5")
    supervisor.ack()
    supervisor.shell(f"touch {tmp_path}/ran")
    assert supervisor.expect(REFUSED).state == OUTCOME
    assert supervisor.wait() == 0
    assert read_record(tmp_path / "a.rec") == outcome
    assert not (tmp_path / "ran").exists()


def test_a_folder_that_is_gone_takes_its_record_along(supervisor, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    supervisor.run("exit 0", record=run / "a.rec", cwd=tmp_path)
    supervisor.ack()
    run.rename(tmp_path / "trash")
    run.mkdir()
    outcome = supervisor.run("exit 0", token="next", record=run / "b.rec", cwd=tmp_path)
    assert read_record(run / "b.rec") == outcome
    assert [path.name for path in (tmp_path / "trash").iterdir()] == ["a.rec"]


def test_a_killed_supervisor_leaves_the_claim_under_the_new_name(supervisor, tmp_path, mailbox):
    supervisor.run("exit 0")
    supervisor.ack()
    supervisor.shell(f"echo $$ > {mailbox.path}; exec sleep 1000", token="next", record=tmp_path / "b.rec")
    task = int(mailbox.line())
    supervisor.kill(signal.SIGKILL)
    supervisor.wait()
    wait_dead(task, "task")
    claim = read_record(tmp_path / "b.rec")
    assert (claim.state, claim.token) == (CLAIM, "next")
    assert lock_holder(tmp_path / "b.rec") is None
    assert not (tmp_path / "a.rec").exists()
