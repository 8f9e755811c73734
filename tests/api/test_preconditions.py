"""etag and if-match: the etag moves with every change of a run or its task runs (RULES §12; CONTRACT §4)."""

import pytest
from harness import eventually, refused, step

pytestmark = pytest.mark.sanitize


def test_the_etag_moves_with_every_change(server, api):
    run = api.run(api.job([step("a", gate="etag-a"), step("b", "a", gate="etag-b", exit=1)]))
    etags = []

    def settled():
        """(etag, body) of two equal reads in a row."""
        one, two = (api.get(f"/jobRuns/{run['key']}") for _ in range(2))
        return one.headers["etag"] == two.headers["etag"] and (assert_same(one, two) or one)

    def assert_same(one, two):
        assert one.content == two.content, "equal etags, unequal bodies"

    api.wait_task(run, "a", "RUNNING")
    etags.append(eventually(settled, "still").headers["etag"])
    server.open_gate("etag-a")
    api.wait_task(run, "b", "RUNNING")
    etags.append(eventually(settled, "still").headers["etag"])
    server.open_gate("etag-b")
    api.wait_final(run, "FAILED")
    etags.append(eventually(settled, "still").headers["etag"])
    api.repair(run)
    api.wait_final(run, "FAILED")
    etags.append(eventually(settled, "still").headers["etag"])
    assert len(set(etags)) == len(etags)


def test_equal_etags_mean_equal_bodies_and_time_updated_moves(server, api):
    """Watches a run that changes all the time: whoever sees one etag twice sees one body."""
    job = api.job([step(f"t{n}", [f"t{n - 1}"] if n else []) for n in range(8)])
    run, bodies, updated = api.run(job), {}, []
    while True:
        answer = api.get(f"/jobRuns/{run['key']}")
        assert bodies.setdefault(answer.headers["etag"], answer.content) == answer.content
        updated.append(answer.json()["timeUpdated"])
        if answer.json()["endTime"]:
            break
    assert len(bodies) > 1
    assert updated == sorted(updated)


@pytest.mark.parametrize("form", ["{}", '"{}"', " {} ", "*"])
def test_forms_that_match(api, form):
    run = api.go([step("a", exit=1)], "FAILED")
    headers = {"if-match": form.format(api.etag(run)).strip()}
    answer = api.post(f"/jobRuns/{run['key']}/actions/repair", {}, headers=headers)
    assert answer.status_code == 201, answer.text
    api.wait_final(run)


@pytest.mark.parametrize("form", ["x{}", "{}0", '"{}', '{}"', '""{}""', "'{}'", "1-0", '""', "**"])
def test_forms_that_do_not(api, form):
    run = api.go([step("a", exit=1)], "FAILED")
    answer = api.post(f"/jobRuns/{run['key']}/actions/repair", {}, headers={"if-match": form.format(api.etag(run))})
    assert answer.status_code in (400, 412)  # an ill-formed one may be refused for its form
    refused(answer, answer.status_code, "NoEtagMatch" if answer.status_code == 412 else "InvalidParameter")
    assert api.get_run(run) == run


def test_a_stale_etag_is_412(api):
    run = api.go([step("a", exit=1)], "FAILED")
    stale = api.etag(run)
    api.wait_final(api.repair(run), "FAILED")
    before = api.get_run(run)
    refused(api.post(f"/jobRuns/{run['key']}/actions/repair", {}, headers={"if-match": stale}), 412, "NoEtagMatch")
    refused(api.post(f"/jobRuns/{run['key']}/actions/cancel", headers={"if-match": stale}), 412, "NoEtagMatch")
    refused(api.delete(f"/jobRuns/{run['key']}", headers={"if-match": stale}), 412, "NoEtagMatch")
    assert api.get_run(run) == before
    assert api.post(f"/jobRuns/{run['key']}/actions/repair", {}, headers={"if-match": api.etag(run)}).status_code == 201
    api.wait_final(run)


def test_the_answer_of_a_write_carries_the_etag_to_send_next(api):
    job = api.job([step("a", exit=1, gate="never")])
    made = api.post("/jobRuns", {"jobKey": job["key"]})
    api.wait_task(made.json(), "a", "RUNNING")
    cancelled = api.post(f"/jobRuns/{made.json()['key']}/actions/cancel", headers={"if-match": api.etag(made.json())})
    assert cancelled.status_code == 200
    api.wait_final(made.json(), "CANCELED")
    assert api.delete(f"/jobRuns/{made.json()['key']}", headers={"if-match": api.etag(made.json())}).status_code == 204
