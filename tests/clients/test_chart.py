"""The chart's values: what both majors of Helm make of them, what is refused, and that they are the program's settings."""

import json
import re
import subprocess

import pytest
import yaml

import chart_settings
import kubernetes as k8s
from kubernetes import ALL_ON, FILES, NAMES, values
from service import BINARY

@pytest.mark.parametrize("path", FILES, ids=NAMES)
@pytest.mark.parametrize("major", k8s.HELMS)
def test_both_majors_lint_and_render(major, path):
    assert k8s.helm(major, "version", "--short").stdout.startswith(f"v{major}.")
    k8s.helm(major, "lint", "--strict", k8s.CHART, *values(path))
    assert k8s.template(*values(path), *ALL_ON, major=major) == k8s.template(*values(path), *ALL_ON)


@pytest.mark.parametrize("major", k8s.HELMS)
def test_it_packages_without_its_examples(major, tmp_path):
    k8s.helm(major, "package", k8s.CHART, "--destination", tmp_path)
    package = next(tmp_path.glob("cognate-*.tgz"))
    names = k8s.run("tar", "tzf", package).stdout
    assert "cognate/values.schema.json" in names and "cognate/rules/cognate.yaml" in names and "examples" not in names
    k8s.helm(major, "template", "cognate", package)


REFUSED = [
    ("mode=cluster", "mode"),
    ("replicas=two", "replicas"),
    ("replicas=3", "replicas: the embedded store has one process"),
    ("autoscaling.enabled=true", "autoscaling.enabled: the embedded store has one process"),
    ("replicaCount=2", "replicaCount"),
    ("image.tag=a b", "tag"),
    ("image.digest=sha256:abc", "digest"),
    ("image.pullPolicy=Sometimes", "pullPolicy"),
    ("runAs.user=0", "user"),
    ("service.port=70000", "port"),
    ("service.type=ExternalName", "type"),
    ("probes.liveness.path=/readyz", "path"),
    ("probes.readiness.path=/metrics", "path"),
    ("persistence.size=big", "size"),
    ("persistence.accessMode=ReadWriteMany", "accessMode"),
    ("resources.limits.memory=lots", "memory"),
    ("resources.limits.memory=64Mi", "resources.limits.memory: 64Mi is too little for 2 passwords hashed at once; it takes 102 MiB"),
    ("resources.limits.cpu=null", "config.password.threads: without resources.limits.cpu every core"),
    ("terminationGracePeriodSeconds=10", "terminationGracePeriodSeconds: must be at least 19"),
    ("networkPolicy.toPorts[0]=0", "toPorts"),
    ("serviceMonitor.interval=often", "interval"),
    ("ingress.enabled=true", "ingress.hosts: name at least one host"),
    ("ingress.enabled=true,ingress.hosts[0]=a.example", "config.http.trusted_proxies: the network of the Pods"),
    ("ingress.hosts[0]=https://a.example", "hosts"),
    ("httpRoute.enabled=true", "httpRoute.parentRefs: name the Gateway"),
    ("closedPaths[0]=metrics", "closedPaths"),
    ("extraEnv[0].value=x", "name"),
    # Settings of the program: names, types and forms.
    ("config.http.drian=4s", "drian"),
    ("config.htpt.drain=4s", "htpt"),
    ("config.http.drain=4", "drain"),
    ("config.http.drain=soon", "drain"),
    ("config.http.listen=8080", "listen"),
    ("config.http.public_url=auth.example.com", "public_url"),
    ("config.http.trusted_proxies[0]=everybody", "trusted_proxies"),
    ("config.http.body_limit=0", "body_limit"),
    ("config.log.format=xml", "format"),
    ("config.password.iterations=-1", "iterations"),
    # Secrets are no settings in the clear.
    ("config.tokens.url=redis://a", "url"),
    ("config.directory.url=postgres://a/b", "url"),
    ("secrets.master_key.existingSecret=a,secrets.master_key.value=b", "secrets.master_key: give existingSecret or value, not both"),
    ("secrets.tokens_url.existingSecret=a", "set mode to shared, or take them away"),
    ("secrets.master_key.secretName=a", "secretName"),
    ("secrets.password.value=a", "password"),
    # What several copies need.
    ("mode=shared", "secrets.master_key: several copies need one master key; make it once with `openssl rand -base64 32`"),
    ("mode=shared,secrets.master_key.existingSecret=a", "secrets.directory_url: mode shared needs PostgreSQL"),
    ("mode=shared,secrets.master_key.existingSecret=a,secrets.directory_url.existingSecret=a", "config.http.public_url: the URL that your clients use"),
]


@pytest.mark.parametrize("given, said", REFUSED, ids=[given for given, _ in REFUSED])
@pytest.mark.parametrize("major", k8s.HELMS)
def test_nonsense_is_refused_in_words(major, given, said):
    assert said in k8s.refusal("--set", given, major=major)


def test_the_values_are_the_settings_of_the_program():
    """Names, defaults, words and types. `python tests/clients/chart_settings.py` writes them."""
    text, schema = chart_settings.written(chart_settings.settings(BINARY))
    advice = "run: python tests/clients/chart_settings.py, and look at the diff"
    assert chart_settings.VALUES.read_text(encoding="utf-8") == text, advice
    assert json.loads(chart_settings.SCHEMA.read_text(encoding="utf-8")) == json.loads(schema), advice


def test_every_value_is_explained_and_has_a_schema():
    text = chart_settings.VALUES.read_text(encoding="utf-8")
    schema = json.loads(chart_settings.SCHEMA.read_text(encoding="utf-8"))
    assert set(yaml.safe_load(text)) == set(schema["properties"]) - {"global"}

    def closed(shape, path):
        if shape.get("properties"):
            assert shape["additionalProperties"] is False, path
        for name, inner in shape.get("properties", {}).items():
            closed(inner, f"{path}.{name}")

    closed(schema, "")
    for part in schema["$defs"].values():
        closed(part, "$defs")
    self_explaining = {"nodeSelector", "tolerations", "affinity", "priorityClassName"}
    lines = text.splitlines()
    for above, line in zip(lines, lines[1:]):
        name = re.match(r"(\w+):", line)
        if name and name[1] not in self_explaining | {"image", "serviceAccount", "service", "networkPolicy", "prometheusRule", "extraVolumeMounts"}:
            assert above.startswith("#"), f"nothing says what {name[1]} is"


@pytest.mark.parametrize("name", NAMES)
def test_the_program_understands_the_settings_that_it_is_given(rendered, name, tmp_path):
    """The file of the ConfigMap, with the mounted secrets put in its place."""
    path = k8s.settings_file(rendered[name], tmp_path)
    text = path.read_text(encoding="utf-8")
    secrets = {"master_key": "A" * 43 + "=", "directory_url": "postgres://a@b/c", "tokens_url": "redis://a", "mail_url": "smtp://a"}
    for secret, content in secrets.items():
        (tmp_path / secret).write_text(content, encoding="utf-8")
    path.write_text(text.replace("/etc/cognate/secrets", str(tmp_path)), encoding="utf-8")
    env = {item["name"]: item["value"] for item in k8s.pod(rendered[name])["containers"][0].get("env", [])}
    if "COGNATE__MASTER_KEY_FILE" in env:
        env["COGNATE__MASTER_KEY_FILE"] = str(tmp_path / "master_key")
    said = subprocess.run([BINARY, "--config", path, "config", "--json"], env=env, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    rows = {row["name"]: row["value"] for row in json.loads(said.stdout)}
    given = yaml.safe_load(chart_settings.VALUES.read_text(encoding="utf-8"))["config"]
    changed = {}
    for source in [given, *([yaml.safe_load(open(k8s.CHART / "examples" / f"{name}.yaml"))["config"]] if name != "default" else [])]:
        for section, settings in source.items():
            changed |= {f"{section}.{setting}": value for setting, value in settings.items()}
    for setting, value in changed.items():
        if value not in ("", []) and setting != "http.public_url":
            shown = ",".join(value) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)
            assert rows[setting] == shown, setting
    assert rows["data"] == "/data" and rows["http.public_url"].startswith("http")
