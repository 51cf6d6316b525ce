"""Gives every second well-formed call of the fuzzer real credentials, so that it gets past the door."""

import itertools
import os

import requests
import schemathesis

URL = os.environ["FUZZED_URL"]
# In no example of the document, so that no generated call changes them.
MEMBER, ADMINISTRATOR = "member.of.the.hooks", "administrator.of.the.hooks"
PASSWORD = "only the hooks know this one"
turns = itertools.count()
# JSON under the name that AWS has for it.
schemathesis.serializer.alias("application/x-amz-json-1.1", "application/json")
schemathesis.serializer.alias("text/csv", "text/plain")
kept = {}


def sign_in(name=MEMBER):
    answer = requests.post(f"{URL}/v1/login", json={"username": name, "password": PASSWORD}, timeout=20)
    answer.raise_for_status()
    return answer.json()


def refresh_token():
    """Of a session that goes on; a new one now and then, because a refresh token yields only so many tokens."""
    kept["uses"] = kept.get("uses", 0) + 1
    if kept["uses"] % 40 == 1:
        kept["refresh_token"] = sign_in()["refresh_token"]
    return kept["refresh_token"]


def access_token():
    """Of one session for all calls."""
    if "access_token" not in kept:
        kept["access_token"] = sign_in()["access_token"]
    return kept["access_token"]


def administrator():
    """An access token of an administrator; a new one now and then, because a call may end its session."""
    kept["calls"] = kept.get("calls", 0) + 1
    if kept["calls"] % 20 == 1:
        kept["administrator"] = sign_in(ADMINISTRATOR)["access_token"]
    return kept["administrator"]


def client():
    """Credentials for the token endpoint."""
    if "client" not in kept:
        form = {"name": "Shop", "email": "hooks@example.com", "password": PASSWORD}
        headers = {"Authorization": f"Bearer {administrator()}"}
        answer = requests.post(f"{URL}/api/user/v1/register", data=form, headers=headers, timeout=20)
        answer.raise_for_status()
        data = answer.json()["data"]
        kept["client"] = {"client_id": data["user_id"], "client_secret": data["user_secret"]}
    return kept["client"]


CREDENTIALS = {
    "/v1/login": lambda body: {"username": MEMBER, "password": PASSWORD},
    "/v1/token-refresh": lambda body: {"username": MEMBER, "refresh_token": refresh_token()},
    "/v1/token-revoke": lambda body: {"refresh_token": sign_in()["refresh_token"]},
    "/v1/change-password": lambda body: {"access_token": access_token()},
    # The fields say which of the two APIs answers.
    "/api/account/login": lambda body: {"user" if "user" in body else "email": f"{MEMBER}@example.com", "password": PASSWORD},
    "/oauth/token": lambda body: {"grant_type": "password", "username": MEMBER, "password": PASSWORD, **client()},
}


def needs_token(operation):
    """Whether a bearer token opens it."""
    return any("accessToken" in way for way in operation.definition.raw.get("security", []))


@schemathesis.hook
def before_call(context, case, kwargs):
    # The fuzzer learns addresses from answers, and an administrator may reset everybody.
    if case.operation.path == "/api/user/v1/resetpassword" and "of.the.hooks" in str(case.body):
        case.body = {"email": "alice@example.com"}
    credentials = CREDENTIALS.get(case.operation.path)
    # In the stateful phase the links of the document hand the tokens on.
    ours = case.meta is not None and case.meta.generation.mode.is_positive and case.meta.phase.name.value != "stateful"
    if not ours or next(turns) % 2:
        return
    if credentials and isinstance(case.body, dict):
        case.body = {**case.body, **credentials(case.body)}
    if needs_token(case.operation):
        # A sign-out takes a session of its own along.
        token = sign_in()["access_token"] if case.operation.path.endswith("/logout") else administrator()
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}
