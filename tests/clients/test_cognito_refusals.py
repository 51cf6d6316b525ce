"""Each operation that is built says no, typed as its description has it, to whatever it is given that there is not: a pool,
an app client, a user, a token and so on, one after the other, while everything else is right."""

import pytest
from botocore.exceptions import ClientError

import cognito_shapes
from cognito_breaches import right
from cognito_stage import Stage, built
from examples_resources import import_job, resource_server
from examples_sign_in import device

MISSING = "ResourceNotFoundException"
NO_CLIENT = "0" * 26
UNNAMED = ("UserNotFoundException", "Username/client id combination not found.")
NO_REFRESH = ("NotAuthorizedException", "Invalid Refresh Token")
NO_PAGE = ("InvalidParameterException", "Token is not one of this list")
# What there is not, by the member that names it, and how that is said.
ABSENT = {
    "UserPoolId": ("us-east-1_Nowhere00", (MISSING, "User pool us-east-1_Nowhere00 does not exist.")),
    "ResourceArn": ("arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_Nowhere00",
                    (MISSING, "User pool does not exist.")),
    "ClientId": (NO_CLIENT, (MISSING, f"User pool client {NO_CLIENT} does not exist.")),
    "ClientSecretId": ("nothing", (MISSING, "Client secret does not exist.")),
    "AccessToken": ("nothing", ("NotAuthorizedException", "Invalid Access Token")),
    "RefreshToken": ("nothing", NO_REFRESH),
    "Username": ("nobody", ("UserNotFoundException", "User does not exist.")),
    "GroupName": ("nothing", (MISSING, "Group not found.")),
    "DeviceKey": ("us-east-1_00000000-0000-4000-8000-000000000000", (MISSING, "Device does not exist.")),
    "Identifier": ("nothing", (MISSING, "Resource server nothing does not exist.")),
    "JobId": ("import-nothing", (MISSING, "User import job import-nothing does not exist.")),
    "SessionId": ("tkn" + "a" * 25, (MISSING, "Session does not exist.")),
    "NextToken": ("nothing", NO_PAGE),
    "PaginationToken": ("nothing", NO_PAGE),
}
# Where it is said otherwise, because the description has no other word, or the existence of users is not told.
OTHERWISE = {
    ("AdminGetDevice", "Username"): (MISSING, "User does not exist."),
    ("AdminListDevices", "Username"): (MISSING, "User does not exist."),
    ("ConfirmForgotPassword", "Username"): (
        "CodeMismatchException", "Invalid verification code provided, please try again."),
    ("ConfirmSignUp", "Username"): UNNAMED,
    ("ForgotPassword", "Username"): UNNAMED,
    ("ResendConfirmationCode", "Username"): UNNAMED,
    ("GetTokensFromRefreshToken", "DeviceKey"): NO_REFRESH,
}
# Where it is what is to be made.
MADE = {("AdminCreateUser", "Username"), ("SignUp", "Username"), ("CreateGroup", "GroupName"),
        ("CreateResourceServer", "Identifier")}
# What an operation needs besides what its description requires.
NEEDED = {
    "AddCustomAttributes": {"CustomAttributes": [{"Name": "team", "AttributeDataType": "String"}]},
    "AdminUpdateDeviceStatus": {"DeviceRememberedStatus": "remembered"},
    "UpdateDeviceStatus": {"DeviceRememberedStatus": "remembered"},
    "ConfirmDevice": {"DeviceSecretVerifierConfig": {"Salt": "AQ==", "PasswordVerifier": "AQ=="}},
}
# A pool can name nothing else that there might not be; tests/cognito/pools.rs has its refusals.
NAMES_NOTHING = {"CreateUserPool"}


@pytest.fixture(scope="module")
def stage(embedded):
    return Stage(embedded)


@pytest.fixture(scope="module")
def there(stage):
    """What there is, by the same members."""
    user, own, key = device(stage)
    place = stage.place("devices")
    job, _ = import_job(stage)
    return {
        **user, **own, **key, "ClientId": place.client, "GroupName": place.group(), "JobId": job["JobId"],
        "Identifier": resource_server(stage)["Identifier"], "ResourceArn": place.arn,
    }


@pytest.mark.parametrize("operation", built())
def test_what_there_is_not_is_refused_as_the_description_says(stage, there, operation):
    shape = cognito_shapes.service().operation_model(operation).input_shape
    known = {name: value for name, value in there.items() if name in shape.members}
    given = {**right(shape), **known, **NEEDED.get(operation, {})}
    pages = {"NextToken", "PaginationToken"} & shape.members.keys()
    tried = [name for name in ABSENT if name in given.keys() | pages and (operation, name) not in MADE]
    for name in tried:
        value, usual = ABSENT[name]
        with pytest.raises(ClientError) as met:
            stage.admin._make_api_call(operation, {**given, name: value})  # What boto3's methods are made of.
        error = met.value.response["Error"]
        assert (error["Code"], error["Message"]) == OTHERWISE.get((operation, name), usual), name
    assert tried or operation in NAMES_NOTHING
