"""Attacks on refresh tokens: another's, bent ones, races, reuse, and what lives on after a revocation."""

import concurrent.futures
import time

import pytest

from attack import at_once, refused
from conftest import GRACE


@pytest.fixture
def alice(strict, people):
    name, password = people(strict, "alice")
    return name, password, strict.sign_in(name, password)


def test_a_refresh_token_works_for_its_owner_alone(strict, people, alice):  # C01, S09
    name, _, tokens = alice
    bob, _ = people(strict, "bob")
    for other in (bob, "nobody", "", None, f"{name}x"):
        refused(strict.refresh(other, tokens["refresh_token"]), 401, 422)
    assert strict.refresh(name.upper(), tokens["refresh_token"]).status_code == 200, "names do not differ by case"


def test_no_other_token_refreshes(strict, alice):  # C02
    name, _, tokens = alice
    for kind in ("access_token", "id_token"):
        refused(strict.refresh(name, tokens[kind]), 401)


def test_a_bent_refresh_token_is_refused(strict, alice):  # C03
    name, _, tokens = alice
    token = tokens["refresh_token"]
    ids, generation, tag = token.split(".")
    swap = {True: "A", False: "B"}
    bent = [token[:at] + swap[token[at] != "A"] + token[at + 1:] for at in (0, len(ids) // 2, len(token) - 20, len(token) - 2)]
    bent += [token[:-1], token[: len(token) // 2], token + token, f"{token}=", f"{token}.", f" {token}", f"{token}\n", token.upper()]
    bent += [f"{ids}.{generation}.", f"{ids}..{tag}", f".{generation}.{tag}", "..", "A" * 10_000]
    bent += [f"{ids}.{number}.{tag}" for number in ("1", "00", "+0", "-1", "99999999999999999999")]
    for attempt in bent:
        refused(strict.refresh(name, attempt), 401)
        refused(strict.revoke(attempt), 401)
    assert strict.refresh(name, token).status_code == 200


def test_twenty_at_once_get_one_successor(strict, people):  # C04, R22
    name, password = people(strict, "alice")
    for _ in range(5):
        token = strict.sign_in(name, password)["refresh_token"]
        answers = at_once(20, lambda number: strict.refresh(name, token, strict.urls[number % len(strict.urls)]))
        assert {answer.status_code for answer in answers} <= {200, 429, 503}, [answer.text for answer in answers]
        successors = {answer.json()["refresh_token"] for answer in answers if answer.status_code == 200}
        assert len(successors) == 1 and token not in successors
        assert strict.refresh(name, successors.pop()).status_code == 200


def test_a_token_used_again_after_the_window_ends_its_session(strict, alice):  # C05, S08
    name, password, tokens = alice
    first = tokens["refresh_token"]
    second = strict.refresh(name, first).json()
    third = strict.refresh(name, second["refresh_token"], strict.urls[-1]).json()
    assert strict.token_lives(third["access_token"], password)
    time.sleep(GRACE + 0.6)
    refused(strict.refresh(name, first), 401)
    for url in strict.urls:
        refused(strict.refresh(name, third["refresh_token"], url), 401)
        for family in (tokens, second, third):
            assert not strict.token_lives(family["access_token"], password, url)


def test_a_lost_answer_is_given_again_but_a_thief_does_not_ride_along(strict, alice):  # R22
    name, _, tokens = alice
    lost = strict.refresh(name, tokens["refresh_token"]).json()["refresh_token"]
    time.sleep(GRACE + 0.6)
    again = strict.refresh(name, tokens["refresh_token"])
    assert again.status_code == 200 and again.json()["refresh_token"] == lost
    time.sleep(GRACE + 0.6)
    refused(strict.refresh(name, tokens["refresh_token"]), 401)
    refused(strict.refresh(name, lost), 401)


def test_two_generations_within_a_second_do_not_hide_reuse(strict, alice):  # C06
    name, _, tokens = alice
    first = tokens["refresh_token"]
    second = strict.refresh(name, first).json()["refresh_token"]
    third = strict.refresh(name, second).json()["refresh_token"]
    refused(strict.refresh(name, first), 401)
    assert strict.refresh(name, third).status_code == 200, "inside the window the owner stays signed in"


def test_a_revoked_session_is_dead_on_every_replica(strict, alice):  # C07, S22
    name, password, tokens = alice
    newer = strict.refresh(name, tokens["refresh_token"]).json()
    assert strict.revoke(newer["refresh_token"], strict.urls[-1]).status_code == 204
    for url in strict.urls:
        for family in (tokens, newer):
            refused(strict.refresh(name, family["refresh_token"], url), 401)
            assert not strict.token_lives(family["access_token"], password, url)


def test_nothing_minted_beside_a_revocation_survives_it(strict, people):  # C08, R24
    name, password = people(strict, "alice")
    for turn in range(12):
        token = strict.sign_in(name, password)["refresh_token"]
        calls = [
            lambda: strict.refresh(name, token, strict.urls[0]),
            lambda: strict.revoke(token, strict.urls[turn % len(strict.urls)]),
            lambda: strict.refresh(name, token, strict.urls[-1]),
        ]
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            first, revoked, second = [future.result() for future in [pool.submit(call) for call in calls]]
        assert revoked.status_code == 204
        for minted in (first, second):
            assert minted.status_code in (200, 401), minted.text
            if minted.status_code == 200:
                refused(strict.refresh(name, minted.json()["refresh_token"]), 401)
                assert not strict.token_lives(minted.json()["access_token"], password, strict.urls[-1])
        refused(strict.refresh(name, token), 401)


def test_a_revocation_is_of_one_session_and_may_be_repeated(strict, alice):  # C09, C10
    name, password, tokens = alice
    sibling = strict.sign_in(name, password)
    for url in (strict.urls[0], strict.urls[-1], strict.urls[0]):
        assert strict.revoke(tokens["refresh_token"], url).status_code == 204
    assert strict.token_lives(sibling["access_token"], password)
    assert strict.refresh(name, sibling["refresh_token"]).status_code == 200


def test_an_access_or_id_token_revokes_nothing(strict, alice):  # C11
    name, password, tokens = alice
    for kind in ("access_token", "id_token"):
        refused(strict.revoke(tokens[kind]), 401)
    assert strict.token_lives(tokens["access_token"], password)
    assert strict.refresh(name, tokens["refresh_token"]).status_code == 200


def test_a_disabled_user_has_no_session_left(strict):  # S22
    name, password = strict.user()
    tokens = strict.sign_in(name, password)
    strict.service.cli("users", "disable", name)
    for url in strict.urls:
        refused(strict.refresh(name, tokens["refresh_token"], url), 401)
        answer = refused(strict.change(tokens["access_token"], password, "a quiet lamp again", url), 401)
        assert strict.outcome(answer.headers["x-request-id"]) == "user_disabled"
        refused(strict.login(name, password, url), 401)


def test_forty_refreshes_at_once_are_all_answered(patient, people):  # J02
    name, password = people(patient, "alice")
    tokens = at_once(8, lambda _: patient.sign_in(name, password)["refresh_token"])
    answers = at_once(40, lambda number: patient.refresh(name, tokens[number % 8], patient.urls[number % len(patient.urls)]))
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert sum(answer.status_code == 200 for answer in answers) >= 30
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers if answer.status_code == 503)
    assert all(patient.is_well(url) for url in patient.urls)
