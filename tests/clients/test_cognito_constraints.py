"""For each operation that is built and each constraint of its input, a call that breaks just that: the refusal is an
InvalidParameterException in Cognito's words. (D10, K13)"""

import pytest
from botocore.exceptions import ClientError

from cognito_breaches import Place, breaches, message
from cognito_shapes import service as described
from cognito_stage import access_key, built, client


@pytest.fixture(scope="module")
def cognito(embedded):
    return client(embedded.url, access_key(embedded), parameter_validation=False)


@pytest.mark.parametrize("operation", built())
def test_each_constraint_of_the_model_is_kept(cognito, operation):
    shape = described().operation_model(operation).input_shape
    calls = 0
    for given, violations in breaches(shape, Place()):
        with pytest.raises(ClientError) as met:
            cognito._make_api_call(operation, given)  # What boto3's methods are made of.
        error = met.value.response["Error"]
        assert (error["Code"], error["Message"]) == ("InvalidParameterException", message(violations)), given
        calls += 1
    assert calls >= len(shape.metadata.get("required", []))
