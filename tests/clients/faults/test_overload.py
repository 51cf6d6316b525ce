"""Five times the sign-ins there is room for. The service has a core of its own, so that what it gets done is not what
the callers leave it."""

import concurrent.futures
import contextlib
import os
import statistics

import pytest

from callers import answered, arriving, refreshes, served
from deployment import Deployment
from figures import percentile
from service import PASSWORD

ROUNDS, TIMES = 3, 5
CALLERS = 12  # as many as keep one thread busy, and fewer than wait longer than they may


@contextlib.contextmanager
def on(cores):
    """This thread, and whatever it starts, on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@pytest.fixture
def apart(place):
    """A service with real Argon2 on one core, and the other cores."""
    own, *others = sorted(os.sched_getaffinity(0))
    with on({own}):
        service = Deployment(place / "overload", 1, env={
            "COGNATE__PASSWORD__MEMORY_KIB": "19456", "COGNATE__PASSWORD__ITERATIONS": "2", "COGNATE__PASSWORD__QUEUE_WAIT": "500ms",
            "COGNATE__LIMITS__SOURCE_FAILURES": "1000000", "COGNATE__HTTP__CONNECTIONS_PER_SOURCE": "0"})
    with on(set(others) or {own}):
        yield service
    service.stop()


def flood(service, bodies, rate, seconds, name, tokens):
    """What is said to those who sign in, and how long refreshes take meanwhile."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        said = pool.submit(arriving, service.url, "/v1/login", bodies, rate, seconds)
        loud = refreshes(service, name, tokens, said.done)
        return said.result(), loud


def goodput(said, seconds):
    """Sign-ins a second, once the queue is as long as it gets."""
    start = min(at for _, at, _ in said)
    done = [at + took - start for status, at, took in said if status == 200]
    return sum(1 <= at < seconds for at in done) / (seconds - 1)


def test_five_times_the_sign_ins_there_is_room_for(apart, table):  # R29
    """What is beyond the room is 503 with Retry-After, at once or within `password.queue_wait`, and refreshes do not
    notice. What there is room for is done: a refusal costs little beside a hash."""
    names = apart.people(100)
    logins, seconds = [{"username": name, "password": PASSWORD} for name in names], 4
    tokens = apart.sign_in(names[0])
    assert {status for status, _ in answered(apart.url, "/v1/login", logins, 4)} == {200}
    capacities, goodputs, said, loud = [served(apart.url, "/v1/login", logins, CALLERS, 2)], [], [], []
    for _ in range(ROUNDS):
        more, times = flood(apart, logins, TIMES * capacities[-1], seconds, names[0], tokens)
        goodputs.append(goodput(more, seconds))
        capacities.append(served(apart.url, "/v1/login", logins, CALLERS, 2))
        said, loud = said + more, loud + times
    parts = [good / ((before + after) / 2) for good, before, after in zip(goodputs, capacities, capacities[1:])]
    refused = [took for status, _, took in said if status == 503]
    figures = [f"{percentile(times, part) * 1000:.0f}" for times in (loud, refused) for part in (.5, .99)]
    print(f"R29 capacity {[round(c) for c in capacities]}/s, goodput {[round(g) for g in goodputs]}/s ({[round(p, 2) for p in parts]}), "
          f"{len(refused)} of {len(said)} told to come later; p50/p99 of refreshes {figures[0]}/{figures[1]} ms, of refusals {figures[2]}/{figures[3]} ms")
    table.append([f"R29 sign-ins {TIMES}x: {statistics.median(parts):.0%} of {statistics.median(capacities):.0f}/s", len(said),
                  len(said) - len(refused), f"{len(refused)}x503", 0, 0, 0, 0, "-", f"{max(refused):.2f}", "-",
                  f"{figures[0]}/{figures[1]}", "-", "-", "-"])
    assert {status for status, _, _ in said} == {200, 503}
    assert statistics.median(parts) > 0.9
    assert percentile(loud, .99) < 0.5 and percentile(refused, .99) < 1.5
