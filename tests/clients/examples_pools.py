"""A success of each operation about pools, clients, groups and tags."""

import secrets

from cognito_stage import example


@example
def create_user_pool(stage):
    stage.place("created", Schema=[{"Name": "team", "AttributeDataType": "String"}], UsernameAttributes=["email"])


@example
def describe_user_pool(stage):
    place = stage.place()
    assert stage.admin.describe_user_pool(UserPoolId=place.pool)["UserPool"]["Arn"] == place.arn


@example
def update_user_pool(stage):
    stage.admin.update_user_pool(**{**stage.place().rules, "PoolName": "stage"})


@example
def delete_user_pool(stage):
    stage.admin.delete_user_pool(UserPoolId=stage.place("deleted").pool)


@example
def list_user_pools(stage):
    stage.place()
    assert len(stage.admin.list_user_pools(MaxResults=60)["UserPools"]) > 1


@example
def add_custom_attributes(stage):
    team = {"Name": secrets.token_hex(4), "AttributeDataType": "Number", "Mutable": True}
    stage.admin.add_custom_attributes(UserPoolId=stage.place().pool, CustomAttributes=[team])


@example
def tag_resource(stage):
    stage.admin.tag_resource(ResourceArn=stage.place().arn, Tags={"team": "blue"})


@example
def untag_resource(stage):
    stage.admin.untag_resource(ResourceArn=stage.place().arn, TagKeys=["team"])


@example
def list_tags_for_resource(stage):
    arn = stage.place("tagged", UserPoolTags={"team": "red"}).arn
    assert stage.admin.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"team": "red"}


@example
def get_user_pool_mfa_config(stage):
    assert stage.admin.get_user_pool_mfa_config(UserPoolId=stage.place().pool)["MfaConfiguration"] == "OFF"


@example
def set_user_pool_mfa_config(stage):
    stage.with_mfa("OPTIONAL")


@example
def create_user_pool_client(stage):
    made = stage.place().new_client(GenerateSecret=True, ReadAttributes=["email"], AccessTokenValidity=5,
                                    TokenValidityUnits={"AccessToken": "minutes"})
    assert made["ClientSecret"]


@example
def describe_user_pool_client(stage):
    place = stage.place()
    stage.admin.describe_user_pool_client(UserPoolId=place.pool, ClientId=place.client)


@example
def update_user_pool_client(stage):
    place = stage.place()
    stage.admin.update_user_pool_client(UserPoolId=place.pool, ClientId=place.new_client()["ClientId"], ClientName="new")


@example
def delete_user_pool_client(stage):
    place = stage.place()
    stage.admin.delete_user_pool_client(UserPoolId=place.pool, ClientId=place.new_client()["ClientId"])


@example
def list_user_pool_clients(stage):
    assert stage.admin.list_user_pool_clients(UserPoolId=stage.place().pool, MaxResults=60)["UserPoolClients"]


@example
def create_group(stage):
    stage.place().group()


@example
def get_group(stage):
    place = stage.place()
    stage.admin.get_group(UserPoolId=place.pool, GroupName=place.group())


@example
def update_group(stage):
    place = stage.place()
    role = "arn:aws:iam::123456789012:role/staff"
    words = {"Description": "Who works here", "Precedence": 3, "RoleArn": role}
    assert stage.admin.update_group(UserPoolId=place.pool, GroupName=place.group(), **words)["Group"]["RoleArn"] == role


@example
def delete_group(stage):
    place = stage.place()
    stage.admin.delete_group(UserPoolId=place.pool, GroupName=place.group())


@example
def list_groups(stage):
    place = stage.place()
    place.group()
    assert stage.admin.list_groups(UserPoolId=place.pool)["Groups"]
