"""The story of the README, over plain HTTP, with every call on another replica than the one before."""

import re


def test_a_stranger_signs_in_refreshes_revokes_and_is_refused(service):
    temporary = service.bootstrap_password()
    challenge = service.post("login", {"username": "admin", "password": temporary}).json()
    assert challenge.keys() == {"challenge_name", "session"}
    assert challenge["challenge_name"] == "NEW_PASSWORD_REQUIRED"

    answer = {"username": "admin", "session": challenge["session"], "new_password": "correct horse battery staple"}
    tokens = service.post("new-password-required", answer, service.other).json()
    assert tokens.keys() == {"id_token", "access_token", "refresh_token", "expires_in"}
    assert tokens["expires_in"] == 86400
    assert re.fullmatch(r"[A-Za-z0-9-_=.]+", tokens["refresh_token"])

    refresh = {"username": "admin", "refresh_token": tokens["refresh_token"]}
    refreshed = service.post("token-refresh", refresh)
    assert refreshed.status_code == 200
    assert refreshed.json().keys() == {"id_token", "access_token", "expires_in"}

    revoked = service.post("token-revoke", {"refresh_token": tokens["refresh_token"]}, service.other)
    assert (revoked.status_code, revoked.content) == (204, b"")

    refused = service.post("token-refresh", refresh)
    assert (refused.status_code, refused.json()) == (401, {"status": 401, "message": "Unauthorized."})


def test_a_revoked_access_token_changes_no_password_on_any_replica(service):  # R22, R24
    name = service.user()
    tokens = service.sign_in(name)
    assert service.post("token-revoke", {"refresh_token": tokens["refresh_token"]}).status_code == 204
    change = {
        "access_token": tokens["access_token"],
        "previous_password": "correct horse battery staple",
        "proposed_password": "a better horse battery staple",
    }
    for url in service.urls:
        assert service.post("change-password", change, url).status_code == 401
    service.sign_in(name)
