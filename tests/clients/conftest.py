"""The deployments every client is tried on."""

import pathlib
import tempfile

import pytest

import cognito_answers
import kubernetes
import stores
from service import Service, shared_settings

# Before any test makes a client.
cognito_answers.hold()


@pytest.fixture(scope="session")
def folder():
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="cognate-clients-") as path:
        yield pathlib.Path(path)


@pytest.fixture(scope="session")
def shared(folder):
    """A Redis and a PostgreSQL, as settings."""
    redis, redis_url = stores.redis(folder)
    postgres, postgres_url = stores.postgres(folder)
    yield shared_settings(folder, redis_url, postgres_url)
    postgres.stop()
    redis.stop()


@pytest.fixture(scope="session")
def embedded(folder):
    """One process on its own SQLite file."""
    place = folder / "embedded"
    place.mkdir()
    service = Service(place)
    yield service
    service.stop()


@pytest.fixture(scope="session")
def replicated(folder, shared):
    """Two processes on one Redis and one PostgreSQL."""
    place = folder / "replicated"
    place.mkdir()
    service = Service(place, replicas=2, env=shared)
    yield service
    service.stop()


@pytest.fixture(params=["embedded", "replicated"])
def service(request):
    """Each deployment in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def rendered():
    """Every example of the chart, with everything turned on."""
    named = zip(kubernetes.NAMES, kubernetes.FILES)
    return {name: kubernetes.template(*kubernetes.values(path), *kubernetes.ALL_ON) for name, path in named}
