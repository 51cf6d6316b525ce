"""A user's own account through the libraries of applications: registration, attributes, a changed and a forgotten
password, an authenticator application, the end of the account."""

import json
import secrets

import pycognito
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from children import wait_for
from cognito_stage import PASSWORD, Stage
from matrix import shows
from service import node

FLOWS = ["Registration", "Sign-in by SRP", "Attributes", "Changed password", "Forgotten password", "Authenticator application"]
SEEN = {
    "attributes": {"email_verified": "true", "given_name": "Änn"},
    "wrong old password": "NotAuthorizedException: Incorrect username or password.",
    "wrong code": "EnableSoftwareTokenMFAException: Code mismatch",
    "wrong answer": "CodeMismatchException: Invalid code received for user",
    "answered": True,
    "deleted": "UserNotFoundException: User does not exist.",
}


@pytest.fixture
def words(service):
    """Endpoint, pool, client, where mails are, a new name and a password."""
    place = Stage(service).place()
    stage = place.stage
    stage.admin.set_user_pool_mfa_config(
        UserPoolId=place.pool, MfaConfiguration="OPTIONAL", SoftwareTokenMfaConfiguration={"Enabled": True})
    name = f"user-{secrets.token_hex(4)}"
    return [service.other, place.pool, place.client, service.data / "mail", name, PASSWORD]


@shows("Amplify 6", *FLOWS)
def test_amplify_keeps_an_account(words):
    assert json.loads(node("account_amplify.mjs", *words)) == {
        **SEEN,
        "preference": {"enabled": ["TOTP"], "preferred": "TOTP"},
        "asked": "CONFIRM_SIGN_IN_WITH_TOTP_CODE",
        "reset": "u***@e***",
        "with the new one": True,
    }


@shows("identity-js", *FLOWS)
def test_amazon_cognito_identity_js_keeps_an_account(words):
    assert json.loads(node("account_identity.mjs", *words)) == {**SEEN, "asked": "SOFTWARE_TOKEN_MFA"}


@shows("pycognito", "Registration", "Attributes", "Changed password", "Forgotten password")
def test_pycognito_keeps_an_account(service):
    place = Stage(service).place()
    name = f"user-{secrets.token_hex(4)}"
    user = pycognito.Cognito(
        place.pool, place.client, username=name,
        boto3_client_kwargs={"endpoint_url": service.url, "config": Config(signature_version=UNSIGNED)})
    user.set_base_attributes(email=f"{name}@example.test")
    user.register(name, PASSWORD)
    user.confirm_sign_up(place.code(name), name)
    user.authenticate(PASSWORD)
    user.update_profile({"given_name": "Änn"})
    mine = user.get_user()
    assert (mine.given_name, mine.email_verified) == ("Änn", True)
    with pytest.raises(user.client.exceptions.NotAuthorizedException, match="Incorrect username or password."):
        user.change_password("not-it", PASSWORD + "-2")
    user.change_password(PASSWORD, PASSWORD + "-2")
    registered = place.code(name)
    user.initiate_forgot_password()
    code = wait_for("a new code", lambda: next(iter({place.code(name)} - {registered}), None))
    user.confirm_forgot_password(code, PASSWORD + "-3")
    user.authenticate(PASSWORD + "-3")
    assert user.access_claims["username"] == name
