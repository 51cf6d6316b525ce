"""Attacks on the reset of a forgotten password, on NEW_PASSWORD_REQUIRED, and on the change of a password."""

import pytest

from attack import at_once, refused
from conftest import RESET_PAGE

NEW = "a lamp that is new"


@pytest.fixture
def alice(patient):
    return patient.user()


def test_a_reset_request_tells_nothing(patient, alice):  # E01, E12
    name, _ = alice
    known, unknown = patient.forgot(name), patient.forgot("nobody-at-all")
    assert known.status_code == unknown.status_code == 204
    assert known.content == unknown.content == b""
    assert known.headers.keys() == unknown.headers.keys()
    code = patient.code(name)
    assert code not in str(known.headers)
    assert patient.code(name) not in refused(patient.confirm(name, "00000000", NEW), 401).text


def test_a_code_sets_one_password(patient, alice):  # E02
    name, old = alice
    patient.forgot(name)
    code = patient.code(name)
    assert patient.confirm(name, code, NEW, patient.urls[-1]).status_code == 204
    refused(patient.login(name, old), 401)
    assert patient.login(name, NEW).status_code == 200
    for url in patient.urls:
        refused(patient.confirm(name, code, "another lamp that is new", url), 401)
    assert patient.login(name, NEW).status_code == 200


def test_of_ten_answers_at_once_one_wins(patient):  # E03
    for _ in range(3):
        name, _ = patient.user()
        patient.forgot(name)
        code = patient.code(name)
        answers = at_once(10, lambda n: patient.confirm(name, code, f"password of try {n}", patient.urls[n % len(patient.urls)]))
        winners = [number for number, answer in enumerate(answers) if answer.status_code == 204]
        assert len(winners) == 1, [answer.status_code for answer in answers]
        assert all(answer.status_code in (204, 401, 429, 503) for answer in answers)
        assert patient.login(name, f"password of try {winners[0]}").status_code == 200


def test_a_code_is_its_users_and_the_latest_one(patient, alice):  # E04, E05
    name, password = alice
    other, others_password = patient.user()
    patient.forgot(name)
    first = patient.code(name)
    refused(patient.confirm(other, first, NEW), 401)
    patient.forgot(other)
    refused(patient.confirm(other, first, NEW), 401)
    patient.forgot(name, patient.urls[-1])
    second = patient.code(name, 2)
    refused(patient.confirm(name, first, NEW), 401)
    assert patient.login(name, password).status_code == patient.login(other, others_password).status_code == 200
    assert patient.confirm(name, second, NEW).status_code == 204


def test_a_code_does_not_undo_what_an_administrator_did_since(patient):  # E05, S22
    for done in (("disable",), ("set-password", "--temporary", "--password-stdin")):
        name, password = patient.user()
        patient.forgot(name)
        code = patient.code(name)
        patient.service.cli("users", done[0], name, *done[1:], stdin="a temporary lamp\n")
        refused(patient.confirm(name, code, NEW), 401)
        for attempt in (password, NEW):
            refused(patient.login(name, attempt), 401)
        if done[0] == "set-password":
            assert patient.login(name, "a temporary lamp").json()["challenge_name"] == "NEW_PASSWORD_REQUIRED"


def test_a_reset_ends_every_session(patient, alice):  # E06, S22
    name, password = alice
    sessions = [patient.sign_in(name, password) for _ in range(2)]
    patient.forgot(name)
    assert patient.confirm(name, patient.code(name), NEW).status_code == 204
    for tokens in sessions:
        for url in patient.urls:
            refused(patient.refresh(name, tokens["refresh_token"], url), 401)
            assert not patient.token_lives(tokens["access_token"], NEW, url)


def test_links_in_mails_come_from_the_settings(patient, alice):  # E07, P12
    name, _ = alice
    evil = "evil.example"
    forged = {"Host": evil, "X-Forwarded-Host": evil, "Forwarded": f"host={evil};proto=https", "X-Host": evil,
              "X-Forwarded-Proto": "https", "Origin": f"https://{evil}", "Referer": f"https://{evil}/"}
    assert patient.forgot(name, headers=forged).status_code == 204
    patient.code(name)
    mail = patient.mails(name)[0].as_string()
    assert evil not in mail and RESET_PAGE in mail.replace("=\n", "")


def test_a_line_break_in_a_name_adds_no_header(patient, alice):  # E08
    name, _ = alice
    for bent in (f"{name}@example.com\r\nBcc: eve@example.com", f"{name}\nBcc: eve@example.com", f"{name}%0d%0aBcc: eve@example.com"):
        assert patient.forgot(bent).status_code == 204
    assert patient.forgot(name).status_code == 204
    patient.code(name)
    assert len(patient.mails(name)) == 1 and patient.mails(name)[0]["Bcc"] is None
    assert not any("eve@example.com" in mail.as_string() for mail in patient.mails(""))


def test_codes_are_long_and_differ(patient, alice):  # E09, S21
    name, _ = alice
    codes = []
    for count in range(1, 6):
        patient.forgot(name)
        codes.append(patient.code(name, count))
    assert len(set(codes)) == 5 and all(len(code) >= 8 for code in codes)


def test_wrong_codes_kill_the_right_one(patient, alice):  # E10
    name, password = alice
    patient.forgot(name)
    code = patient.code(name)
    for number in range(20):
        refused(patient.confirm(name, f"{(int(code) + number + 1) % 10**8:08}", NEW, patient.urls[number % len(patient.urls)]), 401)
    refused(patient.confirm(name, code, NEW), 401)
    assert patient.login(name, password).status_code == 200


def test_no_empty_or_odd_code_sets_a_password(patient, alice):  # E11
    name, password = alice
    odd = [None, "", 0, 0.0, False, True, [], [""], {}, {"$ne": None}, " ", "null", "00000000", "0", "undefined", "%", "*"]
    for asked in (False, True):
        if asked:
            patient.forgot(name)
            patient.code(name)
        # Fewer than a code's attempts are left untouched by those that never reach the comparison.
        for code in odd:
            refused(patient.confirm(name, code, NEW), 401, 422)
    refused(patient.post("forgot-password-confirm", {"username": name, "password": NEW}), 422)
    assert patient.login(name, password).status_code == 200


def test_forty_requests_are_not_forty_mails(strict):  # E20
    name, _ = strict.user()
    answers = at_once(40, lambda n: strict.forgot(name, strict.urls[n % len(strict.urls)]))
    assert {answer.status_code for answer in answers} <= {204, 429}
    assert [refused(answer) for answer in answers if answer.status_code == 429]
    ghosts = at_once(40, lambda n: strict.forgot("nobody-to-write-to", strict.urls[n % len(strict.urls)]).status_code)
    sent = [answer.status_code for answer in answers].count(204)
    assert ghosts.count(204) == sent <= 20, "who does not exist is throttled alike"
    strict.code(name, sent)
    assert len(strict.mails(name)) == sent


@pytest.fixture
def newcomer(patient):
    """A user with a temporary password, and the challenge he meets."""
    name, temporary = patient.user(None, None, "--temporary")
    asked = patient.login(name, temporary).json()
    return name, temporary, asked


def owe(target, name, session, password, url=None):
    return target.post("new-password-required", {"username": name, "session": session, "new_password": password}, url)


def test_a_challenge_is_no_sign_in(patient, newcomer):  # F01
    name, temporary, asked = newcomer
    assert asked.keys() == {"challenge_name", "session"}
    refused(patient.refresh(name, asked["session"]), 401)
    refused(patient.revoke(asked["session"]), 401)
    refused(patient.change(asked["session"], temporary, NEW), 401)


def test_a_challenge_is_its_users(patient, newcomer):  # F02
    name, _, asked = newcomer
    other, _, others = [*patient.user(None, None, "--temporary"), None]
    for who in (other, "nobody", "admin"):
        refused(owe(patient, who, asked["session"], NEW), 401)
    for session in ("", "x", asked["session"][:-1], asked["session"] + "A", asked["session"].swapcase(), "A" * 43, None, {}, []):
        refused(owe(patient, name, session, NEW), 401, 422)
    assert owe(patient, name, asked["session"], NEW, patient.urls[-1]).status_code == 200


def test_a_challenge_is_answered_once(patient, newcomer):  # F03
    name, temporary, asked = newcomer
    assert owe(patient, name, asked["session"], NEW).status_code == 200
    for url in patient.urls:
        refused(owe(patient, name, asked["session"], "yet another new lamp", url), 401)
        refused(owe(patient, name, asked["session"], NEW, url), 401)
    refused(patient.login(name, temporary), 401)
    assert "access_token" in patient.sign_in(name, NEW)


def test_an_older_challenge_does_not_set_a_password_again(patient, newcomer):  # F03, S23
    name, temporary, asked = newcomer
    second = patient.login(name, temporary).json()
    assert owe(patient, name, asked["session"], NEW).status_code == 200
    refused(owe(patient, name, second["session"], "yet another new lamp"), 401)
    assert "access_token" in patient.sign_in(name, NEW)


def test_of_ten_new_passwords_at_once_one_wins(patient, newcomer):  # F04
    name, _, asked = newcomer
    passwords = [f"new password number {number}" for number in range(10)]
    answers = at_once(10, lambda n: owe(patient, name, asked["session"], passwords[n], patient.urls[n % len(patient.urls)]))
    winners = [password for password, answer in zip(passwords, answers) if answer.status_code == 200]
    assert len(winners) == 1, [answer.status_code for answer in answers]
    assert {answer.status_code for answer in answers} <= {200, 401, 503}
    assert [password for password in passwords if patient.login(name, password).status_code == 200] == winners


def test_a_weak_new_password_is_refused_and_the_challenge_stays(patient, newcomer):  # F05
    name, _, asked = newcomer
    for weak in ("abc", "short12", "password", "12345678", "qwertyuiop", "Password1", name, f"{name}1!", name.upper()):
        answer = refused(owe(patient, name, asked["session"], weak), 401, 422)
        assert "password" in answer.json()["message"].lower()
    assert owe(patient, name, asked["session"], NEW).status_code == 200


def test_a_wrong_previous_password_changes_nothing(patient, alice):  # G01
    name, password = alice
    tokens = patient.sign_in(name, password)
    for wrong in ("wrong wrong", password.upper(), password + " ", password[:-1], "", None, True, {"$ne": ""}):
        refused(patient.change(tokens["access_token"], wrong, NEW), 401, 422)
    for weak in ("password", "short", name, "", None):
        refused(patient.change(tokens["access_token"], password, weak), 401, 422)
    assert patient.login(name, password).status_code == 200


def test_a_change_keeps_this_session_and_ends_the_others(patient, alice):  # G01, S22
    name, password = alice
    mine, other = patient.sign_in(name, password), patient.sign_in(name, password)
    assert patient.change(mine["access_token"], password, NEW).status_code == 204
    for url in patient.urls:
        assert patient.token_lives(mine["access_token"], NEW, url)
        assert not patient.token_lives(other["access_token"], NEW, url)
        refused(patient.refresh(name, other["refresh_token"], url), 401)
    assert patient.refresh(name, mine["refresh_token"]).status_code == 200


def test_a_stolen_access_token_does_not_help_guessing(strict):  # G02, K12
    name, password = strict.user()
    token = strict.sign_in(name, password)["access_token"]
    answers = [strict.change(token, f"wrong guess {n}", NEW, strict.urls[n % len(strict.urls)]) for n in range(20)]
    assert {answer.status_code for answer in answers} == {401, 429}
    assert [answer.status_code for answer in answers].count(401) <= 10
    # One counter for all ways to guess.
    locked = strict.change(token, "one more guess", NEW)
    while locked.status_code != 429:
        locked = strict.change(token, "one more guess", NEW)
    refused(strict.login(name, password), 429)
