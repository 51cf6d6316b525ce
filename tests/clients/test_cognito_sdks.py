"""The AWS SDK for JavaScript v3 and the AWS CLI: an administrator who signs, a user who does not, typed refusals."""

import json
import os
import secrets
import shutil
import subprocess

import pytest

from cognito_stage import PASSWORD, REGION, Place, Stage, access_key
from matrix import shows
from service import node


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


def missing_cli():
    raise RuntimeError("aws is not installed: tests/run does it, beside the Python clients")


@shows("AWS CLI", "Administration", "Sign-in with the password", "Refresh", "Sign-out")
def test_the_command_line_administrates_and_signs_in(service, folder):
    stage = Stage(service)
    place = Place(stage)
    name, others = f"user-{secrets.token_hex(4)}", [place.invited(), place.invited()]
    admin, user = Cli(folder, service.url, access_key(service)), Cli(folder, service.other)
    pool = ["--user-pool-id", place.pool]
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
    assert "Unable to locate credentials" in user.refusal("list-users", *pool)
