"""What a fault did, as one line of figures."""

import collections
import dataclasses
import os
import threading
import time

from journal import OPEN, calls_of, good, judge

HEAD = ["fault", "sent", "answered", "failed", "lost", "double", "revived", "wrong 401", "gap s", "slowest failure s",
        "p50/p99 ms before", "during", "after", "RSS MiB", "fds"]


class Watch:
    """Looks at memory and descriptors of the replicas while a fault goes on."""

    def __init__(self, service):
        self.service, self.rss, self.fds, self.stopping = service, 0, 0, threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.stopping.is_set():
            for child in list(self.service.replicas):
                try:
                    with open(f"/proc/{child.pid}/status", encoding="utf-8") as status:
                        rss = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
                    self.rss, self.fds = max(self.rss, rss // 1024), max(self.fds, len(os.listdir(f"/proc/{child.pid}/fd")))
                except (OSError, StopIteration):
                    pass
            time.sleep(0.25)

    def stop(self):
        self.stopping.set()
        self.thread.join()


@dataclasses.dataclass
class Figures:
    """The figures of one fault, and what is wrong."""

    fault: str
    sent: int
    answered: int
    failed: collections.Counter
    findings: object
    gap: float
    slowest: float
    latencies: dict
    rss: int = 0
    fds: int = 0

    def row(self):
        failed = " ".join(f"{count}x{kind}" for kind, count in sorted(self.failed.items())) or "0"
        times = ["/".join(f"{percentile(self.latencies.get(phase, []), part) * 1000:.0f}" for part in (0.5, 0.99))
                 for phase in ("before", "during", "after")]
        found = self.findings
        lost = len(found.lost) + len(found.locked_out) + len(found.ghosts)
        return [self.fault, self.sent, self.answered, failed, lost, len(found.double), len(found.revived),
                len(found.wrong_401), f"{self.gap:.2f}", f"{self.slowest:.2f}", *times, self.rss, self.fds]


def percentile(numbers, part):
    ordered = sorted(numbers)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0.0


def measure(fault, entries, watch):
    """The figures of a journal."""
    calls = [call for call in calls_of(entries) if call.aim == "work"]
    marks = [(entry["at"], entry["name"]) for entry in entries if entry["kind"] == "phase"]
    latencies = collections.defaultdict(list)
    for call in calls:
        if call.status not in OPEN and call.until:
            phase = [name for at, name in marks if at <= call.at][-1]
            latencies[phase].append(call.until - call.at)
    failed = [call for call in calls if call.status in OPEN or call.status.startswith("503") or call.status == "open"]
    return Figures(
        fault, len(calls), len(calls) - len(failed), collections.Counter(call.status for call in failed), judge(entries),
        gap_of(calls, failed), max((call.until - call.at for call in failed), default=0.0), latencies, watch.rss, watch.fds)


def gap_of(calls, failed):
    """From the first error to the first success after the last one."""
    if not failed:
        return 0.0
    last = max(call.until for call in failed)
    back = min((call.until for call in calls if good(call) and call.until > last), default=last)
    return back - min(call.until for call in failed)
