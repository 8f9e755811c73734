"""user, token, key, access-key, secret, audit, sign-in against a real server: what scripts rely on."""

import json
import subprocess

import pytest

import cli_fake
import cli_server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("accounts")
    (folder / "workspace").mkdir()
    server = cli_server.Server(folder / "data", folder / "workspace")
    yield server
    server.close()


@pytest.fixture(scope="module")
def reprise(server):
    def call(*args, code=0, **options):
        result = cli_fake.run("--data", str(server.data), *args, **options)
        assert result.returncode == code, (args, result.stderr)
        return result.stdout.decode() if code == 0 else result.stderr.decode()

    reprise = call
    reprise("user", "add", "eva", "--role", "operator")
    return reprise


def as_user(server, token, *args):
    e = server.endpoint
    url = f"{e['url']}/20260430/aiDataPlatforms/{e['aiDataPlatformId']}/workspaces/{e['workspaceKey']}"
    return cli_fake.run("--url", url, *args, REPRISE_TOKEN=token)


def test_the_last_word_of_token_create_is_the_token(server, reprise):
    token = reprise("token", "create", "eva", "--label", "laptop").split()[-1]
    answer = as_user(server, token, "token", "list", "-o", "json")
    assert answer.returncode == 0, answer.stderr
    items = json.loads(answer.stdout)["items"]
    assert [(item["name"], item["userName"]) for item in items] == [("laptop", "eva")]
    assert as_user(server, token, "user", "list").returncode == 3, "not an admin"
    assert "revoked" in reprise("token", "revoke", items[0]["key"])
    refused = as_user(server, token, "job", "list")
    assert refused.returncode == 3 and b"NotAuthenticated" in refused.stderr


def test_with_names_alone_secrets_are_what_is_printed(server, reprise):
    token = reprise("token", "create", "eva", "-o", "name")
    assert token.count("\n") == 1 and as_user(server, token.strip(), "job", "list").returncode == 0
    key, secret = reprise("access-key", "create", "-o", "name").split()
    assert key in reprise("access-key", "list") and secret not in reprise("access-key", "list")


def test_the_last_word_of_key_add_is_the_key_id(reprise, tmp_path):
    subprocess.run(["openssl", "genrsa", "-out", tmp_path / "key.pem", "2048"], check=True, capture_output=True)
    public = subprocess.run(["openssl", "rsa", "-in", tmp_path / "key.pem", "-pubout"], check=True, capture_output=True)
    (tmp_path / "key.pub").write_bytes(public.stdout)
    der = subprocess.run(["openssl", "rsa", "-in", tmp_path / "key.pem", "-pubout", "-outform", "DER"], check=True,
                         capture_output=True).stdout
    digest = subprocess.run(["openssl", "md5", "-c"], input=der, check=True, capture_output=True).stdout.decode().split()[-1]
    key_id = reprise("key", "add", "eva", "--public-key", str(tmp_path / "key.pub")).split()[-1]
    tenancy, user, fingerprint = key_id.split("/")
    assert tenancy.startswith("ocid1.tenancy.") and user.startswith("ocid1.user.") and fingerprint == digest
    assert reprise("key", "list", "eva", "-o", "name").split() == [key_id]
    assert "private key" in reprise("key", "add", "eva", "--public-key", str(tmp_path / "key.pem"), code=2)
    reprise("key", "revoke", key_id)
    assert reprise("key", "list", "eva", "-o", "name") == ""


def test_the_last_two_words_of_access_key_create_are_ak_and_sk(reprise):
    access, secret = reprise("access-key", "create", "eva").split()[-2:]
    assert len(access) == 20 and len(secret) == 40 and secret.isalnum()
    assert reprise("access-key", "list", "eva", "-o", "name").split() == [access]
    assert secret not in reprise("access-key", "list", "eva", "-o", "json")
    body = json.loads(reprise("access-key", "create", "eva", "--label", "ci", "-o", "json"))
    assert body["name"] == "ci" and len(body["secretKey"]) == 40
    assert reprise("access-key", "create", "eva", "-o", "name").split()[0] != access
    reprise("access-key", "revoke", access)
    assert "NotAuthorizedOrNotFound" in reprise("access-key", "revoke", access, code=3)


def test_users_change(reprise):
    reprise("user", "add", "max", "--role", "VIEWER")
    assert "already" in reprise("user", "add", "max", "--role", "VIEWER", code=3)
    assert "--role" in reprise("user", "add", "moritz", code=2)
    assert "has no role" in reprise("user", "role", "max", "--role", "none")
    assert "needs one" in reprise("user", "add", "moritz", "--role", "none", code=2)
    assert next(user for user in json.loads(reprise("user", "list", "-o", "json"))["items"] if user["name"] == "max")["roles"] == []
    reprise("user", "role", "max", "--role", "admin")
    reprise("user", "disable", "max")
    reprise("user", "password", "max", input=b"a long password\n")
    users = {user["name"]: user for user in json.loads(reprise("user", "list", "-o", "json"))["items"]}
    assert users["max"]["isDisabled"] and users["max"]["hasPassword"] and users["max"]["roles"][0]["role"] == "ADMIN"
    reprise("user", "enable", "max")
    assert "nobody" in reprise("user", "disable", "admin", code=3)


def test_secrets_come_from_standard_input(server, reprise):
    assert reprise("secret", "set", "git", input=b"s3cret-value\n") == "git is kept\n"
    reprise("secret", "set", "git", input=b"another-value\n")
    assert reprise("secret", "list", "-o", "name") == "git\n"
    for text in (reprise("secret", "list", "-o", "json"), reprise("audit", "-o", "json"), (server.data.parent / "server.log").read_text()):
        assert "s3cret-value" not in text and "another-value" not in text
    reprise("secret", "delete", "git")
    assert "NotAuthorizedOrNotFound" in reprise("secret", "delete", "git", code=3)


def test_sign_in_prints_an_address(server, reprise):
    address = reprise("sign-in").strip()
    assert address.startswith(server.endpoint["url"] + "/#code=")
    assert json.loads(reprise("sign-in", "-o", "json"))["path"].startswith("/#code=")


def test_clusters(reprise, tmp_path):
    file = tmp_path / "spark.yaml"
    file.write_text('displayName: spark\ntype: USER\ndriverConfig: {}\nx-sparkMaster: "local[2]"\n')
    made = reprise("cluster", "create", "-f", str(file), "-o", "name").strip()
    assert reprise("cluster", "list", "-o", "name").split()[0] == made
    line = next(line for line in reprise("cluster", "list").splitlines() if made in line)
    assert line.split() == ["spark", made, "USER", "ACTIVE", "local[2]"]
    assert "this host" in reprise("cluster", "get", "local")
    file.write_text('displayName: flint\ntype: USER\ndescription: smaller\ndriverConfig: {driverShape: small}\n')
    assert reprise("cluster", "update", "spark", "-f", str(file)) == f"Updated cluster flint  {made}\n"
    shown = reprise("cluster", "get", made)
    assert "smaller" in shown and '{"driverShape":"small"}' in shown and "this host" in shown
    assert json.loads(reprise("cluster", "get", "flint", "-o", "json"))["key"] == made
    assert reprise("cluster", "stop", "flint") == f"Stopped cluster flint  {made}\n"
    assert "must be ACTIVE" in reprise("cluster", "restart", "flint", code=3)
    reprise("cluster", "start", "flint")
    reprise("cluster", "restart", "flint")
    assert "NoEtagMatch" in reprise("cluster", "delete", "flint", "--if-match", "other", code=3)
    assert reprise("cluster", "delete", "flint") == f"Deleted cluster {made}\n"
    assert "no cluster is named" in reprise("cluster", "get", "flint", code=2)
    assert "cannot be changed" in reprise("cluster", "delete", "local", code=3)
    file.write_text("type: USER\ndriverConfig: {}\n")
    assert "displayName is required" in reprise("cluster", "create", "-f", str(file), code=3)
    actions = [e["action"] for e in json.loads(reprise("audit", "--resource", made, "-o", "json"))["items"]]
    assert actions == [f"cluster.{a}" for a in ("delete", "restart", "start", "stop", "update", "create")]


def test_permissions_of_a_job(server, reprise, tmp_path):
    file = tmp_path / "job.yaml"
    file.write_text("name: nightly\npath: Shared\ntasks: [{taskKey: a, type: DUMMY_TASK}]\n")
    reprise("job", "create", "-f", str(file))
    assert reprise("job", "permissions", "nightly") == ""
    reprise("user", "add", "vic", "--role", "viewer")
    token = reprise("token", "create", "vic").split()[-1]
    assert as_user(server, token, "run", "start", "nightly").returncode == 3
    assert reprise("job", "grant", "nightly", "use", "--user", "vic") == "USE is given on nightly\n"
    assert as_user(server, token, "run", "start", "nightly").returncode == 0
    reprise("job", "grant", "nightly", "MANAGE", "--role", "operator")
    lines = reprise("job", "permissions", "nightly").splitlines()
    assert [line.split() for line in lines] == [
        ["WHO", "TYPE", "PERMISSIONS"], ["OPERATOR", "ROLE", "MANAGE"], ["vic", "USER", "USE"]]
    items = json.loads(reprise("job", "permissions", "nightly", "-o", "json"))["items"]
    assert {item["granteeName"] for item in items} == {"OPERATOR", "vic"}
    assert reprise("job", "revoke", "nightly", "use", "--user", "vic") == "USE is taken on nightly\n"
    assert as_user(server, token, "run", "start", "nightly").returncode == 3


def test_mistakes_with_permissions_are_told(reprise, tmp_path):
    file = tmp_path / "job.yaml"
    file.write_text("name: mistakes\npath: Shared\ntasks: [{taskKey: a, type: DUMMY_TASK}]\n")
    reprise("job", "create", "-f", str(file))
    assert "one of --user and --role" in reprise("job", "grant", "mistakes", "use", code=2)
    assert "one of --user and --role" in reprise("job", "grant", "mistakes", "use", "--user", "eva", "--role", "viewer", code=2)
    assert "must be one of READ, USE" in reprise("job", "grant", "mistakes", "own", "--user", "eva", code=3)
    assert "there is no user nobody" in reprise("job", "grant", "mistakes", "use", "--user", "nobody", code=3)
    assert "no job is named" in reprise("job", "grant", "nowhere", "use", "--user", "eva", code=2)


def test_the_audit_is_searched(reprise):
    reprise("user", "add", "aud", "--role", "viewer")
    table = reprise("audit", "--action", "user.create", "--limit", "1")
    assert table.split()[:8] == ["TIME", "USER", "OUTCOME", "ACTION", "TARGET", "KEY", "ADDRESS", "DETAIL"]
    assert "user.create" in table and "aud" in table
    first = json.loads(reprise("audit", "--action", "user", "--user", "admin", "-o", "json"))["items"][0]
    assert first["target"] == "aud"
    assert reprise("audit", "--user", "aud") == ""
    later = reprise("audit", "--from", first["time"], "-o", "name").split()
    assert first["key"] in later
    assert first["key"] not in reprise("audit", "--to", "1000", "-o", "name").split()
    assert first["key"] in reprise("audit", "--from", first["time"][:10], "--to", first["time"][:10], "-o", "name").split(), "a day of UTC"
    assert "--from" in reprise("audit", "--from", "yesterday", code=2)
    assert "resourceKey" in reprise("audit", "--resource", "none", code=3)


@pytest.mark.parametrize("given, says", [(b"a\0b\n", "NUL"), (b"caf\xe9\n", "UTF-8")])
def test_what_could_not_be_kept_as_it_is_is_refused(reprise, given, says):
    for verb in (["secret", "set", "cut"], ["user", "password", "eva"]):
        assert says in reprise(*verb, code=2, input=given)
    assert "cut" not in reprise("secret", "list", "-o", "name").split()


def test_a_secret_may_have_lines_and_a_password_has_one(server, reprise):
    assert "is kept" in reprise("secret", "set", "pem", input=b"a\nb\n")
    assert "several lines" in reprise("user", "password", "eva", code=2, input=b"correct horse\ncorrect horse\n")
    assert "has that password" in reprise("user", "password", "eva", input=b"correct horse battery\r\n")
