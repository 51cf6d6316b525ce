"""The README's lines for each client of Cognito's, run as they stand there against a service with TLS; and its table of
what the tests show of each client."""

import os
import re
import subprocess
import sys

import pytest

import matrix
from cognito_stage import PASSWORD, Stage, access_key
from service import HERE, ROOT, Service
from test_verifiers import certificate_for_loopback

CHAPTER = (ROOT / "README.md").read_text(encoding="utf-8").split("### Client by client\n")[1].split("\n## ")[0]
LINES = re.findall(r"```(python|js|sh)\n(.*?)```", CHAPTER, re.S)
RUN = {"python": [sys.executable, "-"], "js": ["node", "--input-type=module", "-"], "sh": ["bash", "-e"]}
# Each with the style of issuer that its paragraph names.
CASES = [("aws" if "CognitoJwtVerifier" in lines else "self", language, lines) for language, lines in LINES]


class Application:
    """Runs lines against a service with one style of issuer, where Alice has an account."""

    def __init__(self, folder, style):
        place = folder / f"readme-{style}"
        place.mkdir()
        certificate = certificate_for_loopback(place)
        trusted = certificate["COGNATE__HTTP__CERTIFICATE_FILE"]
        self.service = Service(place, env={**certificate, "COGNATE__COGNITO__ISSUER_STYLE": style})
        key = access_key(self.service)
        self.env = {
            **os.environ, "NODE_EXTRA_CA_CERTS": trusted, "AWS_CA_BUNDLE": trusted, "REQUESTS_CA_BUNDLE": trusted,
            "AWS_PAGER": "", "AWS_ACCESS_KEY_ID": key["id"], "AWS_SECRET_ACCESS_KEY": key["secret"],
        }
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_CA_BUNDLE", trusted)
            self.place = Stage(self.service).place()
            self.access_token = self.place.tokens(self.place.user("alice"))["AccessToken"]

    def run(self, language, lines):
        """What became of the lines, with our names in the place of the example's."""
        ours = {"https://auth.example.com": self.service.url, "us-east-1_EXAMPLE": self.place.pool,
                "CLIENT_ID": self.place.client}
        for example, real in ours.items():
            lines = lines.replace(example, real)
        if "(accessToken)" in lines:
            lines = f"const accessToken = '{self.access_token}';\n{lines}"
        return subprocess.run(
            RUN[language], input=lines, cwd=HERE, env=self.env, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def applications(folder):
    """One for each style of issuer."""
    made = {style: Application(folder, style) for style in ("self", "aws")}
    yield made
    for application in made.values():
        application.service.stop()


@pytest.mark.parametrize("style, language, lines", CASES, ids=range(len(CASES)))
def test_the_lines_of_the_readme_do_what_they_are_there_for(applications, style, language, lines):
    done = applications[style].run(language, lines)
    assert done.returncode == 0, done.stderr
    wanted = [r"alice", r'"AccessToken"'] if language == "sh" else [r"^alice$"]
    assert all(re.search(word, done.stdout, re.M) for word in wanted), done.stdout + done.stderr


def test_the_readme_has_lines_for_every_client():
    assert len(LINES) == 8
    assert PASSWORD in CHAPTER
    assert all(f"**{name}" in CHAPTER for name in
               ("boto3", "AWS CLI", "AWS SDK for JavaScript v3", "AWS Amplify 6", "amazon-cognito-identity-js", "pycognito",
                "aws-jwt-verify"))


def test_the_readmes_table_is_what_the_tests_show():
    assert matrix.table() in CHAPTER, f"the table should be:\n{matrix.table()}"
