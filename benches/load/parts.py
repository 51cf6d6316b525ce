"""What benches/run is made of: the processes it starts, each on its core, and what it reads of them."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
OURS, THEIRS = "0", "1"
TICK = os.sysconf("SC_CLK_TCK")
PATIENT = {"COGNATE__PASSWORD__QUEUE_WAIT": "1m", "COGNATE__DIRECTORY__TIMEOUT": "1m"}
# Hashing would be nearly all of the time of making sessions; only sign-ins are measured with real hashes.
CHEAP = {"COGNATE__PASSWORD__MEMORY_KIB": "8", "COGNATE__PASSWORD__ITERATIONS": "1"}


def need(program, package):
    if not shutil.which(program):
        sys.exit(f"{program} is missing: apt-get install {package}")


def build():
    """The service and its bench, as paths."""
    command = ["cargo", "build", "--release", "--bin", "cognate", "--bench", "load", "--message-format=json"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    made = [json.loads(line) for line in lines]
    paths = {item["target"]["name"]: item["executable"] for item in made if item.get("executable")}
    return paths["cognate"], paths["load"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(url, body=None, operation=None):
    """Status and body of one request, of an operation of the Cognito API if it is named."""
    headers = {"Content-Type": "application/json"}
    if operation:
        target = f"AWSCognitoIdentityProviderService.{operation}"
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
    data = json.dumps(body).encode() if body is not None else None
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers)) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()


class Process:
    """A server on one core, from its start to its first answer."""

    def __init__(self, core, command, port, path, environment=None, log=None):
        self.url = f"http://127.0.0.1:{port}"
        began = time.monotonic()
        output = open(log, "ab") if log else subprocess.DEVNULL
        self.child = subprocess.Popen(["taskset", "-c", core, *command], env=os.environ | (environment or {}),
                                      stdout=output, stderr=output)
        self.wait_for(port, path)
        self.started_in = time.monotonic() - began

    def wait_for(self, port, path):
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        for _ in range(20_000):
            try:
                with socket.create_connection(("127.0.0.1", port)) as connection:
                    connection.sendall(request)
                    if b" 200 " in connection.recv(64) or path == "PING":
                        return
            except OSError:
                pass
            if self.child.poll() is not None:
                break
            time.sleep(0.0005)
        sys.exit(f"{self.child.args} did not come up")

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident_mib(self):
        status = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def stop(self):
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Bench:
    """The load binary's parts and wrk."""

    def __init__(self, service, load, folder):
        self.service, self.load, self.folder = service, load, pathlib.Path(folder)

    def tell(self, core, *arguments, environment=None):
        command = ["taskset", "-c", core, self.load, *arguments]
        done = subprocess.run(command, env=os.environ | (environment or {}), check=True, stdout=subprocess.PIPE)
        return done.stdout

    def limits(self):
        return json.loads(self.tell(OURS, "limits"))

    def disk(self):
        made = json.loads(self.tell(OURS, "disk", str(self.folder)))["group commit"]
        for file in self.folder.glob("limit.db*"):
            file.unlink()
        return made

    def seed(self, kind, users, sessions, environment):
        file = self.folder / f"{kind}-{users}-{sessions}.txt"
        self.tell("0,1", "seed", kind, str(users), str(sessions), str(file), environment=environment | PATIENT)
        return file

    def redis(self):
        port = free_port()
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        return Process(THEIRS, command, port, "PING"), {"COGNATE__TOKENS__URL": f"redis://127.0.0.1:{port}"}

    def hello(self):
        port = free_port()
        return Process(OURS, [self.load, "hello", str(port)], port, "/hello")

    def serve(self, environment):
        """The service as an operator starts it, but for the limit of refreshes a session."""
        port = free_port()
        own = {"COGNATE__HTTP__LISTEN": f"127.0.0.1:{port}", "COGNATE__V1__MAX_ACCESS_TOKENS": "0"}
        command = [self.service, "serve"]
        return Process(OURS, command, port, "/v1/status", environment | own, self.folder / "log")

    def wrk(self, url, kind, file="", connections=8, seconds=5):
        script = str(ROOT / "benches/load/wrk.lua")
        command = ["taskset", "-c", THEIRS, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, url]
        environment = os.environ | {"BENCH_KIND": kind, "BENCH_FILE": str(file)}
        output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
        return result_in(output)

    def srp(self, url, client, file, connections=8, seconds=5):
        """The same of sign-ins by SRP."""
        return result_in(self.tell(THEIRS, "srp", url, client, str(file), str(connections), str(seconds)).decode())


def result_in(output):
    return json.loads(next(line for line in output.splitlines() if line.startswith("RESULT"))[7:])


def folder():
    """Beside the builds: a disk as the service would have it, where /tmp may be memory."""
    made = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "bench"
    made.mkdir(parents=True, exist_ok=True)
    return made
