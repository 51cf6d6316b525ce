"""Replicas replaced one by one under load, on the schema of the next version, and settings that change on the way."""

import os
import signal
import time
import urllib.parse

from children import wait_for
from deployment import Deployment, on_stores
from load import Balancer, Load
from servers import quiet
from service import PASSWORD


def calls(service, users=3):
    """Sign-ins and refreshes as a load of them; the tokens stay the same."""
    made = []
    for name in service.people(users):
        token = service.sign_in(name)["refresh_token"]
        made += [("/v1/token-refresh", {"username": name, "refresh_token": token}, 200)] * 4
        made.append(("/v1/login", {"username": name, "password": PASSWORD}, 200))
    return made


def test_three_replicas_one_by_one_onto_the_next_schema(place, redis, postgres, table):  # R27, R34
    """While the first is replaced the schema becomes the next version's, whose step only adds: the others serve on it,
    and restart on it, as the version before."""
    database = postgres.database("rolling")
    crowd = {"COGNATE__LIMITS__SOURCE_FAILURES": "1000000", "COGNATE__LIMITS__ACCOUNT_FAILURES": "1000000"}
    service = on_stores(place / "rolling", f"{redis.url}/11", database, 3, env=crowd, rotation=False)
    balancer = Balancer(service.urls)
    try:
        wait_for("all at the balancer", lambda: len(balancer.ready) == 3)
        with Load(balancer.address, calls(service)) as load:
            time.sleep(0.5)
            for number, url in enumerate(service.urls):
                service.replicas[number].terminate()
                if number == 0:
                    expand(postgres, database)
                service.replicas[number] = service._start(number, urllib.parse.urlsplit(url).port)
                wait_for("the replica at the balancer", lambda: len(balancer.ready) == 3)
            time.sleep(0.5)
        print(f"R27 three replicas: {load.answered} answered, {len(load.failures)} failed")
        table.append(["R27 3 replicas replaced, next schema", load.answered + len(load.failures), load.answered,
                      len(load.failures), 0, 0, 0, 0, "0.00", "0.00", "-", "-", "-", "-", "-"])
        assert load.failures == []
        assert load.answered > 100
    finally:
        balancer.stop()
        service.stop()


def expand(postgres, database):
    """What a migration of the next version does."""
    quiet("psql", postgres.url.replace("/postgres", f"/{database.rsplit('/', 1)[1]}"), "-qc", """BEGIN;
        ALTER TABLE users ADD COLUMN next TEXT; ALTER TABLE sessions ADD COLUMN next BIGINT NOT NULL DEFAULT 0;
        CREATE TABLE next (id TEXT PRIMARY KEY); CREATE INDEX next_index ON users (next);
        INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (999, 'next', true, '', 0);
        COMMIT""")


def test_the_log_level_changes_without_a_restart(place):
    folder = place / "level"
    folder.mkdir()
    file = folder / "cognate.toml"
    file.write_text('[log]\nlevel = "warn"\n')
    service = Deployment(folder / "service", 1, {"COGNATE__LOG__LEVEL": None}, options=["--config", file])
    child = service.replicas[0]
    try:
        requests_logged = lambda: child.output().count('"message":"request"')
        service.people(1)
        assert requests_logged() == 0
        file.write_text('[log]\nlevel = "info"\n')
        os.kill(child.pid, signal.SIGHUP)
        wait_for("the change", lambda: "the log level was changed" in child.output())
        wait_for("a logged request", lambda: service.state() == 200 and requests_logged() > 0)
        # What can not be used changes nothing, and is said.
        file.write_text('[log]\nlevel = "not=a=level"\n')
        os.kill(child.pid, signal.SIGHUP)
        wait_for("a warning", lambda: "can not be used" in child.output())
        # Without a signal the file is looked at every five seconds.
        file.write_text('[log]\nlevel = "error"\n')
        wait_for("quiet", lambda: quiet_now(service, requests_logged), seconds=15)
        assert child.alive()
    finally:
        service.stop()


def quiet_now(service, logged):
    before = logged()
    service.state()
    time.sleep(0.3)
    return logged() == before
