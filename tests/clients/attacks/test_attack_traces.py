"""What the attacks leave behind: nothing secret in the logs, nothing that works in the stores. Comes last by its name,
when the run has made all its secrets."""

import json
import os
import subprocess
import urllib.parse

import pytest
import requests

def log_lines(target):
    return [line for child in target.service.replicas for line in child.output().splitlines()]


def found_in(files, secrets):
    """Which secrets occur in the files; a code only where it stands alone."""
    whole = [secret for secret in secrets if secret.isprintable()]
    hits = set()
    for options, patterns in (("-w", filter(str.isdigit, whole)), ("-o", (s for s in whole if not s.isdigit()))):
        run = subprocess.run(
            ["grep", "-aohFf", "-", options, "--", *files], input="\n".join(patterns).encode(), capture_output=True, check=False,
            env={**os.environ, "LC_ALL": "C"})
        assert run.returncode in (0, 1), run.stderr
        hits |= set(run.stdout.decode().splitlines())
    return hits


def check_log(target, folder):
    """Every line of the log is one of ours, whole, and holds no secret of the run."""
    lines = log_lines(target)
    logged = [line for line in lines if line.startswith("{")]
    assert len(logged) > 5
    for line in logged:
        json.loads(line)
    kept = folder / "logged.txt"
    kept.write_text("\n".join(logged))
    assert found_in([kept], target.secrets) == set()
    assert "panicked" not in "\n".join(lines)
    assert "@example.com" not in kept.read_text()


def test_the_most_talkative_log_holds_no_secret(talkative, folder):  # I01
    name, password = talkative.user()
    tokens = talkative.sign_in(name, password)
    requests.post(f"{talkative.url}/v1/login", data={"username": name, "password": password}, timeout=10)
    requests.post(f"{talkative.url}/v1/login", files={"username": (None, name), "password": (None, password)}, timeout=10)
    talkative.refresh(name, tokens["refresh_token"], talkative.urls[-1])
    talkative.forgot(name)
    talkative.confirm(name, talkative.code(name), "a lamp that is new")
    renewed = talkative.sign_in(name, "a lamp that is new")
    talkative.change(renewed["access_token"], "a lamp that is new", "a lamp that is newer")
    talkative.revoke(renewed["refresh_token"])
    newcomer, temporary = talkative.user(None, None, "--temporary")
    asked = talkative.login(newcomer, temporary).json()
    talkative.post("new-password-required", {"username": newcomer, "session": asked["session"], "new_password": "lamps all around"})
    check_log(talkative, folder)


def stored(target, folder):
    """The files of the stores of a deployment, mails apart: those hold codes by their nature."""
    tokens = target.service.env.get("COGNATE__TOKENS__URL")
    if not tokens:
        return [path for path in target.service.data.iterdir() if path.is_file() and path.name != "master.key"]
    port = str(urllib.parse.urlsplit(tokens).port)
    for command in (["CONFIG", "SET", "rdbcompression", "no"], ["SAVE"]):
        subprocess.run(["redis-cli", "-p", port, *command], check=True, capture_output=True)
    subprocess.run(["psql", target.service.env["COGNATE__DIRECTORY__URL"], "-qc", "CHECKPOINT"], check=True)
    return [folder / "dump.rdb", *(path for path in (folder / "postgres").rglob("*") if path.is_file())]


@pytest.fixture
def forged(patient):
    """Log lines that a caller tries to write."""
    line = '{"level":"INFO","message":"forged by a caller"}'
    forged = f"x\r\n{line}\n{line}"
    patient.login(forged, "wrong wrong wrong")
    patient.forgot(forged)
    patient.post("token-revoke", {"refresh_token": forged})
    quoted = urllib.parse.quote(forged, safe="")
    requests.get(f"{patient.url}/{quoted}", timeout=10)
    requests.get(f"{patient.url}/v1/{quoted}/", timeout=10, allow_redirects=False)
    requests.get(f"{patient.url}/livez", headers={"User-Agent": "\x1b[31mforged by a caller", "X-Request-Id": "forged by a caller"}, timeout=10)
    return "forged by a caller"


def test_no_secret_and_no_forged_line_is_in_the_log_of_those_who_may_guess(patient, people, forged, folder):  # I01, I03
    name, password = people(patient, "alice")
    tokens = patient.sign_in(name, password)
    patient.revoke(tokens["refresh_token"])
    check_log(patient, folder)
    assert not [line for line in log_lines(patient) if forged in line or "\x1b" in line]


def test_no_secret_is_in_the_log_of_those_who_rotate(strict, people, folder):  # I01
    name, password = people(strict, "alice")
    for _ in range(50):
        strict.sign_in(name, password)
    check_log(strict, folder)


def check_stores(target, folder):
    """Signs in and asks for a code once more, then looks for every secret of the run in the stores."""
    name, password = target.user()
    tokens = target.sign_in(name, password)
    target.forgot(name)
    target.code(name)
    files = stored(target, folder)
    known = {name, "$argon2id$v=19$m=19456,t=2,p=1$"}
    assert found_in(files, known) == known, "the stores are not where this test looks"
    # Names are stored, and some guesses were names.
    secrets = {secret for secret in target.secrets if "user-" not in secret.lower()}
    assert tokens["refresh_token"] in secrets
    assert found_in(files, secrets) == set()


def test_no_secret_is_in_the_stores_of_those_who_may_guess(patient, folder):  # I02, K05, S20
    check_stores(patient, folder)


def test_no_secret_is_in_the_stores_of_those_who_rotate(strict, folder):  # I02, K05, S20
    check_stores(strict, folder)
