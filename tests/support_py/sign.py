"""Signatures of requests, made apart from the server's code: OCI's and SDK-HMAC-SHA256, as requests' auth objects.

    key = OciKey()                              # a key pair; key.public_pem is to be registered
    requests.get(url, auth=key.auth(key_id))
    requests.get(url, auth=SdkAuth(ak, sk))
"""

import base64
import datetime
import email.utils
import hashlib
import hmac
import urllib.parse

import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class OciKey:
    def __init__(self):
        self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.public_pem = self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        self.private_pem = self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        der = self.private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.fingerprint = ":".join(f"{byte:02x}" for byte in hashlib.md5(der).digest())

    def sign(self, text):
        return base64.b64encode(self.private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()

    def auth(self, key_id, **options):
        return OciAuth(self, key_id, **options)


class OciAuth(requests.auth.AuthBase):
    def __init__(self, key, key_id, seconds=0):
        self.key, self.key_id, self.seconds = key, key_id, seconds

    def __call__(self, request):
        date = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.seconds)
        request.headers["date"] = email.utils.format_datetime(date, usegmt=True)
        request.headers["host"] = urllib.parse.urlsplit(request.url).netloc
        names = ["date", "(request-target)", "host"]
        if request.method in ("POST", "PUT", "PATCH"):
            body = request.body or b""
            body = body.encode() if isinstance(body, str) else body
            request.headers.setdefault("content-type", "application/json")
            request.headers["content-length"] = str(len(body))
            request.headers["x-content-sha256"] = base64.b64encode(hashlib.sha256(body).digest()).decode()
            names += ["content-length", "content-type", "x-content-sha256"]
        lines = [f"{name}: {request.method.lower()} {request.path_url}" if name == "(request-target)"
                 else f"{name}: {request.headers[name]}" for name in names]
        request.headers["authorization"] = (
            f'Signature algorithm="rsa-sha256",headers="{" ".join(names)}",keyId="{self.key_id}",'
            f'signature="{self.key.sign(chr(10).join(lines))}",version="1"')
        return request


class SdkAuth(requests.auth.AuthBase):
    def __init__(self, access, secret, seconds=0):
        self.access, self.secret, self.seconds = access, secret, seconds

    def __call__(self, request):
        def quote(text):
            return urllib.parse.quote(text, safe="~")

        date = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.seconds)
        url = urllib.parse.urlsplit(request.url)
        request.headers["x-sdk-date"] = date.strftime("%Y%m%dT%H%M%SZ")
        request.headers["host"] = url.netloc
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        names = sorted({"host", "x-sdk-date"} | ({"content-type"} & {name.lower() for name in request.headers}))
        path = "/".join(quote(urllib.parse.unquote(part)) for part in url.path.split("/"))
        pairs = sorted(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        canonical = "\n".join([
            request.method, path if path.endswith("/") else path + "/",
            "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs),
            *[f"{name}:{request.headers[name].strip()}" for name in names], "", ";".join(names),
            hashlib.sha256(body).hexdigest()])
        text = "\n".join(["SDK-HMAC-SHA256", request.headers["x-sdk-date"],
                          hashlib.sha256(canonical.encode()).hexdigest()])
        signature = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        request.headers["authorization"] = (f"SDK-HMAC-SHA256 Access={self.access}, SignedHeaders={';'.join(names)}, "
                                            f"Signature={signature}")
        return request
