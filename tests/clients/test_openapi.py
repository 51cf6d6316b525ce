"""The OpenAPI document: its examples fit its schemas, and the service does nothing that it does not describe."""

import json
import os
import subprocess
import sys

import jsonschema
import jwt
import pytest
import yaml

from service import HERE, PASSWORD, ROOT, Service

DOCUMENT = ROOT / "openapi.yaml"
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance,negative_data_rejection"
)


def resolve(document, node):
    """Follows one reference inside the document."""
    if "$ref" not in node:
        return node
    for part in node["$ref"].removeprefix("#/").split("/"):
        document = document[part.replace("~1", "/").replace("~0", "~")]
    return document


def contents(document):
    """Every place that has a schema and examples, with its name."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            bodies = {"request": operation.get("requestBody", {})}
            bodies |= {status: resolve(document, answer) for status, answer in operation["responses"].items()}
            for place, body in bodies.items():
                for kind, content in body.get("content", {}).items():
                    yield f"{method} {path} {place} {kind}", content


def test_every_body_has_examples_and_they_fit():
    document = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    count = 0
    for place, content in contents(document):
        assert content.get("examples"), f"{place} has no example"
        for name, example in content["examples"].items():
            schema = {**content["schema"], "components": document["components"]}
            value = resolve(document, example)["value"]
            error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(value))
            assert error is None, f"{place}, example {name}: {error.message}"
            count += 1
    assert count > 50


@pytest.fixture
def fuzzed(folder):
    """A service whose throttles stay out of the way, with the user of the examples and those of the hooks."""
    place = folder / "fuzzed"
    place.mkdir()
    service = Service(place, env={"COGNATE__LIMITS__SOURCE_FAILURES": "1000000", "COGNATE__LIMITS__ACCOUNT_FAILURES": "1000000"})
    service.user("alice")
    for name in ("member.of.the.hooks", "administrator.of.the.hooks"):
        service.user(name, "only the hooks know this one")
    # The group comes with the first administrator, a moment after the service is ready.
    service.bootstrap_password()
    service.cli("groups", "add", "admin", "administrator.of.the.hooks")
    yield service
    service.stop()


def test_the_service_answers_only_what_the_document_says(fuzzed):
    issuer = jwt.decode(fuzzed.sign_in("alice", PASSWORD)["access_token"], options={"verify_signature": False})["iss"]
    report = fuzzed.folder / "report.json"
    command = [
        os.path.join(os.path.dirname(sys.executable), "schemathesis"), "--config-file", HERE / "schemathesis.toml",
        "run", DOCUMENT, "--url", fuzzed.url, "--checks", CHECKS, "--max-examples", "100", "--workers", "1",
        "--request-timeout", "20", "--generation-deterministic", "--continue-on-failure",
        "--report", "json", "--report-json-path", report,
    ]
    env = {**os.environ, "POOL": issuer.rsplit("/", 1)[1], "FUZZED_URL": fuzzed.url, "PYTHONPATH": str(HERE)}
    run = subprocess.run(command, env=env, cwd=fuzzed.folder, check=False)
    assert run.returncode == 0, "the failures are above"
    # Cases that went wrong in the fuzzer itself are no failures to it, but they tried nothing.
    tried = json.loads(report.read_text(encoding="utf-8"))
    assert tried["test_cases"]["errored"] == 0
    assert tried["operations"]["tested"] == tried["operations"]["total"]
    assert fuzzed.replicas[0].alive()
