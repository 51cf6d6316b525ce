"""requests-oauthlib against the token endpoint: every grant, both ways to authenticate, and tokens that renew themselves."""

import secrets

import jwt
import pytest
import requests
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError, InvalidGrantError, LegacyApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from service import PASSWORD


@pytest.fixture(autouse=True)
def loopback_without_tls(monkeypatch):
    """The library insists on https, which the tests of TLS have."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.fixture
def administrator(service):
    """Name of an administrator."""
    name = service.user()
    service.cli("groups", "add", "admin", name)
    return name


def register(service, administrator, email=None):
    """Registers a user through the Amadis API; answers his address and credentials."""
    email = email or f"{secrets.token_hex(4)}@example.com"
    token = service.sign_in(administrator)["access_token"]
    form = {"name": "Bob", "email": email, "password": PASSWORD}
    answer = requests.post(
        f"{service.url}/api/user/v1/register", data=form, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    assert answer.status_code == 201, answer.text
    data = answer.json()["data"]
    assert data["user_id"] == str(data["id"])
    return email, data["user_id"], data["user_secret"]


def legacy(service, client_id, **options):
    return OAuth2Session(client=LegacyApplicationClient(client_id=client_id), **options)


def claims(token):
    return jwt.decode(token["access_token"], options={"verify_signature": False})


def test_a_user_signs_in_with_his_password(service, administrator):
    email, client_id, client_secret = register(service, administrator)
    session = legacy(service, client_id)
    token = session.fetch_token(f"{service.other}/oauth/token", username=email.upper(), password=PASSWORD, client_secret=client_secret)
    assert token.keys() - {"expires_at"} == {"token_type", "expires_in", "access_token", "refresh_token"}
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    assert claims(token)["username"] == email


# A secret with characters that a form would encode goes through Basic as it is, because this library does not encode it.
def test_the_header_names_the_client_too(service, administrator):
    for _ in range(3):
        email, client_id, client_secret = register(service, administrator)
        auth = HTTPBasicAuth(client_id, client_secret)
        for include in (None, True):
            token = legacy(service, client_id).fetch_token(
                f"{service.url}/oauth/token", username=email, password=PASSWORD, auth=auth, include_client_id=include)
            assert claims(token)["username"] == email


def test_a_terminal_signs_in_as_itself(service, administrator):
    email, client_id, client_secret = register(service, administrator)
    session = OAuth2Session(client=BackendApplicationClient(client_id=client_id))
    token = session.fetch_token(f"{service.other}/oauth/token", client_secret=client_secret, include_client_id=True, terminalid="17")
    assert token.keys() - {"expires_at"} == {"token_type", "expires_in", "access_token"}
    assert claims(token)["username"] == email


def test_an_expired_token_renews_itself_before_the_call(service, administrator):
    email, client_id, client_secret = register(service, administrator)
    service.cli("groups", "add", "admin", email)
    kept = []
    session = legacy(
        service, client_id, auto_refresh_url=f"{service.other}/oauth/token",
        auto_refresh_kwargs={"client_id": client_id, "client_secret": client_secret}, token_updater=kept.append)
    first = session.fetch_token(f"{service.url}/oauth/token", username=email, password=PASSWORD, client_secret=client_secret)
    session.token = {**first, "access_token": "expired", "expires_in": -1, "expires_at": 1}
    reset = session.patch(f"{service.url}/api/user/v1/resetpassword", data={"email": f"{service.user()}@example.com"})
    assert reset.status_code == 200, reset.text
    [renewed] = kept
    assert renewed["refresh_token"] == first["refresh_token"], "the client does not rotate"
    assert claims(renewed)["origin_jti"] == claims(first)["origin_jti"]


def test_what_is_refused_raises_what_the_library_calls_it(service, administrator):
    email, client_id, client_secret = register(service, administrator)
    _, other_id, other_secret = register(service, administrator)
    url = f"{service.url}/oauth/token"
    with pytest.raises(InvalidGrantError, match="Incorrect username or password."):
        legacy(service, client_id).fetch_token(url, username=email, password="wrong one", client_secret=client_secret)
    with pytest.raises(InvalidClientError, match="Client authentication failed."):
        legacy(service, client_id).fetch_token(url, username=email, password=PASSWORD, client_secret="wrong one")
    with pytest.raises(InvalidClientError):
        legacy(service, client_id).fetch_token(url, username=email, password=PASSWORD, auth=HTTPBasicAuth(client_id, "wrong one"))
    token = legacy(service, client_id).fetch_token(url, username=email, password=PASSWORD, client_secret=client_secret)
    thief = OAuth2Session(client=LegacyApplicationClient(client_id=other_id))
    with pytest.raises(InvalidGrantError):
        thief.refresh_token(url, refresh_token=token["refresh_token"], client_id=other_id, client_secret=other_secret)
    owner = OAuth2Session(client=LegacyApplicationClient(client_id=client_id))
    assert owner.refresh_token(url, refresh_token=token["refresh_token"], client_id=client_id, client_secret=client_secret)
