"""fetchOutput and export: the stdout of any attempt, its end when it is long; what a task cannot give is refused by name."""

import base64

from harness import if_else, refused, step, task

MIB = 1 << 20


def fetch(api, task_run, **body):
    answer = api.post(f"/taskRuns/{task_run['key']}/actions/fetchOutput", body or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_a_task_wrote(api):
    run = api.go([step("a", out="hello")], "SUCCESS")
    task_run = api.task_run(run, "a")
    output = fetch(api, task_run)
    assert output == {"key": task_run["outputKey"], "taskType": "PYTHON_TASK", "isTruncated": False, "errorTrace": None,
                      "data": [{"type": "TEXT_PLAIN", "length": "6", "charset": "UTF_8", "isBase64": False, "compression": None,
                                "value": "hello\n"}], "outputParameters": [], "version": 1}
    assert fetch(api, task_run, outputKey=task_run["outputKey"]) == output


def test_each_attempt_has_its_own(server):
    api = server.api
    run = api.go([step("a", out="tried", err="why", exit=3, maxRetries=1)], "FAILED")
    retries = api.task_run(run, "a")["retries"]
    keys = [retry["outputKey"] for retry in retries]
    assert len(set(keys)) == 2
    for key in keys:
        output = fetch(api, api.task_run(run, "a"), outputKey=key)
        assert output["key"] == key and output["data"][0]["value"] == "tried\n" and "why" in output["errorTrace"]


def test_long_output_is_its_end_in_whole_characters(server):
    server.script("long.py", "print('\\u00e9' * 1000000, flush=True)\nprint('end', flush=True)\n")
    api = server.api
    run = api.go([task("a", "long.py")], "SUCCESS")
    output = fetch(api, api.task_run(run, "a"))
    assert output["isTruncated"] and output["data"][0]["value"].endswith("é\nend\n") and not output["data"][0]["isBase64"]
    assert MIB - 4 < len(output["data"][0]["value"].encode()) <= MIB


def test_bytes_that_are_no_text_are_base64(server):
    server.script("bytes.py", "import sys\nsys.stdout.buffer.write(bytes(range(256)))\n")
    run = server.api.go([task("a", "bytes.py")], "SUCCESS")
    data = fetch(server.api, server.api.task_run(run, "a"))["data"][0]
    assert data["isBase64"] and data["charset"] is None and base64.b64decode(data["value"], validate=True) == bytes(range(256))


def test_what_has_no_output(api):
    run = api.go([step("a", exit=1), step("b", after="a"), if_else("c", "1==1")], "FAILED")
    refused(api.post(f"/taskRuns/{api.task_run(run, 'b')['key']}/actions/fetchOutput"), 409, "IncorrectState", "not started")
    refused(api.post(f"/taskRuns/{api.task_run(run, 'c')['key']}/actions/fetchOutput"), 400, "InvalidParameter", "IF_ELSE_TASK")
    a = api.task_run(run, "a")
    for key in ("x", a["key"], f"{a['key']}.", f"{a['key']}.99", f"{run['key']}.0"):
        refused(api.post(f"/taskRuns/{a['key']}/actions/fetchOutput", {"outputKey": key}), 404, "NotAuthorizedOrNotFound", "outputKey")
    refused(api.post(f"/taskRuns/{a['key']}/actions/fetchOutput", {"outputKey": "y" * 101}), 400, "InvalidParameter", "outputKey")
    refused(api.post(f"/taskRuns/{run['key']}/actions/fetchOutput"), 404, "NotAuthorizedOrNotFound", "task run")


def test_values_that_a_task_published(server):
    server.script("say.py", "import os\nopen(os.environ['REPRISE_OUTPUT'], 'w').write('rows=3\\na b=x=y\\n')\n")
    run = server.api.go([task("a", "say.py")], "SUCCESS")
    assert fetch(server.api, server.api.task_run(run, "a"))["outputParameters"] == [{"name": "rows", "value": "3"},
                                                                                    {"name": "a b", "value": "x=y"}]


def test_export_gives_a_page_or_text_and_refuses_what_notebooks_give(server):
    server.script("mark.py", r"import sys; sys.stdout.buffer.write(b'\n<b>&amp;</b>\x1b\xff\x00\xc3\xa9\t.\n')")
    api = server.api
    run = api.go([task("a & <b>", "mark.py")], "SUCCESS")
    task_run = api.task_run(run, "a & <b>")
    path = f"/taskRuns/{task_run['key']}/outputs/{task_run['outputKey']}/actions/export"
    page = api.post(path, {"format": "HTML"})
    assert page.status_code == 200 and page.headers["etag"], page.text
    contents = page.json()["contents"]
    assert page.json() == {"format": "HTML", "isTruncated": False, "contents": contents}
    assert contents.startswith("<!DOCTYPE html>\n") and "<title>a &amp; &lt;b></title>" in contents
    assert "<pre>\n\n&lt;b>&amp;amp;&lt;/b>\ufffd\ufffd\ufffdé\t.\n</pre>" in contents
    assert api.post(path).json() == api.post(path, {}).json() == page.json()
    run = api.go([step("a", out="hello")], "SUCCESS")
    task_run = api.task_run(run, "a")
    path = f"/taskRuns/{task_run['key']}/outputs/{task_run['outputKey']}/actions/export"
    answer = api.post(path, {"format": "TEXT"})
    assert answer.json() == {"format": "TEXT", "isTruncated": False, "contents": "hello\n"} and answer.headers["etag"]
    refused(api.post(path, {"format": "IPYNB"}), 400, "InvalidParameter", "IPYNB")
    refused(api.post(path, {"format": "PDF"}), 400, "InvalidParameter", "format")
