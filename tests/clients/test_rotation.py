"""Signing keys change under load while verifiers hold copies of the key set. (R20)"""

import json
import os
import subprocess
import threading
import time

import jwt
import pytest

import stores
from service import HERE, Service

ROTATIONS = 6
EVERY = 7
MAX_AGE = 3
USERS = 4


@pytest.fixture
def rotating(folder, shared):
    """Two replicas whose keys are published for three seconds before they sign."""
    place = folder / "rotating"
    place.mkdir()
    service = Service(place, replicas=2, env={
        **stores.fresh_database(shared, "rotating"),
        "COGNATE__KEYS__PUBLISH_AHEAD": f"{MAX_AGE}s",
        "COGNATE__KEYS__RELOAD": "1s",
        "COGNATE__V1__MAX_ACCESS_TOKENS": "0",
    })
    yield service
    service.stop()


class Jose:
    """`jose` in a process of its own: tokens in, failures out. Its copy of the key set is kept for the whole max-age."""

    def __init__(self, issuer, urls):
        self.process = subprocess.Popen(
            ["node", HERE / "js" / "watch.mjs", issuer, str(MAX_AGE * 1000), *urls],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ,
        )
        self.lock = threading.Lock()

    def send(self, token):
        with self.lock:
            self.process.stdin.write(f"{token}\n")
            self.process.stdin.flush()

    def report(self):
        return json.loads(self.process.communicate(timeout=30)[0])


class PyJwt:
    """PyJWT with a copy of the key set that is kept for the whole max-age and never asked for early."""

    def __init__(self, issuer, urls):
        self.issuer = issuer
        pool = issuer.rsplit("/", 1)[1]
        self.clients = [jwt.PyJWKClient(f"{url}/{pool}/.well-known/jwks.json", lifespan=MAX_AGE) for url in urls]
        self.verified, self.failures, self.kids, self.lock = 0, [], set(), threading.Lock()

    def verify(self, token):
        kid = jwt.get_unverified_header(token)["kid"]
        for client in self.clients:
            try:
                # get_signing_key would fetch once more for an unknown kid: a verifier need not.
                key = next(key for key in client.get_signing_keys() if key.key_id == kid)
                jwt.decode(token, key, algorithms=["RS256"], issuer=self.issuer, options={"verify_aud": False})
                problem = None
            except (StopIteration, jwt.PyJWTError) as error:
                problem = f"{kid}: {error!r}"
            with self.lock:
                self.verified += 1
                self.kids.add(kid)
                self.failures += [problem] if problem else []


def test_no_verifier_meets_an_unknown_key_while_keys_rotate(rotating):
    names = [rotating.user() for _ in range(USERS)]
    sessions = [(name, rotating.sign_in(name)) for name in names]
    first = sessions[0][1]["access_token"]
    issuer = jwt.decode(first, options={"verify_signature": False})["iss"]
    python, jose = PyJwt(issuer, rotating.urls), Jose(issuer, rotating.urls)
    stop, refused = threading.Event(), []

    def load(name, tokens):
        turn = 0
        while not stop.is_set():
            turn += 1
            answer = rotating.post(
                "token-refresh", {"username": name, "refresh_token": tokens["refresh_token"]}, rotating.urls[turn % 2])
            if answer.status_code != 200:
                refused.append(answer.text)
                continue
            for token in (answer.json()["access_token"], answer.json()["id_token"], first):
                python.verify(token)
                jose.send(token)
            time.sleep(0.02)

    threads = [threading.Thread(target=load, args=session) for session in sessions]
    for thread in threads:
        thread.start()
    for _ in range(ROTATIONS):
        time.sleep(EVERY)
        rotating.cli("keys", "rotate")
    time.sleep(EVERY)
    stop.set()
    for thread in threads:
        thread.join()
    report = jose.report()
    print(f"PyJWT {python.verified}, jose {report['verified']} verifications, {len(python.kids)} keys")
    assert refused == []
    assert python.failures == []
    assert report["failures"] == []
    assert len(python.kids) > ROTATIONS
    assert python.verified > 1000 and report["verified"] > 1000
