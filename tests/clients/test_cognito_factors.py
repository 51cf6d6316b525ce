"""Mailed codes and sign-in by choice through the libraries of applications."""

import json
import re
import secrets

import pytest

from children import wait_for
from cognito_stage import LENIENT, PASSWORD, Stage
from gateway import texting
from matrix import shows
from service import node

FLOWS = ["ALLOW_USER_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH"]
PROOFS = {"PasswordPolicy": LENIENT, "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}


@pytest.fixture
def choosing(service):
    """A pool whose users choose their first factor, by a client that hides who exists."""
    client = {"ExplicitAuthFlows": FLOWS, "PreventUserExistenceErrors": "ENABLED"}
    return Stage(service).place("choosing", client, Policies=PROOFS)


@pytest.fixture
def setting(service):
    """A pool that needs a second factor: an application or a mailed code."""
    place = Stage(service).place("setting", {"ExplicitAuthFlows": FLOWS})
    place.admin.set_user_pool_mfa_config(
        UserPoolId=place.pool, MfaConfiguration="ON", SoftwareTokenMfaConfiguration={"Enabled": True},
        EmailMfaConfiguration={})
    return place


def mailed(place, name, digits):
    in_text = re.compile(rf"^\s*(\d{{{digits}}})\s*$", re.M)
    return wait_for(f"a code for {name}", lambda: in_text.search(place.stage.mail_to(name)))[1]


@shows("boto3", "Sign-in by choice", "Mailed code")
def test_boto3_signs_in_by_choice(choosing):
    name = choosing.user()

    def begin(username, **parameters):
        return choosing.anyone.initiate_auth(
            ClientId=choosing.client, AuthFlow="USER_AUTH", AuthParameters={"USERNAME": username, **parameters})

    def answer(asked, challenge, **responses):
        return choosing.admin.respond_to_auth_challenge(
            ClientId=choosing.client, ChallengeName=challenge, Session=asked["Session"],
            ChallengeResponses={"USERNAME": name, **responses})

    at_once = begin(name, PREFERRED_CHALLENGE="PASSWORD", PASSWORD=PASSWORD)
    assert at_once["AuthenticationResult"]["AccessToken"] and "AvailableChallenges" not in at_once
    asked = begin(name)
    assert (asked["ChallengeName"], asked["AvailableChallenges"]) == ("SELECT_CHALLENGE", ["PASSWORD_SRP", "PASSWORD", "EMAIL_OTP"])
    sent = answer(asked, "SELECT_CHALLENGE", ANSWER="EMAIL_OTP")
    assert sent["ChallengeParameters"] == {
        "CODE_DELIVERY_DELIVERY_MEDIUM": "EMAIL", "CODE_DELIVERY_DESTINATION": "u***@e***"}
    with pytest.raises(choosing.admin.exceptions.CodeMismatchException, match="Invalid code or auth state for the user."):
        answer(sent, "EMAIL_OTP", EMAIL_OTP_CODE="00000000")
    tokens = answer(sent, "EMAIL_OTP", EMAIL_OTP_CODE=mailed(choosing, name, 8))["AuthenticationResult"]
    with pytest.raises(choosing.admin.exceptions.NotAuthorizedException, match="session can only be used once"):
        answer(sent, "EMAIL_OTP", EMAIL_OTP_CODE="00000000")
    own = {"AccessToken": tokens["AccessToken"]}
    assert choosing.anyone.get_user_auth_factors(**own)["ConfiguredUserAuthFactors"] == ["PASSWORD", "EMAIL_OTP"]
    # Nobody is asked like anybody.
    nobody = begin("nobody", PREFERRED_CHALLENGE="EMAIL_OTP")
    assert nobody["ChallengeName"] == "EMAIL_OTP" and nobody["AvailableChallenges"] == asked["AvailableChallenges"]


@shows("Amplify 6", "Sign-in by choice", "Mailed code", "Registration")
def test_amplify_signs_in_with_mailed_codes(choosing, setting):
    name = f"user-{secrets.token_hex(4)}"
    choosing.user(name)
    bare = f"bare-{name}"
    setting.admin.admin_create_user(UserPoolId=setting.pool, Username=bare, MessageAction="SUPPRESS")
    setting.admin.admin_set_user_password(UserPoolId=setting.pool, Username=bare, Password=PASSWORD, Permanent=True)
    service = choosing.stage.service
    places = [f"{place.pool} {place.client}" for place in (choosing, setting)]
    assert json.loads(node("factors_amplify.mjs", service.other, service.data / "mail", name, PASSWORD, *places)) == {
        "confirmed": "COMPLETE_AUTO_SIGN_IN",
        "signed in at once": True,
        "asked for a code": "CONFIRM_SIGN_IN_WITH_EMAIL_CODE",
        "wrong code": "CodeMismatchException: Invalid code or auth state for the user.",
        "by code": True,
        "asked to choose": ["CONTINUE_SIGN_IN_WITH_FIRST_FACTOR_SELECTION", ["PASSWORD_SRP", "PASSWORD", "EMAIL_OTP"]],
        "chose": "CONFIRM_SIGN_IN_WITH_PASSWORD",
        "by password": True,
        "by password at once": True,
        "asked to set up": "CONTINUE_SIGN_IN_WITH_MFA_SETUP_SELECTION",
        "set up by mail": "CONTINUE_SIGN_IN_WITH_EMAIL_SETUP",
        "mailed": "CONFIRM_SIGN_IN_WITH_EMAIL_CODE",
        "has a factor": True,
        "preference": {"enabled": ["TOTP", "EMAIL"]},
        "asked which": ["CONTINUE_SIGN_IN_WITH_MFA_SELECTION", ["TOTP", "EMAIL"]],
        "chose mail": "CONFIRM_SIGN_IN_WITH_EMAIL_CODE",
        "by both": True,
    }


@shows("boto3", "Code by text message")
def test_boto3_signs_in_with_a_code_by_text_message(folder):
    with texting(folder, away=[503]) as (service, gateway):
        stage = Stage(service)
        place = stage.place()
        stage.admin.set_user_pool_mfa_config(
            UserPoolId=place.pool, MfaConfiguration="OPTIONAL", SmsMfaConfiguration={"SmsAuthenticationMessage": "{####}"})
        name = place.user()
        number = [{"Name": "phone_number", "Value": "+12065559934"}, {"Name": "phone_number_verified", "Value": "true"}]
        stage.admin.admin_update_user_attributes(UserPoolId=place.pool, Username=name, UserAttributes=number)
        own = {"AccessToken": place.tokens(name)["AccessToken"]}
        stage.anyone.set_user_mfa_preference(**own, SMSMfaSettings={"Enabled": True, "PreferredMfa": True})
        asked = place.begin(name)
        assert asked["ChallengeName"] == "SMS_MFA"
        assert asked["ChallengeParameters"]["CODE_DELIVERY_DESTINATION"] == "+*******9934"
        # Refused once, it comes again by itself, the same.
        gateway.wait(2)
        first, again = gateway.messages
        assert first == again and first["to"] == "+12065559934"
        code = re.search(r"\b\d{6}\b", first["text"])[0]
        tokens = stage.anyone.respond_to_auth_challenge(
            ClientId=place.client, ChallengeName="SMS_MFA", Session=asked["Session"],
            ChallengeResponses={"USERNAME": name, "SMS_MFA_CODE": code})
        assert tokens["AuthenticationResult"]["AccessToken"]
