"""Chromium: a page on another origin, and the page at /docs."""

import json
import os
import urllib.parse

import pytest
import yaml

import stores
from children import wait_for
from pages import served
from service import BINARY, HERE, PASSWORD, ROOT, Service, node


@pytest.fixture(scope="module")
def origin():
    """A web server on another port that serves the page."""
    with served(HERE) as origin:
        yield origin


def page(origin, service):
    return f"{origin}/page.html?api={urllib.parse.quote(service.other, safe='')}"


STORY = {
    "wrong password": 401,
    "sign-in": 200,
    "refreshes": [200] * 10,
    "sign-out": 204,
    "refresh after sign-out": 401,
}


def test_a_page_elsewhere_signs_in_refreshes_from_two_tabs_and_signs_out(service, origin):
    assert json.loads(node("browser.mjs", page(origin, service), service.user(), PASSWORD)) == STORY


@pytest.fixture(params=["embedded", "replicated"])
def rotating(request, folder):
    """A deployment of its own whose client rotates refresh tokens."""
    place = folder / f"tabs-{request.param}"
    place.mkdir()
    replicated = request.param == "replicated"
    env = stores.fresh_database(request.getfixturevalue("shared"), "tabs") if replicated else {}
    service = Service(place, replicas=1 + replicated, env={**env, "COGNATE__KEYS__RELOAD": "1s"})
    clients = json.loads(service.cli("clients", "list", "--json"))
    client = next(client["id"] for client in clients if client["name"] == "default")
    service.cli("clients", "update", client, "--rotation-grace", "10s")
    probe = service.user()
    for url in service.urls:
        wait_for("rotation", lambda: "refresh_token" in refreshed(service, probe, url))
    yield service
    service.stop()


def refreshed(service, name, url):
    token = service.sign_in(name, PASSWORD, url)["refresh_token"]
    return service.post("token-refresh", {"username": name, "refresh_token": token}, url).json()


def test_two_tabs_that_rotate_one_refresh_token_at_once_stay_signed_in(rotating, origin):  # R22, R23
    assert json.loads(node("browser.mjs", page(origin, rotating), rotating.user(), PASSWORD)) == STORY


def test_only_the_pages_of_allowed_origins_read_our_answers(folder, origin):
    place = folder / "origins"
    place.mkdir()
    service = Service(place, env={"COGNATE__HTTP__ALLOWED_ORIGINS": origin})
    try:
        name = service.user()
        assert json.loads(node("browser.mjs", page(origin, service), name, PASSWORD)) == STORY
        elsewhere = origin.replace("127.0.0.1", "localhost")
        assert json.loads(node("stranger.mjs", page(elsewhere, service), name, PASSWORD)) == "TypeError: Failed to fetch"
    finally:
        service.stop()


def test_the_docs_page_shows_every_operation_and_asks_nobody_else(embedded):
    picture = BINARY.parent.parent / "docs.png"
    seen = json.loads(node("docs.mjs", embedded.url, picture))
    document = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    described = sorted(f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item)
    assert sorted(seen["operations"]) == described
    assert seen["hosts"] == [embedded.url.removeprefix("http://")]
    assert seen["problems"] == []
    assert os.path.getsize(picture) > 20_000
