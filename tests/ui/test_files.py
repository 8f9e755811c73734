"""The files of the page as HTTP serves them: what browsers keep, what the page may do, and how small it is."""

import gzip
import re

import requests

MAX_BYTES = 106 << 10  # of everything together, as it is sent


def fetch(server, path, method="GET", **headers):
    return requests.request(method, server.url + path, headers=headers, timeout=20, stream=True)


def assets(server):
    return re.findall(r'"(/assets/[^"]+)"', fetch(server, "/").text)


def test_the_page_needs_no_credential_and_is_asked_for_anew(server):
    first = fetch(server, "/")
    assert first.status_code == 200
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    assert first.headers["cache-control"] == "no-cache"
    assert "content-encoding" not in first.headers
    again = fetch(server, "/", **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert fetch(server, "/", **{"if-none-match": '"another"'}).status_code == 200
    assert fetch(server, "/?x=1").status_code == 200


def test_other_files_are_kept_for_good(server):
    names = assets(server)
    assert {name.rsplit(".", 1)[1] for name in names} == {"js", "css", "svg"}
    for name in names:
        answer = fetch(server, name, **{"accept-encoding": "br, gzip"})
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"
        assert re.search(r"\.[0-9a-f]{16}\.", name)
        head = fetch(server, name, "HEAD", **{"accept-encoding": "gzip"})
        assert (head.status_code, head.headers["content-length"]) == (200, answer.headers["content-length"])


def test_a_client_without_gzip_is_told(server):
    answer = fetch(server, assets(server)[0], **{"accept-encoding": "identity"})
    assert answer.status_code == 406
    assert "gzip" in answer.text
    assert "immutable" not in answer.headers.get("cache-control", "")


def test_all_of_it_is_small(server):
    sent = len(fetch(server, "/").content)
    for name in assets(server):
        raw = fetch(server, name, **{"accept-encoding": "gzip"}).raw.read(decode_content=False)
        assert gzip.decompress(raw)
        sent += len(raw)
    print(f"{sent} bytes")
    assert sent <= MAX_BYTES


def test_the_policy_allows_its_own_files_and_nothing_else(server):
    headers = fetch(server, "/").headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy.pop("default-src") == "'none'"
    assert policy.pop("frame-ancestors") == policy.pop("base-uri") == policy.pop("form-action") == "'none'"
    assert set(policy.values()) == {"'self'"}
    assert headers["x-content-type-options"] == "nosniff" and headers["opc-request-id"]
    html = fetch(server, "/").text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|https?://", html)


def test_only_get_and_only_what_is_there(server):
    post = fetch(server, "/", "POST")
    assert post.status_code in (401, 404) and post.headers["opc-request-id"], "not a file: the API answers"
    for path in ("/assets/", "/assets/app.js", "/index.html", "/assets/%2e%2e/"):
        assert fetch(server, path).status_code in (401, 404), path
        assert server.api.call("GET", "/" + path).status_code in (400, 404), path


def test_where_things_are_is_told_to_those_who_may_know(server):
    assert fetch(server, "/reprise/v1").status_code == 401
    place = server.api.read("//reprise/v1")
    assert place["aiDataPlatformId"] == server.endpoint["aiDataPlatformId"]
    assert [w["key"] for w in place["workspaces"]] == [server.endpoint["workspaceKey"]]
    assert place["workspaces"][0]["displayName"] == "default"
    assert place["user"] == "admin"
