"""A success of each operation about what else a pool has: secrets of clients, resource servers and their tokens, imports."""

import secrets

import requests

from cognito_stage import example


def secret(stage):
    """A client that has a second secret, by its id and the secret's."""
    place = stage.place()
    client = place.new_client(GenerateSecret=True)["ClientId"]
    made = stage.admin.add_user_pool_client_secret(UserPoolId=place.pool, ClientId=client)["ClientSecretDescriptor"]
    assert made["ClientSecretValue"]
    return {"UserPoolId": place.pool, "ClientId": client}, made["ClientSecretId"]


@example
def add_user_pool_client_secret(stage):
    secret(stage)


@example
def list_user_pool_client_secrets(stage):
    client, _ = secret(stage)
    assert len(stage.admin.list_user_pool_client_secrets(**client)["ClientSecrets"]) == 2


@example
def delete_user_pool_client_secret(stage):
    client, made = secret(stage)
    stage.admin.delete_user_pool_client_secret(**client, ClientSecretId=made)


def resource_server(stage):
    """A new resource server, as members that name it."""
    named = {"UserPoolId": stage.place().pool, "Identifier": f"https://{secrets.token_hex(4)}.example.test"}
    scopes = [{"ScopeName": "read", "ScopeDescription": "Read everything"}]
    stage.admin.create_resource_server(**named, Name="Things", Scopes=scopes)
    return named


@example
def create_resource_server(stage):
    resource_server(stage)


@example
def describe_resource_server(stage):
    assert stage.admin.describe_resource_server(**resource_server(stage))["ResourceServer"]["Scopes"]


@example
def update_resource_server(stage):
    stage.admin.update_resource_server(**resource_server(stage), Name="Other things", Scopes=[])


@example
def delete_resource_server(stage):
    stage.admin.delete_resource_server(**resource_server(stage))


@example
def list_resource_servers(stage):
    named = resource_server(stage)
    assert stage.admin.list_resource_servers(UserPoolId=named["UserPoolId"], MaxResults=50)["ResourceServers"]


@example
def get_client_token(stage):
    named = resource_server(stage)
    scope = f"{named['Identifier']}/read"
    made = stage.place().new_client(
        GenerateSecret=True, ExplicitAuthFlows=[], AllowedOAuthFlows=["client_credentials"], AllowedOAuthScopes=[scope],
        AllowedOAuthFlowsUserPoolClient=True)
    answer = stage.admin.get_client_token(ClientId=made["ClientId"], Secret=made["ClientSecret"], Scopes=[scope])
    assert answer["ClientAuthenticationResult"]["TokenType"] == "Bearer"


@example
def get_csv_header(stage):
    header = stage.admin.get_csv_header(UserPoolId=stage.place().pool)["CSVHeader"]
    assert header[0] == "cognito:username"


def import_job(stage):
    """A new import job, as members that name it."""
    place = stage.place()
    role = "arn:aws:iam::123456789012:role/import"
    made = stage.admin.create_user_import_job(JobName="people", UserPoolId=place.pool, CloudWatchLogsRoleArn=role)
    return {"UserPoolId": place.pool, "JobId": made["UserImportJob"]["JobId"]}


@example
def create_user_import_job(stage):
    import_job(stage)


@example
def describe_user_import_job(stage):
    assert stage.admin.describe_user_import_job(**import_job(stage))["UserImportJob"]["Status"] == "Created"


@example
def list_user_import_jobs(stage):
    named = import_job(stage)
    assert stage.admin.list_user_import_jobs(UserPoolId=named["UserPoolId"], MaxResults=60)["UserImportJobs"]


@example
def start_user_import_job(stage):
    place = stage.place()
    role = "arn:aws:iam::123456789012:role/import"
    job = stage.admin.create_user_import_job(JobName="people", UserPoolId=place.pool, CloudWatchLogsRoleArn=role)["UserImportJob"]
    columns = stage.admin.get_csv_header(UserPoolId=place.pool)["CSVHeader"]
    person = {"cognito:username": f"user-{secrets.token_hex(4)}", "email": "p@example.test", "email_verified": "true",
              "phone_number_verified": "false", "cognito:mfa_enabled": "false"}
    rows = [",".join(columns), ",".join(person.get(column, "") for column in columns)]
    headers = {"x-amz-server-side-encryption": "aws:kms"}
    answer = requests.put(job["PreSignedUrl"], data="\n".join(rows) + "\n", headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
    stage.admin.start_user_import_job(UserPoolId=place.pool, JobId=job["JobId"])
