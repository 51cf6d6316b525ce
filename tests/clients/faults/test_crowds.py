"""Too much at once: a herd of refreshes, idle and half-open connections, and too little memory or too few descriptors."""

import concurrent.futures
import contextlib
import os
import resource
import socket
import subprocess
import time
import urllib.parse

import pytest
import requests

from callers import answered, refreshes
from children import wait_for
from deployment import Deployment
from figures import percentile
from service import BINARY, PASSWORD


@pytest.fixture(scope="module")
def lone(place):
    """One replica on the embedded store."""
    service = Deployment(place / "lone", 1, env={
        "COGNATE__LIMITS__SOURCE_FAILURES": "1000000", "COGNATE__HTTP__CONNECTIONS_PER_SOURCE": "0"})
    yield service
    service.stop()


def test_a_herd_of_refreshes(lone, table):  # R21
    """Everybody's access token expires in the same second."""
    names = lone.people(20)
    logins = answered(lone.url, "/v1/login", [{"username": name, "password": PASSWORD} for name in names], 5)
    assert {status for status, _ in logins} == {200}
    bodies = []
    for name in names:
        tokens = lone.sign_in(name)
        bodies += [{"username": name, "refresh_token": tokens["refresh_token"]}] * 50
    started = time.monotonic()
    said = answered(lone.url, "/v1/token-refresh", bodies, 200)
    took, times = time.monotonic() - started, [seconds for _, seconds in said]
    table.append(["R21 herd of 1,000 refreshes", len(said), len(said), 0, 0, 0, 0, 0, "0.00", "0.00", "-",
                  f"{percentile(times, .5) * 1000:.0f}/{percentile(times, .99) * 1000:.0f}", "-", "-", "-"])
    print(f"R21 1,000 refreshes by 200 connections in {took:.1f} s, p99 {percentile(times, .99):.2f} s")
    assert {status for status, _ in said} == {200}


def test_one_who_floods_leaves_the_others_alone(lone):  # R30
    """One account is asked with wrong passwords without end: it locks, and the others sign in as before."""
    victim, other = lone.people(2)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        flood = pool.submit(answered, lone.url, "/v1/login", [{"username": victim, "password": f"wrong {n}"} for n in range(300)], 20)
        times = []
        while not flood.done():
            started = time.monotonic()
            lone.sign_in(other)
            times.append(time.monotonic() - started)
    said = [status for status, _ in flood.result()]
    assert set(said) <= {401, 429} and said.count(429) > 250
    assert percentile(times, .99) < 2


@contextlib.contextmanager
def descriptors():
    """As many as the machine gives, for this process and those that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def crowd(url, count, first=b"", sources=("127.0.0.1",)):
    """So many connections, each of which has sent `first`."""
    address, open_ = urllib.parse.urlsplit(url), []
    with descriptors(), contextlib.ExitStack() as held:
        for number in range(count):
            source = (sources[number % len(sources)], 0)
            connection = socket.create_connection((address.hostname, address.port), timeout=10, source_address=source)
            open_.append(held.enter_context(connection))
            if first:
                connection.sendall(first)
        yield open_


def memory(child):
    with open(f"/proc/{child.pid}/status", encoding="utf-8") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmRSS"))


ALIVE = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


def slow_end(service, name, count=150):
    """The 99th percentile of sign-ins one after the other, in seconds."""
    times = []
    with requests.Session() as session:
        for _ in range(count):
            started = time.monotonic()
            answer = session.post(f"{service.url}/v1/login", json={"username": name, "password": PASSWORD}, timeout=20)
            assert answer.status_code == 200, answer.text
            times.append(time.monotonic() - started)
    return percentile(times, .99)


def test_ten_thousand_idle_connections(place, table):  # R25
    """From twenty addresses, each of which may have so many; all have asked once and keep the connection."""
    with descriptors():
        service = Deployment(place / "idle", 1)
    try:
        name, sources = service.people(1)[0], [f"127.0.0.{number}" for number in range(2, 22)]
        slow_end(service, name)
        before, alone = memory(service.replicas[0]), slow_end(service, name)
        with crowd(service.url, 10_000, ALIVE, sources) as connections:
            assert all(connection.recv(1000).startswith(b"HTTP/1.1 200") for connection in connections)
            held, beside = memory(service.replicas[0]), slow_end(service, name)
            for connection in connections[::1000]:
                connection.sendall(ALIVE)
                assert connection.recv(1000).startswith(b"HTTP/1.1 200"), "nobody was let go of"
        alone = max(alone, slow_end(service, name))
        print(f"R25 10,000 idle: {before} -> {held} MiB, p99 of a sign-in {alone * 1000:.0f} ms without, {beside * 1000:.0f} ms with them")
        table.append(["R25 10,000 idle connections", 150, 150, 0, 0, 0, 0, 0, "0.00", "0.00", f"-/{alone * 1000:.0f}",
                      f"-/{beside * 1000:.0f}", "-", held, 10_000])
        # A machine with other work to do has slow ends of its own.
        assert beside < 2 * max(alone, 0.01) and held < 300
    finally:
        service.stop()


def test_who_never_says_anything_is_let_go(lone):  # R25
    with crowd(lone.url, 2) as (silent, unfinished):
        unfinished.sendall(b"GET /livez HTTP/1.1\r\nHost:")
        for connection in (silent, unfinished):
            connection.settimeout(20)
            with contextlib.suppress(ConnectionError):
                assert not connection.recv(1000).startswith(b"HTTP/1.1 200")


def test_one_address_may_not_take_all_connections(place):  # R25
    service = Deployment(place / "capped", 1, env={"COGNATE__HTTP__CONNECTIONS_PER_SOURCE": "50"})
    try:
        with crowd(service.url, 50, ALIVE) as seats:
            assert all(seat.recv(1000).startswith(b"HTTP/1.1 200") for seat in seats)
            with crowd(service.url, 5) as more:
                for connection in more:
                    connection.settimeout(10)
                    with contextlib.suppress(ConnectionError):
                        assert connection.recv(1000) == b""
            # From another address there is room.
            with socket.create_connection((urllib.parse.urlsplit(service.url).hostname, urllib.parse.urlsplit(service.url).port),
                                          timeout=10, source_address=("127.0.0.2", 0)) as other:
                other.sendall(ALIVE)
                assert other.recv(1000).startswith(b"HTTP/1.1 200")
        wait_for("free seats", lambda: service.state() == 200, seconds=5)
        assert "cognate_connections_refused_total 5" in requests.get(f"{service.url}/metrics", timeout=5).text
    finally:
        service.stop()


def test_half_open_tls(place):  # R25
    """Who begins a handshake and stays silent is let go, and keeps nobody out."""
    folder = place / "tls"
    folder.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout",
         folder / "key.pem", "-out", folder / "cert.pem", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True)
    service = Deployment(folder / "service", 1, env={
        "COGNATE__HTTP__CERTIFICATE_FILE": str(folder / "cert.pem"), "COGNATE__HTTP__CERTIFICATE_KEY_FILE": str(folder / "key.pem")})
    try:
        # The head of a ClientHello that announces more than ever comes.
        with crowd(service.url, 200, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03") as silent:
            answer = requests.get(f"{service.url}/livez", timeout=15, verify=service.certificate)
            assert answer.status_code == 200
            silent[-1].settimeout(15)
            with contextlib.suppress(ConnectionError):
                assert silent[-1].recv(1000) == b""
    finally:
        service.stop()


def limited(service, **limits):
    """Narrows a running replica."""
    flags = [f"--{name}={value}" for name, value in limits.items()]
    subprocess.run(["prlimit", f"--pid={service.replicas[0].pid}", *flags], check=True)


def test_few_descriptors(place):  # R32
    """With 100 descriptors and 300 who want in: some are not let in, nobody is hurt, and it recovers."""
    service = Deployment(place / "few", 1)
    try:
        name = service.people(1)[0]
        service.sign_in(name)
        limited(service, nofile=100)
        with crowd(service.url, 150):
            time.sleep(0.5)
            assert service.replicas[0].alive()
        wait_for("an answer", lambda: service.state() == 200, seconds=15)
        service.sign_in(name)
    finally:
        service.stop()


def test_memory_stays_within_a_small_container(place, table):  # R32
    """With real Argon2, many sign-ins and full bodies at once: what it ever took fits into 128 MiB."""
    service = Deployment(place / "little", 1, env={
        "COGNATE__PASSWORD__MEMORY_KIB": "19456", "COGNATE__PASSWORD__QUEUE_WAIT": "500ms",
        "COGNATE__LIMITS__SOURCE_FAILURES": "1000000"})
    try:
        names = service.people(40)
        bodies = [{"username": name, "password": PASSWORD} for name in names * 2]
        with crowd(service.url, 100, b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n" + b" " * 60_000):
            said = answered(service.url, "/v1/login", bodies, 80)
        with open(f"/proc/{service.replicas[0].pid}/status", encoding="utf-8") as status:
            peak = next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))
        print(f"R32 at most {peak} MiB")
        assert {status for status, _ in said} <= {200, 503}
        assert peak < 128
    finally:
        service.stop()


def within(seconds):
    until = time.monotonic() + seconds
    return lambda: time.monotonic() > until


class Narrow(Deployment):
    """One core, 128 MiB beyond which the kernel refuses, and 256 descriptors."""

    before = ("taskset", "-c", "0", "prlimit", f"--data={128 << 20}", "--nofile=256")


HEAD = b"POST /v1/login HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 120_000
BODY = b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 65536\r\n\r\n" + b" " * 65_000


def pressing(url, count, source, first):
    """So many connections from an address of its own; each has sent what the kernel takes at once."""
    address, open_ = urllib.parse.urlsplit(url), []
    for _ in range(count):
        with contextlib.suppress(OSError):
            connection = socket.create_connection((address.hostname, address.port), timeout=10, source_address=(source, 0))
            connection.setblocking(False)
            open_.append(connection)
            connection.send(first)
    return open_


def test_small_limits_are_not_a_way_to_end_it(place, table):  # R32
    """Five times the sign-ins there is room for while 500 connections from twenty addresses hold all they can: it sheds,
    does not end, and is whole again when they are gone."""
    service = Narrow(place / "narrow", 1, env={
        "COGNATE__PASSWORD__MEMORY_KIB": "19456", "COGNATE__PASSWORD__ITERATIONS": "2", "COGNATE__PASSWORD__QUEUE_WAIT": "500ms",
        "COGNATE__LIMITS__SOURCE_FAILURES": "1000000", "COGNATE__LOG__LEVEL": "info"})
    child, crowds = service.replicas[0], []
    try:
        names = service.people(80)
        tokens = service.sign_in(names[0])
        for number in range(20):
            crowds += pressing(service.url, 25, f"127.0.1.{number + 1}", HEAD if number % 2 else BODY)
        said = [status for status, _ in answered(service.url, "/v1/login", [{"username": name, "password": PASSWORD} for name in names], 80)]
        assert child.alive(), child.output()[-2000:]
        for connection in crowds:
            connection.close()
        wait_for("an answer", lambda: service.state() == 200, seconds=20)
        service.sign_in(names[1])
        answer = service.post("token-refresh", {"username": names[0], "refresh_token": tokens["refresh_token"]})
        assert answer.status_code == 200, answer.text
        with open(f"/proc/{child.pid}/status", encoding="utf-8") as status:
            peak = next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))
        print(f"R32 128 MiB, 256 descriptors, one core: {len(crowds)} connections held, at most {peak} MiB, "
              f"{said.count(200)} signed in, {said.count(503)} told to come later, {said.count(0)} not let in")
        assert set(said) <= {0, 200, 503} and peak < 128
        assert "there is room for fewer connections than the settings allow" in child.output()
    finally:
        service.stop()


def test_memory_that_the_hashes_do_not_fit_into_is_refused_at_the_start(place):  # R32
    run = subprocess.run(["taskset", "-c", "0", "prlimit", f"--data={80 << 20}", BINARY, "--data", place / "tiny", "serve", "--listen", "127.0.0.1:0"],
                         capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 1 and run.stderr.strip().splitlines()[-1] == (
        "cognate: the memory limit of 80 MiB is too little for 1 passwords hashed at once (password.threads), which take 83 "
        "MiB with all else; raise the limit, or hash fewer at once"), run.stderr


def test_nobody_reads_the_log(place):  # R28
    """Standard error is a pipe that is full and never read, then closed: requests do not wait for it."""
    folder = place / "unread"
    folder.mkdir()
    service = Deployment(folder, 1, env={"COGNATE__LOG__LEVEL": "trace"})
    name = service.people(1)[0]
    service.stop()
    port = urllib.parse.urlsplit(service.url).port
    reading, writing = os.pipe()
    process = subprocess.Popen([BINARY, "--data", service.data, "serve", "--listen", f"127.0.0.1:{port}"], stdin=subprocess.DEVNULL,
                               stdout=writing, stderr=writing, env={**os.environ, **service.env})
    os.close(writing)
    try:
        wait_for("an unread replica", lambda: service.state() == 200, seconds=20)
        tokens = service.sign_in(name)
        times = refreshes(service, name, tokens, within(2))
        os.close(reading)
        times += refreshes(service, name, tokens, within(1))
        assert percentile(times, .99) < 1 and process.poll() is None
    finally:
        process.kill()
        process.wait()
