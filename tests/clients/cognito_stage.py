"""What the Cognito API is tried with: which operations are built, clients of boto3, and pools of their own."""

import email
import email.policy
import functools
import json
import re
import secrets
import subprocess

import boto3
import yaml
from botocore import UNSIGNED
from botocore.config import Config

from children import wait_for
from service import BINARY

TARGET = "AWSCognitoIdentityProviderService."
PASSWORD = "correct-horse-battery"
REGION = "us-east-1"
FLOWS = ["USER_PASSWORD_AUTH", "ADMIN_USER_PASSWORD_AUTH", "USER_SRP_AUTH", "REFRESH_TOKEN_AUTH"]
# As undemanding as a pool of Cognito's can be, so that one password is good for every user.
LENIENT = {"MinimumLength": 8} | {f"Require{kind}": False for kind in ("Uppercase", "Lowercase", "Numbers", "Symbols")}
# A success of each operation, by the name of its method of boto3.
EXAMPLES = {}


def example(function):
    """Declares the example of the operation that the function is named after."""
    assert function.__name__ not in EXAMPLES
    EXAMPLES[function.__name__] = function
    return function


@functools.cache
def built():
    """The operations that the binary says it has; its table is held to this list by the Rust tests."""
    document = yaml.safe_load(subprocess.run([BINARY, "openapi"], capture_output=True, text=True, check=True).stdout)
    headers = document["paths"]["/"]["post"]["parameters"]
    listed = next(header for header in headers if header.get("name") == "X-Amz-Target")["schema"]["enum"]
    return [name.removeprefix(TARGET) for name in listed]


def access_key(service, *options):
    """An access key for every pool."""
    return json.loads(service.cli("access-keys", "create", "--name", "stage", "--pool", "*", *options, "--json"))


def client(url, key=None, **options):
    """A client of boto3, with an access key or without."""
    keys = {"aws_access_key_id": key["id"], "aws_secret_access_key": key["secret"]} if key else {}
    config = Config(retries={"total_max_attempts": 1}, **({} if key else {"signature_version": UNSIGNED}), **options)
    return boto3.client("cognito-idp", endpoint_url=url, region_name=REGION, config=config, **keys)


class Place:
    """A pool that was made over the API, and a client of it."""

    def __init__(self, stage, client=None, **rules):
        self.stage = stage
        self.admin, self.anyone = stage.admin, stage.anyone
        usual = {"PoolName": "stage", "Policies": {"PasswordPolicy": LENIENT}, "AutoVerifiedAttributes": ["email"]}
        made = self.admin.create_user_pool(**{**usual, **rules})["UserPool"]
        self.pool, self.arn = made["Id"], made["Arn"]
        self.rules = {"UserPoolId": self.pool, **{**usual, **rules}}
        self.client = self.new_client(**(client or {}))["ClientId"]

    def new_client(self, **options):
        """Another client, with every flow unless it says otherwise."""
        usual = {"ClientName": "stage", "ExplicitAuthFlows": [f"ALLOW_{flow}" for flow in FLOWS]}
        return self.admin.create_user_pool_client(UserPoolId=self.pool, **{**usual, **options})["UserPoolClient"]

    def invited(self, name=None):
        """A user who still has the password that an administrator chose."""
        name = name or f"user-{secrets.token_hex(4)}"
        address = [{"Name": "email", "Value": f"{name}@example.test"}, {"Name": "email_verified", "Value": "true"}]
        self.admin.admin_create_user(
            UserPoolId=self.pool, Username=name, UserAttributes=address, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
        return name

    def user(self, name=None):
        """A confirmed user with a verified address."""
        name = self.invited(name)
        self.admin.admin_set_user_password(UserPoolId=self.pool, Username=name, Password=PASSWORD, Permanent=True)
        return name

    def registered(self):
        """A user who has registered and not yet proven the address."""
        name = f"user-{secrets.token_hex(4)}"
        self.anyone.sign_up(
            ClientId=self.client, Username=name, Password=PASSWORD,
            UserAttributes=[{"Name": "email", "Value": f"{name}@example.test"}])
        return name

    def begin(self, name, password=PASSWORD, client=None):
        """What a sign-in with the password answers."""
        return self.anyone.initiate_auth(
            ClientId=client or self.client, AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": password})

    def tokens(self, name, password=PASSWORD, client=None):
        """The tokens of one."""
        return self.begin(name, password, client)["AuthenticationResult"]

    def group(self):
        """A new group's name."""
        name = f"group-{secrets.token_hex(4)}"
        self.admin.create_group(UserPoolId=self.pool, GroupName=name)
        return name

    def code(self, name, digits=6):
        """The code in the newest mail to a user."""
        in_text = re.compile(rf"^\s*(\d{{{digits}}})\s*$", re.M)
        return wait_for(f"a code for {name}", lambda: in_text.search(self.stage.mail_to(name)))[1]


class Stage:
    """A deployment as an administrator and as anybody; the two ask different replicas where there are two."""

    def __init__(self, service):
        self.service = service
        self.admin, self.anyone = client(service.url, access_key(service)), client(service.other)
        self._places = {}

    def place(self, name="usual", client=None, **rules):
        """A pool by a name of ours, made when it is first asked for."""
        if name not in self._places:
            self._places[name] = Place(self, client, **rules)
        return self._places[name]

    def with_mfa(self, mode):
        """A pool that knows authenticator applications."""
        place = self.place(f"mfa {mode}")
        self.admin.set_user_pool_mfa_config(
            UserPoolId=place.pool, MfaConfiguration=mode, SoftwareTokenMfaConfiguration={"Enabled": True})
        return place

    def mail_to(self, name):
        """The text of the newest mail to a user; empty while there is none."""
        found = {}
        for path in (self.service.data / "mail").glob("*.eml"):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if name in str(mail["To"]):
                found[path.stat().st_mtime_ns] = mail.get_body(("plain",)).get_content()
        return found[max(found)] if found else ""
