"""The tools that judge the chart, and the chart as they see it."""

import os
import pathlib
import shutil
import subprocess

import yaml

from service import ROOT

CHART = ROOT / "helm"
EXAMPLES = sorted((CHART / "examples").glob("*.yaml"))
# Where tests/run puts what it unpacks.
TOOLS = pathlib.Path(os.environ.get("COGNATE_TEST_KUBERNETES", ROOT / ".venv" / "kubernetes"))
HELMS = {"3": TOOLS / "helm3", "4": TOOLS / "helm4"}
# The default values and every example.
FILES = [None, *EXAMPLES]
NAMES = ["default", *(path.stem for path in EXAMPLES)]
# Everything that can be turned on, over an example.
ALL_ON = ["--set", "serviceMonitor.enabled=true,prometheusRule.enabled=true,dashboard.enabled=true"]
MASTER = ["--set", "secrets.master_key.existingSecret=cognate"]
# What Kubernetes itself does not know.
CUSTOM = ["PrometheusRule", "ServiceMonitor", "HTTPRoute"]


def run(*command, stdin=None, check=True):
    """A tool's run; its whole output is the message when it fails."""
    done = subprocess.run(
        list(map(str, command)), input=stdin, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT,
    )
    assert done.returncode == 0 or not check, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done


def tool(name):
    path = TOOLS / "bin" / name
    found = path if path.exists() else shutil.which(name)
    if not found:
        raise RuntimeError(f"{name} is not there: run tests/run, which installs it")
    return found


def helm(major, *args, **more):
    if not HELMS[major].exists():
        raise RuntimeError(f"{HELMS[major]} is not there: run tests/run, which installs it")
    return run(HELMS[major], *args, **more)


def values(path):
    return ["--values", path] if path else []


def template(*args, major="4", name="cognate", namespace="default"):
    """The rendered objects."""
    text = helm(major, "template", name, CHART, "--namespace", namespace, *args).stdout
    return [found for found in yaml.safe_load_all(text) if found]


def refusal(*args, major="4"):
    """Why values are refused, in one line without Helm's own words around it."""
    done = helm(major, "template", "cognate", CHART, *args, check=False)
    assert done.returncode != 0, f"{args} was accepted"
    return " ".join(done.stderr.split())


def of_kind(objects, kind):
    return [found for found in objects if found["kind"] == kind]


def one(objects, kind):
    found = of_kind(objects, kind)
    assert len(found) == 1, f"{len(found)} of {kind}"
    return found[0]


def pod(objects):
    """The Pod of whichever workload there is."""
    return one(objects, "Deployment" if of_kind(objects, "Deployment") else "StatefulSet")["spec"]["template"]["spec"]


def settings_file(objects, folder):
    """The program's settings, as the container gets them."""
    path = folder / "cognate.toml"
    texts = [found["data"]["cognate.toml"] for found in of_kind(objects, "ConfigMap") if "cognate.toml" in found["data"]]
    path.write_text(texts[0], encoding="utf-8")
    return path


def dump(objects, path):
    path.write_text(yaml.safe_dump_all(objects, sort_keys=False), encoding="utf-8")
    return path
