"""A master behind Sentinels, nodes of a Cluster, and a PostgreSQL with a standby, lost under load."""

import time

import pytest
import requests

from children import wait_for
from deployment import Ordeal, on_stores
from network import Network
from servers import Cluster, Postgres, Watched
from service import PASSWORD


def test_sentinel_fails_over(place, postgres, table):  # R05, R06, R24
    watched = Watched(place / "watched")
    service = on_stores(place / "sentinel-pair", watched.url, postgres.database("watched"))
    try:
        with Ordeal(table, "R05 Sentinel, master SIGKILL", service) as ordeal:
            watched.master.kill()
            time.sleep(0.5)
        assert "role:master" in watched.replica.cli("INFO", "replication")
        figures = ordeal.figures
        assert (figures.findings.revived, figures.findings.double) == ([], [])
        # Replication is asynchronous: a sign-in that was acknowledged in the last instant before the kill may be lost,
        # and then it is refused. Five riders with one call each.
        assert len(figures.findings.wrong_401 + figures.findings.locked_out + figures.findings.lost) <= 5
        assert figures.findings.ghosts == []
        assert set(figures.failed) == {"503"} and figures.slowest < 4 and figures.gap < 12
    finally:
        service.stop()
        watched.stop()


def test_sentinel_fails_over_and_nothing_acknowledged_is_lost(place, postgres, table):  # R05, R06, R24
    """`tokens.durability = replicated`: a replica that is behind makes a 503, never a promise that the failover breaks."""
    watched = Watched(place / "replicated")
    replicated = {"COGNATE__TOKENS__DURABILITY": "replicated"}
    service = on_stores(place / "replicated-pair", watched.url, postgres.database("replicated"), env=replicated)
    try:
        with Ordeal(table, "R06 Sentinel, replica late, master SIGKILL", service) as ordeal:
            watched.replica.freeze()
            time.sleep(0.5)
            ready = requests.get(f"{service.url}/readyz", timeout=5)
            assert (ready.status_code, ready.json()["tokens"]) == (503, "unavailable")
            watched.master.kill()
            watched.replica.thaw()
            wait_for("a new master", lambda: "role:master" in watched.replica.cli("INFO", "replication"), seconds=30)
            # It needs a replica itself.
            watched.master.start("--replicaof", "127.0.0.1", watched.replica.port)
        ordeal.lost_nothing(gap=20)
    finally:
        service.stop()
        watched.stop()


def test_a_late_replica_makes_a_503_and_the_same_call_succeeds_later(place, postgres):  # R06
    watched = Watched(place / "late", down_after=30_000)
    replicated = {"COGNATE__TOKENS__DURABILITY": "replicated"}
    service = on_stores(place / "late-pair", watched.url, postgres.database("late"), env=replicated)
    try:
        name = service.people(1)[0]
        tokens = service.sign_in(name)
        calls = [
            ("login", {"username": name, "password": PASSWORD}),
            ("token-refresh", {"username": name, "refresh_token": tokens["refresh_token"]}),
        ]
        watched.replica.freeze()
        # More often than a password may be wrong: it is no attempt.
        for path, body in calls * 8:
            answer = service.post(path, body)
            assert answer.status_code == 503 and int(answer.headers["retry-after"]) >= 1
            assert answer.elapsed.total_seconds() < 0.75 + 2.5
        watched.replica.thaw()
        service.ready()
        for path, body in calls:
            answer = service.post(path, body)
            assert answer.status_code == 200, answer.text
    finally:
        service.stop()
        watched.stop()


@pytest.fixture(scope="module")
def clustered(place):
    cluster = Cluster(place / "cluster")
    yield cluster
    cluster.stop()


def on_cluster(place, postgres, cluster, name):
    # What is tested is the following of slots, not how fast a busy machine moves them.
    slow = {"COGNATE__TOKENS__TIMEOUT": "5s", "COGNATE__TOKENS__CONNECT_TIMEOUT": "2s"} if name == "moving" else {}
    return on_stores(place / name, cluster.url, postgres.database(name), env=slow)


def test_cluster_reshards(place, postgres, clustered, table):  # R07
    service = on_cluster(place, postgres, clustered, "moving")
    try:
        with Ordeal(table, "R07 Cluster, 800 slots moved", service, riders=8) as ordeal:
            clustered.reshard(0, 1, 400)
            clustered.reshard(1, 2, 400)
        ordeal.lost_nothing(failures=())
    finally:
        service.stop()


def test_cluster_loses_a_node(place, postgres, clustered, table):  # R07
    service = on_cluster(place, postgres, clustered, "losing")
    try:
        with Ordeal(table, "R07 Cluster, a node SIGKILL", service, riders=8) as ordeal:
            clustered.nodes[1].kill()
            time.sleep(1)
            clustered.nodes[1].start()
            clustered.whole()
        ordeal.lost_nothing(gap=10)
    finally:
        service.stop()


def test_postgres_fails_over_to_its_standby(place, redis, table):  # R14
    """The address (a proxy, a virtual one) first leads to the dead master, then to the promoted standby."""
    folder = place / "standby"
    folder.mkdir()
    master = Postgres(folder, "master")
    master.sql("ALTER SYSTEM SET synchronous_commit = 'remote_write'")
    standby = Postgres(folder, "standby", of=master)
    master.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
    master.sql("SELECT pg_reload_conf()")
    address = Network(master.port)
    service = on_stores(folder / "pair", f"{redis.url}/3", master.database("pair", address.port))
    try:
        with Ordeal(table, "R14 PostgreSQL fails over", service) as ordeal:
            master.kill()
            # For a while the address leads to a server that takes no writes.
            address.target = standby.port
            time.sleep(0.7)
            standby.promote()
        ordeal.lost_nothing(gap=10)
        assert standby.sql("SELECT pg_is_in_recovery()").strip() == "f"
        wait_for("writes", lambda: service.state() == 200)
    finally:
        service.stop()
        address.stop()
        master.stop()
        standby.stop()
