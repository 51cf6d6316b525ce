"""Moving in and out: import jobs with boto3 and urllib as they are, and a pool carried into another deployment."""

import json
import secrets
import time
import urllib.error
import urllib.request

import boto3
import pycognito
import pyotp
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from pycognito.exceptions import SoftwareTokenMFAChallengeException

from service import Service

PASSWORD = "Correct-horse-7-battery"
ROLE = "arn:aws:iam::123456789012:role/CognitoImport"
CLIENT = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})


def administrator(service, url=None):
    key = json.loads(service.cli("access-keys", "create", "--name", "moving", "--pool", "*", "--json"))
    return boto3.client(
        "cognito-idp", endpoint_url=url or service.url, region_name="us-east-1", aws_access_key_id=key["id"],
        aws_secret_access_key=key["secret"], config=Config(retries={"total_max_attempts": 1}))


def user_client(service):
    return boto3.client("cognito-idp", endpoint_url=service.url, region_name="us-east-1", config=CLIENT)


# Made by other libraries than ours, as tests/hash.rs says, of HASHED.
HASHED = "Grüße, 世界 12"
HASHES = {
    "ARGON2ID": "$argon2id$v=19$m=1024,t=3,p=4$nb8gBLlA/CHN3+rbWDppoA$tuxdFUGKBrUfWVaNnG3OiIvZ8sNHlu5dDE4vP4cI7Jg",
    "BCRYPT": "$2b$05$xBM2Z2M11PyK9J/Q8PGTFeEoW7DvPeziYURO3m9v59tvVaqqzXffq",
    "PBKDF2_SHA256": "$pbkdf2-sha256$12000$jhFiLAVgTAmhFIKwNmZMKQ$bX4wsq3TTv2GLA/KKnb0jfPSXxbXqGsQIsEc73e5DD0",
    "SCRYPT": "$scrypt$ln=10,r=8,p=1$mLMWwjinNGasNWbsXWtNSQ$0GdOUNsLZeBGXrW+1s/y91B73YAoAH0nQ+jS1qPgZdc",
}


def row(header, **values):
    defaults = {"email_verified": "false", "phone_number_verified": "false", "cognito:mfa_enabled": "false"}
    escaped = {name: str(value).replace("\\", "\\\\").replace(",", "\\,") for name, value in (defaults | values).items()}
    return ",".join(escaped.get(name, "") for name in header)


def put(url, file):
    request = urllib.request.Request(
        url, data=file.encode(), method="PUT", headers={"x-amz-server-side-encryption": "aws:kms"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status


@pytest.fixture
def pool(service):
    cognito = administrator(service)
    made = cognito.create_user_pool(PoolName="moving", AutoVerifiedAttributes=["email"])["UserPool"]["Id"]
    yield made
    cognito.delete_user_pool(UserPoolId=made)


def app_client(cognito, pool):
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    made = cognito.create_user_pool_client(UserPoolId=pool, ClientName="web", ExplicitAuthFlows=flows)
    return made["UserPoolClient"]["ClientId"]


def finished(cognito, pool, job):
    def look():
        found = cognito.describe_user_import_job(UserPoolId=pool, JobId=job)["UserImportJob"]
        return found if found["Status"] not in ("Pending", "InProgress", "Stopping") else None

    deadline = time.monotonic() + 120
    while (found := look()) is None:
        assert time.monotonic() < deadline, "the job does not end"
        time.sleep(0.1)
    return found


@pytest.mark.parametrize("algorithm", HASHES)
def test_a_job_takes_users_over_with_the_passwords_they_have(service, pool, algorithm):
    cognito, other = administrator(service), administrator(service, service.other)
    header = cognito.get_csv_header(UserPoolId=pool)["CSVHeader"] + ["cognito:password_hash"]
    job = other.create_user_import_job(
        JobName="move in", UserPoolId=pool, CloudWatchLogsRoleArn=ROLE, PasswordHashingAlgorithm=algorithm)
    job = job["UserImportJob"]
    hashed = {"cognito:username": "ann", "cognito:password_hash": HASHES[algorithm]}
    rows = [
        ",".join(header),
        row(header, **hashed, email="ann@example.com", email_verified="true", birthdate="12/31/1990", name="Ann, A."),
        row(header, **{"cognito:username": "bob"}, email="bob@example.com", email_verified="true"),
        row(header, **{"cognito:username": "cyd"}, email="cyd@example.com"),
    ]
    with pytest.raises(cognito.exceptions.PreconditionNotMetException):
        cognito.start_user_import_job(UserPoolId=pool, JobId=job["JobId"])
    assert put(job["PreSignedUrl"], "\n".join(rows)) == 200
    assert cognito.start_user_import_job(UserPoolId=pool, JobId=job["JobId"])["UserImportJob"]["Status"] == "Pending"
    done = finished(other, pool, job["JobId"])
    assert (done["Status"], done["ImportedUsers"], done["SkippedUsers"], done["FailedUsers"]) == ("Succeeded", 2, 0, 1)
    assert done["PasswordHashingAlgorithm"] == algorithm and done["CompletionMessage"] == "The_user_import_job_has_completed"
    assert "[FAILED] Line Number 4 - The User Record" in service.cli("users", "--pool", pool, "jobs", job["JobId"])

    client = app_client(cognito, pool)
    users = user_client(service)
    for wrong in ("ann", "bob"):
        with pytest.raises(users.exceptions.NotAuthorizedException):
            users.initiate_auth(ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": wrong, "PASSWORD": "no"})
    signed_in = users.initiate_auth(
        ClientId=client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "ann", "PASSWORD": HASHED})
    me = users.get_user(AccessToken=signed_in["AuthenticationResult"]["AccessToken"])
    attributes = {attribute["Name"]: attribute["Value"] for attribute in me["UserAttributes"]}
    assert (attributes["name"], attributes["birthdate"]) == ("Ann, A.", "1990-12-31")
    # That sign-in left an Argon2id hash and a verifier.
    srp(service, pool, client, "ann").authenticate(HASHED)
    assert cognito.admin_get_user(UserPoolId=pool, Username="bob")["UserStatus"] == "RESET_REQUIRED"
    assert users.forgot_password(ClientId=client, Username="bob")["CodeDeliveryDetails"]["DeliveryMedium"] == "EMAIL"


def test_the_address_of_a_file_is_good_for_its_job_alone(service, pool):
    cognito = administrator(service)
    make = lambda: cognito.create_user_import_job(  # noqa: E731
        JobName="move in", UserPoolId=pool, CloudWatchLogsRoleArn=ROLE)["UserImportJob"]
    one, other = make(), make()
    assert one["PreSignedUrl"].startswith(f"{service.url}/user-imports/{pool}/{one['JobId']}?")
    for url in (one["PreSignedUrl"].replace(one["JobId"], other["JobId"]), one["PreSignedUrl"][:-4] + "AAAA"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            put(url, "x")
        assert refused.value.code == 403
    # Far above the body limit of everything else, and never whole in memory.
    assert put(one["PreSignedUrl"], "x" * 5_000_000) == 200
    pages = cognito.list_user_import_jobs(UserPoolId=pool, MaxResults=1)
    assert pages["UserImportJobs"][0]["Status"] == "Created" and pages["PaginationToken"]


def srp(service, pool, client, name):
    more = {"endpoint_url": service.url, "config": CLIENT}
    return pycognito.Cognito(pool, client, username=name, boto3_client_kwargs=more)


@pytest.fixture
def elsewhere(folder):
    place = folder / f"elsewhere-{secrets.token_hex(4)}"
    place.mkdir()
    # A data folder of its own, and so a master key of its own.
    service = Service(place)
    yield service
    service.stop()


def test_a_pool_moves_with_passwords_verifiers_and_authenticator_applications(service, elsewhere, folder):
    cognito = administrator(service)
    pool = cognito.create_user_pool(PoolName="moving", AutoVerifiedAttributes=["email"])["UserPool"]["Id"]
    mfa = {"UserPoolId": pool, "MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": {"Enabled": True}}
    cognito.set_user_pool_mfa_config(**mfa)
    client = app_client(cognito, pool)
    cognito.create_group(UserPoolId=pool, GroupName="staff", Precedence=2)
    for name in ("ann", "bob"):
        cognito.admin_create_user(
            UserPoolId=pool, Username=name, MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": f"{name}@example.com"}, {"Name": "email_verified", "Value": "true"}])
        cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=PASSWORD, Permanent=True)
    cognito.admin_add_user_to_group(UserPoolId=pool, Username="ann", GroupName="staff")
    bob = srp(service, pool, client, "bob")
    bob.authenticate(PASSWORD)
    code = pyotp.TOTP(bob.associate_software_token())
    used = code.now()
    assert bob.verify_software_token(used, "phone")
    bob.set_user_mfa_preference(sms_mfa=False, software_token_mfa=True, preferred="SOFTWARE_TOKEN")

    mark = secrets.token_hex(4)
    words, file = folder / f"words-{mark}", folder / f"pool-{mark}.cognate"
    words.write_text("a passphrase for the journey\n")
    assert "2 users" in service.cli("export", "--pool", pool, "--passphrase-file", words, file)
    assert b"ann@" not in file.read_bytes()
    said = elsewhere.cli("import", "--passphrase-file", words, file)
    assert said == f"2 users imported into {pool}, 0 there already, 0 refused.\n"
    assert "0 users imported" in elsewhere.cli("import", "--passphrase-file", words, file)

    there = administrator(elsewhere)
    new_client = app_client(there, pool)
    users = user_client(elsewhere)
    tokens = users.initiate_auth(
        ClientId=new_client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD})
    before = cognito.admin_get_user(UserPoolId=pool, Username="ann")
    after = users.get_user(AccessToken=tokens["AuthenticationResult"]["AccessToken"])
    assert after["UserAttributes"] == before["UserAttributes"]
    assert [group["GroupName"] for group in there.admin_list_groups_for_user(UserPoolId=pool, Username="ann")["Groups"]] == ["staff"]
    with pytest.raises(users.exceptions.NotAuthorizedException):
        srp(elsewhere, pool, new_client, "ann").authenticate("Wrong-horse-7-battery")

    again = srp(elsewhere, pool, new_client, "bob")
    with pytest.raises(SoftwareTokenMFAChallengeException) as asked:
        again.authenticate(PASSWORD)
    # What was used up there is used up here.
    with pytest.raises((users.exceptions.ExpiredCodeException, users.exceptions.CodeMismatchException)):
        again.respond_to_software_token_mfa_challenge(used, asked.value.get_tokens())
    again.respond_to_software_token_mfa_challenge(code.at(time.time() + 30), asked.value.get_tokens())
    assert again.access_claims["username"] == "bob"
    cognito.delete_user_pool(UserPoolId=pool)
