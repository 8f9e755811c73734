"""Calls of the DataArts dialect on a server of the harness, and its jobs in short.

    huawei = DataArts(server)
    huawei.made({"name": "j", "nodes": [shell("a"), shell("b", "a")], …})
    huawei.v2("POST", "jobs/j/instances/retry", {…})
"""

import requests

import openapi
from harness import DEADLINE_S, eventually

FINAL = {"success", "fail", "manual-stop", "skip-by-depend"}


class DataArts:
    """`token` None: no credential."""

    def __init__(self, server, token=..., workspace=None, project=None):
        self.server = server
        self.project = project or server.endpoint["projectId"]
        self.workspace = workspace or server.endpoint["workspaceKey"].replace("-", "")
        self.session = requests.Session()
        self.session.trust_env = False
        token = server.token if token is ... else token
        if token:
            self.session.headers["X-Auth-Token"] = token

    def call(self, method, path, body=None, headers=None, **params):
        headers = {"workspace": self.workspace, **(headers or {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        answer = self.session.request(method, self.server.url + path, json=body, headers=headers, params=params or None,
                                      timeout=DEADLINE_S)
        openapi.check(answer)
        return answer

    def v1(self, method, path, body=None, **options):
        return self.call(method, f"/v1/{self.project}/{path}", body, **options)

    def v2(self, method, path, body=None, **options):
        return self.call(method, f"/v2/{self.project}/factory/{path}", body, **options)

    def made(self, job):
        done(self.v1("POST", "jobs", job), 204)
        return job["name"]

    def read1(self, path, **params):
        return done(self.v1("GET", path, **params), 200).json()

    def read2(self, path, **params):
        return done(self.v2("GET", path, **params), 200).json()

    def start(self, name, body=None):
        done(self.v1("POST", f"jobs/{name}/start", body), 204)

    def stop(self, name):
        done(self.v1("POST", f"jobs/{name}/stop"), 204)

    def run(self, name, **params):
        body = {"jobParams": [{"name": n, "value": v} for n, v in params.items()]}
        return done(self.v1("POST", f"jobs/{name}/run-immediate", body), 200).json()["instanceId"]

    def instances(self, name, **params):
        return self.read2(f"jobs/{name}/instances/detail", **{"limit": 100, **params})["instances"]

    def instance(self, name, number):
        return self.read1(f"jobs/{name}/instances/{number}")

    def wait(self, name, number, statuses=FINAL):
        statuses = {statuses} if isinstance(statuses, str) else statuses
        last = {}

        def probe():
            last.update(self.instance(name, number))
            return last["status"] in statuses

        eventually(probe, f"instance {number} of {name} in {sorted(statuses)}")
        return last

    def wait_planned(self, name, count):
        """So many scheduled instances that have ended, oldest first; its scheduling is stopped."""

        def probe():
            found = [i for i in self.instances(name) if i["instance_type"] == 0]
            return found if len(found) >= count else None

        eventually(probe, f"{count} instances of {name}")
        self.stop(name)
        found = [i for i in self.instances(name) if i["instance_type"] == 0]
        for item in found:
            self.wait(name, item["instance_id"])
        return sorted((i for i in self.instances(name) if i["instance_type"] == 0), key=lambda i: i["plan_time"])

    def retry(self, name, chosen, location="errorNode", version="original_version", **more):
        items = [{"job_id": i["job_id"], "plan_time": i["plan_time"], "submit_time": i["submit_time"]} for i in chosen]
        return self.v2("POST", f"jobs/{name}/instances/retry",
                       {"retry_location": location, "retry_task_version": version, "task_retrys": items, **more})

    def statuses(self, name, number):
        return {node["nodeName"]: node["status"] for node in self.instance(name, number)["nodes"]}


def done(answer, status):
    assert answer.status_code == status, f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:500]}"
    if status == 204 or "retry" in answer.url:
        assert answer.content == b""
    return answer


def refused(answer, code, *words, status=400):
    """Asserts an error of the dialect; every one of `words` is in its message."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:500]}"
    body = answer.json()
    assert set(body) == {"error_code", "error_msg"} | ({"request_id"} if code.startswith("APIGW") else set()), body
    assert body["error_code"] == code, body
    for word in words:
        assert word.lower() in body["error_msg"].lower(), f"{word!r} is not in {body['error_msg']!r}"
    return body["error_msg"]


def node(name, kind, after=(), **properties):
    """A node; what begins with a capital letter or is a field of nodes goes to the node itself."""
    fields = {f: properties.pop(f) for f in FIELDS if f in properties}
    after = [after] if isinstance(after, str) else list(after)
    return {"name": name, "type": kind, "location": {"x": "-45.5", "y": 10}, "preNodeName": after,
            "properties": [{"name": n, "value": v} for n, v in properties.items()], **fields}


FIELDS = ("failPolicy", "retryTimes", "retryInterval", "maxExecutionTime", "execTimeOutRetry", "conditions", "pollingInterval")


def shell(name, after=(), statement="true", **more):
    return node(name, "Shell", after, statement=statement, **more)


def python(name, after=(), statement="pass", **more):
    return node(name, "Python", after, statement=statement, **more)


def job(name, nodes, cron="0 0 0 * * ?", **more):
    body = {"name": name, "nodes": nodes, "processType": "BATCH", "schedule": {"type": "EXECUTE_ONCE"}, **more}
    if cron:
        body["schedule"] = {"type": "CRON", "cron": {"expression": cron, "expressionTimeZone": "GMT+8",
                                                     "startTime": "2018-10-22T23:59:59+08", **more.pop("cron_fields", {})}}
        body.pop("cron_fields", None)
    return body


EVERY_SECOND = "* * * * * ?"
