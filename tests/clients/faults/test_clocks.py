"""Replicas whose clocks differ, and a clock that jumps under load. (R18)"""

import glob
import os
import time

import jwt
import pytest

from deployment import Ordeal, on_stores
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


@pytest.mark.parametrize("jump", ["+3600s", "-3600s", "-300s"])
def test_a_clock_that_jumps(skewed, table, jump):  # R18
    """An hour ahead or behind, and back: nobody is logged out and nobody is locked out."""
    service, file = skewed
    with Ordeal(table, f"R18 one clock jumps {jump}", service) as ordeal:
        move(file, jump)
        time.sleep(1)
        move(file, "+0")
        time.sleep(0.5)
    # An access token that was made where it is later is 503 until the clock is right again, never 401.
    ordeal.lost_nothing(gap=5)
