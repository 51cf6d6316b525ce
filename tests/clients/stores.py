"""Real stores for the tests: a Redis and a PostgreSQL of their own, on loopback."""

import glob
import os
import shutil
import subprocess

from children import Child, free_port, wait_for


def redis(folder):
    """Starts a Redis; answers it and its URL."""
    server = shutil.which("redis-server") or missing("redis-server")
    port = free_port()
    child = Child(
        [server, "--port", port, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--maxmemory-policy", "noeviction"],
        folder / "redis.log",
    )
    wait_for("Redis", lambda: "Ready to accept connections" in child.output(), child)
    return child, f"redis://127.0.0.1:{port}"


def postgres(folder):
    """Starts a PostgreSQL; answers it and its URL. It refuses to run as root, so root hands it to nobody."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    binaries = found[-1] if found else missing("postgresql")
    data = folder / "postgres"
    data.mkdir()
    unprivileged = []
    if os.geteuid() == 0:
        shutil.chown(data, "nobody")
        os.chmod(folder, 0o755)
        unprivileged = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    port = free_port()
    initdb = [*unprivileged, f"{binaries}/initdb", "-D", data, "-U", "cognate", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(initdb, check=True, capture_output=True, cwd="/")
    child = Child(
        [*unprivileged, f"{binaries}/postgres", "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1",
         "-c", "unix_socket_directories=", "-c", "fsync=off"],
        folder / "postgres.log",
    )
    wait_for("PostgreSQL", lambda: "ready to accept connections" in child.output(), child)
    return child, f"postgres://cognate@127.0.0.1:{port}/postgres"


def fresh_database(shared, name):
    """The shared settings with an empty database of their own: pools and keys that no other test changes."""
    url = shared["COGNATE__DIRECTORY__URL"]
    subprocess.run(["psql", url, "-qc", f"CREATE DATABASE {name}"], check=True)
    return {**shared, "COGNATE__DIRECTORY__URL": url.removesuffix("/postgres") + f"/{name}"}


def missing(package):
    raise RuntimeError(f"{package} is not installed: apt-get install -y {package}, or run tests/run, which does it")
