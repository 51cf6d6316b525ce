"""Whoever has a number and no address, through the libraries of applications: registered, with another number, and with a
forgotten password, all by text message."""

import json

import pycognito
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from cognito_stage import LENIENT, PASSWORD, Stage
from gateway import texting
from matrix import shows
from service import node

FLOW = "Registration and reset by text message"
NUMBER, NEXT = "+12065559934", "+12065550000"
RULES = {
    "AutoVerifiedAttributes": ["phone_number"],
    "UsernameAttributes": ["phone_number"],
    "Policies": {"PasswordPolicy": LENIENT},
    "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": ["phone_number"]},
    "AccountRecoverySetting": {"RecoveryMechanisms": [{"Priority": 1, "Name": "verified_phone_number"}]},
    "VerificationMessageTemplate": {"SmsMessage": "Your code: {####}"},
    "AdminCreateUserConfig": {"InviteMessageTemplate": {"SMSMessage": "{username}, come in by {####}"}},
}
SENT = {"Destination": "+*******9934", "DeliveryMedium": "SMS", "AttributeName": "phone_number"}


@pytest.fixture
def telephones(folder):
    """A pool whose users are called by their numbers, and the gateway that gets its messages."""
    with texting(folder) as (service, gateway):
        yield Stage(service).place("telephones", **RULES), gateway


@shows("boto3", FLOW)
def test_boto3_lives_by_text_messages(telephones):
    place, gateway = telephones
    through = {"ClientId": place.client, "Username": NUMBER}
    registered = place.anyone.sign_up(**through, Password=PASSWORD)
    assert registered["CodeDeliveryDetails"] == SENT
    assert place.anyone.resend_confirmation_code(**through)["CodeDeliveryDetails"] == SENT
    code = gateway.code(NUMBER, 2)
    assert gateway.messages[1]["text"] == f"Your code: {code}"
    place.anyone.confirm_sign_up(**through, ConfirmationCode=code)
    token = place.tokens(NUMBER)["AccessToken"]
    changed = place.anyone.update_user_attributes(
        AccessToken=token, UserAttributes=[{"Name": "phone_number", "Value": NEXT}])
    assert changed["CodeDeliveryDetailsList"] == [{**SENT, "Destination": "+*******0000"}]
    place.anyone.verify_user_attribute(AccessToken=token, AttributeName="phone_number", Code=gateway.code(NEXT))
    has = {one["Name"]: one["Value"] for one in place.anyone.get_user(AccessToken=token)["UserAttributes"]}
    assert (has["phone_number"], has["phone_number_verified"]) == (NEXT, "true")
    through["Username"] = NEXT
    assert place.anyone.forgot_password(**through)["CodeDeliveryDetails"] == {**SENT, "Destination": "+*******0000"}
    place.anyone.confirm_forgot_password(
        **through, ConfirmationCode=gateway.code(NEXT, 2), Password=f"{PASSWORD}-2")
    assert place.tokens(NEXT, f"{PASSWORD}-2")
    place.admin.admin_reset_user_password(UserPoolId=place.pool, Username=NEXT)
    place.anyone.confirm_forgot_password(
        **through, ConfirmationCode=gateway.code(NEXT, 3), Password=f"{PASSWORD}-3")
    place.admin.admin_create_user(
        UserPoolId=place.pool, Username=NUMBER, TemporaryPassword=PASSWORD, DesiredDeliveryMediums=["SMS"])
    gateway.wait(6)
    assert gateway.messages[5] == {"id": gateway.messages[5]["id"], "to": NUMBER, "text": f"{NUMBER}, come in by {PASSWORD}"}
    assert place.begin(NUMBER)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


SEEN = {
    "attributes": {"phone_number": NEXT, "phone_number_verified": "true"},
    "wrong code": "CodeMismatchException: Invalid verification code provided, please try again.",
    "with the new one": True,
}


def words(telephones):
    place, gateway = telephones
    return [place.stage.service.other, place.pool, place.client, gateway.address, NUMBER, NEXT, PASSWORD]


@shows("Amplify 6", FLOW)
def test_amplify_lives_by_text_messages(telephones):
    assert json.loads(node("texts_amplify.mjs", *words(telephones))) == {
        **SEEN,
        "registered": {"deliveryMedium": "SMS", "destination": "+*******9934", "attributeName": "phone_number"},
        "changed": "CONFIRM_ATTRIBUTE_WITH_CODE",
        "reset": {"deliveryMedium": "SMS", "destination": "+*******0000", "attributeName": "phone_number"},
    }


@shows("identity-js", FLOW)
def test_amazon_cognito_identity_js_lives_by_text_messages(telephones):
    assert json.loads(node("texts_identity.mjs", *words(telephones))) == {**SEEN, "registered": SENT, "reset": {
        "CodeDeliveryDetails": {**SENT, "Destination": "+*******0000"}}}


@shows("pycognito", FLOW)
def test_pycognito_lives_by_text_messages(telephones):
    place, gateway = telephones
    user = pycognito.Cognito(
        place.pool, place.client, username=NUMBER,
        boto3_client_kwargs={"endpoint_url": place.stage.service.url, "config": Config(signature_version=UNSIGNED)})
    user.set_base_attributes(phone_number=NUMBER)
    user.register(NUMBER, PASSWORD)
    user.confirm_sign_up(gateway.code(NUMBER), NUMBER)
    user.authenticate(PASSWORD)
    user.initiate_forgot_password()
    user.confirm_forgot_password(gateway.code(NUMBER, 2), f"{PASSWORD}-2")
    user.authenticate(f"{PASSWORD}-2")
    assert user.id_claims["phone_number_verified"] is True
