"""Attacks below the API: smuggling, drips, sizes, odd methods, many connections."""

import gzip
import json
import re
import socket
import time
import urllib.parse

import jwt
import pytest
import requests

from attack import at_once, drained, refused, statuses

# Below the API it makes no difference what stands behind it.
pytestmark = pytest.mark.parametrize("patient", ["embedded"], indirect=True)

BODY = b'{"username":"nobody","password":"wrong wrong"}'
HEAD = b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
NEXT = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
SMUGGLED = {
    "both lengths": HEAD + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED,
    "two lengths": HEAD + LENGTH + b"Content-Length: 3\r\n\r\n" + BODY,
    "a list of lengths": HEAD + b"Content-Length: %d, 3\r\n\r\n" % len(BODY) + BODY,
    "a signed length": HEAD + b"Content-Length: +%d\r\n\r\n" % len(BODY) + BODY,
    "a length in hex": HEAD + b"Content-Length: 0x2e\r\n\r\n" + BODY,
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\n" + BODY,
    "another coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKED,
    "chunked is not last": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n" + CHUNKED,
    "chunked twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED,
    "space before the colon": HEAD + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNKED,
    "a folded header": HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + CHUNKED,
    "chunked in HTTP/1.0": HEAD.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKED,
    "a bad chunk size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a huge chunk size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + BODY,
    "no host": (HEAD + LENGTH + b"\r\n" + BODY).replace(b"Host: x\r\n", b""),
    "two hosts": HEAD + b"Host: y\r\n" + LENGTH + b"\r\n" + BODY,
    "NUL in a header": HEAD + b"X-A: a\0b\r\n" + LENGTH + b"\r\n" + BODY,
    "bare CR in a header": HEAD + b"X-A: a\rX-B: b\r\n" + LENGTH + b"\r\n" + BODY,
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "HTTP/2 by surprise": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("shape", SMUGGLED)
def test_a_request_of_two_meanings_is_refused_once_and_the_connection_closed(patient, shape):  # H01
    received = patient.raw(SMUGGLED[shape] + NEXT)
    assert received is not None, "the connection stays open"
    assert len(statuses(received)) == 1 and statuses(received)[0] in (400, 401, 404, 408, 422, 505), received[:500]
    if shape not in ("no host",):
        assert statuses(received)[0] != 401, f"the body was read: {received[:300]}"


def connect(url):
    address = urllib.parse.urlsplit(url)
    return socket.create_connection((address.hostname, address.port), timeout=30)


def drip(url, start, piece):
    """Sends a byte every half second; how long the service listens, and what it says."""
    started = time.monotonic()
    with connect(url) as connection:
        connection.sendall(start)
        while time.monotonic() - started < 25:
            connection.settimeout(0.5)
            try:
                connection.sendall(piece)
                said = connection.recv(65536)
                return time.monotonic() - started, said
            except TimeoutError:
                pass
            except ConnectionError:
                return time.monotonic() - started, b""
    return 99, b""


def test_a_head_or_body_that_drips_is_cut_off(patient):  # H02, H03, R25
    drips = [
        (b"POST /v1/login HTTP/1.1\r\nHost: x\r\nX-A: ", b"a", 15),
        (HEAD + b"Content-Length: 5000\r\n\r\n{", b" ", 20),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", 20),
        (b"POST /v1/nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n", b" ", 20),
        (b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n", b" ", 20),
        (b"POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", 20),
    ]
    for (start, _, limit), (seconds, said) in zip(drips, at_once(len(drips), lambda n: drip(patient.url, *drips[n][:2]))):
        assert seconds < limit, (start, seconds)
        assert not said or statuses(said)[0] in (200, 404, 408), said
    assert patient.is_well()


def test_after_a_refused_body_nothing_more_is_read_from_the_connection(patient):  # H03, H04
    for start in (
        HEAD + b"Content-Length: 5000000\r\n\r\n" + b"x" * 100_000,
        b"POST /v1/nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n",
        b"GET /v1/status HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n",
    ):
        started = time.monotonic()
        with connect(patient.url) as connection:
            connection.sendall(start)
            received = drained(connection, 20)
        assert received is not None, f"still open after 20 s: {start[:80]}"
        assert len(statuses(received)) == 1, received
        assert time.monotonic() - started < 16, start[:80]


def test_what_is_too_big_or_too_deep_is_refused(patient):  # H04, H05, R26
    url = f"{patient.url}/v1/login"
    json_type = {"Content-Type": "application/json"}
    for body in (b"x" * 65_537, b'{"username":"' + b"a" * 1_000_000 + b'"}', b" " * 1_000_000):
        refused(requests.post(url, body, headers=json_type, timeout=10), 413)
    chunks = (b" " * 1000 for _ in range(1000))
    try:
        refused(requests.post(url, chunks, headers=json_type, timeout=10), 413)
    except requests.ConnectionError:
        pass  # It closed while we were still sending.
    for deep in (b"[" * 30_000, b'{"a":' * 13_000, b'{"username":' + b"[" * 20_000 + b"]" * 20_000 + b"}"):
        refused(requests.post(url, deep, headers=json_type, timeout=10), 422)
    for coding in ("gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip", "x-gzip", "GZIP"):
        packed = gzip.compress(BODY if coding != "gzip" else b" " * 50_000_000)
        refused(requests.post(url, packed, headers={**json_type, "Content-Encoding": coding}, timeout=10), 413, 415, 422)
    raw = [
        b"POST /v1/login HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(300)) + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 1_000_000 + b"\r\n\r\n",
        b"GET /v1/status?" + b"a=b&" * 25_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ]
    for data in raw:
        received = patient.raw(data)
        assert received is not None and len(statuses(received)) <= 1
        assert not received or statuses(received)[0] in (400, 404, 414, 431), received[:200]
    assert patient.is_well()


def test_multipart_floods_are_refused(patient):  # H05, D16
    url = f"{patient.url}/v1/login"
    boundary = {"Content-Type": "multipart/form-data; boundary=b"}
    part = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    bodies = [
        part % (b"a", b"b") * 1000 + b"--b--\r\n", b"--b\r\n" * 10_000, b"--b--\r\n", b"", b"\r\n" * 30_000,
        part % (b"username", b"\xff\xfe") + b"--b--\r\n", part % (b"username", b"x"), part % (b"x" * 60_000, b"") + b"--b--\r\n",
        b'--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n', b"--b\r\n\r\nx\r\n--b--\r\n",
        b"--b\r\n" + b"X-A: b\r\n" * 5000 + b"\r\nx\r\n--b--\r\n",
    ]
    for body in bodies:
        started = time.monotonic()
        refused(requests.post(url, body, headers=boundary, timeout=10), 413, 422)
        assert time.monotonic() - started < 3
    assert patient.is_well()


def test_cross_origin_answers_never_carry_credentials(patient):  # H06, S09
    for origin in ("https://evil.example", "null", "file://", "https://evil.example.accounts.example"):
        for method in ("OPTIONS", "POST"):
            headers = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
            answer = requests.request(method, f"{patient.url}/v1/login", headers=headers, json={}, timeout=10)
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "access-control-allow-credentials" not in answer.headers


def test_a_preflight_is_refused_in_the_one_shape(patient):  # H06, H08
    for method in ("PUT", "DELETE", "TRACE"):
        headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": method}
        answer = refused(requests.options(f"{patient.url}/v1/login", headers=headers, timeout=10), 400)
        assert "access-control-allow-methods" not in answer.headers


def test_odd_methods_and_targets_are_not_found(patient):  # H06
    for method in ("TRACE", "CONNECT", "PUT", "DELETE", "PATCH", "PROPFIND", "FOO", "get"):
        for path in ("/v1/login", "/v1/status", "/livez", "/x"):
            received = patient.raw(f"{method} {path} HTTP/1.1\r\nHost: x\r\nX-Secret: echo-me\r\nConnection: close\r\n\r\n".encode())
            assert statuses(received)[0] in (400, 404, 405), (method, path, received[:100])
            assert b"echo-me" not in received
    for target in ("http://evil.example/v1/nowhere", "//evil.example/v1/", "/v1/%2e%2e/livez/", "*", "/v1//evil.example/",
                   "/v1/login%0d%0aX-Evil:%20a", "/v1/\\evil.example/"):
        received = patient.raw(f"POST {target} HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        assert received and b"\r\nX-Evil" not in received and b"\r\nx-evil" not in received
        for location in re.findall(rb"(?im)^location: *(\S*)", received):
            assert location.startswith(b"/v1/"), (target, location)


def test_a_slash_too_many_leads_to_our_own_paths_only(patient):  # H06, S01
    assert requests.post(f"{patient.url}/v1/login/", json={}, allow_redirects=False, timeout=10).headers["location"] == "/v1/login"
    for path in ("//evil.example/v1/x/", "/v1//evil.example/", "/v1///", "/v1/@evil.example/", "/v1/..//evil.example/"):
        answer = patient.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        for location in re.findall(rb"(?im)^location: *(\S*)", answer):
            assert location.startswith(b"/v1/"), (path, location)


def test_five_hundred_idle_connections_do_not_keep_others_out(patient, people):  # H07, R25
    name, password = people(patient, "alice")
    connections = []
    try:
        for number in range(500):
            connection = connect(patient.urls[number % len(patient.urls)])
            connections.append(connection)
            if number % 2:
                connection.sendall(b"POST /v1/login HTTP/1.1\r\nHost: x\r\n")
        for url in patient.urls:
            assert patient.is_well(url)
            started = time.monotonic()
            assert patient.login(name, password, url).status_code == 200
            assert time.monotonic() - started < 3
    finally:
        for connection in connections:
            connection.close()
    assert patient.is_well()


def test_every_refusal_has_the_one_shape_and_tells_nothing_of_the_inside(patient):  # H08
    calls = [("GET", "/"), ("GET", "/v1"), ("GET", "/v1/"), ("GET", "/v1/login"), ("POST", "/v1/nowhere"), ("GET", "/.env"),
             ("GET", "/x/.well-known/jwks.json"), ("GET", "/%2e%2e/.well-known/jwks.json"), ("GET", "/%00/.well-known/jwks.json"),
             ("POST", "/livez"), ("GET", "/metrics/x"), ("GET", "/docs/../../etc/passwd"), ("GET", "/docs/%2e%2e%2f%2e%2e%2fCargo.toml")]
    for method, path in calls:
        received = patient.raw(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        head, _, body = received.partition(b"\r\n\r\n")
        assert statuses(received)[0] in (404, 405), (method, path, received[:200])
        assert b"application/json" in head, (method, path, received[:200])
        said = json.loads(body)
        assert said == {"status": statuses(received)[0], "message": "Not Found"}, (path, said)


def test_the_key_set_is_served_to_all_and_never_from_the_host_header(patient, people):  # P12, B03
    name, password = people(patient, "alice")
    token = patient.sign_in(name, password)["access_token"]
    pool = jwt.decode(token, options={"verify_signature": False})["iss"].rsplit("/", 1)[1]
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    bodies = set()
    for url in patient.urls:
        for document in ("jwks.json", "openid-configuration"):
            answer = requests.get(f"{url}/{pool}/.well-known/{document}", headers=forged, timeout=10)
            assert answer.status_code == 200 and "evil" not in answer.text + str(answer.headers)
            assert answer.headers["access-control-allow-origin"] == "*"
            bodies.add(answer.text)
            again = requests.get(answer.url, headers={"If-None-Match": answer.headers["etag"]}, timeout=10)
            assert (again.status_code, again.content) == (304, b"")
    assert len(bodies) == 2
