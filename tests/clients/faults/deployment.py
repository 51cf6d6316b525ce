"""A deployment to be broken: replicas whose client rotates its refresh tokens, people on it, and one fault's course."""

import base64
import csv
import hashlib
import json
import os
import secrets
import time

import requests

from children import wait_for
from figures import Watch, measure
from riders import Riders
from service import PASSWORD, Service, shared_settings

# How long the load runs before and after each fault; `COGNATE_FAULT_SECONDS=20` makes a long run of the same tests.
SECONDS = float(os.environ.get("COGNATE_FAULT_SECONDS", "1.2"))
RIDERS = 5
BASE = {
    # What is tested is what an outage does, not how fast passwords are hashed here.
    "COGNATE__PASSWORD__MEMORY_KIB": "256", "COGNATE__PASSWORD__ITERATIONS": "1", "COGNATE__PASSWORD__QUEUE_WAIT": "5s",
    "COGNATE__V1__MAX_ACCESS_TOKENS": "0", "COGNATE__LOG__LEVEL": "warn", "COGNATE__KEYS__RELOAD": "1s",
}


class Deployment(Service):
    """Replicas of one rotating client."""

    def __init__(self, folder, replicas=2, env=None, each=None, rotation=True, options=()):
        folder.mkdir(exist_ok=True)
        self.each, self.rotation, self.options = each or {}, rotation, options
        settings = {**BASE, **(env or {})}
        super().__init__(folder, replicas, {name: value for name, value in settings.items() if value is not None})

    def _start(self, number, port):
        if self.rotation and "COGNATE__V1__CLIENT" not in self.env:
            client = self.cli("clients", "create", "--name", "rotating", "--rotation-grace", "10s", "--json")
            self.env["COGNATE__V1__CLIENT"] = json.loads(client)["id"]
        shared, self.env = self.env, {**self.env, **self.each.get(number, {})}
        try:
            return super()._start(number, port)
        finally:
            self.env = shared

    def ready(self, number=None, seconds=30):
        """Waits until every replica, or one, says that it is ready; answers how long that took."""
        started = time.monotonic()
        for url in self.urls if number is None else [self.urls[number]]:
            wait_for(f"readiness of {url}", lambda u=url: self.state(u) == 200, seconds=seconds)
        return time.monotonic() - started

    def state(self, url=None):
        try:
            return requests.get(f"{url or self.url}/readyz", timeout=5).status_code
        except requests.RequestException:
            return 0

    def people(self, count):
        """Users with the usual password, made in one go."""
        names = [f"rider-{secrets.token_hex(4)}" for _ in range(count)]
        salt = secrets.token_bytes(16)
        digest = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt, 1000)
        packed = "$".join(["", "pbkdf2-sha256", "1000", *[base64.b64encode(part).decode().rstrip("=").replace("+", ".") for part in (salt, digest)]])
        file = self.folder / f"{names[0]}.csv"
        with open(file, "w", encoding="utf-8", newline="") as out:
            rows = csv.writer(out)
            rows.writerow(["username", "password_hash"])
            rows.writerows([name, packed] for name in names)
        self.cli("users", "import", str(file))
        return names

    def newcomers(self, count):
        """Users who owe a new password, with their temporary ones."""
        made = []
        for _ in range(count):
            name = f"new-{secrets.token_hex(4)}"
            user = json.loads(self.cli("users", "create", name, "--temporary", "--json"))
            made.append((name, user["temporary_password"]))
        return made


def on_stores(folder, redis_url, postgres_url, replicas=2, kind=Deployment, env=None, **more):
    """Replicas on shared stores, with a master key of their own."""
    folder.mkdir()
    return kind(folder, replicas, {**shared_settings(folder, redis_url, postgres_url), **(env or {})}, **more)


class Ordeal:
    """One fault under load: before, during, after, and the proof. Use as a context; the body is the fault."""

    def __init__(self, table, name, service, riders=RIDERS, newcomers=2, settle=True, wait=None):
        self.table, self.name, self.service, self.settle = table, name, service, settle
        self.wait = wait or service.ready
        self.recovered, self.figures = 0.0, None
        path = service.folder / f"journal-{secrets.token_hex(4)}"
        self.riders = Riders(service, path, service.people(riders), service.newcomers(newcomers))
        self.watch = Watch(service)

    def __enter__(self):
        self.riders.start()
        time.sleep(SECONDS)
        self.riders.journal.phase("during")
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.recovered = self.wait() if self.settle else 0.0
                self.riders.journal.phase("after")
                time.sleep(SECONDS)
        finally:
            self.riders.stop()
            self.watch.stop()
        if kind is None:
            self.riders.prove()
            self.figures = measure(self.name, self.riders.journal.entries(), self.watch)
            self.table.append(self.figures.row())
            print("  ".join(map(str, self.figures.row())))

    def lost_nothing(self, failures=("503",), gap=None, deadline=4.0):
        """The four invariants, and no failure but those allowed, in time. A busy machine gets its slack."""
        figures = self.figures
        assert figures.findings.all() == {}, figures.findings.all()
        assert set(figures.failed) <= set(failures), figures.failed
        assert figures.slowest < deadline, f"a failure took {figures.slowest:.1f} s"
        assert gap is None or figures.gap < gap, f"errors for {figures.gap:.1f} s"
        assert figures.answered > 10
        return figures


class Early(Deployment):
    """One that is started while its stores are not there."""

    until = "livez"
