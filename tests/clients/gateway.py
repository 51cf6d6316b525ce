"""A gateway of text messages on loopback, as README has one: it keeps those whose signature is right, and tells them."""

import contextlib
import hashlib
import hmac
import http.server
import json
import re
import secrets
import threading

from children import wait_for
from service import Service

KEY = "a key that the gateway and we know"


class Gateway(http.server.ThreadingHTTPServer):
    """One, with what came and the statuses that it answers before all is well."""

    def __init__(self, away=()):
        super().__init__(("127.0.0.1", 0), Asked)
        self.messages, self.away = [], list(away)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.env = {"COGNATE__SMS__URL": f"{self.address}/send", "COGNATE__HOOKS__SIGNING_KEY": KEY}

    def wait(self, count):
        """Waits until so many came."""
        wait_for(f"{count} messages", lambda: len(self.messages) >= count)

    def code(self, number, count=1):
        """The code of six digits in the `count`th message to a number."""
        def found():
            texts = [message["text"] for message in self.messages if message["to"] == number]
            return re.search(r"\b\d{6}\b", texts[count - 1]) if len(texts) >= count else None

        return wait_for(f"message {count} to {number}", found)[0]


class Asked(http.server.BaseHTTPRequestHandler):
    """A request: the service's, or a test's in another language."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        seconds, tag = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", self.headers["Cognate-Signature"]).groups()
        ours = hmac.new(KEY.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest() == tag
        self.answer(self.server.away.pop() if self.server.away else 204 if ours else 403)
        self.server.messages.append(json.loads(body))

    def do_GET(self):
        self.answer(200, json.dumps(self.server.messages).encode())

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing."""


@contextlib.contextmanager
def texting(folder, away=()):
    """A service that sends text messages, and the gateway that gets them."""
    gateway = Gateway(away)
    threading.Thread(target=gateway.serve_forever, daemon=True).start()
    (place := folder / f"texting-{secrets.token_hex(4)}").mkdir()
    service = Service(place, env=gateway.env)
    try:
        yield service, gateway
    finally:
        service.stop()
        gateway.shutdown()
