"""The chart's objects, as far as they can be judged without an API server: by schemas, policies, rules and the program."""

import copy
import json
import re
import subprocess

import pytest
import yaml

import kubernetes as k8s
from kubernetes import ALL_ON, MASTER
from service import BINARY, ROOT


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
    texts = [(ROOT / "src" / name).read_text(encoding="utf-8") for name in ("telemetry.rs", "api/ops.rs")]
    return set(re.findall(r'"(cognate_\w+)"', "".join(texts)))


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
