"""Remembered devices by clients that were written for Amazon's: pycognito, boto3, amazon-cognito-identity-js and AWS
Amplify. Each test has a pool of its own that tells devices apart."""

import json
import types
import uuid

import boto3
import pytest
import requests
from botocore import UNSIGNED
from botocore.config import Config
from pycognito import aws_srp
from pycognito.aws_srp import AWSSRP, generate_hash_device

from matrix import shows
from service import node

# Cognito's model allows no space in a password.
PASSWORD = "Correct-horse-battery-1"
CLIENT = Config(signature_version=UNSIGNED, retries={"mode": "standard", "max_attempts": 1})


class Place:
    """A pool that tells devices apart, a client of it and a user."""

    def __init__(self, service, challenge, prompt):
        key = json.loads(service.cli("access-keys", "create", "--name", "devices", "--pool", "*", "--json"))
        self.url = service.url
        self.admin = boto3.client(
            "cognito-idp", region_name="us-east-1", endpoint_url=service.url, aws_access_key_id=key["id"],
            aws_secret_access_key=key["secret"], config=Config(retries={"total_max_attempts": 1}))
        self.boto = boto3.client("cognito-idp", region_name="us-east-1", endpoint_url=service.url, config=CLIENT)
        self.other = boto3.client("cognito-idp", region_name="us-east-1", endpoint_url=service.other, config=CLIENT)
        made = self.admin.create_user_pool(
            PoolName="devices",
            DeviceConfiguration={"ChallengeRequiredOnNewDevice": challenge, "DeviceOnlyRememberedOnUserPrompt": prompt})
        self.pool = made["UserPool"]["Id"]
        assert made["UserPool"]["DeviceConfiguration"]["ChallengeRequiredOnNewDevice"] is challenge
        self.admin.set_user_pool_mfa_config(
            UserPoolId=self.pool, MfaConfiguration="OPTIONAL", SoftwareTokenMfaConfiguration={"Enabled": True})
        flows = ["ALLOW_USER_SRP_AUTH", "ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
        client = self.admin.create_user_pool_client(UserPoolId=self.pool, ClientName="web", ExplicitAuthFlows=flows)
        self.client = client["UserPoolClient"]["ClientId"]
        self.user = f"user-{uuid.uuid4().hex[:8]}"
        self.admin.admin_create_user(UserPoolId=self.pool, Username=self.user, MessageAction="SUPPRESS")
        self.admin.admin_set_user_password(
            UserPoolId=self.pool, Username=self.user, Password=PASSWORD, Permanent=True)

    def srp(self, **device):
        """pycognito's sign-in, on a device or on none."""
        return AWSSRP(
            username=self.user, password=PASSWORD, pool_id=self.pool, client_id=self.client, client=self.boto, **device)

    def by_password(self, **more):
        parameters = {"USERNAME": self.user, "PASSWORD": PASSWORD, **more}
        return self.boto.initiate_auth(
            ClientId=self.client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)


def claims(result):
    """What an access token says; verified elsewhere."""
    payload = result["AccessToken"].split(".")[1]
    return json.loads(aws_srp.base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


@shows("pycognito", "Remembered device")
def test_pycognito_confirms_remembers_uses_and_forgets_a_device(service, monkeypatch):
    place = Place(service, False, True)
    # pycognito has Amazon's address built into its calls about devices; the calls are its own.
    here = types.SimpleNamespace(post=lambda url, **call: requests.post(place.url, **call))
    monkeypatch.setattr(aws_srp, "requests", here)
    first = place.srp()
    tokens = first.authenticate_user()
    access = tokens["AuthenticationResult"]["AccessToken"]
    answer, password = first.confirm_device(tokens, "my phone")
    assert (answer.status_code, answer.json()) == (200, {"UserConfirmationNecessary": True})
    assert first.update_device_status(True, access, first.device_key).startswith("<Response [200]>")

    device = {
        "device_key": first.device_key, "device_group_key": first.device_group_key, "device_password": password}
    again = place.srp(**device).authenticate_user()["AuthenticationResult"]
    assert claims(again)["device_key"] == first.device_key and "NewDeviceMetadata" not in again
    with pytest.raises(place.boto.exceptions.NotAuthorizedException, match="Incorrect username or password."):
        place.srp(**{**device, "device_password": "another"}).authenticate_user()

    listed = place.other.list_devices(AccessToken=again["AccessToken"])["Devices"]
    assert [one["DeviceKey"] for one in listed] == [first.device_key]
    assert {"Name": "device_name", "Value": "my phone"} in listed[0]["DeviceAttributes"]
    assert first.forget_device(again["AccessToken"], first.device_key).startswith("<Response [200]>")
    with pytest.raises(place.boto.exceptions.ResourceNotFoundException, match="Device does not exist."):
        place.srp(**device).authenticate_user()
    assert "NewDeviceMetadata" in place.srp().authenticate_user()["AuthenticationResult"]


@shows("boto3", "Remembered device")
def test_boto3_walks_through_the_operations_about_devices(service):
    place = Place(service, False, False)
    user, admin = {"UserPoolId": place.pool, "Username": place.user}, place.admin
    keys = []
    for number in range(3):
        result = place.by_password()["AuthenticationResult"]
        told = result["NewDeviceMetadata"]
        _, verifier = generate_hash_device(told["DeviceGroupKey"], told["DeviceKey"])
        confirmed = place.other.confirm_device(
            AccessToken=result["AccessToken"], DeviceKey=told["DeviceKey"], DeviceSecretVerifierConfig=verifier,
            DeviceName=f"number {number}")
        assert confirmed["UserConfirmationNecessary"] is False
        keys.append(told["DeviceKey"])
    token, refresh_token = result["AccessToken"], result["RefreshToken"]
    with pytest.raises(place.boto.exceptions.NotAuthorizedException, match="Invalid Refresh Token"):
        place.boto.get_tokens_from_refresh_token(ClientId=place.client, RefreshToken=refresh_token)
    refreshed = place.boto.get_tokens_from_refresh_token(
        ClientId=place.client, RefreshToken=refresh_token, DeviceKey=keys[2])
    assert claims(refreshed["AuthenticationResult"])["device_key"] == keys[2]

    page = place.boto.list_devices(AccessToken=token, Limit=2)
    rest = place.other.list_devices(AccessToken=token, Limit=2, PaginationToken=page["PaginationToken"])
    assert [one["DeviceKey"] for one in page["Devices"] + rest["Devices"]] == sorted(keys)
    assert "PaginationToken" not in rest
    assert [one["DeviceKey"] for one in admin.admin_list_devices(**user)["Devices"]] == sorted(keys)
    place.boto.update_device_status(
        AccessToken=token, DeviceKey=keys[0], DeviceRememberedStatus="not_remembered")
    found = admin.admin_get_device(**user, DeviceKey=keys[0])["Device"]
    assert found["DeviceLastAuthenticatedDate"] >= found["DeviceCreateDate"].replace(microsecond=0)
    assert {"Name": "dev:device_remembered_status", "Value": "not_remembered"} in found["DeviceAttributes"]
    admin.admin_update_device_status(**user, DeviceKey=keys[0], DeviceRememberedStatus="remembered")
    found = place.boto.get_device(AccessToken=token, DeviceKey=keys[0])["Device"]
    assert {"Name": "dev:device_remembered_status", "Value": "remembered"} in found["DeviceAttributes"]
    admin.admin_forget_device(**user, DeviceKey=keys[0])
    place.other.forget_device(AccessToken=token, DeviceKey=keys[1])
    for key in keys[:2]:
        with pytest.raises(admin.exceptions.ResourceNotFoundException, match="Device does not exist."):
            admin.admin_get_device(**user, DeviceKey=key)
        with pytest.raises(place.boto.exceptions.ResourceNotFoundException, match="Device does not exist."):
            place.by_password(DEVICE_KEY=key)
    assert place.by_password(DEVICE_KEY=keys[2])["ChallengeName"] == "DEVICE_SRP_AUTH"
    place.other.forget_device(AccessToken=token, DeviceKey=keys[2])
    with pytest.raises(place.boto.exceptions.NotAuthorizedException, match="Access Token has been revoked"):
        place.boto.list_devices(AccessToken=token)


@shows("identity-js", "Remembered device")
def test_amazon_cognito_identity_js_signs_in_with_a_remembered_device_instead_of_a_code(service):
    place = Place(service, True, True)
    assert json.loads(node("devices.mjs", service.url, place.pool, place.client, place.user, PASSWORD)) == {
        "on a new device": {"asked": False, "prompt": True},
        "not remembered": {"asked": True, "bound": True},
        "set remembered": "SUCCESS",
        "remembered": {"asked": False, "bound": True},
        "refreshed": True,
        "device": [True, "remembered"],
        "listed": 1,
        "forgotten": "SUCCESS",
        "after that": "NotAuthorizedException: Refresh Token has been revoked",
        "asked again": True,
    }


@shows("Amplify 6", "Remembered device")
@pytest.mark.parametrize("flow", ["USER_SRP_AUTH", "USER_PASSWORD_AUTH"])
def test_amplify_signs_in_with_a_remembered_device_instead_of_a_code(service, flow):
    place = Place(service, True, True)
    seen = json.loads(node("devices_amplify.mjs", service.url, place.pool, place.client, place.user, PASSWORD, flow))
    # The first sign-in left a device behind, whose keys the page has lost.
    assert sorted(seen.pop("devices")) == [False, True]
    assert seen == {
        "on a new device": "CONFIRM_SIGN_IN_WITH_TOTP_CODE",
        "remembered": "signed in",
        "bound": True,
        "refreshed": True,
        "forgotten": None,
        "after that": True,
        "with what is forgotten": "CONFIRM_SIGN_IN_WITH_TOTP_CODE",
    }
