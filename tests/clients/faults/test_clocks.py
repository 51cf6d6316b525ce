"""Replicas whose clocks differ, and a clock that jumps under load. (R18)"""

import glob
import os
import time

import jwt
import pytest
import requests

from children import wait_for
from deployment import Early, Ordeal, on_stores
from servers import Postgres
from service import PASSWORD


@pytest.fixture(scope="module")
def faked(place):
    """The settings of a replica whose clock is moved by what a file says, and the file."""
    library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    assert library, "libfaketime is not installed: apt-get install -y faketime, or run tests/run, which does it"
    file = place / "clock"
    file.write_text("+0")
    return file, {
        "LD_PRELOAD": library[0], "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1",
        # Deadlines are measured on the monotonic clock, which no operator sets.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


@pytest.fixture(scope="module")
def skewed(place, redis, postgres, faked):
    """Two replicas, of which the second is 90 seconds ahead."""
    file, settings = faked
    service = on_stores(place / "skewed", f"{redis.url}/9", postgres.database("skewed"), each={1: settings})
    yield service, file
    service.stop()


def move(file, offset):
    """A whole new file, so that nobody reads half of it."""
    fresh = file.with_suffix(".new")
    fresh.write_text(offset)
    os.replace(fresh, file)


def issued(service, name, url):
    token = service.sign_in(name, PASSWORD, url)["access_token"]
    return jwt.decode(token, options={"verify_signature": False})["iat"]


def test_two_replicas_90_seconds_apart(skewed, table):  # R18
    service, file = skewed
    with Ordeal(table, "R18 replicas 90 s apart", service) as ordeal:
        move(file, "+90s")
        time.sleep(2)
    name = service.people(1)[0]
    assert 85 < issued(service, name, service.other) - issued(service, name, service.url) < 95
    ordeal.lost_nothing(failures=())
    move(file, "+0")


@pytest.mark.parametrize("jump", ["+3600s", "-3600s", "-300s", "+400d"])
def test_a_clock_that_jumps(skewed, table, jump):  # R18
    """Ahead or behind by more than anybody's life, and back: nobody notices. Time goes on from when the clocks agreed."""
    service, file = skewed
    with Ordeal(table, f"R18 one clock jumps {jump}", service) as ordeal:
        move(file, jump)
        time.sleep(3)
        name = service.people(1)[0]
        assert abs(issued(service, name, service.other) - issued(service, name, service.url)) < 5
        move(file, "+0")
        time.sleep(0.5)
    ordeal.lost_nothing(failures=())
    assert "time goes on from when it was" in service.replicas[1].output()


def test_a_replica_that_starts_with_a_wrong_clock(place, redis, postgres, faked, skewed):  # R18
    """Four hundred days ahead it would end every session. It does nothing until its clock is right."""
    file, settings = faked
    right = skewed[0]
    name = right.people(1)[0]
    tokens = right.sign_in(name)
    move(file, "+400d")
    wrong = Early(place / "wrong", 1, env={**right.env, "COGNATE__HTTP__PUBLIC_URL": right.url}, each={0: settings})
    try:
        refresh = {"username": name, "refresh_token": tokens["refresh_token"]}
        refused = wrong.post("token-refresh", refresh)
        assert refused.status_code == 503 and int(refused.headers["Retry-After"]) >= 1
        assert wrong.state() == 503
        assert requests.get(f"{wrong.url}/readyz", timeout=5).json()["pools"] == "unavailable"
        assert "the clock of this machine and those of the stores differ by 3" in wrong.replicas[0].output()
        move(file, "+0")
        assert wrong.ready(seconds=5) < 5
        assert wrong.post("token-refresh", refresh).status_code == 200
    finally:
        wrong.stop()
        move(file, "+0")


def test_a_jump_that_the_stores_made_too(place, faked):  # R18
    """The machines slept, or were all set right: a replica follows what the stores agree with."""
    file, settings = faked
    moved = Postgres(place, "moved", env=settings)
    service = on_stores(place / "together", "sql", moved.database("together"), replicas=1, each={0: settings})
    try:
        name = service.people(1)[0]
        before = issued(service, name, service.url)
        move(file, "+3600s")
        wait_for("the new time", lambda: issued(service, name, service.url) - before > 3500, seconds=10)
        assert service.state() == 200
    finally:
        move(file, "+0")
        service.stop()
        moved.stop()
