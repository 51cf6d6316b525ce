"""Five times the sign-ins there is room for. The service has a core of its own, so that what it gets done is not what
the callers leave it."""

import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import statistics
import tempfile
import time

import pytest

from callers import answered, arriving, refreshes, served, within
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
def apart(tmp_path):
    """A service with real Argon2 on one core and in memory, so that no disk is measured; its callers are on others."""
    folder = pathlib.Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else tmp_path, prefix="cognate-overload-"))
    own, *others = sorted(os.sched_getaffinity(0))
    with on({own}):
        service = Deployment(folder / "service", 1, env={
            "COGNATE__PASSWORD__MEMORY_KIB": "19456", "COGNATE__PASSWORD__ITERATIONS": "2", "COGNATE__PASSWORD__QUEUE_WAIT": "500ms",
            "COGNATE__LIMITS__SOURCE_FAILURES": "1000000", "COGNATE__HTTP__CONNECTIONS_PER_SOURCE": "0"})
    with on(set(others) or {own}):
        yield service
    service.stop()
    shutil.rmtree(folder)


def spent(service):
    """Seconds that the service's core worked for it."""
    with open(f"/proc/{service.replicas[0].pid}/stat", encoding="utf-8") as stat:
        return sum(map(int, stat.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def flood(service, bodies, rate, seconds, name, tokens):
    """What is said to those who sign in, and how long refreshes take meanwhile."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        said = pool.submit(arriving, service.url, "/v1/login", bodies, rate, seconds)
        loud = refreshes(service, name, tokens, said.done, 0.05)
        return said.result(), loud


def test_five_times_the_sign_ins_there_is_room_for(apart, table):  # R29
    """What is beyond the room is 503 with Retry-After, most of it at once, and refreshes do not notice. What there is
    room for is done: a refusal costs little beside a hash. Measured by the core's work, which other work on the machine
    does not blur; by the clock it is printed."""
    names = apart.people(100)
    logins, tokens, said, loud = [{"username": name, "password": PASSWORD} for name in names], apart.sign_in(names[0]), [], []
    assert {status for status, _ in answered(apart.url, "/v1/login", logins, 1)} == {200}
    quiet, capacities, goodputs, by_clock = refreshes(apart, names[0], tokens, within(1.5)), [], [], []
    for _ in range(ROUNDS):
        worked, started = spent(apart), time.monotonic()
        rate = served(apart.url, "/v1/login", logins, CALLERS, 2)
        capacities.append(rate * (time.monotonic() - started) / (spent(apart) - worked))
        worked, started = spent(apart), time.monotonic()
        more, times = flood(apart, logins, TIMES * max(rate, 20), 4, names[0], tokens)
        done = sum(status == 200 for status, _, _ in more)
        goodputs.append(done / (spent(apart) - worked))
        by_clock.append(f"{done / (time.monotonic() - started):.0f} of {rate:.0f}/s")
        said, loud = said + more, loud + times
    parts = [goodput / capacity for goodput, capacity in zip(goodputs, capacities)]
    refused = [took for status, _, took in said if status == 503]
    figures = [f"{percentile(times, part) * 1000:.0f}" for times in (quiet, loud, refused) for part in (.5, .99)]
    print(f"R29 {by_clock}, by the core's work {[round(part, 2) for part in parts]}, {len(refused)} of {len(said)} told to come later; "
          f"p50/p99 of refreshes {figures[0]}/{figures[1]} ms alone and {figures[2]}/{figures[3]} ms in the flood, "
          f"of refusals {figures[4]}/{figures[5]} ms")
    table.append([f"R29 sign-ins {TIMES}x: {statistics.median(parts):.0%}", len(said),
                  len(said) - len(refused), f"{len(refused)}x503", 0, 0, 0, 0, "-", f"{max(refused):.2f}",
                  f"{figures[0]}/{figures[1]}", f"{figures[2]}/{figures[3]}", "-", "-", "-"])
    assert {200, 503} <= {status for status, _, _ in said} <= {200, 429, 503}
    # 0.9 is the goal. A build for tests pays more for a refusal, and a busy machine makes five times ten times.
    assert statistics.median(parts) > 0.7
    # A machine with other work to do keeps refreshes waiting without any flood.
    assert percentile(loud, .99) < max(0.5, 4 * percentile(quiet, .99))
    # Most are refused at the door; who waited for another attempt on his own account was longer in.
    assert percentile(refused, .5) < 0.3
