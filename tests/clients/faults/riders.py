"""A load that follows its tokens: clients who sign in, refresh with rotation, revoke, change passwords and answer
challenges, write down every question and answer, and repeat what was left open."""

import http.client
import itertools
import json
import threading
import time
import urllib.parse
import uuid

from journal import Journal
from service import PASSWORD

# Longer than any deadline of the service's: a client that runs into it has met a hang.
PATIENCE = 20


class Line:
    """One signed-in device: every refresh token it was ever given, the current one last."""

    def __init__(self, tokens):
        self.name = uuid.uuid4().hex[:8]
        self.tokens, self.access = [tokens["refresh_token"]], tokens["access_token"]


class Rider:
    """One person with a few devices. Asks one thing at a time, of each replica in turn."""

    def __init__(self, riders, name, temporary):
        self.riders, self.name, self.temporary = riders, name, list(temporary)
        self.password, self.old = PASSWORD, []
        self.lines, self.dead, self.handles = [], [], []
        self.connections, self.turns, self.changes = {}, itertools.count(), itertools.count()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        for turn in itertools.count():
            if self.riders.stopping.is_set():
                return
            self._step(turn)
            time.sleep(self.riders.pause)

    def _step(self, turn):
        if not self.lines or (turn % 10 == 5 and len(self.lines) < 4):
            self._sign_in()
        elif turn % 10 == 8 and len(self.lines) > 1:
            self._revoke(self.lines.pop(0))
        elif turn % 40 == 33:
            self._change()
        elif turn % 25 == 17 and self.temporary:
            self._answer(*self.temporary.pop())
        elif turn % 10 == 9 and self.dead:
            line, token = self.dead[turn % len(self.dead)]
            self.ask("refresh", {"refresh_token": token}, line=line.name, token=token, aim="dead")
        else:
            self._refresh(self.lines[turn % len(self.lines)])

    def _sign_in(self):
        tokens = self.until_done("login", {"password": self.password}, password=self.password)
        if tokens:
            self.lines.append(Line(tokens))

    def _refresh(self, line):
        presented = line.tokens[-1]
        tokens = self.until_done("refresh", {"refresh_token": presented}, line=line.name, token=presented)
        if tokens:
            line.tokens.append(tokens["refresh_token"])
            line.access = tokens["access_token"]
        elif not self.riders.stopping.is_set():
            # The journal has it; the person signs in again.
            self.lines.remove(line)

    def _revoke(self, line):
        done = self.until_done("revoke", {"refresh_token": line.tokens[-1]}, line=line.name, token=line.tokens[-1])
        if done is not None:
            self.dead.append((line, line.tokens[-1]))

    def _change(self):
        kept, new = self.lines[-1], f"{PASSWORD} {self.name} {next(self.changes)}"
        body = {"access_token": kept.access, "previous_password": self.password, "proposed_password": new}
        if self.until_done("change", body, line=kept.name, password=self.password, proposed=new) is None:
            # Done already, if its answer was lost: then the new password signs in. The judge sees when it does not.
            if self.riders.over.is_set() or self.until_done("login", {"password": new}, password=new) is None:
                return
        # A change ends all other devices.
        self.dead += [(line, line.tokens[-1]) for line in self.lines if line is not kept]
        self.old.append(self.password)
        self.password, self.lines = new, [kept]

    def _answer(self, name, temporary):
        new = f"{PASSWORD} {name}"
        challenge = self.until_done("login", {"username": name, "password": temporary}, user=name, password=temporary)
        if not challenge or "session" not in challenge:
            return
        handle = challenge["session"]
        body = {"username": name, "session": handle, "new_password": new}
        self.until_done("answer", body, user=name, token=handle, password=temporary, proposed=new)
        self.until_done("login", {"username": name, "password": new}, user=name, password=new)
        self.handles.append((name, handle, new))

    def until_done(self, op, body, **known):
        """Repeats the very same call until it is answered with more than an error; None when it is refused."""
        while True:
            status, got = self.ask(op, body, **known)
            if status in ("200", "204"):
                return got or {}
            if status not in ("500", "503", "timeout", "connection"):
                return None
            if self.riders.over.is_set():
                return None
            time.sleep(0.05)

    def ask(self, op, body, user=None, **known):
        """One question, in the journal before it is sent, and its answer before anything is made of it."""
        journal, user = self.riders.journal, user or self.name
        number = journal.write(kind="ask", op=op, user=user, **known)
        status, got = self._send(op, {"username": user, **body})
        successor = got.get("refresh_token", "") if got else ""
        journal.write(kind="answer", of=number, status=status, **({"got": successor} if successor else {}))
        return status, got

    def _send(self, op, body):
        url = self.riders.urls[next(self.turns) % len(self.riders.urls)]
        connection = self.connections.get(url)
        if connection is None:
            connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=PATIENCE)
            self.connections[url] = connection
        try:
            connection.request("POST", f"/v1/{PATHS[op]}", json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = answer.read()
        except TimeoutError:
            connection.close()
            return "timeout", None
        except (OSError, http.client.HTTPException):
            connection.close()
            return "connection", None
        if answer.status == 503 and not answer.getheader("retry-after"):
            return "503 without Retry-After", None
        return str(answer.status), json.loads(said) if said and answer.status == 200 else None


PATHS = {
    "login": "login", "refresh": "token-refresh", "revoke": "token-revoke", "change": "change-password",
    "answer": "new-password-required",
}


class Riders:
    """All of them, and their journal."""

    def __init__(self, service, path, names, temporary, pause=0.02):
        self.urls, self.pause, self.journal = list(service.urls), pause, Journal(path)
        self.stopping, self.over = threading.Event(), threading.Event()
        share = [temporary[number::len(names)] for number in range(len(names))]
        self.riders = [Rider(self, name, share[number]) for number, name in enumerate(names)]

    def start(self):
        self.journal.phase("before")
        for rider in self.riders:
            rider.thread.start()

    def stop(self, within=30):
        """No new questions; those left open are repeated until they are answered or the time is over."""
        self.stopping.set()
        deadline = time.monotonic() + within
        for rider in self.riders:
            rider.thread.join(max(0.1, deadline - time.monotonic()))
        self.over.set()
        for rider in self.riders:
            rider.thread.join(PATIENCE + 5)

    def prove(self):
        """The looks at the end: what must live lives, what must be dead is dead. Into the same journal."""
        self.journal.phase("proof")
        threads = [threading.Thread(target=self._prove, args=(rider,)) for rider in self.riders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for rider in self.riders:
            for connection in rider.connections.values():
                connection.close()

    @staticmethod
    def _prove(rider):
        for line in rider.lines:
            current = line.tokens[-1]
            status, got = rider.ask("refresh", {"refresh_token": current}, line=line.name, token=current, aim="proof")
            if status == "200" and len(line.tokens) > 1:
                line.tokens.append(got["refresh_token"])
        rider.ask("login", {"password": rider.password}, password=rider.password, aim="proof")
        for line, token in rider.dead[-6:]:
            rider.ask("refresh", {"refresh_token": token}, line=line.name, token=token, aim="dead")
        for name, handle, new in rider.handles:
            body = {"username": name, "session": handle, "new_password": new}
            rider.ask("answer", body, user=name, token=handle, proposed=new, aim="dead")
        for old in rider.old[-2:]:
            rider.ask("login", {"password": old}, password=old, aim="dead")
        # Last, because a token two behind ends its session once the window is over.
        for line in rider.lines:
            for token in line.tokens[:-2][-2:]:
                rider.ask("refresh", {"refresh_token": token}, line=line.name, token=token, aim="dead")

