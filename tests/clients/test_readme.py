"""The quick start of the README, typed as it stands there, answers as it says there."""

import re
import shlex
import subprocess

import pytest

from service import BINARY, ROOT, Service

BLOCK = re.compile(r"```sh\n(?P<commands>.*?)```(?:\n```json\n(?P<answer>.*?)```)?", re.S)


def quick_start():
    """The commands after the first, with the answers that are printed below them."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    chapter = text.split("## Quick start")[1].split("\n## ")[0]
    first, *rest = BLOCK.finditer(chapter)
    assert first["commands"] == "cargo run -- serve\n"
    return [(block["commands"], block["answer"] or "") for block in rest]


def pattern(answer):
    """An answer with `…` where it differs from run to run."""
    return "[^\"]+".join(re.escape(part) for part in answer.rstrip("\n").split("…"))


def test_the_quick_start_answers_what_the_readme_says(folder):
    place = folder / "readme"
    place.mkdir()
    service = Service(place)
    try:
        story = quick_start()
        script = "set -u\n" + "".join(f"{commands}\nprintf '\\n=====\\n'\n" for commands, _ in story)
        script = script.replace("http://127.0.0.1:8080", service.url)
        script = script.replace("THE TEMPORARY PASSWORD", service.bootstrap_password())
        printed = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120, check=True).stdout
        answers = [answer.strip("\n") for answer in printed.split("\n=====\n")]
        assert len(story) == 5
        for (commands, wanted), answer in zip(story, answers):
            assert re.fullmatch(pattern(wanted), answer), f"{commands}\nanswered {answer}\nnot     {wanted}"
    finally:
        service.stop()


def commands():
    """Every call of the binary in the README."""
    for block in BLOCK.finditer((ROOT / "README.md").read_text(encoding="utf-8")):
        for line in block["commands"].replace(" && ", "\n").splitlines():
            if line.startswith("cognate "):
                yield line


@pytest.mark.parametrize("line", list(commands()))
def test_every_command_of_the_readme_is_understood(line):
    asked = subprocess.run([BINARY, *shlex.split(line)[1:], "--help"], capture_output=True, text=True, timeout=20, check=False)
    assert asked.returncode == 0, asked.stderr
