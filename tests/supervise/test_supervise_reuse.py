"""Which supervisor takes another order, and which one leaves after the ACK."""

import resource
import signal

import pytest

from supervise_wire import ACK, ORDER, OUTCOME_REPORT, STARTED, frame, order_payload


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
