"""Attacks on the account APIs: telling by the time whether somebody has an address."""

import itertools

import pytest
import requests

from test_attack_sign_in import not_told_apart

numbers = itertools.count()


@pytest.fixture
def post(patient):
    """Calls an operation of pm415's and expects a status."""

    def call(operation, status, **body):
        answer = requests.post(f"{patient.url}/api/account/{operation}", json=body, timeout=30)
        assert answer.status_code == status, answer.text

    return call


def registration(email):
    """Into an organization that nobody has yet."""
    number = next(numbers)
    password = "a quiet lamp by the sea"
    return {
        "email": email.format(number), "password": password, "confirmation": password,
        "firstName": "Ada", "lastName": "Lovelace", "tosAccepted": "Y", "organization": f"Engines {id(numbers)} {number}",
    }


def test_an_unknown_address_takes_as_long_as_a_wrong_password(patient, people, post):  # D02
    name, _ = people(patient, "alice")
    guess = {"password": "wrong wrong wrong"}
    not_told_apart(
        lambda: post("login", 401, email=f"{name}@example.com", **guess),
        lambda: post("login", 401, email="nobody@example.com", **guess),
    )


def test_a_link_takes_as_long_for_nobody(patient, people, post):  # E01, D02
    name, _ = people(patient, "alice")
    not_told_apart(
        lambda: post("forgotpassword", 200, email=f"{name}@example.com"),
        lambda: post("forgotpassword", 200, email="nobody@example.com"),
    )


def test_a_registration_takes_as_long_for_a_known_address(patient, people, post):  # D02
    name, _ = people(patient, "alice")
    not_told_apart(
        lambda: post("register", 200, **registration(f"{name}@example.com")),
        lambda: post("register", 200, **registration("new-{}@example.com")),
    )
