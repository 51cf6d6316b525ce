"""The image: the last stage of the Dockerfile, built and run by buildah. No registry is asked, so the stage that
compiles is replaced by the binary that the tests were built with; the real one differs in its size and speed only."""

import json
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile

import pytest
import requests

from children import Child, free_port, wait_for
from service import BINARY, ROOT

ISOLATED = {"BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "vfs"}


class Buildah:
    """A storage of its own, gone afterwards."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, *args, check=True):
        program = shutil.which("buildah")
        if not program:
            raise RuntimeError("buildah is not there: apt-get install -y buildah, or run tests/run, which does it")
        command = [program, "--root", self.folder / "root", "--runroot", self.folder / "runroot", *args]
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, timeout=180, check=False, cwd=ROOT, env={**os.environ, **ISOLATED},
        )
        assert done.returncode == 0 or not check, f"{command}\n{done.stdout}{done.stderr}"
        return done

    def build(self, name):
        """The Dockerfile's last stage, with the first one's result from a folder; answers the image's id."""
        stage = self.folder / "stage"
        if not stage.exists():
            binary = self.folder / "cognate"
            subprocess.run(["objcopy", "--strip-all", BINARY, binary], check=True)
            subprocess.run([ROOT / ".ci" / "rootfs", binary, stage / "rootfs"], check=True)
        built = self("build", "--timestamp", "0", "--build-context", f"build={stage}", "--tag", name, ".")
        return built.stdout.split()[-1]


@pytest.fixture(scope="module")
def buildah():
    if os.geteuid() != 0:
        pytest.skip("mounting the root of a container needs root")
    # Not below the folder of the other tests: what is mounted here must be let go of first.
    with tempfile.TemporaryDirectory(prefix="cognate-image-") as path:
        yield Buildah(pathlib.Path(path))


@pytest.fixture(scope="module")
def image(buildah):
    return buildah.build("cognate:test")


@pytest.fixture(scope="module")
def container(buildah, image):
    """A container of the image, and where its root is mounted."""
    name = buildah("from", "--pull-never", image).stdout.strip()
    yield name, pathlib.Path(buildah("mount", name).stdout.strip())
    buildah("umount", name)
    buildah("rm", name)


def test_the_same_input_gives_the_same_image(buildah, image):
    assert buildah.build("cognate:again") == image


def test_it_holds_one_program_and_the_libraries_of_it(container):  # Q05
    _, root = container
    files = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    programs = [name for name in files if not name.startswith("lib")]
    assert programs == ["cognate"]
    assert all(".so" in name for name in files if name != "cognate")
    for path in root.rglob("*"):
        mode = path.lstat().st_mode
        assert not mode & (stat.S_ISUID | stat.S_ISGID), f"{path} runs with the rights of another"
        if path.name != "data":
            assert path.lstat().st_uid == 0 and not mode & 0o022, f"{path} can be changed"
    assert (root / "data").stat().st_uid == 65532


def test_its_settings_fit_the_chart(buildah, image):
    settings = json.loads(buildah("inspect", "--type", "image", image).stdout)["OCIv1"]["config"]
    assert settings["User"] == "65532:65532"
    assert settings["Entrypoint"] == ["/cognate"] and settings["Cmd"] == ["serve"]
    assert "8080/tcp" in settings["ExposedPorts"] and "/data" in settings["Volumes"]
    assert settings["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_buildah_runs_it_without_root_and_finds_no_shell(buildah, container):  # Q05
    name, _ = container
    assert buildah("run", "--isolation", "chroot", name, "--", "/cognate", "--version").stdout.startswith("cognate ")
    made = buildah("run", "--isolation", "chroot", name, "--", "/cognate", "pools", "list")
    assert "default" in made.stdout
    for shell in ("/bin/sh", "/bin/bash", "/busybox"):
        refused = buildah("run", "--isolation", "chroot", name, "--", shell, "-c", "id", check=False)
        assert refused.returncode != 0 and "no such file" in refused.stderr


# Each becomes the next, so that the child is the service itself.
LOCKED_IN = """
mount --make-rprivate / && mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 1
mount -t tmpfs -o mode=0700,uid=65532,gid=65532 tmpfs "$1/data" || exit 1
exec setpriv --no-new-privs --inh-caps=-all chroot --userspec=65532:65532 --groups= "$1" /cognate serve --listen "$2"
"""


def test_it_serves_as_nobody_on_a_root_that_can_not_be_written(container, tmp_path):  # Q05
    _, root = container
    port = free_port()
    child = Child(
        ["unshare", "--mount", "sh", "-c", LOCKED_IN, "sh", root, f"127.0.0.1:{port}"], tmp_path / "container.log",
        {"COGNATE__DATA": "/data"},
    )
    try:
        def answer(path):
            try:
                return requests.get(f"http://127.0.0.1:{port}/{path}", timeout=2).status_code
            except requests.RequestException:
                return None

        wait_for("readiness", lambda: answer("readyz") == 200, child)
        assert answer("livez") == 200
        status = dict(line.split(":\t", 1) for line in open(f"/proc/{child.pid}/status", encoding="utf-8").read().splitlines())
        assert status["Uid"].split() == ["65532"] * 4 and status["Gid"].split() == ["65532"] * 4 and not status["Groups"].strip()
        assert int(status["CapEff"], 16) == 0 and int(status["CapPrm"], 16) == 0 and status["NoNewPrivs"] == "1"
        mounts = open(f"/proc/{child.pid}/mounts", encoding="utf-8").read().splitlines()
        options = {line.split()[1]: line.split()[3].split(",") for line in mounts}
        assert "ro" in options["/"]
        assert child.terminate() < 10
    finally:
        child.stop()
