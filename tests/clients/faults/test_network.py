"""The network between replicas and their stores misbehaves: slow, narrow, silent, half open, reset, cut in the middle
of an answer, and there for one replica only."""

import concurrent.futures
import time

import pytest

from children import wait_for
from deployment import Ordeal, on_stores
from network import Network
from service import PASSWORD

DEADLINE = 4.0


class Wires:
    """A pair of replicas of which each reaches Redis and PostgreSQL through networks of its own."""

    def __init__(self, place, redis, postgres):
        self.redis = [Network(redis.port) for _ in range(2)]
        self.postgres = [Network(postgres.port) for _ in range(2)]
        database = postgres.database("wires")
        each = {
            number: {
                "COGNATE__TOKENS__URL": f"redis://127.0.0.1:{self.redis[number].port}/5",
                "COGNATE__DIRECTORY__URL": database.replace(f":{postgres.port}/", f":{self.postgres[number].port}/"),
            }
            for number in range(2)
        }
        self.service = on_stores(place / "wires", redis.url + "/5", database, each=each)

    def all(self):
        return [*self.redis, *self.postgres]

    def heal(self):
        for network in self.all():
            network.heal()

    def stop(self):
        self.service.stop()
        for network in self.all():
            network.stop()


@pytest.fixture(scope="module")
def wires(place, redis, postgres):
    found = Wires(place, redis, postgres)
    yield found
    found.stop()


def test_slow_and_jittering(wires, table):  # R03
    with Ordeal(table, "R03 stores 20-60 ms away", wires.service) as ordeal:
        for network in wires.all():
            network.delay, network.jitter = 0.02, 0.04
        time.sleep(2)
        wires.heal()
    # Slower, but within the deadlines: on a quiet machine nothing fails.
    figures = ordeal.lost_nothing(deadline=DEADLINE)
    assert figures.latencies["during"]


def test_slower_than_the_deadline(wires, table):  # R03
    with Ordeal(table, "R03 Redis 2 s away", wires.service) as ordeal:
        for network in wires.redis:
            network.delay = 2
        time.sleep(2)
        wires.heal()
    assert ordeal.lost_nothing(deadline=DEADLINE, gap=10).failed["503"]


def test_a_narrow_line(wires, table):  # R03
    with Ordeal(table, "R03 Redis at 20 kB/s", wires.service) as ordeal:
        for network in wires.redis:
            network.rate = 20_000
        time.sleep(2)
        wires.heal()
    ordeal.lost_nothing(deadline=DEADLINE)


@pytest.mark.parametrize("store", ["redis", "postgres"])
def test_a_black_hole(wires, table, store):  # R04
    with Ordeal(table, f"R04 {store}: black hole", wires.service) as ordeal:
        for network in getattr(wires, store):
            network.hole = True
        time.sleep(2)
        wires.heal()
    assert ordeal.lost_nothing(deadline=DEADLINE, gap=10).failed["503"]


@pytest.mark.parametrize("store", ["redis", "postgres"])
def test_half_open(wires, table, store):  # R04
    with Ordeal(table, f"R04 {store}: half open", wires.service) as ordeal:
        for network in getattr(wires, store):
            network.half_open()
        time.sleep(2)
        wires.heal()
    ordeal.lost_nothing(deadline=DEADLINE, gap=10)


@pytest.mark.parametrize("store", ["redis", "postgres"])
def test_resets(wires, table, store):  # R04
    with Ordeal(table, f"R04 {store}: RST every 100 ms", wires.service) as ordeal:
        for _ in range(15):
            for network in getattr(wires, store):
                network.reset()
            time.sleep(0.1)
    ordeal.lost_nothing(deadline=DEADLINE, gap=10)


@pytest.mark.parametrize("store", ["redis", "postgres"])
def test_answers_cut_in_the_middle(wires, table, store):  # R04, R22
    networks = getattr(wires, store)
    before = sum(network.cut for network in networks)
    with Ordeal(table, f"R04 {store}: answers cut", wires.service) as ordeal:
        for _ in range(20):
            for network in networks:
                network.cuts = 1
            time.sleep(0.1)
        wires.heal()
    ordeal.lost_nothing(deadline=DEADLINE, gap=10)
    assert sum(network.cut for network in networks) - before > 10


def test_a_partition(wires, table):  # R33
    """One replica sees the stores, the other none: it fails closed, and the first goes on."""
    with Ordeal(table, "R33 one replica cut off", wires.service) as ordeal:
        cut_off = (wires.redis[1], wires.postgres[1])
        for network in cut_off:
            network.refuses = True
            network.reset()
        time.sleep(1.5)
        assert (wires.service.state(wires.service.urls[0]), wires.service.state(wires.service.urls[1])) == (200, 503)
        wires.heal()
    figures = ordeal.lost_nothing(deadline=DEADLINE)
    assert figures.failed["503"] and figures.latencies["during"]


def test_a_revocation_here_is_one_there_when_redis_is_there_for_one_only(wires):  # R24, R33
    """What one replica could only write into the Directory, the other refuses at once."""
    service = wires.service
    name = service.people(1)[0]
    tokens = service.sign_in(name)
    wires.redis[0].refuses = True
    wires.redis[0].reset()
    body = {"refresh_token": tokens["refresh_token"]}
    assert service.post("token-revoke", body, service.urls[0]).status_code == 503
    assert service.post("token-refresh", {"username": name, **body}, service.urls[1]).status_code == 401
    wires.heal()
    wait_for("the same call's success", lambda: service.post("token-revoke", body, service.urls[0]).status_code == 204, seconds=4)


def test_one_token_at_two_replicas_while_answers_are_cut(wires):  # R22, I-2
    service = wires.service
    name = service.people(1)[0]
    token = service.sign_in(name)["refresh_token"]
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        for _ in range(8):
            for network in wires.redis:
                network.cuts = 1
            ask = lambda number, now=token: service.post("token-refresh", {"username": name, "refresh_token": now}, service.urls[number % 2])
            answers = list(pool.map(ask, range(10)))
            successors = {answer.json()["refresh_token"] for answer in answers if answer.status_code == 200}
            assert {answer.status_code for answer in answers} <= {200, 503}
            assert len(successors) == 1, [answer.text[:80] for answer in answers]
            token = successors.pop()
    wires.heal()


def test_a_refused_first_try_costs_nobody_his_next(wires):  # I-4
    """Sign-ins that fail because a store is gone are no wrong passwords: nobody is throttled for them."""
    service = wires.service
    name = service.people(1)[0]
    for _ in range(12):
        wires.redis[0].reset()
        wires.postgres[0].reset()
        answer = service.post("login", {"username": name, "password": PASSWORD})
        assert answer.status_code in (200, 503), answer.text
    wires.heal()
    body = {"username": name, "password": PASSWORD}
    # Each worker has a connection of its own, which it seeks for up to half a second.
    wait_for("a sign-in", lambda: service.post("login", body).status_code == 200, seconds=4)
