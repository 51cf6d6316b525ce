"""Every answer that any test gets by boto3 (pycognito's are among them) is held against botocore's description of it:
types, required members, limits, patterns, nothing unknown; and refusals are those that the operation is said to have."""

import json

import boto3

import cognito_shapes

# What any operation may answer without being said to (contract cognito (a), (b), §0.9).
ANYWHERE = {
    "AccessDeniedException", "IncompleteSignatureException", "InternalErrorException", "InvalidParameterException",
    "InvalidSignatureException", "MissingAuthenticationTokenException", "OperationNotEnabledException",
    "SerializationException", "ServiceUnavailableException", "TooManyRequestsException", "UnknownOperationException",
    "UnrecognizedClientException",
}
# What we answer besides: the description of a revocation has no word for a client that there is not.
BEYOND = {"RevokeToken ResourceNotFoundException"}
# The operations that succeeded, and the refusals that were met, as `Operation Exception`.
succeeded = set()
refused = set()


def check(http_response, model, **_):
    """Called by botocore for each answer, before anybody else sees it."""
    answer = json.loads(http_response.content)
    if http_response.status_code == 200:
        found = sorted(cognito_shapes.faults(model.output_shape, answer)) if model.output_shape else sorted(answer)
        assert not found, f"{model.name} answered what is not in the model: {found}"
        succeeded.add(model.name)
    else:
        name = f"{model.name} {answer['__type']}"
        modelled = {shape.name for shape in model.error_shapes} | ANYWHERE
        assert answer["__type"] in modelled or name in BEYOND, f"{model.name} is not said to answer {answer}"
        refused.add(name)


def hold():
    """From here on, for every client that is made by `boto3.client`."""
    boto3.setup_default_session()
    boto3.DEFAULT_SESSION.events.register("after-call.cognito-identity-provider", check)
