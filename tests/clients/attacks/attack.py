"""What the attacks share: raw requests, many at once, what every refusal must look like, and a ledger of secrets."""

import concurrent.futures
import email
import email.policy
import re
import socket
import time
import urllib.parse

import requests

from children import wait_for

SECRET_FIELDS = {
    "password", "new_password", "previous_password", "proposed_password", "confirmation_code",
    "refresh_token", "access_token", "id_token", "session",
}
LEAKS = re.compile(rb"panicked|src/|\.rs:\d|sqlx|serde|stack|backtrace|postgres|sqlite|redis|actix|SELECT |INSERT ", re.I)


class Target:
    """A running service under attack; it remembers every secret that went to it or came from it."""

    def __init__(self, service):
        self.service = service
        self.urls = service.urls
        self.secrets = set()

    @property
    def url(self):
        return self.urls[0]

    def note(self, fields):
        """Remembers the secrets among some fields; short words and the blocklist's first are none."""
        for name, value in fields.items():
            if name in SECRET_FIELDS and isinstance(value, str) and len(value) > 8:
                self.secrets.add(value)

    def post(self, operation, body, url=None, **options):
        """Calls an operation of /v1 with a JSON body."""
        answer = requests.post(f"{url or self.url}/v1/{operation}", json=body, timeout=30, **options)
        if isinstance(body, dict):
            self.note(body)
        if answer.status_code == 200:
            self.note(answer.json())
        return answer

    def user(self, name=None, password=None, *options):
        """Makes a user; answers name and password."""
        password = password or f"a quiet lamp {time.time_ns()}"
        self.secrets.add(password)
        return self.service.user(name, password, *options), password

    def login(self, name, password, url=None):
        """A sign-in, whatever comes of it."""
        return self.post("login", {"username": name, "password": password}, url)

    def sign_in(self, name, password, url=None):
        """The tokens of a sign-in that must succeed."""
        answer = self.login(name, password, url)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refresh(self, name, token, url=None):
        return self.post("token-refresh", {"username": name, "refresh_token": token}, url)

    def revoke(self, token, url=None):
        return self.post("token-revoke", {"refresh_token": token}, url)

    def change(self, token, previous, proposed, url=None):
        """Changes a password: the one operation of /v1 that an access token opens."""
        body = {"access_token": token, "previous_password": previous, "proposed_password": proposed}
        return self.post("change-password", body, url)

    def token_lives(self, token, previous, url=None):
        """Whether an access token still opens something: the proposed password is refused only after the token was."""
        answer = self.change(token, previous, "password", url)
        assert answer.status_code in (401, 429), answer.text
        # The words are the same by contract; the log names the reason.
        request_id = answer.headers["x-request-id"]
        outcome = self.outcome(request_id)
        assert outcome in ("invalid_password", "token_revoked", "token_invalid", "token_expired"), outcome
        return outcome == "invalid_password"

    def outcome(self, request_id):
        """What the log calls the outcome of a request; its thread may write the line after the answer."""
        def logged():
            lines = (re.search(rf'"id":"{request_id}"[^\n]*"outcome":"(\w+)"', child.output()) for child in self.service.replicas)
            return next((line.group(1) for line in lines if line), None)

        return wait_for("the log line", logged)

    def mails(self, name):
        """The mails to a user, oldest first."""
        found = []
        for path in (self.service.data / "mail").glob("*.eml"):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if mail["To"].startswith(name):
                found.append((path.stat().st_mtime_ns, mail))
        return [mail for _, mail in sorted(found, key=lambda item: item[0])]

    def code(self, name, count=1):
        """The code in the `count`-th mail to a user."""
        def arrived():
            mails = self.mails(name)
            return mails if len(mails) >= count else None

        text = wait_for(f"mail {count} to {name}", arrived)[count - 1].get_body(("plain",)).get_content()
        code = re.search(r"(?<![\w-])\d{8}(?![\w-])", text).group()
        self.secrets.add(code)
        return code

    def forgot(self, name, url=None, **options):
        return self.post("forgot-password", {"username": name}, url, **options)

    def confirm(self, name, code, password, url=None):
        body = {"username": name, "confirmation_code": code, "password": password}
        return self.post("forgot-password-confirm", body, url)

    def raw(self, data, url=None, wait=10):
        """Sends bytes as they are; answers everything that comes back until the service closes, or None if it does not."""
        host = urllib.parse.urlsplit(url or self.url)
        with socket.create_connection((host.hostname, host.port), timeout=wait) as connection:
            connection.sendall(data)
            return drained(connection, wait)

    def is_well(self, url=None):
        """Whether the service still answers, quickly."""
        started = time.monotonic()
        healthy = requests.get(f"{url or self.url}/livez", timeout=5).status_code == 200
        return healthy and time.monotonic() - started < 2


def drained(connection, wait):
    """What a connection still brings until its end; None when the end does not come in time."""
    received = b""
    connection.settimeout(wait)
    try:
        while chunk := connection.recv(65536):
            received += chunk
    except ConnectionError:
        return received
    except TimeoutError:
        return None
    return received


def at_once(count, call):
    """Runs `call(number)` that many times at once; answers what they answered."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


def statuses(raw):
    """The status of every answer in what a connection brought."""
    return [int(status) for status in re.findall(rb"(?m)^HTTP/1\.[01] (\d{3})", raw or b"")]


def refused(answer, *wanted):
    """A refusal as the contract has it: 4xx in the one shape, clean of the inside of the house."""
    said = f"{answer.status_code} {answer.text[:300]}"
    assert 400 <= answer.status_code < 500 and (not wanted or answer.status_code in wanted), said
    assert answer.headers["content-type"] == "application/json", said
    body = answer.json()
    assert body.keys() == {"status", "message"} and body["status"] == answer.status_code and body["message"], said
    assert answer.headers["x-content-type-options"] == "nosniff", said
    assert not LEAKS.search(answer.content), said
    if answer.status_code == 429:
        assert int(answer.headers["retry-after"]) >= 1, said
    return answer
