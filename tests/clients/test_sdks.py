"""The published clients of the native API: PyPI `wme`, and npm `wikimedia-enterprise` as library and as command."""

import asyncio
import json
import os
import subprocess

import httpx
import pytest
import wme.auth

from service import HERE, PASSWORD, node


@pytest.fixture
def python_sdk(service, monkeypatch):
    """`wme`, turned to our service; each call to the replica after the one before. It has no setting for that."""
    monkeypatch.setattr(wme.auth, "LOGIN_URL_PREFIX", f"{service.url}/v1/login")
    monkeypatch.setattr(wme.auth, "REFRESH_URL_PREFIX", f"{service.other}/v1/token-refresh")
    monkeypatch.setattr(wme.auth, "REVOKE_URL_PREFIX", f"{service.url}/v1/token-revoke")
    return wme.auth


def test_the_python_sdk_signs_in_refreshes_and_revokes(service, python_sdk):
    name = service.user()

    async def story():
        tokens = await python_sdk.login(name, PASSWORD)
        assert tokens.expires_in == 86400
        assert tokens.challenge_name is None and tokens.session is None
        refreshed = await python_sdk.refresh_token(name, tokens.refresh_token)
        assert refreshed.expires_in == 86400
        assert refreshed.access_token != tokens.access_token
        await python_sdk.revoke_token(tokens.refresh_token)
        with pytest.raises(httpx.HTTPStatusError) as refused:
            await python_sdk.refresh_token(name, tokens.refresh_token)
        assert refused.value.response.status_code == 401
        # Helpers that clear their state revoke once more; that has to succeed.
        await python_sdk.revoke_token(tokens.refresh_token)

    asyncio.run(story())


def test_the_python_sdk_sees_a_wrong_password_refused(service, python_sdk):
    name = service.user()
    with pytest.raises(httpx.HTTPStatusError) as refused:
        asyncio.run(python_sdk.login(name, "not the password"))
    assert refused.value.response.status_code == 401
    assert refused.value.response.json() == {"status": 401, "message": "Incorrect username or password."}


def test_the_typescript_sdk_walks_through_every_operation(service):
    name = service.user()
    newcomer = service.user(None, "temporary horse staple", "--temporary")
    seen = json.loads(node("sdk.mjs", service.url, service.other, name, newcomer, PASSWORD))
    assert seen == {
        "login": ["access_token", "expires_in", "id_token", "refresh_token"],
        "expires_in": 86400,
        "refresh": ["access_token", "expires_in", "id_token"],
        "changed": None,
        "old password": "AuthenticationError 401 Incorrect username or password.",
        "challenge": ["challenge_name", "session"],
        "challenge name": "NEW_PASSWORD_REQUIRED",
        "met": ["access_token", "expires_in", "id_token", "refresh_token"],
        "revoked": None,
        "revoked again": None,
        "refresh after revoke": "AuthenticationError 401 Unauthorized.",
        "garbage revoked": "AuthenticationError 401 Unauthorized",
        "empty name": "UnprocessableEntityError 422",
        "forgot": None,
        "forgot, nobody": None,
        "wrong code": "AuthenticationError 401 CodeMismatchException: Invalid verification code provided, please try again.",
    }


def test_the_typescript_command_prints_the_tokens(service):
    name = service.user()
    command = [HERE / "node_modules" / ".bin" / "wikimedia-enterprise", "login", "--username", name, "--password", PASSWORD]
    env = {"WIKIMEDIA_ENTERPRISE_BASE_URL": service.url}
    printed = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=True).stdout
    lines = dict(line.split("=", 1) for line in printed.splitlines())
    assert lines.keys() == {"WME_ACCESS_TOKEN", "REFRESH_TOKEN"}
    refresh = {"username": name, "refresh_token": lines["REFRESH_TOKEN"]}
    assert service.post("token-refresh", refresh, service.other).status_code == 200


def test_the_typescript_command_says_why_it_was_refused(service):
    command = [HERE / "node_modules" / ".bin" / "wikimedia-enterprise", "login", "--username", "nobody", "--password", "wrong one"]
    env = {"WIKIMEDIA_ENTERPRISE_BASE_URL": service.url}
    run = subprocess.run(command, env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "401 Incorrect username or password." in run.stderr
