"""TLS: the certificate, its renewal while connections are open, and what is refused without it."""

import datetime
import hashlib
import ipaddress
import signal
import socket
import ssl
import subprocess
import warnings

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness import DEADLINE_S, eventually, step


def certificate(folder):
    """Writes a new certificate for 127.0.0.1 and its key; the SHA-256 of the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
            .sign(key, hashes.SHA256()))
    (folder / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest()


class Connection:
    """One TLS connection that stays open; `seen` is the SHA-256 of the certificate that it was shown."""

    def __init__(self, url):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        port = int(url.rsplit(":", 1)[1])
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S))
        self.seen = hashlib.sha256(self.socket.getpeercert(True)).hexdigest()

    def ask(self):
        """The status of GET /healthz."""
        self.socket.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        got = b""
        while not got.endswith(b"}"):
            more = self.socket.recv(4096)
            assert more, f"closed after {got!r}"
            got += more
        return int(got.split()[1])

    def begin(self, path, token):
        """A stream of events: its head has come when this returns."""
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\naccept: text/event-stream\r\n\r\n".encode())
        assert b" 200 " in self.socket.recv(4096).split(b"\r\n")[0]

    def is_over(self):
        self.socket.settimeout(0.2)
        try:
            while self.socket.recv(4096):
                pass
            return True
        except TimeoutError:
            return False
        except OSError:
            return True

    def close(self):
        self.socket.close()


@pytest.fixture
def secured(servers, tmp_path):
    first = certificate(tmp_path)
    server = servers("--tls-cert", tmp_path / "cert.pem", "--tls-key", tmp_path / "key.pem")
    server.first, server.certificates = first, tmp_path
    server.start()
    server.api.session.verify = str(tmp_path / "cert.pem")
    return server


def test_calls_over_tls(secured):
    assert secured.url.startswith("https://127.0.0.1:")
    run = secured.api.go([step("a")], "SUCCESS")
    assert run["createdByName"] == "admin"
    answer = requests.post(f"{secured.url}/reprise/v1/session", json={"token": secured.token}, timeout=DEADLINE_S,
                           verify=secured.api.session.verify)
    assert answer.status_code == 201 and answer.headers["set-cookie"].endswith("; Secure")
    plain = socket.create_connection(("127.0.0.1", int(secured.url.rsplit(":", 1)[1])), timeout=DEADLINE_S)
    plain.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    assert b"200" not in plain.recv(100)[:20], "no answer without TLS"


def test_old_versions_are_not_spoken(secured):
    port = int(secured.url.rsplit(":", 1)[1])
    for version, spoken in ((ssl.TLSVersion.TLSv1, False), (ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_3, True)):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = version
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as plain:
            try:
                with context.wrap_socket(plain) as wrapped:
                    assert spoken and wrapped.version()
            except (ssl.SSLError, ConnectionError):
                assert not spoken, version


def test_sighup_renews_the_certificate_under_open_connections(secured):
    old = Connection(secured.url)
    assert old.seen == secured.first and old.ask() == 200
    second = certificate(secured.certificates)
    secured.process.send_signal(signal.SIGHUP)

    def shown():
        connection = Connection(secured.url)
        status = connection.ask()
        connection.close()
        return status == 200 and connection.seen == second

    eventually(shown, "new connections get the new certificate")
    assert old.ask() == 200, "a connection that was open goes on"
    old.close()
    for _ in range(3):  # what was replaced does not pile up
        third = certificate(secured.certificates)
        secured.process.send_signal(signal.SIGHUP)
        eventually(lambda: Connection(secured.url).seen == third, "and again")
    secured.api.session.verify = str(secured.certificates / "cert.pem")


def test_sighup_ends_no_server_whose_streams_wait(secured):
    """libmicrohttpd aborts when it is stopped with a connection that waits: those of certificates of long ago are let go first."""
    streams = []
    for _ in range(8):
        streams.append(Connection(secured.url))
        streams[-1].begin(secured.api.path("/events"), secured.token)
        shown = certificate(secured.certificates)
        secured.process.send_signal(signal.SIGHUP)
        eventually(lambda: Connection(secured.url).seen == shown, "the new certificate")  # noqa: B023
    assert Connection(secured.url).ask() == 200
    eventually(lambda: streams[0].is_over(), "the oldest is let go")
    assert not streams[-1].is_over(), "the newest is not"
    secured.api.session.verify = str(secured.certificates / "cert.pem")


def test_a_bad_certificate_changes_nothing(secured):
    (secured.certificates / "cert.pem").write_text("no certificate\n")
    secured.process.send_signal(signal.SIGHUP)
    eventually(lambda: "the certificate stays" in secured.log.read_text(), "it says so")
    connection = Connection(secured.url)
    assert connection.seen == secured.first and connection.ask() == 200


def test_which_of_the_two_is_wrong_is_told(servers, tmp_path):
    certificate(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    certificate(other)
    (tmp_path / "text").write_text("no PEM\n")
    for cert, key, words in ((tmp_path / "text", tmp_path / "key.pem", ["text", "no certificate"]), (tmp_path / "cert.pem", tmp_path / "text", ["text", "no private key"]),
                             (tmp_path / "cert.pem", other / "key.pem", ["other/key.pem", "not that of the certificate"]),
                             (tmp_path / "nowhere", tmp_path / "key.pem", ["nowhere"])):
        server = servers("--tls-cert", cert, "--tls-key", key)
        result = subprocess.run(server.command(), capture_output=True, text=True, timeout=DEADLINE_S, env=server.env)
        server.log.touch()
        assert result.returncode in (1, 2) and all(word in result.stderr for word in words), result.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "127.0.0.1.example"])
def test_other_than_loopback_needs_tls(servers, host):
    server = servers("--listen", f"{host}:0")
    server.log.touch()
    result = subprocess.run(server.command(), capture_output=True, text=True, timeout=DEADLINE_S, env=server.env)
    assert result.returncode == 2 and "--insecure-listen" in result.stderr and "--tls-cert" in result.stderr
    assert result.stdout == ""


def test_insecure_listen_says_that_it_is_meant(servers):
    server = servers("--listen", "0.0.0.0:0", "--insecure-listen").start()
    assert server.api.session.get(server.url.replace("0.0.0.0", "127.0.0.1") + "/healthz", timeout=DEADLINE_S).ok
