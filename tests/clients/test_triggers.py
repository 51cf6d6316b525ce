"""Triggers with boto3 as it is, and a hook as README describes one: PreSignUp, PreTokenGeneration V2 and UserMigration."""

import hashlib
import hmac
import http.server
import json
import threading
import time

import boto3
import jwt
import pytest
from botocore.config import Config

from service import Service

KEY = "a key that only this deployment has"
# Cognito's model allows no space in a password.
PASSWORD = "correct-horse-battery"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:"


def is_ours(body, header, key):
    """As README has it."""
    moment, _, tag = header.removeprefix("t=").partition(",v1=")
    wanted = hmac.new(key.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(tag, wanted) and abs(time.time() - int(moment)) < 300


class Hook:
    """A server whose functions take an event and answer its response, or raise ValueError to say no."""

    def __init__(self, functions):
        self.events = []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert is_ours(body, self.headers["Cognate-Signature"], KEY)
                event = json.loads(body)
                hook.events.append(event)
                try:
                    event["response"] |= functions[self.path.strip("/")](event)
                    self.reply(200, event)
                except ValueError as refusal:
                    self.reply(400, {"errorMessage": str(refusal)})

            def reply(self, status, body):
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def sources(self):
        """Sources of the events since this was asked last."""
        sources, self.events[:] = [event["triggerSource"] for event in self.events], []
        return sources


def pre_sign_up(event):
    if event["request"]["validationData"] != {"invited": "yes"}:
        raise ValueError("only who is invited")
    return {"autoConfirmUser": True, "autoVerifyEmail": True}


def pre_token(event):
    assert event["version"] == "2"
    tenant = {"tenant": {"id": 7, "plan": event["request"]["userAttributes"].get("nickname", "none")}}
    access = {"claimsToAddOrOverride": tenant, "scopesToAdd": ["shop:read"]}
    return {"claimsAndScopeOverrideDetails": {"idTokenGeneration": {"claimsToAddOrOverride": tenant}, "accessTokenGeneration": access}}


def migrate(event):
    if event["userName"] != "old" or event["request"].get("password") != PASSWORD:
        raise ValueError("nobody")
    return {"userAttributes": {"email": "old@example.test", "email_verified": "true"}, "finalUserStatus": "CONFIRMED"}


@pytest.fixture(scope="module")
def hook():
    hook = Hook({"sign-up": pre_sign_up, "token": pre_token, "migrate": migrate})
    yield hook
    hook.server.shutdown()


@pytest.fixture(scope="module", params=["embedded", "replicated"])
def service(request, folder, hook):
    """Each deployment, with functions; of a pool of its own, so that no other test meets them."""
    place = folder / f"triggers-{request.param}"
    place.mkdir()
    functions = ",".join(f"{name}=http://127.0.0.1:{hook.port}/{name}" for name in ("sign-up", "token", "migrate"))
    key = place / "hooks.key"
    key.write_text(KEY)
    env = {"COGNATE__HOOKS__FUNCTIONS": functions, "COGNATE__HOOKS__SIGNING_KEY_FILE": str(key)}
    shared = request.getfixturevalue("shared") if request.param == "replicated" else {}
    service = Service(place, replicas=2 if shared else 1, env={**shared, **env})
    yield service
    service.stop()


@pytest.fixture(scope="module")
def cognito(service):
    key = json.loads(service.cli("access-keys", "create", "--name", "triggers", "--pool", "*", "--json"))
    return boto3.client(
        "cognito-idp", endpoint_url=service.url, region_name="us-east-1", aws_access_key_id=key["id"],
        aws_secret_access_key=key["secret"], config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture(scope="module")
def client(cognito):
    """A client of a pool with all three triggers."""
    config = {
        "PreSignUp": f"{ARN}sign-up", "UserMigration": f"{ARN}migrate",
        "PreTokenGenerationConfig": {"LambdaVersion": "V2_0", "LambdaArn": f"{ARN}token"},
    }
    pool = cognito.create_user_pool(
        PoolName="triggers", LambdaConfig=config, AliasAttributes=["email"], AutoVerifiedAttributes=["email"])["UserPool"]
    assert pool["LambdaConfig"] == {**config, "PreTokenGeneration": f"{ARN}token"}
    made = cognito.create_user_pool_client(
        UserPoolId=pool["Id"], ClientName="web", PreventUserExistenceErrors="ENABLED",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    return made["UserPoolClient"]["ClientId"]


def sign_in(cognito, client, name, password=PASSWORD):
    return cognito.initiate_auth(
        ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": name, "PASSWORD": password})


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_sign_up_and_tokens_go_through_the_hook(cognito, client, hook):
    given = {"ClientId": client, "Username": "ann", "Password": PASSWORD + "A1", "UserAttributes": [
        {"Name": "email", "Value": "ann@example.test"}, {"Name": "nickname", "Value": "gold"}]}
    with pytest.raises(cognito.exceptions.UserLambdaValidationException) as refused:
        cognito.sign_up(**given)
    assert refused.value.response["Error"]["Message"] == "PreSignUp failed with error only who is invited."
    made = cognito.sign_up(**given, ValidationData=[{"Name": "invited", "Value": "yes"}])
    assert made["UserConfirmed"] and "CodeDeliveryDetails" not in made
    assert hook.sources() == ["PreSignUp_SignUp"] * 2

    result = sign_in(cognito, client, "ann@example.test", PASSWORD + "A1")["AuthenticationResult"]
    for token in (result["IdToken"], result["AccessToken"]):
        assert claims(token)["tenant"] == {"id": 7, "plan": "gold"}
    assert claims(result["AccessToken"])["scope"] == "aws.cognito.signin.user.admin shop:read"
    assert cognito.get_user(AccessToken=result["AccessToken"])["Username"] == "ann"
    assert hook.sources() == ["TokenGeneration_Authentication"]
    again = cognito.get_tokens_from_refresh_token(ClientId=client, RefreshToken=result["RefreshToken"])
    assert claims(again["AuthenticationResult"]["IdToken"])["tenant"]["id"] == 7
    assert hook.sources() == ["TokenGeneration_RefreshTokens"]


def test_a_user_of_elsewhere_is_taken_over(cognito, client, hook):
    for name, password in (("old", "wrong-password"), ("nobody", PASSWORD)):
        with pytest.raises(cognito.exceptions.NotAuthorizedException):
            sign_in(cognito, client, name, password)
    assert sign_in(cognito, client, "old")["AuthenticationResult"]["AccessToken"]
    hook.sources()
    assert sign_in(cognito, client, "old@example.test")["AuthenticationResult"]["AccessToken"]
    assert hook.sources() == ["TokenGeneration_Authentication"]
