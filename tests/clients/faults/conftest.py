"""Deployments to be broken, and the table of figures at the end of the run."""

import pathlib
import tempfile

import pytest

from deployment import on_stores
from figures import HEAD
from servers import DURABLE, Postgres, Redis

ROWS = []


@pytest.fixture(scope="session")
def table():
    """Where every fault puts its figures."""
    return ROWS


@pytest.fixture(scope="module")
def place():
    """A folder of a module's own, on the disk."""
    with tempfile.TemporaryDirectory(prefix="cognate-faults-") as path:
        yield pathlib.Path(path)


@pytest.fixture(scope="module")
def postgres(place):
    server = Postgres(place)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def redis(place):
    server = Redis(place, "redis", *DURABLE)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def pair(place, redis, postgres):
    """Two replicas on one durable Redis and one PostgreSQL."""
    service = on_stores(place / "pair", redis.url, postgres.database("pair"))
    yield service
    service.stop()


def pytest_terminal_summary(terminalreporter):
    if not ROWS:
        return
    rows = [HEAD, *[[str(cell) for cell in row] for row in ROWS]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    terminalreporter.section("what each fault did")
    for row in rows:
        terminalreporter.write_line("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
