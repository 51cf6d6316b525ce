"""An administrator's day with boto3 as it is: users made, listed by the paginator, put into groups, disabled, deleted."""

import json
import uuid

import boto3
import pytest
from botocore.config import Config

# Cognito's model allows no space in a password.
PASSWORD = "correct-horse-battery"


@pytest.fixture
def cognito(service):
    key = json.loads(service.cli("access-keys", "create", "--name", "administrator", "--json"))
    return boto3.client(
        "cognito-idp", endpoint_url=service.url, region_name="us-east-1", aws_access_key_id=key["id"],
        aws_secret_access_key=key["secret"], config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture
def pool(service):
    """The pool that the deployment was born with, among those that other tests make."""
    return next(pool["id"] for pool in json.loads(service.cli("pools", "list", "--json")) if pool["name"] == "default")


def attributes(user):
    return {attribute["Name"]: attribute["Value"] for attribute in user.get("Attributes", user.get("UserAttributes"))}


def test_a_day_of_an_administrator(service, cognito, pool):
    mark = uuid.uuid4().hex[:12]
    names = [f"{mark}-{number}" for number in range(5)]
    for name in names:
        made = cognito.admin_create_user(
            UserPoolId=pool, Username=name, MessageAction="SUPPRESS", TemporaryPassword=PASSWORD,
            UserAttributes=[{"Name": "email", "Value": f"{name}@example.test"}, {"Name": "email_verified", "Value": "true"}])
        assert made["User"]["UserStatus"] == "FORCE_CHANGE_PASSWORD"
        assert list(attributes(made["User"])) == ["sub", "email", "email_verified"]

    pages = cognito.get_paginator("list_users").paginate(
        UserPoolId=pool, Filter=f'username ^= "{mark}"', PaginationConfig={"PageSize": 2})
    listed = [[user["Username"] for user in page["Users"]] for page in pages]
    assert listed == [names[:2], names[2:4], names[4:]]
    found = cognito.list_users(UserPoolId=pool, Filter=f'email = "{names[1]}@example.test"', AttributesToGet=["sub"])
    assert [list(attributes(user)) for user in found["Users"]] == [["sub"]]

    group = f"group-{mark}"
    made = cognito.create_group(UserPoolId=pool, GroupName=group, Precedence=3, Description="For a day")["Group"]
    assert (made["Precedence"], made["CreationDate"]) == (3, made["LastModifiedDate"])
    with pytest.raises(cognito.exceptions.GroupExistsException):
        cognito.create_group(UserPoolId=pool, GroupName=group)
    for name in names[:3]:
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=group)
    pages = cognito.get_paginator("list_users_in_group").paginate(
        UserPoolId=pool, GroupName=group, PaginationConfig={"PageSize": 2})
    assert [user["Username"] for page in pages for user in page["Users"]] == names[:3]
    groups = cognito.get_paginator("admin_list_groups_for_user").paginate(UserPoolId=pool, Username=names[0])
    assert [one["GroupName"] for page in groups for one in page["Groups"]] == [group]
    cognito.admin_remove_user_from_group(UserPoolId=pool, Username=names[0], GroupName=group)
    assert cognito.admin_list_groups_for_user(UserPoolId=pool, Username=names[0])["Groups"] == []
    assert cognito.update_group(UserPoolId=pool, GroupName=group, Precedence=1)["Group"]["Description"] == "For a day"

    cognito.admin_set_user_password(UserPoolId=pool, Username=names[0], Password=PASSWORD + "!", Permanent=True)
    token = service.sign_in(names[0], PASSWORD + "!")["access_token"]
    cognito.admin_update_user_attributes(
        UserPoolId=pool, Username=names[0], UserAttributes=[{"Name": "given_name", "Value": "Änn"}])
    mine = cognito.get_user(AccessToken=token)
    assert (mine["Username"], attributes(mine)["given_name"]) == (names[0], "Änn")
    cognito.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": "nickname", "Value": "Ann"}])
    seen = cognito.admin_get_user(UserPoolId=pool, Username=f"{names[0]}@example.test")
    assert (attributes(seen)["nickname"], seen["UserStatus"], seen["Enabled"]) == ("Ann", "CONFIRMED", True)

    cognito.admin_disable_user(UserPoolId=pool, Username=names[0])
    with pytest.raises(cognito.exceptions.NotAuthorizedException):
        cognito.get_user(AccessToken=token)
    assert len(cognito.list_users(UserPoolId=pool, Filter='status = "Disabled"')["Users"]) >= 1
    cognito.admin_enable_user(UserPoolId=pool, Username=names[0])

    cognito.delete_group(UserPoolId=pool, GroupName=group)
    with pytest.raises(cognito.exceptions.ResourceNotFoundException):
        cognito.get_group(UserPoolId=pool, GroupName=group)
    for name in names:
        cognito.admin_delete_user(UserPoolId=pool, Username=name)
    with pytest.raises(cognito.exceptions.UserNotFoundException):
        cognito.admin_get_user(UserPoolId=pool, Username=names[0])
    assert cognito.list_users(UserPoolId=pool, Filter=f'username ^= "{mark}"')["Users"] == []


# K08
def test_a_user_can_not_vouch_for_himself(service, cognito, pool):
    name = service.user()
    token = service.sign_in(name)["access_token"]
    with pytest.raises(cognito.exceptions.NotAuthorizedException) as met:
        cognito.update_user_attributes(AccessToken=token, UserAttributes=[{"Name": "email_verified", "Value": "true"}])
    assert met.value.response["Error"]["Message"] == "A client attempted to write unauthorized attribute"
