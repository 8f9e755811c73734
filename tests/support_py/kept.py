"""Secrets of the workspace, and that nothing tells of them: not below DATA, not in the log, not in what is answered."""

import os

ACCOUNTS = "//reprise/v1"


def keep_secret(api, name, value):
    if api.put(f"{ACCOUNTS}/secrets/{name}", {"value": value}).status_code == 404:
        api.made(f"{ACCOUNTS}/secrets", {"name": name, "value": value})


def assert_no_trace(server, secret, *texts):
    """Neither below DATA, nor in what the server logged, nor in what it answered."""
    for folder, _, names in os.walk(server.data):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                assert secret.encode() not in open(path, "rb").read(), path
    assert secret not in server.log.read_text(errors="replace")
    for text in texts:
        assert secret not in text


def everything_said(api, run):
    said = [api.get(f"/jobRuns/{run['key']}").text, api.get(f"/jobRuns/{run['key']}/events").text,
            api.get(f"/jobRuns/{run['key']}/explanation").text]
    for key in api.get_run(run)["taskToTaskRunMap"].values():
        said += [api.get(f"/taskRuns/{key}").text, api.get(f"/taskRuns/{key}/retries").text]
    return said
