"""Accounts on a real server: users and roles, tokens, keys, secrets, sign-in, limits, the audit."""

import datetime
import email.utils
import re
import stat
import subprocess
import uuid

import pytest
import requests

from dataarts import DataArts, job as dataarts_job, node, shell
from harness import DEADLINE_S, Client, eventually, key_of, refused, step
from sign import OciKey, SdkAuth
from sse import Stream

pytestmark = pytest.mark.sanitize

ACCOUNTS = "//reprise/v1"


def user(api, name, role="OPERATOR", **fields):
    return api.made(f"{ACCOUNTS}/users", {"name": name, "role": role, **fields})


def token_of(api, name, **fields):
    return api.made(f"{ACCOUNTS}/tokens", {"name": "t", "user": name, **fields})


def client(server, name, role="OPERATOR", **fields):
    """A client of a new user."""
    user(server.api, name, role, **fields)
    return Client(server.endpoint, token_of(server.api, name)["token"])


def audit(api, **wanted):
    """Entries of the audit, newest first, in which these members are so."""
    items = api.read(f"{ACCOUNTS}/audit", limit=1000)["items"]
    return [entry for entry in items if all(entry[name] == value for name, value in wanted.items())]


# --- users, roles, tokens ---


def test_roles_decide(server):
    job = server.api.job([step("a")])
    viewer, operator = client(server, "vera", "VIEWER"), client(server, "olga")
    assert viewer.get(f"/jobs/{key_of(job)}").status_code == 200
    refused(viewer.post("/jobRuns", {"jobKey": key_of(job)}), 404, "NotAuthorizedOrNotFound", "not allowed")
    refused(operator.put(f"/jobs/{key_of(job)}", {"name": "x"}), 404, "NotAuthorizedOrNotFound", "not allowed")
    refused(operator.get(f"{ACCOUNTS}/users"), 404, "NotAuthorizedOrNotFound", "not allowed")
    run = operator.wait_final(operator.run(job), "SUCCESS")
    assert run["createdByName"] == "olga"
    assert run["createdBy"] == server.api.read(f"{ACCOUNTS}/users/olga")["key"]
    server.api.put(f"{ACCOUNTS}/users/vera", {"role": "OPERATOR"})
    assert viewer.run(job)["createdByName"] == "vera", "the new role counts at once"


def test_a_role_counts_in_its_workspace(own):
    workspace = own.api.made("~/workspaces", {"displayName": "team"})
    user(own.api, "vera", "VIEWER")
    there = Client({**own.endpoint, "workspaceKey": workspace["key"]}, token_of(own.api, "vera")["token"])
    refused(there.get("/jobs"), 404, "NotAuthorizedOrNotFound", "workspace")
    path = f"{ACCOUNTS}/users/vera"
    answer = own.api.put(path, {"role": "ADMIN", "workspaceKey": workspace["key"]})
    assert sorted((role["role"], role["workspaceKey"]) for role in answer.json()["roles"]) == [
        ("ADMIN", workspace["key"]), ("VIEWER", own.endpoint["workspaceKey"])]
    assert there.post("/jobs", {"name": "j", "path": "p"}).status_code == 201
    refused(Client(own.endpoint, there.token).post("/jobs", {"name": "j", "path": "p"}), 404, "NotAuthorizedOrNotFound")
    own.api.put(path, {"role": "VIEWER", "workspaceKey": workspace["key"]})
    refused(there.post("/jobs", {"name": "j", "path": "p"}), 404, "NotAuthorizedOrNotFound", "not allowed")
    refused(own.api.put(path, {"role": "VIEWER", "workspaceKey": "x"}), 404, "NotAuthorizedOrNotFound", "workspaceKey")
    refused(own.api.put(path, {"isDisabled": True, "workspaceKey": workspace["key"]}), 400, "InvalidParameter", "role")
    refused(own.api.put(f"{ACCOUNTS}/users/admin", {"role": "VIEWER", "workspaceKey": workspace["key"]}), 409, "IncorrectState",
            "own role")
    # and is taken away again
    for _ in range(2):
        assert own.api.put(path, {"role": "NONE", "workspaceKey": workspace["key"]}).status_code == 200
        refused(there.get("/jobs"), 404, "NotAuthorizedOrNotFound", "workspace")
    assert own.api.read(path)["roles"] == [{"workspaceKey": own.endpoint["workspaceKey"], "role": "VIEWER"}]
    own.api.put(path, {"role": "NONE"})
    assert own.api.read(path)["roles"] == []
    assert there.get(path).status_code == 200, "about oneself"
    refused(Client(own.endpoint, there.token).get("/jobs"), 404, "NotAuthorizedOrNotFound")
    refused(own.api.put(f"{ACCOUNTS}/users/admin", {"role": "NONE"}), 409, "IncorrectState", "own role")
    # of a workspace that is gone nothing is told
    own.api.put(path, {"role": "ADMIN", "workspaceKey": workspace["key"]})
    assert own.api.delete(f"~/workspaces/{workspace['key']}").status_code in (202, 204)
    assert own.api.read(path)["roles"] == []


def test_a_disabled_user_is_nobody(server):
    api = client(server, "dora")
    assert api.get("/jobs").status_code == 200
    answer = server.api.put(f"{ACCOUNTS}/users/dora", {"isDisabled": True})
    assert answer.json()["isDisabled"] is True
    answer = api.get("/jobs")
    refused(answer, 401, "NotAuthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    server.api.put(f"{ACCOUNTS}/users/dora", {"isDisabled": False})
    assert api.get("/jobs").status_code == 200


def test_tokens_end(server):
    user(server.api, "tess")
    made = token_of(server.api, "tess")
    api = Client(server.endpoint, made["token"])
    assert api.get("/jobs").status_code == 200
    assert server.api.delete(f"{ACCOUNTS}/tokens/{made['key']}").status_code == 204
    refused(api.get("/jobs"), 401, "NotAuthenticated", "revoked")
    listed = server.api.read(f"{ACCOUNTS}/tokens", user="tess")["items"]
    assert [item["key"] for item in listed] == [made["key"]] and listed[0]["timeRevoked"]
    assert "token" not in listed[0]
    now = email.utils.parsedate_to_datetime(server.api.get("//healthz").headers["date"])
    expires = (now + datetime.timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    short = Client(server.endpoint, token_of(server.api, "tess", timeExpires=expires)["token"])
    assert short.get("/jobs").status_code == 200
    eventually(lambda: short.get("/jobs").status_code == 401, "the token is over")


def test_a_stream_ends_with_the_token_that_opened_it(servers):
    server = servers(env={"REPRISE_HTTP_HEARTBEAT": "1"}).start()
    user(server.api, "vera", "VIEWER")
    user(server.api, "vito", "VIEWER")
    revoked, disabled = token_of(server.api, "vera"), token_of(server.api, "vito")
    with Stream(Client(server.endpoint, revoked["token"]), "/events") as one, \
            Stream(Client(server.endpoint, disabled["token"]), "/events") as two:
        assert (one.status, two.status) == (200, 200)
        assert server.api.delete(f"{ACCOUNTS}/tokens/{revoked['key']}").status_code == 204
        server.api.put(f"{ACCOUNTS}/users/vito", {"isDisabled": True})
        for stream in (one, two):
            for _ in stream.chunks():
                pass  # until it ends; the socket's own deadline bounds the wait
            assert stream.ended


def test_a_signed_stream_ends_with_the_key_that_opened_it(servers):
    server = servers(env={"REPRISE_HTTP_HEARTBEAT": "1"}).start()
    user(server.api, "kira", "VIEWER")
    key = OciKey()
    registered = server.api.made(f"{ACCOUNTS}/keys", {"user": "kira", "publicKey": key.public_pem})
    access = server.api.made(f"{ACCOUNTS}/accessKeys", {"user": "kira"})

    def signed(auth):
        request = requests.Request("GET", server.url + server.api.path("/events")).prepare()
        return Stream(server.api, "/events", headers={name.lower(): value for name, value in auth(request).headers.items()})

    with signed(key.auth(registered["key"])) as one, signed(SdkAuth(access["key"], access["secretKey"])) as two:
        assert (one.status, two.status) == (200, 200)
        quoted = registered["key"].replace("/", "%2F")
        assert server.api.delete(f"{ACCOUNTS}/keys/{quoted}").status_code == 204
        assert server.api.delete(f"{ACCOUNTS}/accessKeys/{access['key']}").status_code == 204
        for stream in (one, two):
            for _ in stream.chunks():
                pass
            assert stream.ended


def test_tokens_that_ended_take_no_room(own):
    user(own.api, "rita")
    for _ in range(1002):  # one more than a user may have at once
        made = token_of(own.api, "rita")
        assert own.api.delete(f"{ACCOUNTS}/tokens/{made['key']}").status_code == 204
    assert token_of(own.api, "rita")["token"]


def test_users_see_to_their_own_and_to_nothing_else(server):
    api = client(server, "owen", "VIEWER")
    user(server.api, "other")
    assert api.read(f"{ACCOUNTS}/users/owen")["name"] == "owen"
    own = api.made(f"{ACCOUNTS}/tokens", {"name": "mine"})
    assert own["userName"] == "owen"
    assert api.made(f"{ACCOUNTS}/accessKeys", {})["userName"] == "owen"
    assert api.delete(f"{ACCOUNTS}/tokens/{own['key']}").status_code == 204
    foreign = token_of(server.api, "other")
    for method, path, body in (("GET", "/users/other", None), ("GET", "/tokens?user=other", None),
                               ("POST", "/tokens", {"name": "x", "user": "other"}),
                               ("DELETE", f"/tokens/{foreign['key']}", None), ("GET", "/users/nobody", None)):
        refused(api.call(method, ACCOUNTS + path, body), 404, "NotAuthorizedOrNotFound")
    assert Client(server.endpoint, foreign["token"]).get("/jobs").status_code == 200


def test_lists_have_pages(own):
    for n in range(5):
        user(own.api, f"user{n}")
    names = [item["name"] for item in own.api.page_through(f"{ACCOUNTS}/users", limit=2)]
    assert names == ["admin", "user0", "user1", "user2", "user3", "user4"]
    for n in range(5):
        token_of(own.api, "user0")
    assert len({item["key"] for item in own.api.page_through(f"{ACCOUNTS}/tokens", limit=2, user="user0")}) == 5
    entries = own.api.page_through(f"{ACCOUNTS}/audit", limit=3)
    assert len(entries) == len({entry["key"] for entry in entries}) == 10
    assert [entry["time"] for entry in entries] == sorted((entry["time"] for entry in entries), reverse=True)
    token = own.api.get(f"{ACCOUNTS}/users", limit=2).headers["opc-next-page"]
    refused(own.api.get(f"{ACCOUNTS}/audit", page=token), 400, "InvalidParameter", "page")


# --- keys and signatures ---


def test_signed_requests_are_the_users(server):
    user(server.api, "saul", "ADMIN")
    key = OciKey()
    registered = server.api.made(f"{ACCOUNTS}/keys", {"user": "saul", "publicKey": key.public_pem})
    assert registered["fingerprint"] == key.fingerprint
    assert registered["key"].split("/")[2] == key.fingerprint
    access = server.api.made(f"{ACCOUNTS}/accessKeys", {"user": "saul"})
    for auth in (key.auth(registered["key"]), SdkAuth(access["key"], access["secretKey"])):
        api = Client(server.endpoint, None)
        api.session.auth = auth
        job = api.job([step("a")], name="signed")
        assert job["createdByName"] == "saul"
        run = api.wait_final(api.run(job), "SUCCESS")
        assert run["createdByName"] == "saul"
        assert api.get("/jobRuns", displayName="signed", limit=1).status_code == 200
        assert api.cancel(run)["key"] == run["key"], "a POST without a body"
        assert api.delete(f"/jobRuns/{run['key']}").status_code == 204


@pytest.mark.parametrize("scheme", ["Signature", "SDK-HMAC-SHA256"])
def test_changed_requests_are_refused(server, scheme):
    name = "ines" if scheme == "Signature" else "ivan"
    user(server.api, name, "ADMIN")
    if scheme == "Signature":
        key = OciKey()
        id_ = server.api.made(f"{ACCOUNTS}/keys", {"user": name, "publicKey": key.public_pem})["key"]
        auth, late = key.auth(id_), key.auth(id_, seconds=-302)
    else:
        access = server.api.made(f"{ACCOUNTS}/accessKeys", {"user": name})
        id_ = access["key"]
        auth, late = (SdkAuth(id_, access["secretKey"], seconds) for seconds in (0, -902))
    url = server.url + server.api.path("/jobs")

    def send(change, auth=auth, method="POST", data=b'{"name":"j","path":"p"}'):
        session = requests.Session()
        session.trust_env = False
        request = requests.Request(method, url, data=data, auth=auth,
                                   headers={"content-type": "application/json"}).prepare()
        change(request)
        return session.send(request, timeout=DEADLINE_S)

    def body(request):
        request.body = b'{"name":"k","path":"p"}'

    def path(request):
        request.url += "?strict=true"

    def header(request):
        request.headers["content-type"] = "application/json; charset=utf-8"

    def method(request):
        request.method = "PUT"

    assert send(lambda request: None).status_code == 201
    for change in (body, path, header, method):
        refused(send(change), 401, "NotAuthenticated")
    refused(send(lambda request: None, late), 401, "NotAuthenticated", "minutes")
    entries = audit(server.api, outcome="REFUSED", target=id_)
    assert len(entries) == 5 and {entry["action"] for entry in entries} == {scheme}
    assert all(entry["address"] == "127.0.0.1" and entry["requestId"] and entry["userName"] is None
               for entry in entries)


def test_removed_keys_are_useless(server):
    user(server.api, "kay")
    key = OciKey()
    registered = server.api.made(f"{ACCOUNTS}/keys", {"user": "kay", "publicKey": key.public_pem})
    refused(server.api.post(f"{ACCOUNTS}/keys", {"user": "kay", "publicKey": key.public_pem}), 409, "IncorrectState",
            "already")
    refused(server.api.post(f"{ACCOUNTS}/keys", {"user": "kay", "publicKey": key.private_pem}), 400, "InvalidParameter",
            "private")
    access = server.api.made(f"{ACCOUNTS}/accessKeys", {"user": "kay", "name": "laptop"})
    clients = []
    for auth in (key.auth(registered["key"]), SdkAuth(access["key"], access["secretKey"])):
        clients.append(Client(server.endpoint, None))
        clients[-1].session.auth = auth
        assert clients[-1].get("/jobs").status_code == 200
    quoted = registered["key"].replace("/", "%2F")
    assert server.api.delete(f"{ACCOUNTS}/keys/{quoted}").status_code == 204
    assert server.api.delete(f"{ACCOUNTS}/accessKeys/{access['key']}").status_code == 204
    for api, word in zip(clients, ("not known", "ak not exist")):
        refused(api.get("/jobs"), 401, "NotAuthenticated", word)
    assert server.api.read(f"{ACCOUNTS}/keys", user="kay")["items"] == []


# --- secrets ---


def test_secrets_are_sealed_and_never_come_back(own):
    secret, other = "very-secret-value-1", "very-secret-value-2"
    own.api.made(f"{ACCOUNTS}/secrets", {"name": "git-token", "value": secret})
    refused(own.api.post(f"{ACCOUNTS}/secrets", {"name": "git-token", "value": other}), 409, "IncorrectState")
    assert own.api.put(f"{ACCOUNTS}/secrets/git-token", {"value": other}).status_code == 200
    refused(own.api.put(f"{ACCOUNTS}/secrets/none", {"value": other}), 404, "NotAuthorizedOrNotFound")
    access = own.api.made(f"{ACCOUNTS}/accessKeys", {})
    answers = [own.api.get(f"{ACCOUNTS}/{what}").text for what in ("secrets", "audit", "accessKeys")]
    assert '"name":"git-token"' in answers[0]
    assert own.stop() == 0
    files = b"".join(path.read_bytes() for path in own.data.rglob("*") if path.is_file())
    for text in (secret, other, access["secretKey"]):
        assert all(text not in answer for answer in answers)
        assert text.encode() not in files
        assert text not in own.log.read_text()
    own.start()
    api = Client(own.endpoint, None)
    api.session.auth = SdkAuth(access["key"], access["secretKey"])
    assert api.get("/jobs").status_code == 200, "the key is there after a restart"
    assert own.api.delete(f"{ACCOUNTS}/secrets/git-token").status_code == 204
    assert own.api.read(f"{ACCOUNTS}/secrets")["items"] == []


def test_secrets_belong_to_a_workspace(own):
    other = own.api.made("~/workspaces", {"displayName": "second"})["key"]
    there = f"{ACCOUNTS}/secrets?workspace={other}"
    own.api.made(f"{ACCOUNTS}/secrets", {"name": "git", "value": "one"})
    made = own.api.made(there, {"name": "git", "value": "two"})
    assert made["workspaceKey"] == other
    own.api.made(there, {"name": "more", "value": "three"})
    assert [item["name"] for item in own.api.read(f"{ACCOUNTS}/secrets")["items"]] == ["git"]
    page = own.api.get(f"{there}&limit=1")
    assert [item["name"] for item in page.json()["items"]] == ["git"]
    rest = own.api.read(f"{there}&limit=1&page={page.headers['opc-next-page']}")
    assert [item["name"] for item in rest["items"]] == ["more"]
    assert own.api.put(f"{ACCOUNTS}/secrets/git?workspace={other}", {"value": "four"}).status_code == 200
    assert own.api.delete(f"{ACCOUNTS}/secrets/git?workspace={other}").status_code == 204
    assert own.api.get(f"{ACCOUNTS}/secrets").json()["items"]
    refused(own.api.get(f"{ACCOUNTS}/secrets?workspace={uuid.uuid4()}"), 404, "NotAuthorizedOrNotFound", "Workspace")
    # Whose role counts is the workspace's own: an ADMIN of one is nobody in the other.
    user(own.api, "sven", "ADMIN")
    sven = Client(own.endpoint, token_of(own.api, "sven")["token"])
    assert sven.get(f"{ACCOUNTS}/secrets").status_code == 200
    refused(sven.get(there), 404, "NotAuthorizedOrNotFound")


def test_the_key_of_secrets_is_kept_apart(own):
    path = own.data / "secret.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    access = own.api.made(f"{ACCOUNTS}/accessKeys", {})
    assert own.stop() == 0
    saved = path.read_bytes()

    def fails(*words):
        result = subprocess.run(own.command(), capture_output=True, text=True, timeout=DEADLINE_S, env=own.env)
        assert result.returncode == 1 and all(word in result.stderr for word in words), result.stderr

    path.unlink()
    fails("secret.key", "is missing", "forget-secrets")
    path.write_bytes(saved[:5] + b"A" + saved[6:] if saved[5:6] != b"A" else saved[:5] + b"B" + saved[6:])
    path.chmod(0o600)
    fails("not the key of this database")
    path.write_bytes(saved)
    path.chmod(0o640)
    fails("others may read")
    path.unlink()
    own.start("--auth.forget-secrets")
    api = Client(own.endpoint, None)
    api.session.auth = SdkAuth(access["key"], access["secretKey"])
    refused(api.get("/jobs"), 401, "NotAuthenticated")


# --- signing in ---


def code_of(server):
    line = server._read_line()
    server.printed += line
    return re.search(r"/#code=([\w-]+)$", line.strip()).group(1)


def test_sign_in_with_the_code_that_serve_prints(own):
    page = requests.Session()
    page.trust_env = False
    base = f"{own.url}/reprise/v1"
    code = code_of(own)
    answer = page.post(f"{base}/session", json={"code": code}, timeout=DEADLINE_S)
    assert answer.status_code == 201 and answer.json()["user"]["name"] == "admin"
    assert "HttpOnly" in answer.headers["set-cookie"] and "SameSite=Strict" in answer.headers["set-cookie"]
    assert "Secure" not in answer.headers["set-cookie"], "plain HTTP"
    refused(page.post(f"{base}/session", json={"code": code}, timeout=DEADLINE_S), 401, "NotAuthenticated", "code")

    assert page.get(own.url + own.api.path("/jobs"), timeout=DEADLINE_S).status_code == 200
    csrf = page.get(f"{base}/session", timeout=DEADLINE_S).json()["csrfToken"]
    assert csrf == answer.json()["csrfToken"]
    new = {"name": "j", "path": "p"}
    url = own.url + own.api.path("/jobs")
    refused(page.post(url, json=new, timeout=DEADLINE_S), 401, "NotAuthenticated", "x-reprise-csrf")
    refused(page.post(url, json=new, headers={"x-reprise-csrf": "x" * 43}, timeout=DEADLINE_S), 401, "NotAuthenticated")
    assert page.post(url, json=new, headers={"x-reprise-csrf": csrf}, timeout=DEADLINE_S).status_code == 201

    own.stop()
    own.start("--listen", own.url.removeprefix("http://"))
    assert page.get(url, timeout=DEADLINE_S).status_code == 200, "a session outlives the server"
    cookie = page.cookies.get_dict()
    assert page.delete(f"{base}/session", headers={"x-reprise-csrf": csrf}, timeout=DEADLINE_S).status_code == 204
    assert not page.cookies.get_dict()
    refused(requests.get(url, cookies=cookie, timeout=DEADLINE_S), 401, "NotAuthenticated", "sign in again")


def sign_in(server, **how):
    page = requests.Session()
    page.trust_env = False
    answer = page.post(f"{server.url}/reprise/v1/session", json=how, timeout=DEADLINE_S)
    assert answer.status_code == 201, answer.text
    page.headers["x-reprise-csrf"] = answer.json()["csrfToken"]
    return page


def test_a_code_takes_no_place_of_somebody_elses_session_unasked(own):
    """An address with a code is anybody's to make."""
    user(own.api, "lea", "VIEWER")
    lea = Client(own.endpoint, token_of(own.api, "lea")["token"])
    admin = sign_in(own, token=own.token)
    code = lea.made(f"{ACCOUNTS}/session/codes")["code"]
    answer = admin.post(f"{own.url}/reprise/v1/session", json={"code": code}, timeout=DEADLINE_S)
    refused(answer, 409, "IncorrectState", "user admin is signed in")
    assert "set-cookie" not in answer.headers
    answer = admin.post(f"{own.url}/reprise/v1/session", json={"code": code, "isReplacing": True}, timeout=DEADLINE_S)
    assert answer.status_code == 201 and answer.json()["user"]["name"] == "lea", "and the code was good still"
    mine = lea.made(f"{ACCOUNTS}/session/codes")["code"]
    assert admin.post(f"{own.url}/reprise/v1/session", json={"code": mine}, timeout=DEADLINE_S).status_code == 201, "one's own"


def test_a_workspace_that_one_may_not_see_is_as_good_as_none(own):
    there = own.api.made("~/workspaces", {"displayName": "elsewhere"})["key"]
    api = client(own, "paul", "ADMIN")
    said = []
    for workspace in (there, "01a2211c-f3e8-7000-8000-03399309a770"):
        for answer in (api.get(f"{ACCOUNTS}/secrets?workspace={workspace}"), api.put(f"{ACCOUNTS}/secrets/x?workspace={workspace}", {"value": "y"})):
            refused(answer, 404, "NotAuthorizedOrNotFound")
            said.append(answer.json()["message"])
    assert len(set(said)) == 1, said


def test_a_session_ends_with_the_token_it_was_begun_with(own):
    jobs = own.url + own.api.path("/jobs")
    user(own.api, "sara", "VIEWER")
    made, other = token_of(own.api, "sara"), token_of(own.api, "sara")
    by_token, by_other = sign_in(own, token=made["token"]), sign_in(own, token=other["token"])
    code = by_token.post(f"{own.url}/reprise/v1/session/codes", timeout=DEADLINE_S).json()["code"]
    by_code = sign_in(own, code=code)
    for page in (by_token, by_other, by_code):
        assert page.get(jobs, timeout=DEADLINE_S).status_code == 200
    assert own.api.delete(f"{ACCOUNTS}/tokens/{made['key']}").status_code == 204
    for page in (by_token, by_code):
        refused(page.get(jobs, timeout=DEADLINE_S), 401, "NotAuthenticated", "sign in again")
    assert by_other.get(jobs, timeout=DEADLINE_S).status_code == 200

    now = email.utils.parsedate_to_datetime(own.api.get("//healthz").headers["date"])
    expires = (now + datetime.timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    short = sign_in(own, token=token_of(own.api, "sara", timeExpires=expires)["token"])
    eventually(lambda: short.get(jobs, timeout=DEADLINE_S).status_code == 401, "the session ends with its token")


def test_a_session_ends_with_the_key_it_was_begun_with(own):
    user(own.api, "kara", "VIEWER")
    key = OciKey()
    public = own.api.made(f"{ACCOUNTS}/keys", {"user": "kara", "publicKey": key.public_pem})["key"]
    access = own.api.made(f"{ACCOUNTS}/accessKeys", {"user": "kara"})
    pages = []
    for auth in (key.auth(public), SdkAuth(access["key"], access["secretKey"])):
        api = Client(own.endpoint, None)
        api.session.auth = auth
        first = sign_in(own, code=api.made(f"{ACCOUNTS}/session/codes")["code"])
        again = first.post(f"{own.url}/reprise/v1/session/codes", timeout=DEADLINE_S).json()["code"]
        pages.append([first, sign_in(own, code=again)])
    own.restart()
    jobs = own.url + own.api.path("/jobs")
    for path in (f"{ACCOUNTS}/keys/{public.replace('/', '%2F')}", f"{ACCOUNTS}/accessKeys/{access['key']}"):
        for page in pages[0]:
            assert page.get(jobs, timeout=DEADLINE_S).status_code == 200
        begun = own.api.read(f"{ACCOUNTS}/tokens", user="kara")["items"]
        assert len(begun) == 2 * len(pages)
        assert own.api.delete(path).status_code == 204
        assert len(own.api.read(f"{ACCOUNTS}/tokens", user="kara")["items"]) == len(begun) - 2, "they go with it"
        for page in pages.pop(0):
            refused(page.get(jobs, timeout=DEADLINE_S), 401, "NotAuthenticated", "sign in again")


def test_a_code_is_useless_without_the_key_that_asked_for_it(server):
    user(server.api, "kolja", "VIEWER")
    access = server.api.made(f"{ACCOUNTS}/accessKeys", {"user": "kolja"})
    api = Client(server.endpoint, None)
    api.session.auth = SdkAuth(access["key"], access["secretKey"])
    code = api.made(f"{ACCOUNTS}/session/codes")["code"]
    assert server.api.delete(f"{ACCOUNTS}/accessKeys/{access['key']}").status_code == 204
    answer = requests.post(f"{server.url}/reprise/v1/session", json={"code": code}, timeout=DEADLINE_S)
    refused(answer, 401, "NotAuthenticated", "code")


def test_a_new_password_ends_what_the_old_one_opened(own):
    jobs = own.url + own.api.path("/jobs")
    user(own.api, "nina", "ADMIN", password="a long password")
    by_hand = token_of(own.api, "nina")
    mine, elsewhere = sign_in(own, token=by_hand["token"]), sign_in(own, token=by_hand["token"])
    iam_token = {"X-Auth-Token": iam(own, "nina", "a long password").headers["X-Subject-Token"]}
    assert requests.get(jobs, headers=iam_token, timeout=DEADLINE_S).status_code == 200
    answer = mine.put(f"{own.url}/reprise/v1/users/nina", json={"password": "quite another one"}, timeout=DEADLINE_S)
    assert answer.status_code == 200, answer.text
    assert requests.get(jobs, headers=iam_token, timeout=DEADLINE_S).status_code == 401
    assert elsewhere.get(jobs, timeout=DEADLINE_S).status_code == 401
    assert mine.get(jobs, timeout=DEADLINE_S).status_code == 200, "not the one that asked for it"
    assert Client(own.endpoint, by_hand["token"]).get("/jobs").status_code == 200, "nor what was made by hand"


def test_codes_are_made_on_demand_and_rotate(own):
    first = code_of(own)
    own.process.send_signal(1)
    second = code_of(own)
    assert first != second
    third = own.api.made(f"{ACCOUNTS}/session/codes")
    assert third["path"] == f"/#code={third['code']}"
    for code in (third["code"], second, first):
        assert requests.post(f"{own.url}/reprise/v1/session", json={"code": code}, timeout=DEADLINE_S).status_code == 201


def test_who_asks_for_many_codes_drives_out_their_own(server):
    admins = server.api.made(f"{ACCOUNTS}/session/codes")["code"]
    viewer = client(server, "codes-viewer", "VIEWER")
    codes = [viewer.made(f"{ACCOUNTS}/session/codes")["code"] for _ in range(40)]

    def signs_in(code):
        return requests.post(f"{server.url}/reprise/v1/session", json={"code": code}, timeout=DEADLINE_S).status_code == 201

    assert signs_in(admins)
    assert signs_in(codes[-1]) and signs_in(codes[-4]) and not signs_in(codes[-5])


def test_who_is_not_known_sends_little(server):
    for path in ("/reprise/v1/session", "/v3/auth/tokens"):
        body = {"token": "x" * 70_000}
        answer = requests.post(f"{server.url}{path}", json=body, timeout=DEADLINE_S)
        assert answer.status_code == 413, (path, answer.text)


# --- passwords ---


def iam(server, name, password):
    body = {"auth": {"identity": {"methods": ["password"], "password": {
        "user": {"name": name, "password": password, "domain": {"name": "any"}}}},
        "scope": {"project": {"id": server.endpoint["projectId"]}}}}
    return requests.post(f"{server.url}/v3/auth/tokens", json=body, timeout=DEADLINE_S)


def test_a_password_gives_a_token(own):
    user(own.api, "pia", "VIEWER", password="a long password")
    answer = iam(own, "pia", "a long password")
    assert answer.status_code == 201
    token = answer.json()["token"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", token["expires_at"])
    assert token["user"]["name"] == "pia" and token["project"]["id"] == own.endpoint["projectId"]
    headers = {"X-Auth-Token": answer.headers["X-Subject-Token"]}
    assert requests.get(own.url + own.api.path("/jobs"), headers=headers, timeout=DEADLINE_S).status_code == 200
    for name, password in (("pia", "another password"), ("nobody", "a long password"), ("admin", "")):
        answer = iam(own, name, password)
        assert answer.status_code in (400, 401) and set(answer.json()["error"]) == {"code", "message", "title"}
    own.api.put(f"{ACCOUNTS}/users/pia", {"password": "quite another one"})
    assert iam(own, "pia", "a long password").status_code == 401
    assert iam(own, "pia", "quite another one").status_code == 201


def test_passwords_cannot_be_guessed_for_long(own):
    user(own.api, "gus", "VIEWER", password="a long password")
    answers = [iam(own, "gus", f"wrong password {n}") for n in range(8)]
    assert [answer.status_code for answer in answers[:5]] == [401] * 5
    assert answers[-1].status_code == 429 and int(answers[-1].headers["retry-after"]) > 0
    assert iam(own, "gus", "a long password").status_code == 429, "not even the right one is looked at"
    assert own.api.get("/jobs").status_code == 200, "other credentials are not held off"


# --- limits ---


def test_failed_logins_are_told_to_wait(own):
    nobody = Client(own.endpoint, "rpr_nobody")
    statuses = [nobody.get("/jobs").status_code for _ in range(30)]
    assert statuses[0] == 401 and statuses[-1] == 429
    answer = nobody.get("/jobs")
    refused(answer, 429, "TooManyRequests", "address")
    assert int(answer.headers["retry-after"]) > 0
    assert own.api.get("/jobs").status_code == 200


def test_requests_can_be_limited(servers):
    server = servers("--http.rate-limit", "5").start()
    answers = [server.api.get("/jobs") for _ in range(40)]
    late = [answer for answer in answers if answer.status_code == 429]
    assert answers[0].status_code == 200 and late
    refused(late[0], 429, "TooManyRequests", "requests")
    assert late[0].headers["retry-after"] == "1"
    assert requests.get(f"{server.url}/healthz", timeout=DEADLINE_S).status_code == 200
    eventually(lambda: server.api.get("/jobs").status_code == 200, "the limit is one of time")


def test_changes_are_in_the_audit(server):
    user(server.api, "aude", "VIEWER")
    token_of(server.api, "aude")
    server.api.put(f"{ACCOUNTS}/users/aude", {"role": "ADMIN"}, headers={"opc-request-id": "my-request"})
    entry = audit(server.api, target="aude", action="user.update")[0]
    assert entry["outcome"] == "DONE" and entry["userName"] == "admin" and entry["requestId"] == "my-request"
    assert entry["address"] == "127.0.0.1" and "ADMIN" in entry["detail"]
    assert audit(server.api, action="user.create", target="aude")
    assert any("of aude" in entry["detail"] for entry in audit(server.api, action="token.create"))


def test_an_entry_is_in_the_audit_of_its_own_millisecond(server):
    """Lists of a span of time go by keys, which begin with a time: it is the one that is told."""
    for i in range(30):
        user(server.api, f"ms{i}", "VIEWER")
        entry = server.api.read(f"{ACCOUNTS}/audit", limit=1)["items"][0]
        span = {"timeGreaterThanOrEqualTo": entry["time"], "timeLessThanOrEqualTo": entry["time"]}
        assert entry["key"] in [other["key"] for other in server.api.read(f"{ACCOUNTS}/audit", **span)["items"]]


def test_the_audit_tells_whose_role_where_and_whose_credential(server):
    api = server.api
    there = api.made("~/workspaces", {"displayName": "audited"})["key"]
    here = server.endpoint["workspaceKey"]
    user(api, "wanda", "OPERATOR", workspaceKey=there)
    for fields in ({"role": "ADMIN", "workspaceKey": there}, {"role": "VIEWER", "password": "a long password"}, {"isDisabled": True}):
        assert api.put(f"{ACCOUNTS}/users/wanda", fields).status_code == 200
    told = [(e["workspaceKey"], e["detail"]) for e in reversed(audit(api, target="wanda"))]
    assert told == [
        (there, f"The user was made, OPERATOR in the workspace {there}."),
        (there, f"Changed: role ADMIN in the workspace {there}."),
        (here, "Changed: password role VIEWER in the workspace default."),
        (None, "Changed: disabled.")]
    api.put(f"{ACCOUNTS}/users/wanda", {"isDisabled": False})
    token = token_of(api, "wanda")["key"]
    key = api.made(f"{ACCOUNTS}/keys", {"user": "wanda", "publicKey": OciKey().public_pem})["key"]
    access = api.made(f"{ACCOUNTS}/accessKeys", {"user": "wanda"})["key"]
    for path in (f"tokens/{token}", f"keys/{key.replace('/', '%2F')}", f"accessKeys/{access}"):
        assert api.delete(f"{ACCOUNTS}/{path}").status_code == 204
    assert [audit(api, target=target)[0]["detail"] for target in (token, key, access)] == [
        'Token "t" of wanda is not accepted any more.', "A key of wanda is not accepted any more.",
        "An access key of wanda is not accepted any more."]


def test_operations_of_the_caller_and_by_a_part_of_the_name(server):
    api = client(server, "opal", "ADMIN")
    mine = api.made("/jobs", {"name": "opal_nightly", "path": "p"})
    server.api.made("/jobs", {"name": "opal_weekly", "path": "p"})

    def names(**query):
        return sorted(item["resourceName"] for item in api.read("~/asyncOperations", resourceType="JOB", limit=1000, **query)["items"])

    assert names(matchResourceName="opal_") == ["opal_nightly", "opal_weekly"]
    assert names(matchResourceName="l_night") == names(shouldFilterByCallingPrincipal="true") == ["opal_nightly"]
    assert names(shouldFilterByCallingPrincipal="true", resourceName="opal_weekly") == []
    assert names(matchResourceName="opal_", shouldFilterByCallingPrincipal="false") == ["opal_nightly", "opal_weekly"]
    assert mine["name"] == "opal_nightly"


# --- permissions of single jobs ---


def permit(api, job, **change):
    """assign=("USER", ["eva"], ["USE"]) and revoke=…"""
    body = {f"{what}JobPermissionDetails": {"assignees": {"type": type_, "targets": targets}, "permissions": permissions}
            for what, (type_, targets, permissions) in change.items()}
    return api.post(f"/jobs/{key_of(job)}/actions/managePermission", body)


def permissions(api, job, **query):
    return [(p["granteeName"], p["granteeType"], p["granteePermissions"]) for p in api.page_through(f"/jobs/{key_of(job)}/permissions", **query)]


def test_a_permission_counts_for_its_job_alone(server):
    api = server.api
    mine, other = api.job([step("a", gate="permit")], "permitted"), api.job([step("a")], "not_permitted")
    pam = client(server, "pam", "VIEWER")
    refused(pam.post("/jobRuns", {"jobKey": key_of(mine)}), 404, "NotAuthorizedOrNotFound", "not allowed")
    answer = permit(api, mine, assign=("USER", ["pam"], ["USE"]))
    assert (answer.status_code, answer.content) == (200, b"")
    entry = audit(api, requestId=answer.headers["opc-request-id"])
    assert [(e["action"], e["target"], e["detail"]) for e in entry] == [("job.manage-permission", "permitted", "USE to pam")]
    run = pam.run(mine)
    pam.cancel(run)
    pam.wait_final(run, "CANCELED")
    repaired = pam.repair(run)
    pam.cancel(repaired)
    pam.wait_final(run, "CANCELED")
    assert pam.delete(f"/jobRuns/{key_of(run)}").status_code == 204
    refused(pam.post("/jobRuns", {"jobKey": key_of(other)}), 404, "NotAuthorizedOrNotFound", "not allowed")
    refused(pam.post(f"/jobRuns/{key_of(api.run(other))}/actions/cancel"), 404, "NotAuthorizedOrNotFound", "not allowed")
    body = {"name": "permitted", "path": "p"}
    refused(pam.put(f"/jobs/{key_of(mine)}", body), 404, "NotAuthorizedOrNotFound", "not allowed")
    refused(permit(pam, mine, assign=("USER", ["pam"], ["ADMIN"])), 404, "NotAuthorizedOrNotFound", "not allowed")

    assert permit(api, mine, assign=("USER", ["pam"], ["MANAGE"])).status_code == 200
    assert pam.put(f"/jobs/{key_of(mine)}", body).status_code == 202
    assert permissions(pam, mine) == [("pam", "USER", ["USE", "MANAGE"])]
    assert permit(api, mine, revoke=("USER", ["pam", "pam"], ["MANAGE", "USE"])).status_code == 200
    assert permissions(pam, mine) == []
    refused(pam.post("/jobRuns", {"jobKey": key_of(mine)}), 404, "NotAuthorizedOrNotFound", "not allowed")


def test_who_may_grant_and_to_whom(server):
    api = server.api
    job = api.job([step("a")], "granted")
    paul, vic = client(server, "paul", "VIEWER"), client(server, "vic", "VIEWER")
    etag = api.get(f"/jobs/{key_of(job)}").headers["etag"]
    id_ = api.read(f"{ACCOUNTS}/users/paul")["key"]
    assert permit(api, job, assign=("USER", [id_], ["ADMIN"])).status_code == 200
    assert permit(paul, job, assign=("ROLE", ["VIEWER"], ["USE"])).status_code == 200
    vic.run(job)
    assert permit(paul, job, assign=("USER", ["vic", "vic"], ["READ", "USE"]), revoke=("ROLE", ["VIEWER"], ["USE"])).status_code == 200
    assert permissions(api, job, sortBy="displayName") == [("paul", "USER", ["ADMIN"]), ("vic", "USER", ["READ", "USE"])]
    assert permissions(api, job, sortBy="displayName", sortOrder="DESC", limit=1)[0][0] == "vic"
    assert [p[0] for p in permissions(api, job, limit=1)] == ["vic", "paul"], "newest first"
    assert api.read(f"/jobs/{key_of(job)}/permissions", sortBy="displayName")["items"][0]["grantee"] == id_

    workspace = api.made("~/workspaces", {"displayName": "elsewhere"})
    there = Client({**server.endpoint, "workspaceKey": workspace["key"]}, server.token)
    stranger = there.job([step("a")], "strange")
    path = f"/jobs/{key_of(job)}/actions/managePermission"
    good = {"assignees": {"type": "USER", "targets": ["vic"]}, "permissions": ["USE"]}
    for body, code, words in (
            ({}, "MissingParameter", ["assignJobPermissionDetails"]),
            ({"assignJobPermissionDetails": {**good, "permissions": ["OWN"]}}, "InvalidParameter", ["permissions", "MANAGE"]),
            ({"assignJobPermissionDetails": {**good, "permissions": ["USE", "READ"]}}, "InvalidParameter", ["as many"]),
            ({"revokeJobPermissionDetails": {"permissions": ["USE"]}}, "MissingParameter", ["assignees"]),
            ({"assignJobPermissionDetails": {**good, "assignees": {"type": "GROUP", "targets": ["g"]}}}, "InvalidParameter", ["groups"]),
            ({"assignJobPermissionDetails": {**good, "assignees": {"type": "ROLE", "targets": ["BOSS"]}}}, "InvalidParameter", ["targets[0]", "OPERATOR"]),
            ({"assignJobPermissionDetails": {**good, "assignees": {"type": "USER", "targets": ["nobody-here"]}}}, "InvalidParameter", ["targets[0]", "nobody-here"])):
        refused(api.post(path, body), 400, code, *words)
    refused(permit(there, stranger, assign=("USER", ["vic"], ["USE"])), 400, "InvalidParameter", "no role in the workspace")
    refused(permit(there, job, assign=("ROLE", ["VIEWER"], ["USE"])), 404, "NotAuthorizedOrNotFound", "job")
    refused(api.post(path, {"assignJobPermissionDetails": good}, headers={"if-match": "other"}), 412, "NoEtagMatch")
    assert api.post(path, {"assignJobPermissionDetails": good}, headers={"if-match": etag}).status_code == 200
    assert permissions(api, job, sortBy="displayName") == [("paul", "USER", ["ADMIN"]), ("vic", "USER", ["READ", "USE"])], "nothing of what was refused"
    server.api.delete(f"~/workspaces/{workspace['key']}")


def test_who_may_change_one_job_opens_nothing_else(server):
    api = server.api
    at = {"repositoryUrl": "https://git.example/team/jobs", "credential": "manage-git"}
    api.made(f"{ACCOUNTS}/secrets", {"name": "manage-git", "value": "v"})
    below, usable, other = (api.job([step("a")], name) for name in ("manage_below", "manage_usable", "manage_other"))

    def sub(job):
        return {"taskKey": "sub", "type": "JOB_TASK", "jobKey": key_of(job)}

    def sends(url, secret="sent", *more):
        return {"taskKey": "sends", "type": "HTTP_TASK", "url": url, "headers": [{"name": "X-Key", "secret": secret}, *more]}

    def host(value):
        return {"name": "host", "value": value}

    body = {"name": "manage_mine", "path": "Shared", "gitConfig": at, "runAs": "admin",
            "tasks": [step("a", **{"x-secrets": ["mine"]}), sub(below), sends("https://good.example/"),
                      {**sends("https://host.example/", "sent", host("mine.example")), "taskKey": "hosted"}],
            "dependencies": [{"jobKey": key_of(below)}]}
    mine = api.made("/jobs", body)
    mia = client(server, "mia", "VIEWER")
    assert permit(api, mine, assign=("USER", ["mia"], ["MANAGE"])).status_code == 200
    assert permit(api, usable, assign=("ROLE", ["VIEWER"], ["USE"])).status_code == 200
    path = f"/jobs/{key_of(mine)}"
    for change, words in (
            ({"gitConfig": {**at, "repositoryUrl": "https://evil.example/x"}}, ["gitConfig.credential"]),
            ({"gitConfig": {**at, "credential": "another"}}, ["gitConfig.credential"]),
            ({"tasks": [step("a", gitConfig={**at, "repositoryUrl": "https://evil.example/x"}, source="GIT_PROVIDER")]}, ["task a", "gitConfig"]),
            ({"runAs": "mia"}, ["runAs"]),
            ({"tasks": [step("a", **{"x-secrets": ["mine", "another"]})]}, ["task a", "x-secrets"]),
            ({"tasks": [step("a", **{"x-secrets": ["sent"]})]}, ["task a", "x-secrets"]),
            ({"tasks": [sends("https://evil.example/")]}, ["task sends", "headers: secret", "same url"]),
            ({"tasks": [sends("https://good.example/", "mine")]}, ["task sends", "headers: secret"]),
            ({"tasks": [sends("https://good.example/", "sent", host("evil.example"))]}, ["task sends", "headers: secret", "Host"]),
            ({"tasks": [sends("https://host.example/")]}, ["task sends", "headers: secret", "Host"]),
            ({"tasks": [step("a"), sub(other)]}, ["task sub", "jobKey"]),
            ({"dependencies": [{"jobKey": key_of(other)}]}, ["dependencies"])):
        refused(mia.put(path, {**body, **change}), 400, "InvalidParameter", *words)
        assert api.post("/jobs/actions/validate", {**body, **change}).json()["isValid"], "else it would be refused anyway"
    refused(mia.put(path, {**body, "name": "manage_other"}), 409, "IncorrectState", "name")
    for change in ({}, {"name": "manage_renamed"}, {"tasks": [step("a", gitConfig=at, source="GIT_PROVIDER")]},
                   {"gitConfig": {"repositoryUrl": "https://public.example/x"}}, {"tasks": [step("b", **{"x-secrets": ["mine"]}), sub(usable), sends("https://good.example/")]},
                   {"tasks": [sends("https://host.example/", "sent", host("mine.example"))]}, {"tasks": [{**sends("https://any.example/"), "headers": [host("any")]}]}):
        assert mia.put(path, {**body, **change}).status_code == 202, change
        assert api.put(path, body).status_code == 202, "an ADMIN may all of it"
    assert api.put(path, {**body, "name": "manage_other"}).status_code == 202, "names are not unique here"

    huawei, theirs = DataArts(server), DataArts(server, mia.token)
    huawei.made(dataarts_job("manage_arts", [shell("a")]))
    arts = next(j["key"] for j in api.read("/jobs", limit=100)["items"] if j["name"] == "manage_arts")
    assert permit(api, arts, assign=("USER", ["mia"], ["MANAGE"])).status_code == 200

    def below_it(name):
        return dataarts_job("manage_arts", [node("sub", "SubJob", jobName=name)])

    answer = theirs.v1("PUT", "jobs/manage_arts", below_it("manage_below"))
    assert answer.status_code == 400 and answer.json()["error_code"] == "DLF.3051" and "task sub: jobKey" in answer.json()["error_msg"]
    assert theirs.v1("PUT", "jobs/manage_arts", below_it("manage_usable")).status_code == 204
    assert huawei.v1("PUT", "jobs/manage_arts", below_it("manage_below")).status_code == 204
    # what is kept for the dialect is text to the other one, and counts no more than the definition beside it says
    body = api.read(f"/jobs/{arts}/versions/1")["definition"]
    body["x-dataarts"]["job"]["schedule"]["cron"]["dependJobs"] = {"jobs": ["manage_other"]}
    assert mia.put(f"/jobs/{arts}", body).status_code == 202
    theirs.start("manage_arts", {})
    huawei.start("manage_arts")
    assert "dependencies" not in api.read(f"/jobs/{arts}")


def test_permissions_do_not_tell_who_has_an_account(server):
    api = server.api
    job = api.job([step("a")], "quiet")
    pia = client(server, "pia", "VIEWER")
    elsewhere = api.made("~/workspaces", {"displayName": "quiet"})["key"]
    user(api, "stranger", "VIEWER", workspaceKey=elsewhere)
    assert permit(api, job, assign=("USER", ["pia"], ["ADMIN"])).status_code == 200

    def told(api, **change):
        answer = permit(api, job, **change)
        return answer.status_code, answer.json()["message"].replace("stranger", "X").replace("nobody", "X") if answer.content else ""

    for change in ("assign", "revoke"):
        assert told(pia, **{change: ("USER", ["stranger"], ["USE"])}) == told(pia, **{change: ("USER", ["nobody"], ["USE"])})
    assert "no user X with a role in the workspace" in told(pia, assign=("USER", ["nobody"], ["USE"]))[1]
    assert "give it VIEWER first" in told(api, assign=("USER", ["stranger"], ["USE"]))[1]
    assert "no user X" in told(api, revoke=("USER", ["nobody"], ["USE"]))[1]
    assert permissions(api, job) == [("pia", "USER", ["ADMIN"])]
    api.delete(f"~/workspaces/{elsewhere}")


def test_a_permission_counts_in_the_other_dialect(server):
    huawei = DataArts(server)
    huawei.made(dataarts_job("shared_job", [shell("a")]))
    keys = {j["name"]: j["key"] for j in server.api.read("/jobs", limit=100)["items"]}
    hua = client(server, "hua", "VIEWER")
    theirs = DataArts(server, hua.token)
    assert theirs.v1("POST", "jobs/shared_job/run-immediate").json()["error_code"] == "DLF.6888"
    assert permit(server.api, keys["shared_job"], assign=("USER", ["hua"], ["USE"])).status_code == 200
    number = theirs.run("shared_job")
    theirs.wait("shared_job", number)
    retry = {"retry_location": "firstNode", "retry_task_version": "original_version"}
    chosen = {**retry, "task_retrys": [{"job_id": 1, "plan_time": 1, "submit_time": 1}]}  # of another job: it may ask, all the same
    assert theirs.v2("POST", "jobs/shared_job/instances/retry", chosen).json()["error_code"] == "DLF.3051"
    ranged = {**retry, "begin_time": 1, "end_time": 2}
    assert theirs.v2("POST", "jobs/shared_job/instances/retry", ranged).json()["error_code"] == "DLF.6888"
    assert theirs.v1("DELETE", "jobs/shared_job").json()["error_code"] == "DLF.6888"
