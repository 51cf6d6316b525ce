"""Processes that die with the tests: started through a shell that waits on a pipe the tests hold open."""

import os
import pathlib
import signal
import socket
import subprocess
import time

# When the test process goes, however it goes, the pipe closes, `cat` ends and the child is killed.
KEEPER = 'exec 3<&0; "$@" </dev/null 3<&- & pid=$!; echo $pid >"$0"; cat <&3 >/dev/null; kill -9 $pid 2>/dev/null'


class Child:
    """A running process whose output goes to a file."""

    def __init__(self, command, log, env=None):
        self.log = log
        # A restarted process writes a new one; the old number must not be taken for it.
        pathlib.Path(f"{log}.pid").unlink(missing_ok=True)
        self._keeper = subprocess.Popen(
            ["sh", "-c", KEEPER, f"{log}.pid", *map(str, command)],
            stdin=subprocess.PIPE,
            stdout=open(log, "wb"),
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
        )
        self._pid = None

    @property
    def pid(self):
        """The process itself, not the shell around it."""
        deadline = time.monotonic() + 5
        while self._pid is None and time.monotonic() < deadline:
            try:
                self._pid = int(open(f"{self.log}.pid").read())
            except (FileNotFoundError, ValueError):
                time.sleep(0.01)
        return self._pid

    def output(self):
        """What it has printed so far."""
        return open(self.log, encoding="utf-8", errors="replace").read()

    def alive(self):
        """Whether it still runs."""
        try:
            with open(f"/proc/{self.pid}/stat", encoding="utf-8") as stat:
                return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
        except FileNotFoundError:
            return False

    def terminate(self, within=30):
        """SIGTERM, and how long it took to leave."""
        start = time.monotonic()
        os.kill(self.pid, signal.SIGTERM)
        while self.alive():
            if time.monotonic() - start > within:
                raise AssertionError(f"still running {within} s after SIGTERM:\n{self.output()[-2000:]}")
            time.sleep(0.02)
        self.stop()
        return time.monotonic() - start

    def stop(self):
        """The end, at once; its ports are free afterwards."""
        pid = self.pid
        self._keeper.stdin.close()
        self._keeper.wait(timeout=10)
        wait_for("the end of a killed process", lambda: not os.path.exists(f"/proc/{pid}") or not self.alive())


def free_port():
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, check, child=None, seconds=30):
    """Asks until `check` answers something true; says what it waited for when it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = check()
        if answer:
            return answer
        if child is not None and not child.alive():
            break
        time.sleep(0.05)
    said = f":\n{child.output()[-3000:]}" if child is not None else ""
    raise AssertionError(f"{what} did not happen{said}")
