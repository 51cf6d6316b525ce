"""A service with a secret that is none does not start."""

import os
import subprocess

import pytest

from children import free_port
from service import BINARY


@pytest.mark.parametrize("key", ["", "secret", "AAAA", "c2hvcnQ=", "not base64 !!!", "A" * 42])
def test_an_empty_or_short_master_key_is_refused_at_the_start(tmp_path, key):  # A05
    file = tmp_path / "master.key"
    file.write_text(key)
    for settings in ({"COGNATE__MASTER_KEY": key}, {"COGNATE__MASTER_KEY_FILE": str(file)}):
        command = [BINARY, "--data", tmp_path / "data", "serve", "--listen", f"127.0.0.1:{free_port()}"]
        run = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=20, check=False)
        assert run.returncode != 0 and "master" in run.stderr, run.stderr
        assert not key or key not in run.stderr.replace(str(file), "")
