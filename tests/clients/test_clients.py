"""Oracle's and Huawei's own SDKs sign the requests; the server lets them in."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "support_py"))

from dataarts import EVERY_SECOND, DataArts, job, python, shell  # noqa: E402
from fixtures import api, own, server, servers  # noqa: E402, F401
from harness import DEADLINE_S, step  # noqa: E402
from sign import OciKey  # noqa: E402

pytestmark = pytest.mark.skipif(not (FOLDER / "node_modules").is_dir(),
                                reason="the npm packages of tests/clients are not installed: scripts/setup test")

JOB = {"name": "signed", "path": "p", "tasks": [step("a")]}


def run(script, given):
    result = subprocess.run(["node", script], cwd=FOLDER, input=json.dumps(given), capture_output=True, text=True,
                            timeout=2 * DEADLINE_S, env={**os.environ, "NODE_NO_WARNINGS": "1"})
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads(result.stdout.strip().rsplit("\n", 1)[-1])  # the SDK logs to stdout, too


def user(server, name):
    server.api.made("//reprise/v1/users", {"name": name, "role": "ADMIN"})


def test_oci_common(server):
    user(server, "orla")
    key, other = OciKey(), OciKey()
    registered = server.api.made("//reprise/v1/keys", {"user": "orla", "publicKey": key.public_pem})
    tenancy, owner, fingerprint = registered["key"].split("/")
    seen = run("oci.js", {"url": server.url, "place": server.api.place, "tenancy": tenancy, "user": owner,
                          "fingerprint": fingerprint, "privateKey": key.private_pem, "wrongKey": other.private_pem,
                          "job": JOB})
    wanted = {"created": 201, "job": 200, "listed": 200, "run": 201, "got": 200, "cancelled": 200, "repaired": 201,
              "again": 200, "updated": 202, "deleted": 204, "wrongKey": 401}
    assert {name: answer["status"] for name, answer in seen.items()} == wanted, seen
    assert seen["run"]["body"]["createdByName"] == "orla"
    assert seen["got"]["body"]["state"]["status"] == seen["again"]["body"]["state"]["status"] == "SUCCESS"
    assert len(seen["again"]["body"]["repairHistory"]) == 2
    assert seen["wrongKey"]["body"]["code"] == "NotAuthenticated" and seen["wrongKey"]["requestId"]


def test_huaweicloud_sdk_core(server):
    user(server, "hua")
    access = server.api.made("//reprise/v1/accessKeys", {"user": "hua"})
    seen = run("huawei.js", {"url": server.url, "place": server.api.place, "access": access["key"],
                             "secret": access["secretKey"], "job": JOB})
    assert {name: answer["status"] for name, answer in seen.items()} == {
        "created": 201, "job": 200, "listed": 200, "run": 201, "deleted": 404, "wrongKey": 401}, seen
    assert seen["run"]["body"]["createdByName"] == "hua"
    server.api.wait_final(seen["run"]["body"]["key"], "SUCCESS")


def test_huaweicloud_sdk_core_reruns_instances(server):
    user(server, "lin")
    access = server.api.made("//reprise/v1/accessKeys", {"user": "lin"})
    huawei = DataArts(server)
    there = "sys.exit(not os.path.exists(os.environ['REPRISE_WORKSPACE'] + '/gates/sdk'))"
    huawei.made(job("sdk-job", [shell("a", statement="echo x >> $REPRISE_WORKSPACE/sdk"),
                                python("b", "a", statement=f"import os, sys\n{there}")], EVERY_SECOND))
    huawei.start("sdk-job")
    planned = huawei.wait_planned("sdk-job", 2)
    (server.workspace / "gates/sdk").touch()
    seen = run("dataarts.js", {"url": server.url, "project": huawei.project, "workspace": huawei.workspace,
                               "access": access["key"], "secret": access["secretKey"], "job": "sdk-job"})
    assert [i["status"] for i in seen["before"]] == ["fail"] * len(planned)
    assert seen["chosen"]["status"] == seen["range"]["status"] == seen["v1"]["status"] == 200, seen
    assert [i["status"] for i in seen["afterChosen"]] == ["success"]
    assert {i["status"] for i in seen["afterRange"]} == {"success"} and len(seen["afterRange"]) == len(planned)
    refusals = {name: (seen[name]["status"], seen[name]["code"]) for name in ("unknownJob", "noWorkspace", "wrongKey")}
    assert refusals == {"unknownJob": (400, "DLF.1000"), "noWorkspace": (400, "DLF.0819"), "wrongKey": (401, "APIGW.0301")}, seen
    assert seen["v1"]["body"]["name"] == "sdk-job"
    # the one that was rerun alone succeeded, so the range took it from its first node; the others went on at theirs
    assert len((server.workspace / "sdk").read_text().split()) == len(planned) + 1
