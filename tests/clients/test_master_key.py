"""A master key follows another under load, on two replicas that are never restarted."""

import base64
import json
import os
import re
import secrets
import signal
import threading

import jwt
import pytest

import stores
from children import wait_for
from service import PASSWORD, Service

READ = "the master keys were read again"
REFUSED = "the changed master keys can not be used; the old ones stay"


def new_key():
    return base64.b64encode(secrets.token_bytes(32)).decode()


class Secret:
    """A mounted Secret: the file is a link into a folder that is itself a link, and the latter is swapped."""

    def __init__(self, folder):
        self.folder, self.generation = folder, 0
        folder.mkdir()
        self.file = folder / "master_key"

    def put(self, *keys):
        self.generation += 1
        content = self.folder / f"..generation-{self.generation}"
        content.mkdir()
        (content / "master_key").write_text("\n".join(keys))
        # The time of a file says nothing: what comes out of an archive may be as old as what it replaces.
        os.utime(content / "master_key", (1_700_000_000, 1_700_000_000))
        (self.folder / "..next").symlink_to(content.name)
        os.rename(self.folder / "..next", self.folder / "..data")
        if not self.file.is_symlink():
            self.file.symlink_to("..data/master_key")


@pytest.fixture
def mounted(folder, shared):
    name = f"master_{secrets.token_hex(4)}"
    place = folder / name
    place.mkdir()
    secret, old = Secret(place / "secrets"), new_key()
    secret.put(old)
    service = Service(place, replicas=2, env={
        **stores.fresh_database(shared, name), "COGNATE__MASTER_KEY_FILE": str(secret.file),
        "COGNATE__KEYS__RELOAD": "1s", "COGNATE__V1__MAX_ACCESS_TOKENS": "0"})
    yield service, secret, old
    service.stop()


def said(child, message):
    return [line for line in map(json.loads, filter(lambda line: line.startswith("{"), child.output().splitlines()))
            if line.get("message") == message]


def everywhere(service, message, count, hang_up=False):
    """Waits until every replica has said it so many times; answers what each said last."""
    for child in service.replicas if hang_up else []:
        os.kill(child.pid, signal.SIGHUP)
    wait_for(message, lambda: all(len(said(child, message)) >= count for child in service.replicas), seconds=30)
    return [said(child, message)[-1] for child in service.replicas]


class Everybody:
    """People who sign in and refresh without end, on both replicas by turns."""

    def __init__(self, service, names):
        self.service, self.answered, self.failed, self.stopping = service, 0, [], threading.Event()
        self.threads = [threading.Thread(target=self._live, args=(name,)) for name in names]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def _live(self, name):
        token, turn = self.service.sign_in(name)["refresh_token"], 0
        while not self.stopping.is_set():
            turn += 1
            body = {"username": name, "refresh_token": token} if turn % 5 else {"username": name, "password": PASSWORD}
            answer = self.service.post("token-refresh" if turn % 5 else "login", body, self.service.urls[turn % 2])
            self.answered += 1
            if answer.status_code != 200:
                self.failed.append(answer.text)
            self.stopping.wait(0.05)


def test_a_master_key_follows_another_under_load_and_the_old_one_can_go(mounted):
    service, secret, old = mounted
    new, names = new_key(), [service.user() for _ in range(4)]
    first = service.sign_in(names[0])
    with Everybody(service, names) as people:
        secret.put(old, new)
        before = everywhere(service, READ, 1)
        secret.put(new, old)
        after = everywhere(service, READ, 2, hang_up=True)
        wait_for("the new seals", lambda: any(said(child, "sealed anew") for child in service.replicas))
        report = wait_for("cognate keys reseal", lambda: done(service))
        secret.put(new)
        everywhere(service, READ, 3)
        service.cli("keys", "rotate")
    print(f"{people.answered} sign-ins and refreshes, {len(people.failed)} failed")
    assert people.failed == [] and people.answered > 100
    ids = [line["first"] for line in before + after]
    assert ids[0] == ids[1] != ids[2] == ids[3]
    assert re.match(f"Master key {ids[2]}, the first in .*, seals the root secret and all signing keys \\(1\\)", report)
    # One that was never there before has the new key alone.
    fresh = Service(service.folder / "fresh", env=fresh_settings(service, new))
    try:
        answer = fresh.post("token-refresh", {"username": names[0], "refresh_token": first["refresh_token"]})
        assert answer.status_code == 200, answer.text
        assert jwt.decode(answer.json()["access_token"], options={"verify_signature": False})["username"] == names[0]
    finally:
        fresh.stop()


def done(service):
    try:
        return service.cli("keys", "reseal")
    except AssertionError:
        return None


def fresh_settings(service, key):
    folder = service.folder / "fresh"
    folder.mkdir()
    (folder / "master.key").write_text(key)
    return {**service.env, "COGNATE__MASTER_KEY_FILE": str(folder / "master.key")}


def test_a_file_that_cannot_be_used_is_said_once_and_changes_nothing(mounted):
    service, secret, old = mounted
    name = service.user()
    wrong = [("", "there is no master key"), ("half a k", "master key 1 has 3 bytes; it must have 32"),
             (new_key(), "they do not open all that is sealed")]
    for count, (keys, words) in enumerate(wrong, 1):
        secret.put(keys)
        for line in everywhere(service, REFUSED, count):
            assert line["level"] == "ERROR" and words in line["fault"] and keys not in line["fault"].split(), line
    for url in service.urls:
        service.sign_in(name, url=url)
    new = new_key()
    secret.put(new, old)
    everywhere(service, READ, 1)
    assert all(len(said(child, REFUSED)) == len(wrong) for child in service.replicas)
    for url in service.urls:
        service.sign_in(name, url=url)
