"""The deployments under attack: each on the embedded store, and as two replicas on PostgreSQL and Redis."""

import json
import subprocess

import pytest

from attack import Target
from service import Service

GRACE = 3
# One machine plays everybody here, so the throttle of its address stays out of the way.
CROWD = {
    "COGNATE__LIMITS__SOURCE_FAILURES": "1000000",
    # What is tested is what is refused, not how fast the machine is.
    "COGNATE__PASSWORD__QUEUE_WAIT": "20s", "COGNATE__DIRECTORY__TIMEOUT": "10s", "COGNATE__TOKENS__TIMEOUT": "5s",
}
# Guesses are judged one by one, not cut off by the throttle.
PATIENT = {**CROWD, "COGNATE__LIMITS__ACCOUNT_FAILURES": "1000000", "COGNATE__LIMITS__MAILS": "1000000"}
RESET_PAGE = "https://accounts.example/reset"
STORES = ["embedded", "replicated"]


def deploy(request, folder, name, env):
    """A service on stores of its own; two replicas where the stores are shared ones."""
    place = folder / f"{name}-{request.param}"
    place.mkdir()
    env = {"COGNATE__MAIL__RESET_URL": RESET_PAGE, **env}
    if request.param == "embedded":
        return Target(Service(place, env=env))
    shared = request.getfixturevalue("shared")
    postgres = shared["COGNATE__DIRECTORY__URL"]
    subprocess.run(["psql", postgres, "-qc", f"CREATE DATABASE {name}"], check=True)
    stores = {
        **shared,
        "COGNATE__DIRECTORY__URL": postgres.replace("/postgres", f"/{name}"),
        "COGNATE__TOKENS__URL": f"{shared['COGNATE__TOKENS__URL']}/{NUMBERS.index(name) + 1}",
    }
    return Target(Service(place, replicas=2, env={**stores, **env}))


NUMBERS = ["patient", "strict", "talkative"]


@pytest.fixture(scope="session", params=STORES)
def patient(request, folder):
    """Throttles out of the way, refresh tokens that do not rotate."""
    target = deploy(request, folder, "patient", PATIENT)
    yield target
    target.service.stop()


@pytest.fixture(scope="session", params=STORES)
def strict(request, folder):
    """Throttles per account as they come, refresh tokens that rotate with a grace of three seconds."""
    target = deploy(request, folder, "strict", CROWD)
    client = target.service.cli("clients", "create", "--name", "rotating", "--rotation-grace", f"{GRACE}s", "--json")
    target.service.restart(COGNATE__V1__CLIENT=json.loads(client)["id"])
    yield target
    target.service.stop()


@pytest.fixture(scope="session", params=STORES)
def talkative(request, folder):
    """Logs whatever any part of it has to say."""
    target = deploy(request, folder, "talkative", {"COGNATE__LOG__LEVEL": "trace"})
    yield target
    target.service.stop()


@pytest.fixture(scope="session")
def narrow(folder):
    """A throttle per address that is soon met; no proxy is trusted."""
    place = folder / "narrow"
    place.mkdir()
    target = Target(Service(place, env={"COGNATE__LIMITS__SOURCE_FAILURES": "20"}))
    yield target
    target.service.stop()


@pytest.fixture(scope="session")
def people(request):
    """Users of a deployment, made once: `people(target, "alice")`."""
    known = {}

    def find(target, name):
        key = (id(target), name)
        if key not in known:
            known[key] = target.user(f"{name}-{len(known)}")
        return known[key]

    return find
