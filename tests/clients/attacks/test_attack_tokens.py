"""Attacks with bent, forged and misused access tokens, and what genuine ones must be. Every one is tried where a
genuine token changes a password."""

import base64
import json
import socket
import threading
import time
import uuid

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from attack import at_once, refused

OURS = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def encode(data):
    if not isinstance(data, bytes):
        data = json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def signed(header, payload):
    """A token signed well, by a key of the attacker's."""
    message = f"{encode(header)}.{encode(payload)}"
    return f"{message}.{encode(OURS.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def hmac_signed(header, payload, key):
    message = f"{encode(header)}.{encode(payload)}"
    algorithm = {"HS256": hashes.SHA256(), "HS384": hashes.SHA384(), "HS512": hashes.SHA512()}[header["alg"]]
    mac = hmac.HMAC(key, algorithm)
    mac.update(message.encode())
    return f"{message}.{encode(mac.finalize())}"


class Case:
    """A user, a genuine token of his, and its parts."""

    def __init__(self, target, person):
        self.target = target
        self.name, self.password = person
        self.tokens = target.sign_in(self.name, self.password)
        self.token = self.tokens["access_token"]
        self.head, self.body, self.signature = self.token.split(".")
        self.header, self.payload = json.loads(decode(self.head)), json.loads(decode(self.body))
        issuer = self.payload["iss"].rsplit("/", 1)[1]
        self.jwks = requests.get(f"{target.url}/{issuer}/.well-known/jwks.json", timeout=10)

    def refuses(self, token):
        answer = self.target.change(token, self.password, "password") if isinstance(token, str) else self.target.post(
            "change-password", {"access_token": token, "previous_password": self.password, "proposed_password": "password"})
        refused(answer, 401, 413, 422)
        # "password" is refused only after the token was accepted, with the same words: the log tells them apart.
        outcome = self.target.outcome(answer.headers["x-request-id"])
        assert outcome != "invalid_password", f"accepted: {str(token)[:300]}"

    def refuses_all(self, tokens):
        tokens = list(tokens)
        at_once(4, lambda part: [self.refuses(token) for token in tokens[part::4]])
        return len(tokens)


@pytest.fixture
def case(patient, people):
    return Case(patient, people(patient, "alice"))


def test_a_genuine_access_token_changes_a_password(patient):  # A00
    name, password = patient.user()
    token = patient.sign_in(name, password)["access_token"]
    for url in patient.urls:
        assert patient.token_lives(token, password, url)
        assert patient.change(token, password, f"{password} again", url).status_code == 204
        password += " again"
    assert patient.login(name, password).status_code == 200


def test_a_token_without_an_algorithm_is_refused(case):  # A01
    headers = [{**case.header, "alg": alg} for alg in ("none", "None", "nOnE", "NONE", "", None)]
    headers.append({"kid": case.header["kid"]})
    assert case.refuses_all(
        f"{encode(header)}.{case.body}.{signature}" for header in headers for signature in ("", case.signature)) >= 13
    case.refuses(f"{encode({'alg': 'none'})}.{case.body}")


def test_a_token_without_its_own_signature_is_refused(case):  # A02
    raw = bytearray(decode(case.signature))
    flipped = []
    for position in (0, len(raw) // 2, -1):
        bent = bytearray(raw)
        bent[position] ^= 1
        flipped.append(encode(bytes(bent)))
    other = case.tokens["id_token"].split(".")[2]
    message = f"{case.head}.{case.body}"
    case.refuses_all([message, f"{message}.", *(f"{message}.{s}" for s in (*flipped, case.signature[:-4], other))])


def test_an_edited_payload_is_refused(case):  # A03
    edits = [
        {"sub": str(uuid.uuid4())}, {"exp": case.payload["exp"] + 86400}, {"exp": "9999999999"}, {"username": "admin"},
        {"scope": "aws.cognito.signin.user.admin admin"}, {"cognito:groups": ["admin"]}, {"client_id": "other"},
        {"origin_jti": str(uuid.uuid4())}, {"token_use": "id"},
    ]
    case.refuses_all(f"{case.head}.{encode({**case.payload, **edit})}.{case.signature}" for edit in edits)


def test_a_public_key_is_no_hmac_key(case):  # A04
    jwk = case.jwks.json()["keys"][0]
    public = jwt.PyJWK(jwk).key
    encoding, form = serialization.Encoding, serialization.PublicFormat
    pem = public.public_bytes(encoding.PEM, form.SubjectPublicKeyInfo)
    keys = [
        pem, pem.strip(), public.public_bytes(encoding.DER, form.SubjectPublicKeyInfo),
        public.public_bytes(encoding.PEM, form.PKCS1), public.public_bytes(encoding.DER, form.PKCS1),
        b"".join(pem.splitlines()[1:-1]), json.dumps(jwk).encode(), case.jwks.content, decode(jwk["n"]),
    ]
    assert case.refuses_all(
        hmac_signed({**case.header, "alg": alg}, case.payload, key) for alg in ("HS256", "HS384", "HS512") for key in keys) == 27


def test_an_empty_or_weak_hmac_key_signs_nothing(case):  # A05
    keys = [b"", b"\0", b"secret", b"key", b"password", b"null", b"0", case.payload["client_id"].encode()]
    case.refuses_all(hmac_signed({**case.header, "alg": "HS256"}, case.payload, key) for key in keys)


def test_a_key_id_is_only_looked_up(case):  # A06
    kids = [
        "../../../../dev/null", "/dev/null", "' OR '1'='1", "x' UNION SELECT 'secret", "a\u0000b", "k" * 5000, 0, None, True,
        ["a"], {"a": 1}, "", "unknown", "A" * 43,
    ]
    case.refuses_all(signed({**case.header, "kid": kid}, case.payload) for kid in kids)
    case.refuses(signed({"alg": "RS256"}, case.payload))
    case.refuses(signed(case.header, case.payload))


def test_a_key_inside_a_token_is_not_used(case):  # A07
    jwk = {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(OURS.public_key())), "kid": case.header["kid"]}
    der = OURS.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    extras = [{"jwk": jwk}, {"x5c": [base64.b64encode(der).decode()]}, {"jwk": jwk, "kid": "mine"}, {"crit": ["jwk"], "jwk": jwk}]
    case.refuses_all(signed({**case.header, **extra}, case.payload) for extra in extras)


def test_no_url_in_a_token_is_ever_fetched(case):  # A08
    listener = socket.create_server(("127.0.0.1", 0))
    visits = []

    def listen():
        while True:
            try:
                visits.append(listener.accept())
            except OSError:
                return

    threading.Thread(target=listen, daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/jwks.json"
    case.refuses_all(signed({**case.header, name: url}, case.payload) for name in ("jku", "x5u", "kid"))
    case.refuses_all(signed(case.header, {**case.payload, name: url}) for name in ("iss", "aud"))
    time.sleep(0.5)
    listener.close()
    assert visits == []


def test_an_id_or_refresh_token_is_no_access_token(case):  # A09, A10
    case.refuses_all([case.tokens["id_token"], case.tokens["refresh_token"]])


def test_the_json_forms_of_a_token_are_refused(case):  # A11
    flattened = {"protected": case.head, "payload": case.body, "signature": case.signature}
    general = {"payload": case.body, "signatures": [{"protected": case.head, "signature": case.signature}]}
    bare = {"payload": case.body}
    empty = {"payload": case.body, "signatures": []}
    for form in (flattened, general, bare, empty):
        case.refuses(json.dumps(form))
        case.refuses(form)


def test_a_token_has_one_spelling(case):  # A12
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet[alphabet.index(case.signature[-1]) ^ 1]
    message = f"{case.head}.{case.body}"
    padded = [f"{case.token}=", f"{case.token}==", f"{case.head}=.{case.body}.{case.signature}"]
    spaced = [f"{case.token}\n", f" {case.token}", f"{case.token} ", f"Bearer {case.token}", f"{message}.\t{case.signature}"]
    other = [f"{message}.{case.signature[:-1]}{last}", f"{message}.{case.signature.replace('-', '+').replace('_', '/')}",
             f"{case.token}.", f".{case.token}", f"{case.token}\0"]
    reordered = encode({"alg": case.header["alg"], "kid": case.header["kid"]})
    case.refuses_all([*padded, *spaced, *other, f"{reordered}.{case.body}.{case.signature}"])


def test_zeros_are_no_signature_and_the_algorithm_is_the_pools(case):  # A13
    case.refuses_all(f"{case.head}.{case.body}.{encode(bytes(count))}" for count in (256, 64, 1))
    for alg in ("RS384", "RS512", "PS256", "ES256", "ES512", "EdDSA"):
        header = encode({**case.header, "alg": alg})
        case.refuses_all(f"{header}.{case.body}.{end}" for end in (case.signature, encode(bytes(64)), encode(bytes(256))))


def test_a_huge_or_deep_token_costs_nothing(case):  # A14
    started = time.monotonic()
    greedy = {"alg": "PBES2-HS256+A128KW", "enc": "A128CBC-HS256", "p2c": 2**31, "p2s": "AAAA"}
    deep = encode(b'{"alg":' + b"[" * 10_000 + b"]" * 10_000 + b"}")
    case.refuses_all([
        f"{encode(greedy)}.{case.body}.AAAA.{case.signature}.AAAA", "A" * 1_000_000, "." * 60_000,
        f"{deep}.{case.body}.{case.signature}",
    ])
    assert time.monotonic() - started < 8


def test_tokens_verify_with_the_published_keys_and_live_as_long_as_said(case):  # B01
    keys = {jwk["kid"]: jwt.PyJWK(jwk) for jwk in case.jwks.json()["keys"]}
    for kind in ("access_token", "id_token"):
        token = case.tokens[kind]
        key = keys[jwt.get_unverified_header(token)["kid"]]
        audience = case.payload["client_id"] if kind == "id_token" else None
        claims = jwt.decode(token, key, ["RS256"], audience=audience, issuer=case.payload["iss"])
        assert claims["exp"] - claims["iat"] == case.tokens["expires_in"]
    configuration = requests.get(case.jwks.url.replace("jwks.json", "openid-configuration"), timeout=10).json()
    assert configuration["issuer"] == case.payload["iss"]


def test_every_sign_in_is_its_own_and_tells_no_secret(patient, people):  # B02
    name, password = people(patient, "alice")
    logins = [patient.sign_in(name, password) for _ in range(6)]
    claims = [json.loads(decode(tokens[kind].split(".")[1])) for tokens in logins for kind in ("access_token", "id_token")]
    assert len({claim["jti"] for claim in claims}) == 12
    assert len({tokens["refresh_token"] for tokens in logins}) == 6
    assert all(len(tokens["refresh_token"]) * 6 >= 128 for tokens in logins)
    assert {uuid.UUID(claim["sub"]).version for claim in claims} == {4}
    for claim in claims:
        assert password not in json.dumps(claim)


def test_the_published_keys_are_public_and_strong(case):  # B03
    keys = case.jwks.json()["keys"]
    assert len({key["kid"] for key in keys}) == len(keys) >= 1
    for key in keys:
        assert key.keys() == {"kty", "use", "alg", "kid", "n", "e"}
        assert (key["use"], key["alg"]) == ("sig", "RS256")
        assert int.from_bytes(decode(key["n"])).bit_length() >= 2048
    assert case.jwks.headers["cache-control"] == "public, max-age=3600"


def test_answers_with_tokens_are_not_kept_and_name_no_software(patient, people):  # B04
    name, password = people(patient, "alice")
    for answer in (patient.login(name, password), patient.login(name, "wrong wrong"), patient.post("nowhere", {})):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers.get("cache-control") == "no-store"
        assert not {"server", "x-powered-by", "via"} & {header.lower() for header in answer.headers}
