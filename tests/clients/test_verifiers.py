"""Libraries that others verify our tokens with: PyJWT, `jose` and the generic verifier of `aws-jwt-verify`. (B01)"""

import json
import subprocess
import time

import jwt
import pytest
import requests

from children import wait_for
from service import Service, node


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def verdicts(name):
    """What js/verify.mjs should see."""
    return {
        "access": name,
        "id": name,
        "changed signature": "refused",
        "changed claims": "refused",
        "another issuer": "refused",
        "another audience": "refused",
    }


def certificate_for_loopback(place):
    """A certificate of our own, as settings."""
    files = {"COGNATE__HTTP__CERTIFICATE_FILE": place / "tls.crt", "COGNATE__HTTP__CERTIFICATE_KEY_FILE": place / "tls.key"}
    certificate, key = files.values()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )
    return {name: str(file) for name, file in files.items()}


@pytest.fixture
def signed_in(service):
    """A user's name and tokens."""
    name = service.user()
    return name, service.sign_in(name)


def test_discovery_is_enough_to_verify_both_tokens_with_pyjwt(service, signed_in):
    name, tokens = signed_in
    issuer = claims_of(tokens["access_token"])["iss"]
    for url in service.urls:
        path = issuer.removeprefix(service.env["COGNATE__HTTP__PUBLIC_URL"])
        discovery = requests.get(f"{url}{path}/.well-known/openid-configuration", timeout=10).json()
        assert discovery["issuer"] == issuer
        keys = jwt.PyJWKClient(discovery["jwks_uri"])

        access = jwt.decode(
            tokens["access_token"], keys.get_signing_key_from_jwt(tokens["access_token"]),
            algorithms=discovery["id_token_signing_alg_values_supported"], issuer=issuer,
            options={"require": ["exp", "iat", "iss", "sub", "jti"]},
        )
        assert access["token_use"] == "access"
        assert access["username"] == name
        assert access["scope"] == "aws.cognito.signin.user.admin"
        assert access["exp"] - access["iat"] == tokens["expires_in"]
        assert abs(access["iat"] - time.time()) < 60
        assert "aud" not in access

        identity = jwt.decode(
            tokens["id_token"], keys.get_signing_key_from_jwt(tokens["id_token"]),
            algorithms=["RS256"], issuer=issuer, audience=access["client_id"],
        )
        assert identity["token_use"] == "id"
        assert identity["cognito:username"] == name
        assert identity["email"] == f"{name}@example.com"
        assert identity["sub"] == access["sub"]
        assert identity["origin_jti"] == access["origin_jti"]
        assert "at_hash" not in identity


def test_the_header_holds_alg_and_kid_and_nothing_else(signed_in):
    _, tokens = signed_in
    for kind in ("access_token", "id_token"):
        header = jwt.get_unverified_header(tokens[kind])
        assert header.keys() == {"alg", "kid"}
        assert header["alg"] == "RS256"


@pytest.mark.parametrize("library", ["jose", "aws-jwt-verify"])
def test_a_javascript_verifier_accepts_our_tokens_and_no_others(service, signed_in, library):
    name, tokens = signed_in
    seen = json.loads(node("verify.mjs", library, stdin=json.dumps({**tokens, "keys_from": service.other})))
    assert seen == verdicts(name)


@pytest.mark.parametrize("library", ["jose", "aws-jwt-verify"])
def test_a_javascript_verifier_fetches_our_keys_over_tls(folder, library):
    place = folder / f"tls-{library}"
    place.mkdir()
    certificate = certificate_for_loopback(place)
    service = Service(place, env=certificate)
    try:
        name = service.user()
        given = json.dumps({**service.sign_in(name), "keys_from": service.url})
        trust = {"NODE_EXTRA_CA_CERTS": certificate["COGNATE__HTTP__CERTIFICATE_FILE"]}
        assert json.loads(node("verify.mjs", library, stdin=given, env=trust)) == verdicts(name)
    finally:
        service.stop()


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
def test_tokens_of_the_other_algorithms_verify_with_every_library(folder, algorithm):
    place = folder / algorithm
    place.mkdir()
    service = Service(place, env={"COGNATE__KEYS__PUBLISH_AHEAD": "1s", "COGNATE__KEYS__RELOAD": "1s"})
    try:
        name = service.user()
        service.cli("pools", "update", "--algorithm", algorithm)

        def signed():
            tokens = service.sign_in(name)
            return tokens if jwt.get_unverified_header(tokens["access_token"])["alg"] == algorithm else None

        tokens = wait_for(f"a token signed with {algorithm}", signed)
        issuer = claims_of(tokens["access_token"])["iss"]
        keys = jwt.PyJWKClient(f"{issuer}/.well-known/jwks.json")
        key = keys.get_signing_key_from_jwt(tokens["access_token"])
        assert jwt.decode(tokens["access_token"], key, algorithms=[algorithm], issuer=issuer)["username"] == name
        given = json.dumps({**tokens, "keys_from": service.url, "algorithm": algorithm})
        for library in ("jose", "aws-jwt-verify"):
            assert json.loads(node("verify.mjs", library, stdin=given)) == verdicts(name), library
    finally:
        service.stop()


def test_the_key_set_may_be_cached_and_asked_about(service, signed_in):
    _, tokens = signed_in
    issuer = claims_of(tokens["access_token"])["iss"]
    path = issuer.removeprefix(service.env["COGNATE__HTTP__PUBLIC_URL"])
    url = f"{service.url}{path}/.well-known/jwks.json"
    answer = requests.get(url, headers={"Origin": "https://elsewhere.example"}, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    again = requests.get(f"{service.other}{path}/.well-known/jwks.json", headers={"If-None-Match": answer.headers["ETag"]}, timeout=10)
    assert (again.status_code, again.content) == (304, b"")
    private = {"d", "p", "q", "dp", "dq", "qi"}
    assert not any(private & key.keys() for key in answer.json()["keys"])
