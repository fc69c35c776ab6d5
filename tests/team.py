"""A team of Cloudflare Access: real keys, real tokens, and a server that hands out the keys."""

import json
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from conftest import free_port
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DOMAIN = "hens.cloudflareaccess.com"
ISSUER = f"https://{DOMAIN}"
AUDIENCE = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2"
PATH = "/cdn-cgi/access/certs"


@cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """A key pair; of each name always the same."""
    return rsa.generate_private_key(65537, 2048)


def public_pem(name: str) -> bytes:
    """A public key as text."""
    public = rsa_key(name).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_jwk(name: str) -> dict[str, Any]:
    """A public key as the team publishes it."""
    jwk: dict[str, Any] = jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key(name).public_key(), True)
    return jwk | {"kid": name, "alg": "RS256", "use": "sig"}


def claims(**changes: Any) -> dict[str, Any]:
    """What a token of bob says; a change to None leaves a claim out."""
    now = int(time.time())
    said = {
        "aud": [AUDIENCE],
        "email": "bob@example.org",
        "exp": now + 600,
        "iat": now,
        "nbf": now,
        "iss": ISSUER,
        "type": "app",
        "identity_nonce": "6ei69kawdKzMIAPF",
        "sub": "7335d417-61da-459d-899c-0a01c76a2f94",
        "country": "DE",
    } | changes
    return {name: value for name, value in said.items() if value is not None}


def token(key: str = "first", kid: str | None = None, **changes: Any) -> str:
    """A token as Cloudflare signs it."""
    return jwt.encode(claims(**changes), rsa_key(key), "RS256", {"kid": kid or key})


class KeyServer:
    """Answers with the keys of the team, and counts how often it was asked."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}{PATH}"
        self.asked = 0
        self.answer: tuple[int, bytes] = (200, b"")
        self._server: ThreadingHTTPServer | None = None
        self.publish("first")

    def publish(self, *names: str) -> None:
        """These are the keys from now on; one for elliptic curves is always among them."""
        curve = jwt.algorithms.ECAlgorithm.to_jwk(
            ec.generate_private_key(ec.SECP256R1()).public_key(), True
        )
        keys = [curve | {"kid": "curve", "alg": "ES256"}, *map(public_jwk, names)]
        self.answer = (200, json.dumps({"keys": keys}).encode())

    def start(self) -> None:
        team = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                team.asked += 1
                status, body = team.answer
                self.send_response(status if self.path == PATH else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def settings(self, **more: str) -> dict[str, str]:
        """What web must know of the team; the tunnel is this machine."""
        return {
            "BEEPER_ACCESS__TEAM_DOMAIN": DOMAIN,
            "BEEPER_ACCESS__AUDIENCE": AUDIENCE,
            "BEEPER_ACCESS__KEYS_URL": self.url,
            "BEEPER_ACCESS__TUNNELS": '["127.0.0.0/8"]',
            "BEEPER_ACCESS__LEEWAY": "1",
        } | more
