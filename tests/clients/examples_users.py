"""A success of each operation about users, by an administrator and by themselves."""

from cognito_stage import PASSWORD, example

NAMED = [{"Name": "given_name", "Value": "Änn"}]


def of(place, name):
    """The members that name a user of a pool."""
    return {"UserPoolId": place.pool, "Username": name}


@example
def admin_create_user(stage):
    place = stage.place()
    made = stage.admin.admin_create_user(
        **of(place, place.invited() + "-2"), UserAttributes=NAMED, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
    assert made["User"]["UserStatus"] == "FORCE_CHANGE_PASSWORD"


@example
def admin_get_user(stage):
    place = stage.place()
    assert stage.admin.admin_get_user(**of(place, place.user()))["UserStatus"] == "CONFIRMED"


@example
def admin_delete_user(stage):
    place = stage.place()
    stage.admin.admin_delete_user(**of(place, place.invited()))


@example
def admin_update_user_attributes(stage):
    place = stage.place()
    stage.admin.admin_update_user_attributes(**of(place, place.invited()), UserAttributes=NAMED)


@example
def admin_delete_user_attributes(stage):
    place = stage.place()
    stage.admin.admin_delete_user_attributes(**of(place, place.invited()), UserAttributeNames=["given_name"])


@example
def admin_set_user_password(stage):
    stage.place().user()


@example
def admin_reset_user_password(stage):
    place = stage.place()
    name = place.user()
    stage.admin.admin_reset_user_password(**of(place, name))
    assert place.code(name)


@example
def admin_confirm_sign_up(stage):
    place = stage.place()
    stage.admin.admin_confirm_sign_up(**of(place, place.registered()))


@example
def admin_enable_user(stage):
    place = stage.place()
    stage.admin.admin_enable_user(**of(place, place.invited()))


@example
def admin_disable_user(stage):
    place = stage.place()
    stage.admin.admin_disable_user(**of(place, place.invited()))


@example
def admin_user_global_sign_out(stage):
    place = stage.place()
    stage.admin.admin_user_global_sign_out(**of(place, place.invited()))


@example
def list_users(stage):
    place = stage.place()
    place.user(), place.user()
    first = stage.admin.list_users(UserPoolId=place.pool, Limit=1)
    assert stage.admin.list_users(UserPoolId=place.pool, PaginationToken=first["PaginationToken"], Limit=1)["Users"]


def member(stage):
    """A user in a group, and the group."""
    place = stage.place()
    name, group = place.invited(), place.group()
    stage.admin.admin_add_user_to_group(**of(place, name), GroupName=group)
    return place, name, group


@example
def admin_add_user_to_group(stage):
    member(stage)


@example
def admin_remove_user_from_group(stage):
    place, name, group = member(stage)
    stage.admin.admin_remove_user_from_group(**of(place, name), GroupName=group)


@example
def admin_list_groups_for_user(stage):
    place, name, _ = member(stage)
    assert stage.admin.admin_list_groups_for_user(**of(place, name))["Groups"]


@example
def list_users_in_group(stage):
    place, _, group = member(stage)
    assert stage.admin.list_users_in_group(UserPoolId=place.pool, GroupName=group)["Users"]


@example
def sign_up(stage):
    stage.place().registered()


@example
def confirm_sign_up(stage):
    place = stage.place()
    name = place.registered()
    stage.anyone.confirm_sign_up(ClientId=place.client, Username=name, ConfirmationCode=place.code(name))


@example
def resend_confirmation_code(stage):
    place = stage.place()
    answer = stage.anyone.resend_confirmation_code(ClientId=place.client, Username=place.registered())
    assert answer["CodeDeliveryDetails"]["Destination"] == "u***@e***"


def forgetful(stage):
    """A user who has asked for a code to choose a new password."""
    place = stage.place()
    name = place.user()
    stage.anyone.forgot_password(ClientId=place.client, Username=name)
    return place, name


@example
def forgot_password(stage):
    forgetful(stage)


@example
def confirm_forgot_password(stage):
    place, name = forgetful(stage)
    stage.anyone.confirm_forgot_password(
        ClientId=place.client, Username=name, ConfirmationCode=place.code(name), Password=PASSWORD + "-2")


def token(stage, place=None):
    """An access token of a user of his own."""
    place = place or stage.place()
    return {"AccessToken": place.tokens(place.user())["AccessToken"]}


@example
def get_user(stage):
    assert stage.anyone.get_user(**token(stage))["UserAttributes"]


@example
def update_user_attributes(stage):
    address = {"Name": "email", "Value": "new@example.test"}
    answer = stage.anyone.update_user_attributes(**token(stage), UserAttributes=[*NAMED, address])
    assert answer["CodeDeliveryDetailsList"][0]["AttributeName"] == "email"


@example
def delete_user_attributes(stage):
    stage.anyone.delete_user_attributes(**token(stage), UserAttributeNames=["given_name"])


@example
def get_user_attribute_verification_code(stage):
    stage.anyone.get_user_attribute_verification_code(**token(stage), AttributeName="email")


@example
def verify_user_attribute(stage):
    place = stage.place()
    name = place.user()
    own = {"AccessToken": place.tokens(name)["AccessToken"], "AttributeName": "email"}
    stage.anyone.get_user_attribute_verification_code(**own)
    stage.anyone.verify_user_attribute(**own, Code=place.code(name))


@example
def change_password(stage):
    stage.anyone.change_password(**token(stage), PreviousPassword=PASSWORD, ProposedPassword=PASSWORD + "-2")


@example
def delete_user(stage):
    stage.anyone.delete_user(**token(stage))


@example
def global_sign_out(stage):
    stage.anyone.global_sign_out(**token(stage))


@example
def get_user_auth_factors(stage):
    assert stage.anyone.get_user_auth_factors(**token(stage))["ConfiguredUserAuthFactors"] == ["PASSWORD"]


@example
def admin_get_user_auth_factors(stage):
    place = stage.place()
    stage.admin.admin_get_user_auth_factors(**of(place, place.user()))


@example
def set_user_settings(stage):
    stage.anyone.set_user_settings(**token(stage), MFAOptions=[])


@example
def admin_set_user_settings(stage):
    place = stage.place()
    stage.admin.admin_set_user_settings(**of(place, place.user()), MFAOptions=[])
