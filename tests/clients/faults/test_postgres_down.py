"""PostgreSQL restarted, stopped, read-only and out of connections under a load that follows its tokens."""

import contextlib
import os
import signal
import time

from deployment import Ordeal


def test_postgres_restarted(pair, postgres, table):  # R14
    with Ordeal(table, "R14 PostgreSQL restart, immediate", pair) as ordeal:
        postgres.restart()
    ordeal.lost_nothing(gap=8)


def test_postgres_stopped(pair, postgres, table):  # R14, R04
    with Ordeal(table, "R14 PostgreSQL SIGSTOP", pair) as ordeal:
        tree = [postgres.child.pid, *children(postgres.child.pid)]
        for pid in tree:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(2)
        for pid in tree:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
    ordeal.lost_nothing(gap=8)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as listed:
        return [int(child) for child in listed.read().split()]


def test_postgres_read_only(pair, postgres, table):  # R14
    with Ordeal(table, "R14 PostgreSQL read-only", pair) as ordeal:
        postgres.sql("ALTER SYSTEM SET default_transaction_read_only = on")
        postgres.sql("SELECT pg_reload_conf()")
        time.sleep(1)
        assert pair.state() == 503
        postgres.sql("ALTER SYSTEM SET default_transaction_read_only = off")
        postgres.sql("SELECT pg_reload_conf()")
    # Signing in and refreshing need only to read: they went on.
    assert ordeal.lost_nothing(gap=8).latencies["during"]


def test_postgres_out_of_connections(pair, postgres, table):  # R14
    with Ordeal(table, "R14 PostgreSQL out of connections", pair) as ordeal:
        # 53300, as when the whole server has no slot left.
        postgres.sql("ALTER ROLE app CONNECTION LIMIT 0")
        postgres.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'app'")
        time.sleep(1.5)
        assert pair.state() == 503
        postgres.sql("ALTER ROLE app CONNECTION LIMIT -1")
    ordeal.lost_nothing(gap=8)
