"""The README's table of what is answered while a part is absent, each cell tried on running replicas."""

import concurrent.futures
import json
import pathlib
import re
import time

import pytest
import requests

from children import free_port, wait_for
from deployment import on_stores
from network import Network
from service import PASSWORD

README = pathlib.Path(__file__).parents[3] / "README.md"
HEAD = "| While it is absent | TokenStore (Redis) | Directory (PostgreSQL) | mail server |"
# What a busy machine may take beyond the deadline.
SLACK = 2.5
USUAL = "as usual"


def table():
    """The rows: operation and its cells by column."""
    lines = README.read_text().splitlines()
    rows = lines[lines.index(HEAD) + 2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[: rows.index("")]]
    return {row[0].strip("`"): dict(zip(("redis", "postgres", "mail"), row[1:])) for row in cells}


def cells(column):
    return [(operation, row[column]) for operation, row in table().items() if operation != "a 503 comes within"]


def seconds(text):
    number, unit = re.fullmatch(r"`?([\d.]+)\s*(ms|s)`?.*", text).groups()
    return float(number) / (1000 if unit == "ms" else 1)


class Contract:
    """A replica behind networks to its stores, with a mail server that never answers, and fresh material for each row."""

    def __init__(self, place, redis, postgres):
        self.networks = {"redis": Network(redis.port), "postgres": Network(postgres.port)}
        database = postgres.database("contract", self.networks["postgres"].port)
        self.service = on_stores(
            place / "contract", f"redis://127.0.0.1:{self.networks['redis'].port}/7", database, 1,
            env={"COGNATE__MAIL__URL": f"smtp://127.0.0.1:{free_port()}"})
        self.pool = json.loads(self.service.cli("pools", "list", "--json"))[0]["id"]

    def stop(self):
        self.service.stop()
        for network in self.networks.values():
            network.stop()

    def prepare(self):
        """A call of every operation, ready to be made: path, body, and the status of success."""
        service = self.service
        names = service.people(5)
        new, temporary = service.newcomers(1)[0]
        mailed = service.user()
        session = service.post("login", {"username": new, "password": temporary}).json()["session"]
        tokens = [service.sign_in(name) for name in names]
        refresh = lambda number: {"username": names[number], "refresh_token": tokens[number]["refresh_token"]}
        change = {"access_token": tokens[2]["access_token"], "previous_password": PASSWORD, "proposed_password": f"{PASSWORD} 2"}
        confirm = {"username": mailed, "confirmation_code": "00000000", "password": f"{PASSWORD} 3"}
        answer = {"username": new, "session": session, "new_password": PASSWORD}
        self.revoked = refresh(1)
        return {
            "POST /v1/login": ({"username": names[4], "password": PASSWORD}, 200),
            "POST /v1/login, wrong password": ({"username": names[4], "password": "wrong wrong"}, 401),
            "POST /v1/token-refresh": (refresh(0), 200),
            "POST /v1/token-refresh, a forged token": ({"username": names[0], "refresh_token": "a.0.b"}, 401),
            "POST /v1/token-revoke": ({"refresh_token": self.revoked["refresh_token"]}, 204),
            "POST /v1/change-password": (change, 204),
            "POST /v1/new-password-required": (answer, 200),
            "POST /v1/forgot-password": ({"username": mailed}, 204),
            "POST /v1/forgot-password-confirm, wrong code": (confirm, 401),
            "GET /v1/status": (None, 200),
            "GET /{pool}/.well-known/jwks.json": (None, 200),
            "GET /{pool}/.well-known/openid-configuration": (None, 200),
            "GET /livez": (None, 200),
            "GET /readyz": (None, 200),
            "GET /metrics": (None, 200),
        }

    def call(self, operation, body):
        method, path = operation.split(",")[0].split(" ")
        started = time.monotonic()
        url = self.service.url + path.replace("{pool}", self.pool)
        answer = requests.request(method, url, json=body, timeout=20)
        return answer, time.monotonic() - started


@pytest.fixture(scope="module")
def contract(place, redis, postgres):
    made = Contract(place, redis, postgres)
    yield made
    made.stop()


def test_the_table_has_every_operation_and_the_calls_have_no_other(contract):
    assert set(table()) - {"a 503 comes within"} == set(contract.prepare())


@pytest.mark.parametrize("manner", ["refuses", "hole"])
@pytest.mark.parametrize("store", ["redis", "postgres"])
def test_every_cell_of_the_table(contract, store, manner):  # R01 to R04, R14
    calls, network = contract.prepare(), contract.networks[store]
    deadline = seconds(table()["a 503 comes within"][store])
    setattr(network, manner, True)
    network.reset()
    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = dict(zip(calls, pool.map(lambda operation: contract.call(operation, calls[operation][0]), calls)))
    finally:
        network.heal()
        network.reset()
    for operation, cell in cells(store):
        answer, took = answers[operation]
        wanted = calls[operation][1] if cell == USUAL else int(cell[:3])
        assert answer.status_code == wanted, (operation, answer.status_code, answer.text)
        assert took < deadline + SLACK, (operation, took)
        if wanted == 503 and operation != "GET /readyz":
            assert int(answer.headers["retry-after"]) >= 1
        if operation == "GET /readyz":
            assert answer.json()[{"redis": "tokens", "postgres": "directory"}[store]] == "unavailable"
    contract.service.ready()
    for operation, cell in cells(store):
        if "dead" in cell:
            assert contract.service.post("token-refresh", contract.revoked).status_code == 401
        elif cell != USUAL and operation != "GET /readyz":
            # What was refused for the outage succeeds now, by the very same call.
            body, wanted = calls[operation]
            wait_for(operation, lambda: contract.call(operation, body)[0].status_code == wanted, seconds=5)


def test_without_a_mail_server_everything_is_as_usual(contract):  # R31
    calls = contract.prepare()
    for operation, cell in cells("mail"):
        answer, took = contract.call(operation, calls[operation][0])
        assert cell == USUAL and answer.status_code == calls[operation][1], (operation, answer.text)
        assert took < SLACK
