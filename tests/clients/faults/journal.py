"""What clients asked and what they were told, on disk before anything depends on it, and the four invariants over it.

I-1 what was acknowledged holds, and nothing revoked, rotated out, replaced or consumed works again; I-2 one winner;
I-3 an error leaves the old or the new state and the same call succeeds later; I-4 nobody is locked out."""

import collections
import dataclasses
import json
import os
import threading
import time

# A call that got one of these left it open whether it was done.
OPEN = {"503", "500", "timeout", "connection"}


class Journal:
    """Append-only; every line is on the disk before the next step."""

    def __init__(self, path):
        self.path = path
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self.lock, self.number = threading.Lock(), 0

    def write(self, **entry):
        """Adds an entry; answers its number."""
        with self.lock:
            self.number += 1
            entry = {"n": self.number, "at": time.monotonic(), **entry}
            os.write(self.file, json.dumps(entry).encode() + b"\n")
        os.fsync(self.file)
        return entry["n"]

    def phase(self, name):
        """What happens from now on is `before`, `during` or `after` the fault."""
        self.write(kind="phase", name=name)

    def entries(self):
        """All of it, read back from the disk."""
        with open(self.path, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


@dataclasses.dataclass
class Call:
    """A question and its answer. `op` is login, refresh, revoke, change, answer (a new-password challenge)."""

    n: int
    at: float
    op: str
    user: str
    line: str = ""
    token: str = ""
    password: str = ""
    proposed: str = ""
    # `work`; `dead`: what must not work; or `proof`: a look at the end.
    aim: str = "work"
    status: str = "open"
    until: float = 0.0
    got: str = ""


def calls_of(entries):
    """The calls of a journal, by when they were asked; one without an answer stays open."""
    calls = {}
    for entry in entries:
        if entry["kind"] == "ask":
            fields = {key: value for key, value in entry.items() if key != "kind"}
            calls[entry["n"]] = Call(**fields)
        elif entry["kind"] == "answer":
            call = calls[entry["of"]]
            call.status, call.until, call.got = entry["status"], entry["at"], entry.get("got", "")
    return sorted(calls.values(), key=lambda call: call.n)


@dataclasses.dataclass
class Findings:
    """What is wrong, a line each."""

    lost: list = dataclasses.field(default_factory=list)
    revived: list = dataclasses.field(default_factory=list)
    double: list = dataclasses.field(default_factory=list)
    ghosts: list = dataclasses.field(default_factory=list)
    locked_out: list = dataclasses.field(default_factory=list)
    wrong_401: list = dataclasses.field(default_factory=list)

    def all(self):
        return {name: found for name, found in dataclasses.asdict(self).items() if found}


def good(call):
    return call.status in ("200", "204")


def judge(entries):
    """The invariants, over a journal that ends with the looks (`aim` proof and dead) of `Riders.prove`."""
    calls, findings = calls_of(entries), Findings()
    one_winner(calls, findings)
    for call in calls:
        if call.aim == "dead" and good(call):
            findings.revived.append(f"{call.op} of {call.user} {call.line} worked again: {call.token[-12:]}")
    by_user = collections.defaultdict(list)
    for call in calls:
        by_user[call.user].append(call)
    for mine in by_user.values():
        follow(mine, findings)
    return findings


def one_winner(calls, findings):
    successors, winners = collections.defaultdict(set), collections.Counter()
    for call in calls:
        if call.op == "refresh" and good(call):
            successors[call.token].add(call.got)
        if call.op == "answer" and good(call):
            winners[call.token] += 1
    findings.double += [f"{token[-12:]} has {len(got)} successors" for token, got in successors.items() if len(got) > 1]
    findings.double += [f"challenge {handle[-12:]} was won {count} times" for handle, count in winners.items() if count > 1]


def follow(calls, findings):
    """One user's calls in their order: a rider waits for each answer, and repeats what was left open."""
    left_open = {}
    for call in calls:
        what = (call.op, call.line, call.token, call.password, call.proposed)
        if call.status in OPEN or call.status == "open":
            # What is dead is only looked at, now and then, and not asked until it is answered.
            if call.aim != "dead":
                left_open[what] = call
            continue
        before = left_open.pop(what, None)
        if good(call) or call.aim == "dead":
            continue
        said = f"{call.op} of {call.user} {call.line}: {call.status}"
        if call.aim == "proof":
            findings.lost.append(said)
        elif before is None:
            findings.wrong_401.append(said)
        elif call.op == "refresh":
            findings.locked_out.append(f"{said} after {before.status}")
        elif call.op in ("change", "answer"):
            # It may have been done already. Then the new password works, which the rider's next sign-in shows.
            later = (next_ for next_ in calls if next_.n > call.n and next_.op == "login" and next_.password == call.proposed)
            if not any(good(login) for login in later):
                findings.ghosts.append(f"{said} after {before.status}, and the new password does not work")
        else:
            findings.ghosts.append(f"{said} after {before.status}")
    findings.ghosts += [f"{call.op} of {call.user} {call.line}: never answered" for call in left_open.values()]
