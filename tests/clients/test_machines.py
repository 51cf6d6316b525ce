"""From machine to machine with real clients: boto3 and requests-oauthlib get tokens of an app client, and PyJWT, the
JavaScript verifier and both replicas say what they are good for."""

import base64
import hashlib
import hmac
import json
import secrets

import boto3
import jwt
import pytest
import requests
from botocore import UNSIGNED
from botocore.config import Config
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError, InvalidScopeError, UnauthorizedClientError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from service import node

CLIENT = Config(signature_version=UNSIGNED, retries={"mode": "standard", "max_attempts": 1})


@pytest.fixture(autouse=True)
def loopback_without_tls(monkeypatch):
    """The library insists on https, which the tests of TLS have."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


class Place:
    """A pool of its own with a resource server, and who may change both."""

    def __init__(self, service):
        self.service = service
        key = json.loads(service.cli("access-keys", "create", "--name", "admin", "--pool", "*", "--json"))
        words = {"region_name": "us-east-1", "aws_access_key_id": key["id"], "aws_secret_access_key": key["secret"]}
        self.admin = boto3.client("cognito-idp", endpoint_url=service.url, **words)
        self.anyone = [
            boto3.client("cognito-idp", region_name="us-east-1", endpoint_url=url, config=CLIENT)
            for url in dict.fromkeys([service.url, service.other])
        ]
        self.pool = self.admin.create_user_pool(PoolName="machines")["UserPool"]["Id"]
        self.server = "https://orders.example"
        self.admin.create_resource_server(
            UserPoolId=self.pool, Identifier=self.server, Name="Orders", Scopes=self.scopes("read", "write"))

    @staticmethod
    def scopes(*names):
        return [{"ScopeName": name, "ScopeDescription": f"may {name}"} for name in names]

    def machine(self, *scopes):
        """A client with these scopes."""
        return self.admin.create_user_pool_client(
            UserPoolId=self.pool, ClientName=secrets.token_hex(4), GenerateSecret=True,
            AllowedOAuthFlowsUserPoolClient=True, AllowedOAuthFlows=["client_credentials"],
            AllowedOAuthScopes=[f"{self.server}/{scope}" for scope in scopes],
        )["UserPoolClient"]

    def fetch(self, client, secret=None, scope=None, url=None, **more):
        """A token as requests-oauthlib fetches it."""
        session = OAuth2Session(client=BackendApplicationClient(client_id=client["ClientId"], scope=scope))
        auth = HTTPBasicAuth(client["ClientId"], secret or client["ClientSecret"])
        return session.fetch_token(f"{url or self.service.other}/oauth/token", auth=auth, **more)

    def claims(self, token, url=None):
        """What a resource server reads in a token, by the pool's key set."""
        keys = jwt.PyJWKClient(f"{url or self.service.other}/{self.pool}/.well-known/jwks.json")
        issuer = f"{self.service.url}/{self.pool}"
        required = {"require": ["exp", "iat", "iss", "sub", "jti"]}
        return jwt.decode(token, keys.get_signing_key_from_jwt(token), algorithms=["RS256"], issuer=issuer, options=required)


@pytest.fixture
def place(service):
    return Place(service)


def test_boto3_gets_a_token_of_the_client_itself(place):
    client = place.machine("read", "write")
    for boto in (*place.anyone, place.admin):
        result = boto.get_client_token(ClientId=client["ClientId"], Secret=client["ClientSecret"])
        result = result["ClientAuthenticationResult"]
        assert (result["ExpiresIn"], result["TokenType"]) == (3600, "Bearer")
        claims = place.claims(result["AccessToken"])
        assert claims.keys() == {
            "sub", "token_use", "scope", "auth_time", "iss", "exp", "iat", "version", "jti", "client_id"}
        assert claims["sub"] == claims["client_id"] == client["ClientId"]
        assert (claims["token_use"], claims["version"]) == ("access", 2)
        assert claims["scope"] == f"{place.server}/read {place.server}/write"
        with pytest.raises(place.admin.exceptions.NotAuthorizedException, match="does not have required scopes"):
            boto.get_user(AccessToken=result["AccessToken"])
    boto = place.anyone[-1]
    with pytest.raises(boto.exceptions.InvalidParameterException, match="Invalid scope requested: openid"):
        boto.get_client_token(ClientId=client["ClientId"], Secret=client["ClientSecret"], Scopes=["openid"])
    with pytest.raises(boto.exceptions.NotAuthorizedException, match="Unable to verify secret"):
        boto.get_client_token(ClientId=client["ClientId"], Secret="0" * 51)


def test_requests_oauthlib_gets_one_with_the_scopes_that_it_asks_for(place):
    client = place.machine("read", "write")
    whole = place.fetch(client)
    assert whole["scope"] == [f"{place.server}/read", f"{place.server}/write"]
    less = place.fetch(client, scope=[f"{place.server}/write"])
    assert place.claims(less["access_token"])["scope"] == f"{place.server}/write"
    in_the_form = OAuth2Session(client=BackendApplicationClient(client_id=client["ClientId"])).fetch_token(
        f"{place.service.url}/oauth/token", client_secret=client["ClientSecret"], include_client_id=True)
    assert in_the_form.keys() - {"expires_at"} == {"token_type", "expires_in", "access_token", "scope"}
    with pytest.raises(InvalidScopeError):
        place.fetch(client, scope=[f"{place.server}/delete"])
    with pytest.raises(InvalidClientError):
        place.fetch(client, secret="0" * 51)
    place.admin.update_user_pool_client(UserPoolId=place.pool, ClientId=client["ClientId"])
    with pytest.raises(UnauthorizedClientError):
        place.fetch(client)


def test_a_token_of_a_client_opens_no_api_of_ours(place):
    token = place.fetch(place.machine("read"))["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    for url in (place.service.url, place.service.other):
        answer = requests.patch(f"{url}/api/user/v1/resetpassword", data={"email": "a@example.com"}, headers=bearer, timeout=30)
        assert answer.status_code in (401, 403), answer.text
        answer = requests.get(f"{url}/api/account/people", headers=bearer, timeout=30)
        assert answer.status_code in (401, 403, 404), answer.text


def test_aws_jwt_verify_accepts_it_for_its_client_and_scopes(place):
    client = place.machine("read")
    given = {
        "token": place.fetch(client)["access_token"], "issuer": f"{place.service.url}/{place.pool}",
        "keys_from": place.service.other, "pool": place.pool, "client": client["ClientId"],
        "scope": f"{place.server}/read",
    }
    assert json.loads(node("verify_client.mjs", stdin=json.dumps(given))) == {
        "sub": client["ClientId"], "another scope": "refused", "another client": "refused",
        "another issuer": "refused", "changed claims": "refused",
    }


def test_boto3_changes_a_secret_without_a_pause(place):
    client = place.machine("read")
    words = {"UserPoolId": place.pool, "ClientId": client["ClientId"]}
    [first] = place.admin.list_user_pool_client_secrets(**words)["ClientSecrets"]
    second = place.admin.add_user_pool_client_secret(**words)["ClientSecretDescriptor"]
    for secret in (client["ClientSecret"], second["ClientSecretValue"]):
        for url in (place.service.url, place.service.other):
            assert place.fetch(client, secret=secret, url=url)["access_token"]
    with pytest.raises(place.admin.exceptions.LimitExceededException):
        place.admin.add_user_pool_client_secret(**words)
    place.admin.delete_user_pool_client_secret(ClientSecretId=first["ClientSecretId"], **words)
    for url in (place.service.other, place.service.url):
        with pytest.raises(InvalidClientError):
            place.fetch(client, url=url)
        assert place.fetch(client, secret=second["ClientSecretValue"], url=url)["access_token"]
    with pytest.raises(place.admin.exceptions.InvalidParameterException, match="last secret"):
        place.admin.delete_user_pool_client_secret(ClientSecretId=second["ClientSecretId"], **words)


def test_boto3_manages_resource_servers(place):
    words = {"UserPoolId": place.pool, "Identifier": place.server}
    client = place.machine("read", "write")
    changed = place.admin.update_resource_server(Name="Orders 2", Scopes=place.scopes("read"), **words)
    assert changed["ResourceServer"]["Name"] == "Orders 2"
    for url in (place.service.other, place.service.url):
        assert place.fetch(client, url=url)["scope"] == [f"{place.server}/read"]
    pages = place.admin.get_paginator("list_resource_servers").paginate(UserPoolId=place.pool)
    assert [server["Identifier"] for page in pages for server in page["ResourceServers"]] == [place.server]
    place.admin.delete_resource_server(**words)
    for url in (place.service.other, place.service.url):
        with pytest.raises(InvalidScopeError):
            place.fetch(client, url=url)
    with pytest.raises(place.admin.exceptions.ResourceNotFoundException):
        place.admin.describe_resource_server(**words)
    with pytest.raises(place.admin.exceptions.ScopeDoesNotExistException):
        place.machine("read")
    with pytest.raises(place.admin.exceptions.InvalidOAuthFlowException):
        place.admin.create_user_pool_client(
            UserPoolId=place.pool, ClientName="web", AllowedOAuthFlows=["code"], AllowedOAuthScopes=["openid"],
            AllowedOAuthFlowsUserPoolClient=True)


def test_boto3_lists_and_ends_sessions_one_by_one(place):
    made = place.admin.create_user_pool_client(
        UserPoolId=place.pool, ClientName="web", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])
    client = made["UserPoolClient"]["ClientId"]
    password = "Correct-horse-1"
    place.admin.admin_create_user(UserPoolId=place.pool, Username="ann", MessageAction="SUPPRESS")
    place.admin.admin_set_user_password(UserPoolId=place.pool, Username="ann", Password=password, Permanent=True)

    def sign_in(boto):
        return boto.initiate_auth(
            ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "ann", "PASSWORD": password},
        )["AuthenticationResult"]

    one, other = place.anyone[0], place.anyone[-1]
    mine, theirs = sign_in(one), sign_in(other)
    sessions = other.list_user_sessions(AccessToken=mine["AccessToken"])["Sessions"]
    assert sorted(session["IsCurrentSession"] for session in sessions) == [False, True]
    [target] = [session["SessionId"] for session in sessions if not session["IsCurrentSession"]]
    one.revoke_user_session(AccessToken=mine["AccessToken"], SessionId=target)
    for boto in (other, one):
        with pytest.raises(boto.exceptions.NotAuthorizedException, match="Access Token has been revoked"):
            boto.get_user(AccessToken=theirs["AccessToken"])
        with pytest.raises(boto.exceptions.NotAuthorizedException, match="Refresh Token has been revoked"):
            boto.get_tokens_from_refresh_token(ClientId=client, RefreshToken=theirs["RefreshToken"])
        boto.get_user(AccessToken=mine["AccessToken"])
    [left] = place.admin.admin_list_user_sessions(UserPoolId=place.pool, Username="ann")["Sessions"]
    with pytest.raises(one.exceptions.InvalidParameterException):
        one.revoke_user_session(AccessToken=mine["AccessToken"], SessionId=left["SessionId"])
    place.admin.admin_revoke_user_session(UserPoolId=place.pool, Username="ann", SessionId=left["SessionId"])
    with pytest.raises(one.exceptions.NotAuthorizedException, match="Access Token has been revoked"):
        one.get_user(AccessToken=mine["AccessToken"])


def test_a_confidential_client_refreshes_at_the_token_endpoint_with_its_secret_only(place):
    made = place.admin.create_user_pool_client(
        UserPoolId=place.pool, ClientName="web", GenerateSecret=True, ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"])
    client = made["UserPoolClient"]
    name, password = "ben", "Correct-horse-1"
    place.admin.admin_create_user(UserPoolId=place.pool, Username=name, MessageAction="SUPPRESS")
    place.admin.admin_set_user_password(UserPoolId=place.pool, Username=name, Password=password, Permanent=True)
    digest = hmac.digest(client["ClientSecret"].encode(), (name + client["ClientId"]).encode(), hashlib.sha256)
    tokens = place.admin.admin_initiate_auth(
        UserPoolId=place.pool, ClientId=client["ClientId"], AuthFlow="ADMIN_USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": password, "SECRET_HASH": base64.b64encode(digest).decode()},
    )["AuthenticationResult"]
    form = {"grant_type": "refresh_token", "refresh_token": tokens["RefreshToken"]}
    url = f"{place.service.other}/oauth/token"
    without = requests.post(url, data={**form, "client_id": client["ClientId"]}, timeout=30)
    assert (without.status_code, without.json()["error"]) == (400, "invalid_client")
    auth = (client["ClientId"], client["ClientSecret"])
    assert requests.post(url, data=form, auth=auth, timeout=30).status_code == 200
