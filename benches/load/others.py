"""What benches/run measures beside the scenarios: limits, starts, the smallest server, and refreshes beside sign-ins."""

import itertools
import pathlib
import statistics
import tempfile
import threading

from parts import CHEAP
from scenarios import Scenario, measure, rounds, median, slices


def limits(bench, options):
    made = bench.limits()
    print("one core at most: " + ", ".join(f"{name} {rate:.0f}/s" for name, rate in made.items()))
    print(f"this disk at most: {bench.disk():.0f} rows/s in durable commits of 64", flush=True)


def starts(bench, options):
    """From exec to the first answer, and what that took of memory."""
    empty, existing, memory = [], [], []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(dir=bench.folder) as data:
            for times in [empty, existing, existing]:
                with bench.serve({"COGNATE__DATA": data}) as server:
                    times.append(server.started_in * 1000)
                    memory.append(server.resident_mib())
    print(f"first answer after    {statistics.median(empty):.0f} ms on an empty store, "
          f"{statistics.median(existing):.0f} ms on an existing one; {statistics.median(memory):.0f} MiB", flush=True)


def hello(bench, options):
    """Public documents beside the smallest server of the same framework, in turns."""
    with tempfile.TemporaryDirectory(dir=bench.folder) as data, bench.hello() as server:
        work = lambda: measure(bench, server, "/hello", itertools.repeat(""), 8, options.seconds)  # noqa: E731
        kept = rounds(bench, options, ["RS256"], work)
    if kept:
        figures, _ = median(kept)
        print(f"{'hello':<23}{figures['rate']:>8.0f}/s  p50 {figures['p50']:>6.2f}  p99 {figures['p99']:>6.2f} ms "
              f"{figures['cpu']:>8.1f} us", flush=True)


def beside_sign_ins(bench, options):
    """How long refreshes take while sign-ins ask for more hashes than there is time for (P3)."""
    scenario = Scenario("", "token-refresh")
    with tempfile.TemporaryDirectory(dir=bench.folder) as data:
        redis, of_redis = bench.redis()
        environment = {"COGNATE__DATA": data} | of_redis
        file = bench.seed("RS256", 200, 200, environment)
        logins = pathlib.Path(f"{file}.names")
        logins.write_text("".join(line.split(" ")[0] + "\n" for line in file.read_text().splitlines()))
        try:
            with bench.serve(environment) as server:
                ask = lambda: bench.wrk(server.url, "token-refresh", file, 1, options.seconds)  # noqa: E731
                idle = ask()
                flood = threading.Thread(
                    target=lambda: bench.wrk(server.url, "login", logins, 32, options.seconds + 1))
                flood.start()
                busy = ask()
                flood.join()
        finally:
            redis.stop()
    print(f"refresh beside sign-ins p50 {idle['p50']:.2f} -> {busy['p50']:.2f}, p99 {idle['p99']:.2f} -> "
          f"{busy['p99']:.2f} ms", flush=True)


ALL = {"limits": limits, "start": starts, "hello": hello, "beside": beside_sign_ins}
