"""Stopping: gently under load without a failed request, and hard without losing or reviving anything."""

import os
import signal
import threading
import time
import urllib.parse

import pytest
import requests

from children import wait_for
from load import Balancer, Load
from service import PASSWORD, Service

CROWD = {
    "COGNATE__LIMITS__SOURCE_FAILURES": "1000000", "COGNATE__LIMITS__ACCOUNT_FAILURES": "1000000",
    "COGNATE__V1__MAX_ACCESS_TOKENS": "0", "COGNATE__PASSWORD__QUEUE_WAIT": "10s",
}


@pytest.fixture
def lone(folder, request):
    """A service of the embedded store for one test."""
    place = folder / request.node.name
    place.mkdir()
    service = Service(place, env=CROWD)
    yield service
    service.stop()


def calls(service, users=3):
    """Sign-ins, refreshes and changes of nothing, as a load of them."""
    made = []
    for name in [service.user() for _ in range(users)]:
        token = service.sign_in(name)["refresh_token"]
        refresh = ("/v1/token-refresh", {"username": name, "refresh_token": token}, 200)
        made += [refresh] * 4
        made.append(("/v1/login", {"username": name, "password": PASSWORD}, 200))
        made.append(("/v1/login", {"username": name, "password": "wrong wrong"}, 401))
    return made


def test_a_stop_under_load_fails_nothing(lone):  # R27
    address = urllib.parse.urlsplit(lone.url).netloc
    with Load(address, calls(lone)) as load:
        time.sleep(2)
        before = load.answered
        left = []
        stopper = threading.Thread(target=lambda: left.append(lone.replicas[0].terminate()))
        stopper.start()
        wait_for("unreadiness", lambda: requests.get(f"{lone.url}/readyz", timeout=5).status_code == 503, seconds=3)
        assert requests.get(f"{lone.url}/livez", timeout=5).headers["connection"] == "close"
        # As long as a balancer takes to notice.
        time.sleep(2)
        load.stop()
    stopper.join()
    print(f"{before} answered before SIGTERM, {load.answered - before} after, {len(load.failures)} failed, gone after {left[0]:.1f} s")
    assert load.failures == []
    assert load.answered - before > 10
    assert left[0] < 20


def test_a_rolling_restart_behind_a_balancer_fails_nothing(folder, shared):  # R27
    place = folder / "rolling"
    place.mkdir()
    service = Service(place, replicas=2, env={**shared, **CROWD})
    balancer = Balancer(service.urls)
    try:
        wait_for("both replicas at the balancer", lambda: len(balancer.ready) == 2)
        with Load(balancer.address, calls(service)) as load:
            time.sleep(1)
            for number, url in enumerate(service.urls):
                service.replicas[number].terminate()
                service.replicas[number] = service._start(number, urllib.parse.urlsplit(url).port)
                wait_for("the replica at the balancer", lambda: len(balancer.ready) == 2)
                time.sleep(1)
        print(f"{load.answered} answered, {len(load.failures)} failed")
        assert load.failures == []
        assert load.answered > 100
    finally:
        balancer.stop()
        service.stop()


def test_a_second_signal_stops_at_once(lone):  # R28
    started = time.monotonic()
    os.kill(lone.replicas[0].pid, signal.SIGTERM)
    time.sleep(0.5)
    lone.replicas[0].terminate()
    assert time.monotonic() - started < 3


def test_what_was_answered_before_a_kill_holds_after_it(lone):  # R16, R19, I-1
    names = [lone.user() for _ in range(3)]
    for _ in range(3):
        opened, revoked, in_doubt, stop = {}, set(), set(), threading.Event()

        def work(name):
            while not stop.is_set():
                try:
                    tokens = lone.sign_in(name)
                    opened[tokens["refresh_token"]] = name
                    if len(opened) % 2:
                        in_doubt.add(tokens["refresh_token"])
                        if lone.post("token-revoke", {"refresh_token": tokens["refresh_token"]}).status_code == 204:
                            revoked.add(tokens["refresh_token"])
                except requests.RequestException:
                    return

        threads = [threading.Thread(target=work, args=(name,)) for name in names for _ in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(2)
        lone.replicas[0].stop()
        stop.set()
        for thread in threads:
            thread.join()
        lone.restart()
        for token, name in opened.items():
            status = lone.post("token-refresh", {"username": name, "refresh_token": token}).status_code
            if token in revoked:
                assert status == 401, "a revoked session lives again"
            elif token not in in_doubt:
                assert status == 200, "an acknowledged session is lost"
        assert len(opened) > 5 and revoked
