"""Each operation that is built succeeds at least once, through boto3, and its answer is what the description says."""

import pytest
from botocore import xform_name

import cognito_answers
import examples_pools  # noqa: F401: declares examples, as the next three do
import examples_resources  # noqa: F401
import examples_sign_in  # noqa: F401
import examples_users  # noqa: F401
from cognito_stage import EXAMPLES, Stage, built
from matrix import shows


@pytest.fixture(scope="module", params=["embedded", "replicated"])
def stage(request):
    """A deployment whose pools the examples share."""
    return Stage(request.getfixturevalue(request.param))


@shows("boto3", "Registration", "Attributes", "Changed password", "Forgotten password", "Authenticator application",
       "Refresh with rotation", "Tokens of a program")
@pytest.mark.parametrize("operation", built())
def test_an_operation_that_is_built_succeeds_and_answers_what_the_description_says(stage, operation):
    assert xform_name(operation) in EXAMPLES, f"{operation} is new: give it an example in one of examples_*.py"
    cognito_answers.succeeded.discard(operation)
    EXAMPLES[xform_name(operation)](stage)
    assert operation in cognito_answers.succeeded
