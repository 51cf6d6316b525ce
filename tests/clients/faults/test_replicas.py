"""The processes of the service themselves are killed and interrupted, on shared stores and on the embedded one."""

import os
import signal
import time
import urllib.parse

from children import wait_for
from deployment import Deployment, Ordeal

# A killed process answers nothing more; whoever was waiting repeats the call.
LOST = ("503", "connection")


def restart(service, number):
    service.replicas[number].stop()
    time.sleep(0.3)
    service.replicas[number] = service._start(number, urllib.parse.urlsplit(service.urls[number]).port)


def test_one_replica_killed(pair, table):  # R19, I-1 to I-4
    with Ordeal(table, "R19 one replica of two SIGKILL", pair) as ordeal:
        restart(pair, 1)
    ordeal.lost_nothing(failures=LOST, gap=8)


def test_all_replicas_killed_again_and_again(pair, table):  # R19
    with Ordeal(table, "R19 both replicas SIGKILL, twice", pair) as ordeal:
        for _ in range(2):
            for number in range(2):
                restart(pair, number)
    ordeal.lost_nothing(failures=LOST)


def test_the_embedded_store_killed_again_and_again(place, table):  # R16, R19
    service = Deployment(place / "embedded", 1)
    try:
        with Ordeal(table, "R16 SQLite, SIGKILL three times", service) as ordeal:
            for _ in range(3):
                restart(service, 0)
                time.sleep(0.3)
        ordeal.lost_nothing(failures=LOST)
    finally:
        service.stop()


def test_an_interrupt_drains_like_a_termination(place, table):  # R28
    """SIGINT under load, with the time to drain that a balancer needs: what was asked is answered."""
    service = Deployment(place / "interrupted", 1, env={"COGNATE__HTTP__DRAIN": "1s"})
    try:
        with Ordeal(table, "R28 SIGINT, drain 1 s", service, settle=False) as ordeal:
            child = service.replicas[0]
            os.kill(child.pid, signal.SIGINT)
            wait_for("the end", lambda: not child.alive(), seconds=20)
            child.stop()
            service.replicas[0] = service._start(0, urllib.parse.urlsplit(service.url).port)
        ordeal.lost_nothing(failures=LOST, gap=15)
    finally:
        service.stop()
