"""A success of each operation by which people sign in, stay so and sign out: passwords, codes, sessions, devices."""

import base64

import pyotp

from cognito_stage import PASSWORD, built, example
from examples_users import of, token


@example
def initiate_auth(stage):
    place = stage.place()
    answer = place.begin(place.user())
    assert answer["ChallengeParameters"] == {} and answer["AuthenticationResult"]["TokenType"] == "Bearer"


def chosen(name, **more):
    """The answer to NEW_PASSWORD_REQUIRED."""
    responses = {"USERNAME": name, "NEW_PASSWORD": PASSWORD + "-2"}
    return {"ChallengeName": "NEW_PASSWORD_REQUIRED", "ChallengeResponses": responses, **more}


@example
def respond_to_auth_challenge(stage):
    place = stage.place()
    name = place.invited()
    asked = place.begin(name)
    answer = stage.anyone.respond_to_auth_challenge(ClientId=place.client, **chosen(name, Session=asked["Session"]))
    assert answer["AuthenticationResult"]["IdToken"]


def signed(place, name):
    """A sign-in on behalf of a user."""
    words = {"UserPoolId": place.pool, "ClientId": place.client}
    asked = place.admin.admin_initiate_auth(
        **words, AuthFlow="ADMIN_USER_PASSWORD_AUTH", AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD})
    return words, asked


@example
def admin_initiate_auth(stage):
    place = stage.place()
    assert signed(place, place.user())[1]["AuthenticationResult"]


@example
def admin_respond_to_auth_challenge(stage):
    place = stage.place()
    name = place.invited()
    words, asked = signed(place, name)
    answer = stage.admin.admin_respond_to_auth_challenge(**words, **chosen(name, Session=asked["Session"]))
    assert answer["AuthenticationResult"]["RefreshToken"]


@example
def get_tokens_from_refresh_token(stage):
    place = stage.place("rotating", client={
        "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"],
        "RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 10}})
    refresh = place.tokens(place.user())["RefreshToken"]
    answer = stage.anyone.get_tokens_from_refresh_token(ClientId=place.client, RefreshToken=refresh)
    assert answer["AuthenticationResult"]["RefreshToken"] != refresh


@example
def revoke_token(stage):
    place = stage.place()
    stage.anyone.revoke_token(ClientId=place.client, Token=place.tokens(place.user())["RefreshToken"])


def application(stage):
    """A user whose authenticator application is set up, and his access token."""
    place = stage.with_mfa("OPTIONAL")
    name = place.user()
    own = {"AccessToken": place.tokens(name)["AccessToken"]}
    code = pyotp.TOTP(stage.anyone.associate_software_token(**own)["SecretCode"])
    answer = stage.anyone.verify_software_token(**own, UserCode=code.now(), FriendlyDeviceName="phone")
    assert answer["Status"] == "SUCCESS"
    return place, name, own


@example
def associate_software_token(stage):
    """Within a sign-in, too, where the pool insists on it."""
    place = stage.with_mfa("ON")
    asked = place.begin(place.user())
    assert asked["ChallengeName"] == "MFA_SETUP"
    assert stage.anyone.associate_software_token(Session=asked["Session"])["Session"]


@example
def verify_software_token(stage):
    application(stage)


@example
def set_user_mfa_preference(stage):
    _, _, own = application(stage)
    stage.anyone.set_user_mfa_preference(**own, SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True})
    assert stage.anyone.get_user(**own)["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"


@example
def admin_set_user_mfa_preference(stage):
    place, name, _ = application(stage)
    stage.admin.admin_set_user_mfa_preference(**of(place, name), SoftwareTokenMfaSettings={"Enabled": True})
    assert place.begin(name)["ChallengeName"] == "SOFTWARE_TOKEN_MFA"


@example
def admin_delete_software_token(stage):
    place, name, _ = application(stage)
    stage.admin.admin_delete_software_token(**of(place, name))


def device(stage):
    """A user with a confirmed device, his access token and the key of the device."""
    rules = {"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": True}
    place = stage.place("devices", DeviceConfiguration=rules)
    name = place.user()
    tokens = place.tokens(name)
    key = tokens["NewDeviceMetadata"]["DeviceKey"]
    salt, verifier = (base64.b64encode(bytes).decode() for bytes in (b"\x01" * 16, b"\x01" * 384))
    answer = stage.anyone.confirm_device(
        AccessToken=tokens["AccessToken"], DeviceKey=key, DeviceName="laptop",
        DeviceSecretVerifierConfig={"Salt": salt, "PasswordVerifier": verifier})
    assert answer["UserConfirmationNecessary"]
    return of(place, name), {"AccessToken": tokens["AccessToken"]}, {"DeviceKey": key}


@example
def confirm_device(stage):
    device(stage)


@example
def get_device(stage):
    _, own, key = device(stage)
    assert stage.anyone.get_device(**own, **key)["Device"]["DeviceKey"] == key["DeviceKey"]


@example
def list_devices(stage):
    _, own, _ = device(stage)
    assert len(stage.anyone.list_devices(**own)["Devices"]) == 1


@example
def update_device_status(stage):
    _, own, key = device(stage)
    stage.anyone.update_device_status(**own, **key, DeviceRememberedStatus="remembered")


@example
def forget_device(stage):
    _, own, key = device(stage)
    stage.anyone.forget_device(**own, **key)


@example
def admin_get_device(stage):
    user, _, key = device(stage)
    assert stage.admin.admin_get_device(**user, **key)["Device"]["DeviceKey"] == key["DeviceKey"]


@example
def admin_list_devices(stage):
    user, _, _ = device(stage)
    assert len(stage.admin.admin_list_devices(**user)["Devices"]) == 1


@example
def admin_update_device_status(stage):
    user, _, key = device(stage)
    stage.admin.admin_update_device_status(**user, **key, DeviceRememberedStatus="not_remembered")


@example
def admin_forget_device(stage):
    user, _, key = device(stage)
    stage.admin.admin_forget_device(**user, **key)


def tracked(stage):
    """A pool whose users' sessions are looked at."""
    return stage.place("sessions")


@example
def list_user_sessions(stage):
    assert len(stage.anyone.list_user_sessions(**token(stage, tracked(stage)))["Sessions"]) == 1


@example
def admin_list_user_sessions(stage):
    place = tracked(stage)
    name = place.user()
    place.tokens(name)
    assert len(stage.admin.admin_list_user_sessions(**of(place, name))["Sessions"]) == 1


@example
def revoke_user_session(stage):
    place = tracked(stage)
    name = place.user()
    place.tokens(name)
    own = {"AccessToken": place.tokens(name)["AccessToken"]}
    listed = stage.anyone.list_user_sessions(**own)["Sessions"]
    other = next(session for session in listed if not session.get("IsCurrentSession"))
    stage.anyone.revoke_user_session(**own, SessionId=other["SessionId"])


@example
def admin_revoke_user_session(stage):
    place = tracked(stage)
    name = place.user()
    place.tokens(name)
    session = stage.admin.admin_list_user_sessions(**of(place, name))["Sessions"][0]
    stage.admin.admin_revoke_user_session(**of(place, name), SessionId=session["SessionId"])
