"""Redis dies, stops, forgets, fills up and comes late under replicas and a load that follows its tokens."""

import json
import time

import requests

from deployment import Early, Ordeal, on_stores
from servers import Redis
from service import PASSWORD

OUTAGE = 1.5


def test_redis_absent_at_the_start(place, postgres):  # R01
    late = Redis(place, "late", start=False)
    service = on_stores(place / "early", late.url, postgres.database("early"), 1, Early)
    try:
        ready = requests.get(f"{service.url}/readyz", timeout=5)
        assert (ready.status_code, ready.json()["tokens"], ready.json()["directory"]) == (503, "unavailable", "ok")
        pool = json.loads(service.cli("pools", "list", "--json"))[0]["id"]
        for document in ("jwks.json", "openid-configuration"):
            assert requests.get(f"{service.url}/{pool}/.well-known/{document}", timeout=5).status_code == 200
        name = service.people(1)[0]
        answer = service.post("login", {"username": name, "password": PASSWORD})
        assert answer.status_code == 503 and int(answer.headers["retry-after"]) >= 1
        late.start()
        assert service.ready() < 4
        service.sign_in(name)
    finally:
        service.stop()
        late.stop()


def test_redis_killed(pair, redis, table):  # R02, R12 (appendfsync always), R19
    with Ordeal(table, "R02 Redis SIGKILL", pair) as ordeal:
        redis.kill()
        time.sleep(OUTAGE)
        redis.start()
    ordeal.lost_nothing(gap=OUTAGE + 5)
    assert ordeal.figures.failed["503"] > 0 and ordeal.recovered < 4


def test_redis_terminated(pair, redis, table):  # R02
    with Ordeal(table, "R02 Redis SIGTERM", pair) as ordeal:
        redis.terminate()
        time.sleep(OUTAGE)
        redis.start()
    ordeal.lost_nothing(gap=OUTAGE + 5)


def test_redis_stopped(pair, redis, table):  # R02, R04
    with Ordeal(table, "R02 Redis SIGSTOP", pair) as ordeal:
        redis.freeze()
        time.sleep(OUTAGE)
        redis.thaw()
    ordeal.lost_nothing(gap=OUTAGE + 5)


def test_scripts_flushed(pair, redis, table):  # R08
    with Ordeal(table, "R08 SCRIPT FLUSH x20", pair) as ordeal:
        for _ in range(20):
            redis.cli("SCRIPT", "FLUSH")
            time.sleep(0.05)
    ordeal.lost_nothing(failures=())


def test_redis_full(pair, redis, table):  # R09
    with Ordeal(table, "R09 Redis full", pair) as ordeal:
        redis.cli("CONFIG", "SET", "maxmemory", "1")
        name, state = pair.people(1)[0], pair.state()
        assert pair.post("login", {"username": name, "password": PASSWORD}).status_code == 503 and state == 503
        time.sleep(OUTAGE)
        redis.cli("CONFIG", "SET", "maxmemory", "0")
    figures = ordeal.lost_nothing()
    # Who has a session refreshes and revokes all the while.
    assert figures.latencies["during"]


def test_redis_that_evicts(pair, redis):  # R10
    redis.cli("CONFIG", "SET", "maxmemory-policy", "allkeys-lru", "maxmemory", "100mb")
    ready = requests.get(f"{pair.url}/readyz", timeout=5)
    redis.cli("CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", "0")
    assert (ready.status_code, ready.json()["tokens"]) == (503, "unavailable")
    pair.ready()


def test_redis_refuses(pair, redis, table):  # R11
    with Ordeal(table, "R11 READONLY NOREPLICAS NOAUTH", pair) as ordeal:
        for wrong, right in (
            (["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]),
            (["CONFIG", "SET", "min-replicas-to-write", "1"], ["CONFIG", "SET", "min-replicas-to-write", "0"]),
        ):
            redis.cli(*wrong)
            time.sleep(0.5)
            redis.cli(*right)
            pair.ready()
    ordeal.lost_nothing()


def test_redis_that_forgets(place, postgres, table):  # R12, R13
    """No persistence: a kill loses every session. People sign in again; nothing that was dead comes back."""
    server = Redis(place, "forgetful")
    service = on_stores(place / "forgetful-pair", server.url, postgres.database("forgetful"))
    try:
        with Ordeal(table, "R12 Redis without AOF, SIGKILL", service, newcomers=0) as ordeal:
            server.kill()
            time.sleep(0.5)
            server.start()
        found = ordeal.figures.findings
        assert (found.revived, found.double) == ([], [])
        assert found.wrong_401 + found.locked_out, "the loss was not even noticed"
        assert ordeal.figures.latencies["after"]
    finally:
        service.stop()
        server.stop()


def test_redis_restored_from_an_old_snapshot(pair, redis):  # R13
    """What was revoked since, by token or by a changed password, and what rotated out, stays dead; who holds the newest
    token goes on."""
    names = pair.people(4)
    first, second, owner, robbed = ([pair.sign_in(name)["refresh_token"]] for name in names)
    other = pair.sign_in(names[1])

    def refresh(name, token, url=None):
        return pair.post("token-refresh", {"username": name, "refresh_token": token}, url)

    def go_on(name, tokens, times):
        for _ in range(times):
            answer = refresh(name, tokens[-1])
            assert answer.status_code == 200, answer.text
            tokens.append(answer.json()["refresh_token"])
        return answer.json()

    go_on(names[2], owner, 2)
    go_on(names[3], robbed, 2)
    redis.cli("SAVE")
    old = (redis.folder / "dump.rdb").read_bytes()
    assert pair.post("token-revoke", {"refresh_token": first[-1]}).status_code == 204
    access = go_on(names[1], second, 1)["access_token"]
    change = {"access_token": access, "previous_password": PASSWORD, "proposed_password": f"{PASSWORD} 2"}
    assert pair.post("change-password", change).status_code == 204
    go_on(names[2], owner, 3)
    go_on(names[3], robbed, 3)
    redis.kill()
    for file in (redis.folder / "appendonlydir").glob("*"):
        file.unlink()
    (redis.folder / "dump.rdb").write_bytes(old)
    # Redis reads the snapshot only when it does not look for the append-only file.
    redis.start("--appendonly", "no")
    redis.cli("CONFIG", "SET", "appendonly", "yes")
    pair.ready()
    for name, token in ((names[0], first[-1]), (names[1], other["refresh_token"])):
        for url in pair.urls:
            assert refresh(name, token, url).status_code == 401
    go_on(names[1], second, 2)
    # The snapshot takes number 2 for current. Number 5 is the newest, and 4 the last that was presented: as long as 5
    # never was, 4 may come back, because its answer may have been lost.
    for token in owner[:4]:
        for url in pair.urls:
            assert refresh(names[2], token, url).status_code == 401
    go_on(names[2], owner, 3)
    # Beyond the window (10 s) it is reuse, and the thief is out with whoever was robbed.
    time.sleep(10.5)
    assert refresh(names[3], robbed[2]).status_code == 401
    assert refresh(names[3], robbed[-1]).status_code == 401
    go_on(names[2], owner, 1)
