"""The chart, as far as it can be judged without an API server: by helm of both majors, schemas, rules and policies."""

import copy
import json
import re
import subprocess

import pytest
import yaml

import chart_settings
import kubernetes as k8s
from service import BINARY, ROOT

FILES = [None, *k8s.EXAMPLES]
NAMES = ["default", *(path.stem for path in k8s.EXAMPLES)]
# Everything that can be turned on, over an example.
ALL_ON = ["--set", "serviceMonitor.enabled=true,prometheusRule.enabled=true,dashboard.enabled=true"]
MASTER = ["--set", "secrets.master_key.existingSecret=cognate"]
SHARED = ["--set", "mode=shared,secrets.directory_url.existingSecret=cognate,config.http.public_url=https://a.example", *MASTER]


def values(path):
    return ["--values", path] if path else []


@pytest.fixture(scope="module")
def rendered():
    """Every example, with everything turned on."""
    return {name: k8s.template(*values(path), *ALL_ON) for name, path in zip(NAMES, FILES)}


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


def test_no_secret_is_made_and_none_is_in_the_settings(rendered):  # Q05
    for name, objects in rendered.items():
        assert not k8s.of_kind(objects, "Secret"), name
    given = "postgres://user:hunter2@db/x"
    objects = k8s.template("--set", "mode=shared,config.http.public_url=https://a.example", *MASTER, "--set", f"secrets.directory_url.value={given}")
    text = yaml.safe_dump_all(found for found in objects if found["kind"] != "Secret")
    assert "hunter2" not in text
    assert list(k8s.one(objects, "Secret")["data"]) == ["directory_url"]


def test_rendering_again_changes_nothing():
    assert k8s.template(*ALL_ON) == k8s.template(*ALL_ON)
    assert k8s.template(*ALL_ON) == k8s.template(*ALL_ON, "--is-upgrade")


@pytest.mark.parametrize("version", ["1.27", "1.37"])
def test_every_object_fits_the_strict_schema_of_kubernetes(rendered, version, tmp_path):
    for name, objects in rendered.items():
        known = [found for found in objects if found["kind"] not in [*k8s.CUSTOM, "ExternalSecret"]]
        k8s.run(k8s.tool("kubernetes-validate"), "--strict", "-k", version, k8s.dump(known, tmp_path / f"{name}.yaml"))
    wrong = copy.deepcopy(k8s.one(rendered["default"], "Service"))
    wrong["spec"]["ports"][0]["targetPortt"] = 1
    assert k8s.run(
        k8s.tool("kubernetes-validate"), "--strict", "-k", version, k8s.dump([wrong], tmp_path / "wrong.yaml"), check=False,
    ).returncode != 0


def test_custom_resources_fit_their_schemas(rendered):
    found = [item for objects in rendered.values() for item in objects if item["kind"] in k8s.CUSTOM]
    assert {item["kind"] for item in found} == set(k8s.CUSTOM)
    script = ROOT / "tests" / "clients" / "js" / "custom_resources.mjs"
    k8s.run("node", script, stdin=json.dumps(found))
    wrong = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": "x"}, "spec": {"parentRefs": [{}]}}
    assert k8s.run("node", script, stdin=json.dumps([wrong]), check=False).returncode != 0


# What the policies ask for and is not so, and why.
EXCUSED = {
    "CKV_K8S_43": "a digest can be given (image.digest); there is no published image to pin",
    "CKV_K8S_15": "tags of releases do not move; Always would keep a Pod from starting while the registry is away",
    "CKV_K8S_21": "the namespace is the release's",
}
# The same for the Pod of `helm test`, which asks once and ends.
EXCUSED_ONCE = {
    "CKV_K8S_8": "nothing to keep alive", "CKV_K8S_9": "nothing to be ready for", "CKV2_K8S_6": "it answers nobody",
}


def test_the_policies_are_kept(rendered, tmp_path):
    for name, objects in rendered.items():
        known = [found for found in objects if found["kind"] not in [*k8s.CUSTOM, "ExternalSecret"]]
        k8s.dump(known, tmp_path / f"{name}.yaml")
    report = k8s.run(
        k8s.tool("checkov"), "-d", tmp_path, "--framework", "kubernetes", "--skip-download", "--quiet", "--compact", "-o", "json",
        "--skip-check", ",".join(EXCUSED), check=False,
    ).stdout
    found = json.loads(report)
    excused = lambda check: check["check_id"] in EXCUSED_ONCE and check["resource"].startswith("Pod.") and check["resource"].endswith("-test")  # noqa: E731
    failed = [
        f"{check['check_id']} {check['check_name']}: {check['resource']}"
        for check in found["results"]["failed_checks"] if not excused(check)
    ]
    assert failed == []
    print(f"{found['summary']['passed']} passed")
    assert found["summary"]["passed"] > 300


def test_every_container_is_locked_in(rendered):  # Q05
    for objects in rendered.values():
        pods = [k8s.pod(objects), *(found["spec"] for found in k8s.of_kind(objects, "Pod"))]
        for spec in pods:
            assert spec["automountServiceAccountToken"] is False and spec["enableServiceLinks"] is False
            assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"] == 65532
            for container in [*spec.get("initContainers", []), *spec["containers"]]:
                security = container["securityContext"]
                assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
                assert security["capabilities"] == {"drop": ["ALL"]}
                assert security["seccompProfile"] == {"type": "RuntimeDefault"}


def test_a_pod_has_the_time_to_drain():  # R27
    for drain, shutdown, wanted in [("4s", "15s", 25), ("1m 30s", "500ms", 97), ("20s", "1m", 86)]:
        objects = k8s.template("--set", f"config.http.drain={drain},config.http.shutdown={shutdown}")
        assert k8s.pod(objects)["terminationGracePeriodSeconds"] == wanted


def test_a_store_that_is_down_takes_no_pod_out_of_the_service(rendered):
    """The probes that the outage contract needs: only a Pod that never was ready is kept out by its stores."""
    for objects in rendered.values():
        container = k8s.pod(objects)["containers"][0]
        paths = {probe: container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert paths == {"startupProbe": "/readyz", "livenessProbe": "/livez", "readinessProbe": "/livez"}


def test_the_embedded_store_makes_its_key_on_the_volume_and_only_there(tmp_path):
    """What the init container runs, twice: a key is made, then kept; and a key that is gone is a refusal."""
    spec = k8s.pod(k8s.template())
    maker = spec["initContainers"][0]
    assert maker["args"][2:] == ["keys", "list"]
    path = k8s.settings_file(k8s.template(), tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace('"/data"', json.dumps(str(tmp_path / "data"))), encoding="utf-8")
    env = {item["name"]: item["value"] for item in maker["env"]}
    make = lambda: subprocess.run([BINARY, "--config", path, *maker["args"][2:]], env=env, capture_output=True, text=True, check=False)  # noqa: E731
    first = make()
    assert first.returncode == 0, first.stderr
    key = tmp_path / "data" / "master.key"
    made = key.read_text(encoding="utf-8")
    assert make().returncode == 0 and key.read_text(encoding="utf-8") == made
    key.unlink()
    refused = make()
    assert refused.returncode != 0 and "sealed under a master key that is not here" in refused.stderr
    assert not key.exists()
    assert "initContainers" not in k8s.pod(k8s.template(*MASTER))


def test_paths_of_the_operator_are_closed_to_the_outside(rendered):
    paths = k8s.one(rendered["one-node"], "Ingress")["spec"]["rules"][0]["http"]["paths"]
    closed = [path["path"] for path in paths if path["backend"]["service"]["name"].endswith("-closed")]
    assert closed == ["/metrics", "/livez", "/readyz", "/docs"]
    services = {found["metadata"]["name"]: found["spec"] for found in k8s.of_kind(rendered["one-node"], "Service")}
    assert "selector" not in services["cognate-closed"]
    rules = k8s.one(rendered["redis-postgres"], "HTTPRoute")["spec"]["rules"]
    assert [match["path"]["value"] for match in rules[0]["matches"]] == closed and "backendRefs" not in rules[0]


def test_labels_and_names_hold_together(rendered):
    for objects in rendered.values():
        workload = k8s.one(objects, "Deployment" if k8s.of_kind(objects, "Deployment") else "StatefulSet")
        labels = workload["spec"]["template"]["metadata"]["labels"]
        service = next(found for found in k8s.of_kind(objects, "Service") if "selector" in found["spec"])
        selectors = [service["spec"]["selector"], workload["spec"]["selector"]["matchLabels"]]
        selectors += [found["spec"]["selector"]["matchLabels"] for found in k8s.of_kind(objects, "PodDisruptionBudget")]
        selectors += [found["spec"]["podSelector"]["matchLabels"] for found in k8s.of_kind(objects, "NetworkPolicy")]
        for selector in selectors:
            assert selector.items() <= labels.items()
        assert k8s.one(objects, "ServiceMonitor")["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    long = k8s.template("--set", "fullnameOverride=" + "a" * 60)
    assert all(len(found["metadata"]["name"]) <= 63 for found in long)


def metrics():
    """Every series that the program describes."""
    return set(re.findall(r'"(cognate_\w+)"', (ROOT / "src" / "telemetry.rs").read_text(encoding="utf-8")))


def series(text):
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in re.findall(r"\bcognate_\w+", text)}


def test_rules_and_dashboard_use_series_that_there_are(rendered):
    rules = (k8s.CHART / "rules" / "cognate.yaml").read_text(encoding="utf-8")
    board = (k8s.CHART / "dashboards" / "cognate.json").read_text(encoding="utf-8")
    assert series(rules) <= metrics()
    assert series(board) == metrics(), "the dashboard shows every series"
    titles = [panel["title"] for panel in json.loads(board)["panels"]]
    assert len(titles) == len(set(titles))
    for objects in rendered.values():
        shown = [found for found in k8s.of_kind(objects, "ConfigMap") if found["metadata"]["name"].endswith("-dashboard")]
        assert json.loads(shown[0]["data"]["cognate.json"])["title"] == "Cognate"


def test_alerts_fire_on_what_they_are_for(rendered, tmp_path):
    promtool = k8s.tool("promtool")
    k8s.run(promtool, "check", "rules", k8s.CHART / "rules" / "cognate.yaml")
    k8s.run(promtool, "test", "rules", ROOT / "tests" / "clients" / "chart" / "rules_test.yaml")
    for number, objects in enumerate(rendered.values()):
        k8s.run(promtool, "check", "rules", k8s.dump([k8s.one(objects, "PrometheusRule")["spec"]], tmp_path / f"{number}.yaml"))
    named = k8s.template(*ALL_ON, "--set", "config.keys.rotate_after=30d", name="blue", namespace="auth")
    text = yaml.safe_dump(k8s.one(named, "PrometheusRule")["spec"], width=1000)
    assert 'job="blue-cognate",namespace="auth"' in text and 'job="cognate"' not in text
    assert "> 2678400" in text


def test_every_expression_of_the_dashboard_is_promql(tmp_path):
    board = json.loads((k8s.CHART / "dashboards" / "cognate.json").read_text(encoding="utf-8"))
    expressions = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    assert len(expressions) > 15
    rules = [{"record": f"panel:{number}", "expr": text.replace("$__rate_interval", "5m")} for number, text in enumerate(expressions)]
    path = k8s.dump([{"groups": [{"name": "dashboard", "rules": rules}]}], tmp_path / "dashboard.yaml")
    k8s.run(k8s.tool("promtool"), "check", "rules", path)
