"""CUSTOM_AUTH and CustomMessage with boto3, the AWS SDK for JavaScript v3, amazon-cognito-identity-js and AWS Amplify as
they are, and a hook on loopback that plays the pool's functions and a gateway of text messages."""

import http.server
import json
import secrets
import threading

import pytest

from cognito_stage import PASSWORD, Stage
from matrix import shows
from service import Service, node

ARN = "arn:aws:lambda:us-east-1:123456789012:function:custom"
TRIGGERS = ["DefineAuthChallenge", "CreateAuthChallenge", "VerifyAuthChallengeResponse", "CustomMessage"]


def define(request):
    """One question, two tries; after the password where that comes first."""
    steps = request["session"]
    if steps and steps[-1]["challengeName"] == "SRP_A":
        return {"challengeName": "PASSWORD_VERIFIER"}
    asked = [step["challengeResult"] for step in steps if step["challengeName"] == "CUSTOM_CHALLENGE"]
    if asked[-1:] == [True]:
        return {"issueTokens": True, "failAuthentication": False}
    if len(asked) == 2:
        return {"issueTokens": False, "failAuthentication": True}
    return {"challengeName": "CUSTOM_CHALLENGE", "issueTokens": False, "failAuthentication": False}


def create(request):
    return {"publicChallengeParameters": {"question": "six times seven"}, "privateChallengeParameters": {"answer": "42"}}


def verify(request):
    return {"answerCorrect": request["privateChallengeParameters"]["answer"] == request["challengeAnswer"]}


def message(request):
    return {"emailSubject": "From the hook", "emailMessage": f"<p>{request['codeParameter']} it is</p>"}


FUNCTIONS = dict(zip(TRIGGERS, [define, create, verify, message]))


class Hook(http.server.BaseHTTPRequestHandler):
    """Answers each event with its response filled in; keeps text messages and tells them."""

    texts = []

    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/send":
            self.texts.append(event)
        else:
            event["response"] |= FUNCTIONS[event["triggerSource"].split("_")[0]](event["request"])
        self.answer(event)

    def do_GET(self):
        self.answer(self.texts)

    def answer(self, what):
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module", params=["embedded", "replicated"])
def stage(request, folder):
    """Each deployment, with a hook."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = folder / f"custom-{request.param}"
    place.mkdir()
    hook = f"http://127.0.0.1:{server.server_port}/"
    env = {
        "COGNATE__HOOKS__FUNCTIONS": f"custom={hook}",
        "COGNATE__SMS__URL": f"{hook}send",
        "COGNATE__HOOKS__SIGNING_KEY": "a key that only this deployment has",
    }
    shared = request.getfixturevalue("shared") if request.param == "replicated" else {}
    service = Service(place, replicas=2 if shared else 1, env={**shared, **env})
    stage = Stage(service)
    stage.hook = hook
    yield stage
    service.stop()
    server.shutdown()


@pytest.fixture(scope="module")
def place(stage):
    """A pool with the triggers and a client that may use them."""
    client = {"ExplicitAuthFlows": ["ALLOW_CUSTOM_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"], "PreventUserExistenceErrors": "ENABLED"}
    return stage.place("custom", client, LambdaConfig={name: ARN for name in TRIGGERS})


@shows("boto3", "Custom challenges")
def test_boto3_answers_a_challenge_of_the_pools_own(place):
    name = place.user()
    begin = {"ClientId": place.client, "AuthFlow": "CUSTOM_AUTH", "AuthParameters": {"USERNAME": name}}
    asked = place.anyone.initiate_auth(**begin)
    assert asked["ChallengeName"] == "CUSTOM_CHALLENGE"
    assert asked["ChallengeParameters"] == {"USERNAME": name, "question": "six times seven"}

    def answer(api, session, text, **more):
        return api(
            ClientId=place.client, ChallengeName="CUSTOM_CHALLENGE", Session=session,
            ChallengeResponses={"USERNAME": name, "ANSWER": text}, **more)

    again = answer(place.anyone.respond_to_auth_challenge, asked["Session"], "41")
    tokens = answer(place.admin.admin_respond_to_auth_challenge, again["Session"], "42", UserPoolId=place.pool)
    assert place.anyone.get_user(AccessToken=tokens["AuthenticationResult"]["AccessToken"])["Username"] == name
    refused = place.anyone.exceptions.NotAuthorizedException
    with pytest.raises(refused, match="Invalid session for the user."):
        answer(place.anyone.respond_to_auth_challenge, again["Session"], "42")
    asked = place.admin.admin_initiate_auth(UserPoolId=place.pool, **begin)
    asked = answer(place.anyone.respond_to_auth_challenge, asked["Session"], "41")
    with pytest.raises(refused, match="Incorrect username or password."):
        answer(place.anyone.respond_to_auth_challenge, asked["Session"], "41")


def test_boto3_is_told_that_a_pool_has_no_challenges_of_its_own(stage):
    bare = stage.place("bare", {"ExplicitAuthFlows": ["ALLOW_CUSTOM_AUTH"]})
    with pytest.raises(bare.anyone.exceptions.InvalidParameterException, match="Custom auth lambda trigger is not configured"):
        bare.anyone.initiate_auth(ClientId=bare.client, AuthFlow="CUSTOM_AUTH", AuthParameters={"USERNAME": "ann"})


SEEN = {"asked": "six times seven", "asked again": "six times seven", "wrong": "NotAuthorizedException", "signed in": True}


def texted(stage):
    """A client, and a user of it who is asked for a code by text message: name, password and number."""
    place = stage.place("texting")
    stage.admin.set_user_pool_mfa_config(
        UserPoolId=place.pool, MfaConfiguration="OPTIONAL", SmsMfaConfiguration={"SmsAuthenticationMessage": "{####}"})
    name, number = place.user(), f"+1206555{secrets.randbelow(10_000):04}"
    attributes = [{"Name": "phone_number", "Value": number}, {"Name": "phone_number_verified", "Value": "true"}]
    stage.admin.admin_update_user_attributes(UserPoolId=place.pool, Username=name, UserAttributes=attributes)
    stage.admin.admin_set_user_mfa_preference(
        UserPoolId=place.pool, Username=name, SMSMfaSettings={"Enabled": True, "PreferredMfa": True})
    return place.client, name, number


@shows("AWS SDK v3", "Custom challenges", "Code by text message")
def test_the_sdk_for_javascript_answers_a_challenge_of_the_pools_own_and_by_text_message(stage, place):
    client, name, number = texted(stage)
    words = [stage.service.other, place.client, place.user(), stage.hook, number, client, f"{name} {PASSWORD}"]
    assert json.loads(node("custom_sdk_v3.mjs", *words)) == {
        "asked": "six times seven",
        "asked again": "six times seven",
        "signed in": "Bearer",
        "wrong": "400 NotAuthorizedException: Incorrect username or password.",
        "text message": ["SMS_MFA", f"+*******{number[-4:]}"],
        "wrong code": "400 CodeMismatchException: Invalid code received for user",
        "by text message": "Bearer",
    }


@shows("identity-js", "Custom challenges")
@pytest.mark.parametrize("password", [PASSWORD, ""])
def test_amazon_cognito_identity_js_answers_a_challenge_of_the_pools_own(place, password):
    """With the password by SRP first, and without one."""
    seen = node("custom_identity.mjs", place.stage.service.url, place.pool, place.client, place.user(), password)
    assert json.loads(seen) == SEEN


@shows("Amplify 6", "Custom challenges")
@pytest.mark.parametrize("password", [PASSWORD, ""])
def test_amplify_answers_a_challenge_of_the_pools_own(place, password):
    """With the password by SRP first, and without one."""
    seen = node("custom_amplify.mjs", place.stage.service.url, place.pool, place.client, place.user(), password)
    assert json.loads(seen) == SEEN


def test_boto3_gives_a_pool_words_of_its_own(stage):
    words = {"EmailMessage": "Use {####}", "EmailSubject": "From the pool", "DefaultEmailOption": "CONFIRM_WITH_CODE"}
    place = stage.place("worded", VerificationMessageTemplate=words)
    described = place.admin.describe_user_pool(UserPoolId=place.pool)["UserPool"]
    assert described["VerificationMessageTemplate"] == words and described["EmailVerificationMessage"] == "Use {####}"
    with pytest.raises(place.admin.exceptions.InvalidParameterException, match="CONFIRM_WITH_LINK is not available"):
        place.admin.update_user_pool(**place.rules | {"VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_LINK"}})
