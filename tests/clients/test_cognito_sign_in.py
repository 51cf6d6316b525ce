"""Sign-in over the Cognito API by clients that were written for Amazon's: boto3, pycognito, amazon-cognito-identity-js
and AWS Amplify."""

import json
import secrets
import time

import boto3
import pycognito
import pyotp
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from pycognito.exceptions import SoftwareTokenMFAChallengeException

from matrix import shows
from service import PASSWORD, node

OLD_PASSWORD = "temporary horse staple"
CLIENT = Config(signature_version=UNSIGNED, retries={"mode": "standard", "max_attempts": 1})


class Place:
    """A pool with SRP and second factors for who wants one, and a client of it."""

    def __init__(self, service, *options):
        self.service = service
        service.cli("pools", "update", "--srp", "on", "--mfa", "optional")
        made = service.cli("clients", "create", "--name", secrets.token_hex(4), "--json", *options)
        self.client = json.loads(made)
        self.pool = self.client["pool"]
        self.boto = boto3.client("cognito-idp", region_name="us-east-1", endpoint_url=service.url, config=CLIENT)
        self.other = boto3.client("cognito-idp", region_name="us-east-1", endpoint_url=service.other, config=CLIENT)
        # Running replicas read pools and clients again every `keys.reload`.
        deadline = time.monotonic() + 60
        for boto in (self.boto, self.other):
            while True:
                try:
                    boto.initiate_auth(
                        ClientId=self.client["id"], AuthFlow="USER_SRP_AUTH",
                        AuthParameters={"USERNAME": "nobody", "SRP_A": "2", "SECRET_HASH": "AAAA"},
                    )
                    break
                except boto.exceptions.NotAuthorizedException:
                    break
                except (boto.exceptions.ResourceNotFoundException, boto.exceptions.InvalidParameterException):
                    assert time.monotonic() < deadline
                    time.sleep(0.2)

    def cognito(self, username, **more):
        """pycognito for one user; it talks to the first replica, whose name the tokens bear."""
        return pycognito.Cognito(
            self.pool, self.client["id"], username=username, client_secret=self.client.get("secret"),
            boto3_client_kwargs={"endpoint_url": self.service.url, "config": CLIENT}, **more,
        )


@pytest.fixture(params=["public", "secret"])
def place(service, request):
    """The same with a public client, and with one that has a secret."""
    return Place(service, *(["--secret"] if request.param == "secret" else []))


@shows("pycognito", "Sign-in by SRP", "With a client's secret", "Refresh", "Sign-out")
def test_pycognito_signs_in_by_srp_refreshes_and_signs_out(place):
    name = place.service.user()
    user = place.cognito(name)
    # It also verifies both tokens, by our key set and issuer.
    user.authenticate(PASSWORD)
    assert user.id_claims["cognito:username"] == name and user.access_claims["username"] == name
    before = user.access_token
    user.renew_access_token()
    assert user.access_token != before
    # Signing out forgets it.
    refresh_token = user.refresh_token
    user.logout()
    with pytest.raises(place.boto.exceptions.NotAuthorizedException, match="Refresh Token has been revoked"):
        place.cognito(name, refresh_token=refresh_token, access_token=before).renew_access_token()


def test_pycognito_sees_a_wrong_password_and_an_unknown_user_refused_alike(place):
    name = place.service.user()
    for username in (name, f"nobody-{name}"):
        with pytest.raises(place.boto.exceptions.NotAuthorizedException, match="Incorrect username or password."):
            place.cognito(username).authenticate("not the password")


@shows("pycognito", "New password required")
def test_pycognito_replaces_a_temporary_password(place):
    name = place.service.user(None, OLD_PASSWORD, "--temporary")
    place.cognito(name).new_password_challenge(OLD_PASSWORD, PASSWORD)
    place.cognito(name).authenticate(PASSWORD)


@shows("pycognito", "Authenticator application")
def test_pycognito_sets_an_authenticator_application_up_and_uses_it(place):
    name = place.service.user()
    user = place.cognito(name)
    user.authenticate(PASSWORD)
    code = pyotp.TOTP(user.associate_software_token())
    assert user.verify_software_token(code.now(), "phone")
    user.set_user_mfa_preference(sms_mfa=False, software_token_mfa=True, preferred="SOFTWARE_TOKEN")
    again = place.cognito(name)
    with pytest.raises(SoftwareTokenMFAChallengeException) as asked:
        again.authenticate(PASSWORD)
    with pytest.raises(place.boto.exceptions.CodeMismatchException):
        again.respond_to_software_token_mfa_challenge("000000", asked.value.get_tokens())
    # The present code was used to set it up; the next is good already.
    again.respond_to_software_token_mfa_challenge(code.at(time.time() + 30), asked.value.get_tokens())
    assert again.access_claims["username"] == name


@shows("boto3", "Sign-in with the password", "Refresh", "Sign-out")
def test_boto3_walks_through_the_operations(service):
    place = Place(service)
    name = service.user()
    parameters = {"USERNAME": name, "PASSWORD": PASSWORD}
    signed_in = place.boto.initiate_auth(
        ClientId=place.client["id"], AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters
    )
    assert signed_in["ChallengeParameters"] == {}
    tokens = signed_in["AuthenticationResult"]
    assert tokens["TokenType"] == "Bearer" and tokens["ExpiresIn"] == 86400
    refreshed = place.other.get_tokens_from_refresh_token(
        ClientId=place.client["id"], RefreshToken=tokens["RefreshToken"]
    )["AuthenticationResult"]
    assert "RefreshToken" not in refreshed
    assert place.other.global_sign_out(AccessToken=refreshed["AccessToken"])["ResponseMetadata"]["HTTPStatusCode"] == 200
    with pytest.raises(place.boto.exceptions.NotAuthorizedException, match="Access Token has been revoked"):
        place.boto.associate_software_token(AccessToken=tokens["AccessToken"])
    with pytest.raises(place.boto.exceptions.InvalidParameterException):
        place.boto.initiate_auth(ClientId=place.client["id"], AuthFlow="USER_PASSWORD_AUTH", AuthParameters={})
    place.boto.revoke_token(ClientId=place.client["id"], Token=tokens["RefreshToken"])


@shows("boto3", "Sign-in on behalf of a user", "New password required", "Administration")
def test_boto3_signs_in_for_others_with_an_access_key(service):
    place = Place(service)
    newcomer = service.user(None, OLD_PASSWORD, "--temporary")
    key = json.loads(service.cli("access-keys", "create", "--name", "backend", "--json"))
    admin = boto3.client(
        "cognito-idp", region_name="us-east-1", endpoint_url=service.url,
        aws_access_key_id=key["id"], aws_secret_access_key=key["secret"],
    )
    words = {"UserPoolId": place.pool, "ClientId": place.client["id"]}
    asked = admin.admin_initiate_auth(
        AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters={"USERNAME": newcomer, "PASSWORD": OLD_PASSWORD}, **words
    )
    assert asked["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    answered = admin.admin_respond_to_auth_challenge(
        ChallengeName="NEW_PASSWORD_REQUIRED", Session=asked["Session"],
        ChallengeResponses={"USERNAME": newcomer, "NEW_PASSWORD": PASSWORD}, **words,
    )
    tokens = answered["AuthenticationResult"]
    refreshed = admin.admin_initiate_auth(
        AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]}, **words
    )
    assert refreshed["AuthenticationResult"]["AccessToken"] != tokens["AccessToken"]
    with pytest.raises(admin.exceptions.InvalidParameterException, match="Initiate Auth method not supported."):
        admin.admin_initiate_auth(AuthFlow="USER_PASSWORD_AUTH", AuthParameters={}, **words)
    with pytest.raises(admin.exceptions.InvalidParameterException, match="has not verified software token mfa"):
        admin.admin_set_user_mfa_preference(
            UserPoolId=place.pool, Username=newcomer, SoftwareTokenMfaSettings={"Enabled": True}
        )
    rules = admin.get_user_pool_mfa_config(UserPoolId=place.pool)
    assert rules["MfaConfiguration"] == "OPTIONAL" and rules["SoftwareTokenMfaConfiguration"] == {"Enabled": True}
    with pytest.raises(admin.exceptions.InvalidParameterException):
        admin.set_user_pool_mfa_config(UserPoolId=place.pool, MfaConfiguration="ON")
    again = admin.set_user_pool_mfa_config(
        UserPoolId=place.pool, MfaConfiguration="OPTIONAL", SoftwareTokenMfaConfiguration={"Enabled": True}
    )
    assert again["MfaConfiguration"] == "OPTIONAL"
    admin.admin_user_global_sign_out(UserPoolId=place.pool, Username=newcomer)
    with pytest.raises(admin.exceptions.NotAuthorizedException, match="Refresh Token has been revoked"):
        place.boto.get_tokens_from_refresh_token(ClientId=place.client["id"], RefreshToken=tokens["RefreshToken"])


SEEN = {
    "wrong": "NotAuthorizedException: Incorrect username or password.",
    "signed in": True,
    "refreshed": True,
    "signed out": True,
    "after sign-out": "NotAuthorizedException",
}


@shows("identity-js", "Sign-in by SRP", "New password required", "Refresh", "Sign-out")
def test_amazon_cognito_identity_js_signs_in_by_srp_refreshes_and_signs_out(service):
    place = Place(service)
    name = service.user()
    newcomer = service.user(None, OLD_PASSWORD, "--temporary")
    words = [service.url, place.pool, place.client["id"], name, newcomer, OLD_PASSWORD, PASSWORD]
    assert json.loads(node("identity.mjs", *words)) == {**SEEN, "new password": True}


@shows("Amplify 6", "Sign-in by SRP", "Sign-in with the password", "New password required", "Refresh", "Sign-out")
def test_amplify_signs_in_by_srp_refreshes_and_signs_out(service):
    place = Place(service)
    name = service.user()
    newcomer = service.user(None, OLD_PASSWORD, "--temporary")
    words = [service.url, place.pool, place.client["id"], name, newcomer, OLD_PASSWORD, PASSWORD]
    assert json.loads(node("amplify.mjs", *words)) == {
        **SEEN, "new password": "CONFIRM_SIGN_IN_WITH_NEW_PASSWORD_REQUIRED", "by password": True,
    }
