"""boto3 as it is against the Cognito API: its errors are typed, its signatures hold, and no body comes back that it does
not understand."""

import json
import uuid

import boto3
import jwt
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from service import PASSWORD

REGION = "us-east-1"


def client(service, key=None, region=REGION, url=None, **config):
    """What an application has: unsigned, or with an access key."""
    keys = {} if key is None else {"aws_access_key_id": key["id"], "aws_secret_access_key": key["secret"]}
    more = {"signature_version": UNSIGNED} if key is None else {}
    return boto3.client(
        "cognito-idp", endpoint_url=url or service.url, region_name=region, **keys,
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False, **more, **config))


def access_key(service, *options):
    return json.loads(service.cli("access-keys", "create", "--name", "boto3", *options, "--json"))


@pytest.fixture
def pool(service):
    """The pool that the deployment was born with, among those that other tests make."""
    return next(pool["id"] for pool in json.loads(service.cli("pools", "list", "--json")) if pool["name"] == "default")


def refused(call, name, **parameters):
    """The exception that the SDK made of the refusal, with Cognito's own class where the model has one."""
    with pytest.raises(ClientError) as met:
        call(**parameters)
    assert met.value.response["Error"]["Code"] == name
    assert type(met.value).__name__ in (name, "ClientError")
    assert uuid.UUID(met.value.response["ResponseMetadata"]["RequestId"])
    return met.value.response["Error"]["Message"]


def test_refusals_are_typed(service):
    cognito = client(service)
    with pytest.raises(cognito.exceptions.InvalidParameterException) as met:
        cognito.revoke_token(ClientId="x" * 26)
    message = "1 validation error detected: Value at 'token' failed to satisfy constraint: Member must not be null"
    assert met.value.response["Error"]["Message"] == message
    with pytest.raises(cognito.exceptions.ResourceNotFoundException):
        cognito.revoke_token(Token="x", ClientId="x" * 26)
    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        cognito.global_sign_out(AccessToken="x.y.z")


# K13, S24
def test_a_signed_call_is_done_and_another_is_not(service, pool):
    name = service.user()
    token = service.sign_in(name)["access_token"]
    key = access_key(service, "--operations", "Admin*")
    for url in (service.url, service.other):
        answer = client(service, key, url=url).admin_user_global_sign_out(UserPoolId=pool, Username=name)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert jwt.decode(token, options={"verify_signature": False})["username"] == name
    refused(client(service).global_sign_out, "NotAuthorizedException", AccessToken=token)

    def sign_out(key, name_of_fault, **options):
        return refused(client(service, key, **options).admin_user_global_sign_out, name_of_fault, UserPoolId=pool, Username=name)

    sign_out(None, "MissingAuthenticationTokenException")
    sign_out({**key, "secret": "x" * 40}, "InvalidSignatureException")
    sign_out({**key, "id": "CGNAAAAAAAAAAAAAAAAA"}, "UnrecognizedClientException")
    assert "us-east-1" in sign_out(key, "InvalidSignatureException", region="eu-west-1")
    sign_out(access_key(service, "--operations", "List*"), "AccessDeniedException")
    service.cli("access-keys", "disable", key["id"])
    for url in (service.url, service.other):
        sign_out(key, "UnrecognizedClientException", url=url)


def test_what_amazon_has_and_we_have_not_is_said_so(service):
    key = access_key(service, "--pool", "*")
    cognito = client(service, key)
    with pytest.raises(ClientError) as met:
        cognito.describe_terms(UserPoolId="us-east-1_x", TermsId="00000000-0000-4000-8000-000000000000")
    assert met.value.response["Error"]["Code"] == "OperationNotEnabledException"


def test_a_refresh_token_is_revoked(service):
    name = service.user()
    tokens = service.sign_in(name)
    ours = jwt.decode(tokens["access_token"], options={"verify_signature": False})["client_id"]
    client(service).revoke_token(Token=tokens["refresh_token"], ClientId=ours)
    assert service.post("token-refresh", {"username": name, "refresh_token": tokens["refresh_token"]}).status_code == 401
    assert service.sign_in(name, PASSWORD)
