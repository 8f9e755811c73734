"""Every answer is held to the OpenAPI document of the binary that gave it: status, headers, content type and body.

The document leaves room for fields that come later; here a field that it does not name is an error, so that it cannot
fall behind what is printed.
"""

import functools
import json
import os
import re
import subprocess
from pathlib import Path

import jsonschema

ROOT = Path(os.environ.get("REPRISE_SOURCE_ROOT") or Path(__file__).resolve().parents[2])
BINARY = Path(os.environ.get("REPRISE_BIN") or ROOT / "build/reprise")

# What the wire or the router answers before it is known what was called.
ANYWHERE = {400, 401, 404, 405, 408, 413, 414, 429, 431, 500, 503}
LIBRARY = {400, 414, 431}  # by libmicrohttpd, before there is a request
# Headers that say something of the API, besides those that begin with opc- and x-reprise-.
TOLD = {"etag", "location", "content-location", "retry-after", "www-authenticate", "set-cookie"}
OPTIONAL = {"x-reprise-campaign", "x-reprise-cut", "x-reprise-attempt", "x-reprise-next-offset",
            "opc-next-page", "opc-work-request-id", "retry-after", "vary", "content-encoding"}


@functools.lru_cache(maxsize=None)
def document():
    return json.loads(subprocess.run([BINARY, "openapi"], check=True, stdout=subprocess.PIPE).stdout)


def follow(ref):
    part = document()
    for name in ref.removeprefix("#/").split("/"):
        part = part[name]
    return part


def is_dataarts(path):
    """Is it a path of the DataArts dialect?"""
    return path.startswith(("/v1/", "/v2/"))


def expand(part):
    """`part` without references, objects closed to fields that it does not name."""
    if isinstance(part, list):
        return [expand(item) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return expand(follow(part["$ref"]))
    whole = {name: expand(value) for name, value in part.items()}
    if isinstance(part.get("properties"), dict) and part.get("type") in ("object", ["object", "null"]):
        whole.setdefault("additionalProperties", False)
    return whole


@functools.lru_cache(maxsize=None)
def operations():
    """(pattern of the path, the path's item), those with fewer parameters first."""
    paths = sorted(document()["paths"].items(), key=lambda item: item[0].count("{"))
    return [(re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + r"\Z"), path) for path, _ in paths]


def find(method, path):
    """(path of the document, operation), None where there is none."""
    path = re.sub(r"\A/api(?=/\d{8}/)", "", path.split("?")[0])
    for pattern, name in operations():
        if pattern.match(path):
            return name, document()["paths"][name].get({"head": "get"}.get(method.lower(), method.lower()))
    return None, None


@functools.lru_cache(maxsize=None)
def validator(path, method, status, error):
    """Of the body of an answer; None where the document says that there is none."""
    operation = find(method, path)[1] if path else None
    if operation is None:
        return jsonschema.Draft202012Validator(expand({"$ref": f"#/components/schemas/{error}"}))
    answer = expand(operation["responses"][str(status)])
    content = answer.get("content", {}).get("application/json")
    return jsonschema.Draft202012Validator(content["schema"]) if content else None


def described(path, method, status):
    """The operation's answer with that status; that of an error that any call may get where it names none."""
    operation = find(method, path)[1] if path else None
    if operation and str(status) in operation["responses"]:
        return expand(operation["responses"][str(status)])
    assert status in ANYWHERE, f"{method} {path}: {status} is not in the OpenAPI document"
    return None


def check(answer):
    """Asserts that an answer of `requests` is what the document says of it."""
    method, status = answer.request.method, answer.status_code
    if status in LIBRARY and "json" not in answer.headers.get("content-type", ""):
        return
    if "content-security-policy" in answer.headers:
        return  # a file of the web page, which is no part of the API
    target = answer.request.path_url
    path, operation = find(method, target)
    where = f"{method} {path or answer.request.path_url}: {status}"
    says = described(path, method, status) if operation else None
    assert says or status in ANYWHERE, f"{where} is not in the OpenAPI document"
    if says is None:
        path = None
    check_headers(answer, says, where, "x-request-id" if is_dataarts(target) or target.startswith("/v3/") else "opc-request-id")
    if method == "HEAD":
        assert not answer.content, f"{where}: a body"
        return
    content = (says or {}).get("content", {"application/json": {}} if says is None else {})
    kind = answer.headers.get("content-type", "")
    if not content:
        assert not answer.content, f"{where}: a body where there is none"
        return
    assert kind.split(";")[0] in {name.split(";")[0] for name in content}, f"{where}: content type {kind!r}"
    rules = validator(path, method, status, "DataArtsError" if is_dataarts(target) else "Error")
    if rules:
        problems = [f"{'/'.join(map(str, p.absolute_path)) or '.'}: {p.message[:300]}" for p in rules.iter_errors(answer.json())]
        assert not problems, f"{where} is not what the OpenAPI document says:\n" + "\n".join(problems[:20])


def check_headers(answer, says, where, request_id):
    assert answer.headers.get(request_id), f"{where}: no {request_id}"
    named = set((says or {}).get("headers", {})) | {request_id}
    ours = {name for name in map(str.lower, answer.headers) if name in TOLD or name.startswith(("opc-", "x-reprise-"))}
    assert says is None or ours <= named, f"{where}: headers {sorted(ours - named)} are not in the OpenAPI document"
    missing = named - OPTIONAL - {name.lower() for name in answer.headers}
    assert not missing, f"{where}: no {sorted(missing)}"
