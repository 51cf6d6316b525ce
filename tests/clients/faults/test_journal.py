"""The judge itself: a sound journal passes, and one forged against each invariant does not."""

import json
import subprocess
import sys

import pytest

from figures import gap_of
from journal import Journal, calls_of, judge


def told(*calls):
    """A journal of calls, one after the other: (op, status, fields, got)."""
    entries = [{"kind": "phase", "name": "before", "n": 0, "at": 0.0}]
    for number, (op, status, fields, *got) in enumerate(calls):
        n = 2 * number + 1
        entries.append({"kind": "ask", "n": n, "at": float(n), "op": op, "user": "ada", **fields})
        if status:
            entries.append({"kind": "answer", "n": n + 1, "at": n + 0.5, "of": n, "status": status, "got": got[0] if got else ""})
    return entries


def line(token, **more):
    return {"line": "phone", "token": token, **more}


ADA = {"password": "old"}
SOUND = [
    ("login", "200", ADA, "r0"),
    ("refresh", "503", line("r0")),
    ("refresh", "200", line("r0"), "r1"),
    ("refresh", "200", line("r0"), "r1"),
    ("refresh", "200", line("r1"), "r2"),
    ("refresh", "503", line("r0", aim="dead")),
    ("refresh", "401", line("r0", aim="dead")),
    ("change", "timeout", {"line": "phone", "password": "old", "proposed": "new"}),
    ("change", "401", {"line": "phone", "password": "old", "proposed": "new"}),
    ("login", "200", {"password": "new"}, "s0"),
    ("login", "401", {**ADA, "aim": "dead"}),
    ("revoke", "connection", line("r2")),
    ("revoke", "204", line("r2")),
    ("refresh", "401", line("r2", aim="dead")),
    ("answer", "200", {"token": "h", "password": "temp", "proposed": "mine"}),
    ("answer", "401", {"token": "h", "proposed": "mine", "aim": "dead"}),
]


def test_a_sound_journal_has_no_findings():
    assert judge(told(*SOUND)).all() == {}


FORGED = {
    "I-1 an acknowledged session is lost": ("lost", [*SOUND, ("refresh", "401", line("s0", aim="proof"))]),
    "I-1 an acknowledged password is lost": ("lost", [*SOUND, ("login", "401", {"password": "new", "aim": "proof"})]),
    "I-1 a revoked session works again": ("revived", [*SOUND, ("refresh", "200", line("r2", aim="dead"), "r3")]),
    "I-1 a rotated-out token works again": ("revived", [*SOUND, ("refresh", "200", line("r0", aim="dead"), "r1")]),
    "I-1 a replaced password works again": ("revived", [*SOUND, ("login", "200", {**ADA, "aim": "dead"}, "x")]),
    "I-1 a consumed challenge works again": ("revived", [*SOUND, ("answer", "200", {"token": "g", "aim": "dead"})]),
    "I-2 two successors of one token": ("double", [*SOUND, ("refresh", "200", line("r1"), "r9")]),
    "I-2 two winners of one challenge": ("double", [*SOUND, ("answer", "200", {"token": "h", "password": "temp", "proposed": "mine"})]),
    "I-3 neither old nor new password": ("ghosts", SOUND[:9]),
    "I-3 a revoke that cannot be repeated": ("ghosts", [*SOUND[:12], ("revoke", "401", line("r2"))]),
    "I-3 a call that is never answered": ("ghosts", [*SOUND, ("revoke", "503", line("s0"))]),
    "I-3 a call without any answer": ("ghosts", [*SOUND, ("revoke", None, line("s0"))]),
    "I-4 locked out by a lost answer": ("locked_out", [*SOUND[:2], ("refresh", "401", line("r0"))]),
    "a 401 out of nothing": ("wrong_401", [*SOUND, ("refresh", "401", line("s0"))]),
}


@pytest.mark.parametrize("name", FORGED)
def test_the_judge_finds_what_was_forged(name):  # I-1 to I-4
    kind, calls = FORGED[name]
    assert list(judge(told(*calls)).all()) == [kind]


def test_what_was_written_survives_a_kill_of_the_writer(tmp_path):
    path = tmp_path / "journal"
    script = f"""
import os, sys
sys.path.insert(0, {str(sys.path[0])!r}); sys.path[:0] = {sys.path!r}
from journal import Journal
journal = Journal({str(path)!r})
for number in range(50):
    journal.write(kind="ask", op="login", user="ada", password=str(number))
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", script], check=False)
    lines = path.read_text().splitlines()
    assert [json.loads(entry)["password"] for entry in lines] == [str(number) for number in range(50)]
    with pytest.raises(FileExistsError):
        Journal(path)


def test_the_gap_is_from_the_first_error_to_the_first_success_after_the_last():
    calls = calls_of(told(("login", "200", ADA), ("login", "503", ADA), ("login", "200", ADA), ("login", "503", ADA), ("login", "200", ADA)))
    failed = [call for call in calls if call.status == "503"]
    assert gap_of(calls, failed) == 6.0
    assert gap_of(calls, []) == 0.0
