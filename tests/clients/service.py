"""The built binary as a service: one process or several on the same stores, and its command line beside them."""

import base64
import json
import os
import pathlib
import re
import secrets
import subprocess

import requests

from children import Child, free_port, wait_for

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
BINARY = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute() / "debug" / "cognate"
PASSWORD = "correct horse battery staple"


class Service:
    """One or more replicas of Cognate on the same stores."""

    # What a replica must answer with 200 to be taken for started.
    until = "readyz"
    # Further words of the command line, and those before it.
    options = ()
    before = ()

    def __init__(self, folder, replicas=1, env=None):
        if not BINARY.exists():
            raise RuntimeError(f"{BINARY} is not there: cargo build, or run tests/run, which does it")
        self.folder = folder
        self.data = folder / "data"
        self.env = {"COGNATE__LOG__FORMAT": "json", **(env or {})}
        ports = [free_port() for _ in range(replicas)]
        # What a client has to trust: the service's own certificate, where it has one.
        self.certificate = self.env.get("COGNATE__HTTP__CERTIFICATE_FILE")
        scheme = "https" if self.certificate else "http"
        self.urls = [f"{scheme}://127.0.0.1:{port}" for port in ports]
        self.env.setdefault("COGNATE__HTTP__PUBLIC_URL", self.urls[0])
        # One after the other: the first makes the pool, and prints the password of its administrator.
        self.replicas = [self._start(number, port) for number, port in enumerate(ports)]

    def _start(self, number, port):
        command = [*self.before, BINARY, *self.options, "--data", self.data, "serve", "--listen", f"127.0.0.1:{port}"]
        child = Child(command, self.folder / f"replica-{number}.log", self.env)
        url = self.urls[number]

        def ready():
            try:
                return requests.get(f"{url}/{self.until}", timeout=2, verify=self.certificate).status_code == 200
            except requests.RequestException:
                return False

        wait_for(f"replica {number}", ready, child)
        return child

    @property
    def url(self):
        """The first replica's address."""
        return self.urls[0]

    @property
    def other(self):
        """Another replica's address; the same when there is only one."""
        return self.urls[-1]

    def cli(self, *args, stdin=None):
        """Runs a command beside the running service."""
        run = subprocess.run(
            [BINARY, "--data", self.data, *args],
            input=stdin, capture_output=True, text=True, timeout=60, env={**os.environ, **self.env}, check=False,
        )
        assert run.returncode == 0, f"cognate {' '.join(args)} failed:\n{run.stdout}{run.stderr}"
        return run.stdout

    def bootstrap_password(self):
        """The one-time password of `admin`, as printed at the first start."""
        first = self.replicas[0]
        return wait_for("a temporary password", lambda: re.search(r'"password":"([^"]+)"', first.output()), first).group(1)

    def pool(self):
        """The pool that was made at the first start; tests make others beside it."""
        pools = json.loads(self.cli("pools", "list", "--json"))
        return next(pool["id"] for pool in pools if pool["name"] == "default")

    def user(self, name=None, password=PASSWORD, *options):
        """Makes a user and answers the name."""
        name = name or f"user-{secrets.token_hex(4)}"
        self.cli("users", "create", name, "--email", f"{name}@example.com", *options, "--password-stdin", stdin=f"{password}\n")
        return name

    def post(self, operation, body, url=None):
        """Calls an operation of /v1."""
        return requests.post(f"{url or self.url}/v1/{operation}", json=body, timeout=30, verify=self.certificate)

    def sign_in(self, name, password=PASSWORD, url=None):
        """The tokens of a sign-in."""
        answer = self.post("login", {"username": name, "password": password}, url)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def restart(self, **env):
        """Ends every replica at once and starts them again, with more settings where given."""
        self.stop()
        self.env |= env
        ports = [int(url.rsplit(":", 1)[1]) for url in self.urls]
        self.replicas = [self._start(number, port) for number, port in enumerate(ports)]

    def stop(self):
        """Ends every replica."""
        for child in self.replicas:
            child.stop()


def shared_settings(folder, redis_url, postgres_url):
    """What replicas on shared stores have in common."""
    key = folder / "master.key"
    key.write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    key.chmod(0o600)
    return {
        "COGNATE__DIRECTORY__URL": postgres_url,
        "COGNATE__TOKENS__URL": redis_url,
        "COGNATE__MASTER_KEY_FILE": str(key),
    }


def node(script, *args, env=None, stdin=None, timeout=120):
    """Runs one of the scripts in js/ and answers what it printed."""
    run = subprocess.run(
        ["node", HERE / "js" / script, *args],
        input=stdin, capture_output=True, text=True, timeout=timeout, env={**os.environ, **(env or {})}, check=False,
    )
    assert run.returncode == 0, f"{script} failed:\n{run.stdout}{run.stderr}"
    return run.stdout
