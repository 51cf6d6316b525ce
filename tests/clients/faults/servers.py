"""Stores to break: a Redis, one with a replica and Sentinels, a Cluster; a PostgreSQL, and a standby of it."""

import contextlib
import glob
import os
import shutil
import signal
import socket
import subprocess

from children import Child, free_port, wait_for

# Every write is on the disk before it is acknowledged: what a kill loses then is a fault of ours.
DURABLE = ["--appendonly", "yes", "--appendfsync", "always"]


def quiet(*command):
    run = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    assert run.returncode == 0, f"{command[:6]}: {run.stdout[-500:]}{run.stderr[-500:]}"
    return run.stdout


class Redis:
    """One redis-server on its own port and folder."""

    def __init__(self, folder, name, *args, start=True, sentinel=False):
        self.folder, self.args, self.sentinel = folder / name, args, sentinel
        self.folder.mkdir()
        self.port = bus_port()
        self.child = None
        if start:
            self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def start(self, *more):
        base = ["redis-server", *([self.folder / "sentinel.conf"] if self.sentinel else [])]
        save = [] if self.sentinel else ["--save", ""]
        self.child = Child(
            [*base, "--port", self.port, "--bind", "127.0.0.1", "--dir", self.folder, *save, *self.args, *more],
            self.folder / "log",
        )
        wait_for(f"Redis in {self.folder.name}", lambda: self.cli("PING", check=False).strip() == "PONG", self.child)

    def cli(self, *words, check=True):
        run = subprocess.run(
            ["redis-cli", "-p", str(self.port), *map(str, words)], capture_output=True, text=True, timeout=30, check=False)
        assert not check or run.returncode == 0, run.stdout + run.stderr
        return run.stdout

    def kill(self):
        self.child.stop()

    def terminate(self):
        self.child.terminate()

    def freeze(self):
        os.kill(self.child.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.child.pid, signal.SIGCONT)

    def stop(self):
        if self.child:
            with contextlib.suppress(ProcessLookupError, TypeError):
                self.thaw()
            self.child.stop()


def bus_port():
    """A free port whose number with 10,000 added is free too: the nodes of a Cluster speak there."""
    while True:
        port = free_port()
        if port < 55_000:
            with contextlib.suppress(OSError), socket.socket() as bus:
                bus.bind(("127.0.0.1", port + 10_000))
                return port


class Watched:
    """A master, a replica and three Sentinels."""

    def __init__(self, folder, down_after=1000):
        folder.mkdir()
        self.master = Redis(folder, "master", *DURABLE, "--repl-diskless-sync-delay", "0")
        self.replica = Redis(folder, "replica", *DURABLE, "--replicaof", "127.0.0.1", self.master.port)
        wait_for("replication", lambda: "master_link_status:up" in self.replica.cli("INFO", "replication"))
        self.sentinels = [self._sentinel(folder, number, down_after) for number in range(3)]
        for sentinel in self.sentinels:
            wait_for("Sentinels that know each other", lambda s=sentinel: s.cli("SENTINEL", "CKQUORUM", "main").startswith("OK 3"))
            wait_for("a known replica", lambda s=sentinel: f"{self.replica.port}" in s.cli("SENTINEL", "REPLICAS", "main"))

    def _sentinel(self, folder, number, down_after):
        sentinel = Redis(folder, f"sentinel-{number}", "--sentinel", start=False, sentinel=True)
        (sentinel.folder / "sentinel.conf").write_text(
            f"sentinel monitor main 127.0.0.1 {self.master.port} 2\nsentinel down-after-milliseconds main {down_after}\n"
            "sentinel failover-timeout main 5000\n")
        sentinel.start()
        return sentinel

    @property
    def url(self):
        return f"redis-sentinel://{','.join(f'127.0.0.1:{sentinel.port}' for sentinel in self.sentinels)}/main"

    def stop(self):
        for server in (*self.sentinels, self.master, self.replica):
            server.stop()


class Cluster:
    """Three nodes that share the slots."""

    def __init__(self, folder):
        folder.mkdir()
        args = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", *DURABLE]
        self.nodes = [Redis(folder, f"node-{number}", *args) for number in range(3)]
        quiet("redis-cli", "--cluster", "create", *[f"127.0.0.1:{node.port}" for node in self.nodes], "--cluster-yes")
        self.whole()

    def whole(self):
        for node in self.nodes:
            wait_for("a whole Cluster", lambda n=node: "cluster_state:ok" in n.cli("CLUSTER", "INFO"))

    @property
    def url(self):
        return f"redis-cluster://{','.join(f'127.0.0.1:{node.port}' for node in self.nodes)}"

    def reshard(self, source, target, slots):
        identity = [self.nodes[number].cli("CLUSTER", "MYID").strip() for number in (source, target)]
        quiet("redis-cli", "--cluster", "reshard", f"127.0.0.1:{self.nodes[0].port}", "--cluster-from", identity[0],
              "--cluster-to", identity[1], "--cluster-slots", slots, "--cluster-yes", "--cluster-pipeline", "10")

    def stop(self):
        for node in self.nodes:
            node.stop()


class Postgres:
    """One PostgreSQL on its own port and folder. It refuses to run as root, so root hands it to nobody."""

    def __init__(self, folder, name="postgres", of=None, env=None):
        self.folder, self.port = folder / name, free_port()
        os.chmod(folder, 0o755)
        self.folder.mkdir()
        self.unprivileged = []
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody")
            self.unprivileged = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        # Set behind setpriv: what is preloaded shares its state with its children, who are nobody.
        self.unprivileged += ["env", *[f"{setting}={value}" for setting, value in env.items()]] if env else []
        self.binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.data = self.folder / "data"
        if of is None:
            self._run("initdb", "-D", self.data, "-U", "cognate", "-A", "trust", "-E", "UTF8", "--no-sync")
        else:
            self._run("pg_basebackup", "-h", "127.0.0.1", "-p", of.port, "-U", "cognate", "-D", self.data, "-R", "-X", "stream", "-c", "fast")
        self.child = None
        self.start()
        if of is None:
            # As in life the service is no superuser, so that it can be shut out.
            self.sql("CREATE ROLE app LOGIN")

    def _run(self, program, *args):
        command = [*self.unprivileged, f"{self.binaries}/{program}", *map(str, args)]
        run = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=60, check=False)
        assert run.returncode == 0, f"{program}: {run.stderr}"

    def start(self, *settings):
        options = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", *settings]
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self.child = Child(
            [*self.unprivileged, f"{self.binaries}/postgres", "-D", self.data, "-p", self.port,
             *[word for option in options for word in ("-c", option)]],
            self.folder / "log",
        )
        ready = [f"{self.binaries}/pg_isready", "-h", "127.0.0.1", "-p", str(self.port)]
        wait_for("PostgreSQL", lambda: subprocess.run(ready, capture_output=True, check=False).returncode == 0, self.child)

    @property
    def url(self):
        return f"postgres://cognate@127.0.0.1:{self.port}/postgres"

    def database(self, name, port=None):
        """The address of a new database of this name, for the service."""
        self.sql(f"CREATE DATABASE {name} OWNER app")
        return f"postgres://app@127.0.0.1:{port or self.port}/{name}"

    def sql(self, text):
        return quiet("psql", self.url, "-qAtc", text)

    def restart(self):
        """As `pg_ctl restart -m immediate`: no connection is told, and the log is replayed."""
        self.kill()
        self.start()

    def kill(self):
        """SIGQUIT: at once, with all its processes."""
        os.kill(self.child.pid, signal.SIGQUIT)
        wait_for("the end of PostgreSQL", lambda: not self.child.alive())
        self.child.stop()

    def promote(self):
        self._run("pg_ctl", "promote", "-D", self.data)

    def stop(self):
        if self.child and self.child.alive():
            self.kill()
