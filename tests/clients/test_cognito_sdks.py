"""The AWS SDK for JavaScript v3 and the AWS CLI: an administrator who signs, a user who does not, typed refusals; and a
user's own account."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time

import pyotp
import pytest

from children import wait_for
from cognito_stage import FLOWS, LENIENT, PASSWORD, REGION, Place, Stage, access_key
from matrix import shows
from service import HERE, node


@shows("AWS SDK v3", "Administration", "Sign-in with the password", "Sign-in on behalf of a user", "New password required",
       "Refresh", "Sign-out")
def test_the_sdk_for_javascript_administrates_signs_in_and_knows_each_refusal(service):
    stage = Stage(service)
    place, key = Place(stage), access_key(service)
    other, name = place.invited(), f"user-{secrets.token_hex(4)}"
    words = [service.url, service.other, place.pool, place.client, key["id"], key["secret"], name, PASSWORD]
    invalid = ("400 InvalidParameterException: 1 validation error detected: Value '61' at 'limit' failed to satisfy constraint: "
               "Member must have value less than or equal to 60")
    wrong_key = ("untyped 400 InvalidSignatureException: The request signature we calculated does not match the signature you "
                 "provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
    assert json.loads(node("sdk_v3.mjs", *words)) == {
        "made": "FORCE_CHANGE_PASSWORD",
        "made at": True,
        "made again": "400 UsernameExistsException: User account already exists",
        "nobody": "400 UserNotFoundException: User does not exist.",
        "filter": "400 InvalidParameterException: Error while parsing filter.",
        "invalid": invalid,
        "wrong key": wrong_key,
        "listed": [other, name],
        "wrong password": "400 NotAuthorizedException: Incorrect username or password.",
        "asked": "NEW_PASSWORD_REQUIRED",
        "mine": name,
        "refreshed": True,
        "on behalf": "Bearer",
        "signed out": 200,
        "afterwards": "400 NotAuthorizedException: Access Token has been revoked",
        "refresh afterwards": "400 NotAuthorizedException: Refresh Token has been revoked",
    }


CHOICE = ["PASSWORD", "EMAIL_OTP"]
WRONG = "NotAuthorizedException: Incorrect username or password."
USED = "PasswordHistoryPolicyViolationException: Password has previously been used"
NO_CODE = "CodeMismatchException: Invalid verification code provided, please try again."


class Account:
    """A pool whose users register, choose how they sign in and may not have an old password again; clients of it, one
    that rotates refresh tokens and one that is a program; and a pool that tells devices apart."""

    def __init__(self, service):
        self.stage = Stage(service)
        policies = {"PasswordPolicy": {**LENIENT, "PasswordHistorySize": 2},
                    "SignInPolicy": {"AllowedFirstAuthFactors": CHOICE}}
        flows = {"ExplicitAuthFlows": [f"ALLOW_{flow}" for flow in [*FLOWS, "USER_AUTH"]]}
        self.place = place = Place(self.stage, flows, Policies=policies)
        self.stage.admin.set_user_pool_mfa_config(
            UserPoolId=place.pool, MfaConfiguration="OPTIONAL", SoftwareTokenMfaConfiguration={"Enabled": True})
        self.rotating = place.new_client(
            ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"],
            RefreshTokenRotation={"Feature": "ENABLED", "RetryGracePeriodSeconds": 30})["ClientId"]
        self.stage.admin.create_resource_server(
            UserPoolId=place.pool, Identifier="stock", Name="stock", Scopes=[{"ScopeName": "read", "ScopeDescription": "read"}])
        program = place.new_client(
            GenerateSecret=True, ExplicitAuthFlows=[], AllowedOAuthFlows=["client_credentials"],
            AllowedOAuthScopes=["stock/read"], AllowedOAuthFlowsUserPoolClient=True)
        self.program = {"ClientId": program["ClientId"], "Secret": program["ClientSecret"], "scope": "stock/read"}
        self.name = f"user-{secrets.token_hex(4)}"

    def devices(self):
        """A pool that tells devices apart, and how one of its users signs in."""
        rules = {"ChallengeRequiredOnNewDevice": False, "DeviceOnlyRememberedOnUserPrompt": True}
        place = Place(self.stage, DeviceConfiguration=rules)
        return {"pool": place.pool, "begin": {
            "ClientId": place.client, "AuthFlow": "USER_PASSWORD_AUTH",
            "AuthParameters": {"USERNAME": place.user(), "PASSWORD": PASSWORD}}}


@shows("AWS SDK v3", "Registration", "Attributes", "Changed password", "Forgotten password", "Authenticator application",
       "Mailed code", "Sign-in by choice", "Refresh with rotation", "Remembered devices", "Tokens of a program")
def test_the_sdk_for_javascript_keeps_an_account(service):
    account = Account(service)
    words = {
        "endpoint": service.other, "mails": str(service.data / "mail"), "name": account.name, "password": PASSWORD,
        "ClientId": account.place.client, "rotating": account.rotating, "devices": account.devices(),
        "program": account.program}
    assert json.loads(node("sdk_v3_account.mjs", json.dumps(words))) == {
        "unconfirmed": "400 UserNotConfirmedException: User is not confirmed.",
        "wrong code": f"400 {NO_CODE}",
        "attributes": {"email_verified": "true", "given_name": "Änn"},
        "not his": "400 NotAuthorizedException: A client attempted to write unauthorized attribute",
        "wrong old password": f"400 {WRONG}",
        "used before": f"400 {USED}",
        "choices": ["PASSWORD_SRP", "PASSWORD", "EMAIL_OTP"],
        "wrong mailed code": "400 CodeMismatchException: Invalid code or auth state for the user.",
        "by mailed code": "Bearer",
        "wrong application code": "400 EnableSoftwareTokenMFAException: Code mismatch",
        "asked": "SOFTWARE_TOKEN_MFA",
        "wrong answer": "400 CodeMismatchException: Invalid code received for user",
        "reset": "u***@e***",
        "used for a reset": f"400 {USED}",
        "rotated": True,
        "the same again": True,
        "another client's": "400 NotAuthorizedException: Invalid Refresh Token",
        "deleted": "400 UserNotFoundException: User does not exist.",
        "prompt": True,
        "devices": [True],
        "on the device": "DEVICE_SRP_AUTH",
        "refreshed elsewhere": "400 NotAuthorizedException: Invalid Refresh Token",
        "refreshed on it": "Bearer",
        "forgotten": "400 ResourceNotFoundException: Device does not exist.",
        "program": "Bearer",
        "wrong secret": f"400 NotAuthorizedException: Unable to verify secret for client {account.program['ClientId']}",
    }


class Cli:
    """`aws cognito-idp` with an access key, or with none."""

    def __init__(self, folder, url, key=None):
        self.command = [shutil.which("aws") or missing_cli(), "--endpoint-url", url, "--region", REGION, "cognito-idp"]
        nowhere = folder / "no-such-file"
        keys = {"AWS_ACCESS_KEY_ID": key["id"], "AWS_SECRET_ACCESS_KEY": key["secret"]} if key else {}
        apart = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self.env = {**apart, **keys, "AWS_CONFIG_FILE": str(nowhere), "AWS_SHARED_CREDENTIALS_FILE": str(nowhere),
                    "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1", "AWS_PAGER": ""}

    def run(self, *words):
        return subprocess.run([*self.command, *words], env=self.env, capture_output=True, text=True, timeout=60, check=False)

    def answer(self, *words):
        """What it printed of a success."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def refusal(self, *words):
        """What it said of a refusal."""
        done = self.run(*words)
        assert done.returncode in (254, 255), done
        return done.stderr.strip().splitlines()[-1].removeprefix("aws: [ERROR]: ")


class Lines(Cli):
    """The same, a command after the other in one process."""

    def __init__(self, *words):
        super().__init__(*words)
        self.child = subprocess.Popen(
            [sys.executable, HERE / "aws_lines.py"], env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, *words):
        print(json.dumps([*self.command[1:], *words]), file=self.child.stdin, flush=True)
        code, out, err = json.loads(self.child.stdout.readline())
        return subprocess.CompletedProcess(words, code, out, err)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.wait(timeout=60)


def missing_cli():
    raise RuntimeError("aws is not installed: tests/run does it, beside the Python clients")


@shows("AWS CLI", "Administration", "Sign-in with the password", "Refresh", "Sign-out")
def test_the_command_line_administrates_and_signs_in(service, folder):
    stage = Stage(service)
    place = Place(stage)
    name, others = f"user-{secrets.token_hex(4)}", [place.invited(), place.invited()]
    pool = ["--user-pool-id", place.pool]
    with Lines(folder, service.url, access_key(service)) as admin, Lines(folder, service.other) as user:
        made = admin.answer("admin-create-user", *pool, "--username", name, "--message-action", "SUPPRESS")
        assert made["User"]["UserStatus"] == "FORCE_CHANGE_PASSWORD"
        set_password = ["admin-set-user-password", *pool, "--username", name, "--password", PASSWORD, "--permanent"]
        assert admin.answer(*set_password) is None
        listed = admin.answer("list-users", *pool, "--page-size", "1", "--query", "Users[].Username")
        assert listed == [*others, name]
        nobody = admin.refusal("admin-get-user", *pool, "--username", "nobody")
        assert nobody == "An error occurred (UserNotFoundException) when calling the AdminGetUser operation: User does not exist."
        sign_in = ["initiate-auth", "--client-id", place.client, "--auth-flow", "USER_PASSWORD_AUTH", "--auth-parameters"]
        wrong = user.refusal(*sign_in, f"USERNAME={name},PASSWORD=not-it")
        assert wrong == ("An error occurred (NotAuthorizedException) when calling the InitiateAuth operation: "
                         "Incorrect username or password.")
        tokens = user.answer(*sign_in, f"USERNAME={name},PASSWORD={PASSWORD}")["AuthenticationResult"]
        assert user.answer("get-user", "--access-token", tokens["AccessToken"])["Username"] == name
        refresh = ["get-tokens-from-refresh-token", "--client-id", place.client, "--refresh-token", tokens["RefreshToken"]]
        assert user.answer(*refresh)["AuthenticationResult"]["AccessToken"] != tokens["AccessToken"]
        assert user.answer("revoke-token", "--client-id", place.client, "--token", tokens["RefreshToken"]) is None
        assert user.refusal(*refresh).endswith("operation: Refresh Token has been revoked")
    # The program itself, in a process of its own.
    assert "Unable to locate credentials" in Cli(folder, service.other).refusal("list-users", *pool)


@shows("AWS CLI", "Registration", "Attributes", "Changed password", "Forgotten password", "New password required",
       "Authenticator application", "Mailed code", "Sign-in by choice", "Refresh with rotation")
def test_the_command_line_keeps_an_account(service, folder):
    account = Account(service)
    place, name, client = account.place, account.name, ["--client-id", account.place.client]
    with Lines(folder, service.other) as user:
        user.answer("sign-up", *client, "--username", name, "--password", PASSWORD,
                    "--user-attributes", f"Name=email,Value={name}@example.test")
        confirm = ["confirm-sign-up", *client, "--username", name, "--confirmation-code"]
        assert user.refusal(*confirm, "none").endswith(NO_CODE.split(": ")[1])
        registered = place.code(name)
        user.answer(*confirm, registered)

        def begin(flow, *words, at=place.client):
            return user.answer("initiate-auth", "--client-id", at, "--auth-flow", flow, "--auth-parameters", *words)

        def by(password, at=place.client):
            return begin("USER_PASSWORD_AUTH", f"USERNAME={name},PASSWORD={password}", at=at)

        def respond(asked, responses, call=user.answer):
            return call("respond-to-auth-challenge", *client, "--challenge-name", asked["ChallengeName"],
                        "--session", asked["Session"], "--challenge-responses", responses)

        own = ["--access-token", by(PASSWORD)["AuthenticationResult"]["AccessToken"]]
        user.answer("update-user-attributes", *own, "--user-attributes", "Name=given_name,Value=Änn")
        given = "UserAttributes[?Name=='given_name'].Value"
        assert user.answer("get-user", *own, "--query", given) == ["Änn"]
        change = ["change-password", *own, "--previous-password", PASSWORD, "--proposed-password"]
        assert user.refusal(*change, PASSWORD).endswith(USED.split(": ")[1])
        user.answer(*change, PASSWORD + "-2")

        user.answer("forgot-password", *client, "--username", name)
        code = wait_for("a new code", lambda: next(iter({place.code(name)} - {registered}), None))
        user.answer("confirm-forgot-password", *client, "--username", name, "--confirmation-code", code,
                    "--password", PASSWORD + "-3")

        first = by(PASSWORD + "-3", account.rotating)["AuthenticationResult"]
        rotated = user.answer("get-tokens-from-refresh-token", "--client-id", account.rotating,
                              "--refresh-token", first["RefreshToken"])["AuthenticationResult"]
        assert rotated["RefreshToken"] != first["RefreshToken"]

        asked = begin("USER_AUTH", f"USERNAME={name}")
        assert asked["AvailableChallenges"] == ["PASSWORD_SRP", "PASSWORD", "EMAIL_OTP"]
        sent = respond(asked, f"USERNAME={name},ANSWER=EMAIL_OTP")
        assert respond(sent, f"USERNAME={name},EMAIL_OTP_CODE=00000000", user.refusal).endswith("auth state for the user.")
        assert respond(sent, f"USERNAME={name},EMAIL_OTP_CODE={place.code(name, 8)}")["AuthenticationResult"]

        own = ["--access-token", rotated["AccessToken"]]
        application = pyotp.TOTP(user.answer("associate-software-token", *own)["SecretCode"])
        assert user.refusal("verify-software-token", *own, "--user-code", "000000").endswith("Code mismatch")
        now = application.now()
        assert user.answer("verify-software-token", *own, "--user-code", now)["Status"] == "SUCCESS"
        user.answer("set-user-mfa-preference", *own, "--software-token-mfa-settings", "Enabled=true,PreferredMfa=true")
        asked = by(PASSWORD + "-3")
        assert asked["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
        used = respond(asked, f"USERNAME={name},SOFTWARE_TOKEN_MFA_CODE={now}", user.refusal)
        assert used.endswith("Your software token has already been used once.")
        later = application.at(int(time.time()) + 30)
        assert respond(asked, f"USERNAME={name},SOFTWARE_TOKEN_MFA_CODE={later}")["AuthenticationResult"]

        invited = place.invited()
        asked = begin("USER_PASSWORD_AUTH", f"USERNAME={invited},PASSWORD={PASSWORD}")
        answered = respond(asked, f"USERNAME={invited},NEW_PASSWORD={PASSWORD}-2")
        assert answered["AuthenticationResult"]["TokenType"] == "Bearer"
