"""aws-jwt-verify on access and id tokens of the Cognito API, with Amazon's issuer and with ours. (B01)"""

import json

import pytest

import stores
from cognito_stage import Stage
from service import Service, node
from test_verifiers import claims_of


@pytest.fixture(params=["embedded", "replicated"])
def of_amazon(request, folder):
    """A deployment whose tokens name Amazon's issuer."""
    place = folder / f"issuer-{request.param}"
    place.mkdir()
    replicated = request.param == "replicated"
    env = stores.fresh_database(request.getfixturevalue("shared"), "issuer") if replicated else {}
    service = Service(place, replicas=1 + replicated, env={**env, "COGNATE__COGNITO__ISSUER_STYLE": "aws"})
    yield service
    service.stop()


def seen(service, style):
    """What the library said of the tokens of a user, and who that is."""
    stage = Stage(service)
    place, elsewhere = stage.place(), stage.place("elsewhere")
    name = place.user()
    tokens = place.tokens(name)
    given = {
        "style": style, "endpoint": service.other, "issuer": claims_of(tokens["AccessToken"])["iss"], "pool": place.pool,
        "client": place.client, "access": tokens["AccessToken"], "id": tokens["IdToken"],
        "foreign": elsewhere.tokens(elsewhere.user())["AccessToken"],
    }
    return json.loads(node("verify_cognito.mjs", stdin=json.dumps(given))), given, name


def verdicts(name, use, client, pool):
    return {
        "access": name,
        "id": name,
        "id for access": use,
        "access for id": use,
        "changed signature": "JwtInvalidSignatureError",
        "changed claims": "JwtInvalidSignatureError",
        "no signature": "JwtParseError",
        "another client's": client,
        "another pool's": pool,
        "expired": "JwtExpiredError",
        "expired within the grace": name,
    }


def test_the_verifier_for_cognito_takes_tokens_that_name_amazons_issuer(of_amazon):
    said, given, name = seen(of_amazon, "aws")
    assert given["issuer"] == f"https://cognito-idp.us-east-1.amazonaws.com/{given['pool']}"
    names = ("CognitoJwtInvalidTokenUseError", "CognitoJwtInvalidClientIdError", "ParameterValidationError")
    assert said == verdicts(name, *names)


def test_the_generic_verifier_takes_tokens_that_name_ours(service):
    said, given, name = seen(service, "self")
    assert given["issuer"] == f"{service.url}/{given['pool']}"
    assert said == verdicts(name, "Error", "Error", "KidNotFoundInJwksError")
