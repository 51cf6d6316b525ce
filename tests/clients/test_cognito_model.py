"""What the service checks Cognito's inputs against is what botocore says of them."""

import re

import cognito_model
import cognito_shapes


def test_the_model_in_the_program_is_made_from_botocore():
    assert cognito_model.PLACE.read_text(encoding="utf-8") == cognito_model.text(), "python tests/clients/cognito_model.py"


def test_the_model_is_cognitos():
    model = cognito_model.model()
    assert len(model["operations"]) == 141
    assert sum(not operation["signed"] for operation in model["operations"].values()) == 34


def test_patterns_mean_the_same_to_rust():
    # Python's own expressions have what both have; ASCII is what Java means by \\w and \\s.
    texts = ["", "a", "Aé_9", "a b", "a\u00a0b", "user_pool", "us-east-1_k3Xb90TqZ", "x.", ".x", "x.y", "a\nb", "_", "-", "+=/,.@"]
    for java, rust in cognito_model.model()["patterns"].items():
        if r"\p{" in java:
            continue
        for text in texts:
            ours = re.fullmatch(rust, text) is not None
            assert ours == (re.fullmatch(java, text, re.ASCII) is not None), (java, rust, text)


def test_an_answer_that_is_not_as_described_is_found():
    described = cognito_shapes.service().operation_model("GetUser").output_shape
    right = {"Username": "ann", "UserAttributes": [{"Name": "email", "Value": "a@example.test"}]}
    assert list(cognito_shapes.faults(described, right)) == []
    for wrong, words in [
        ({"Username": "ann"}, "answer has no UserAttributes"),
        ({**right, "Email": "a@example.test"}, "answer has Email, which is unknown"),
        ({**right, "Username": 5}, "answer.Username is 5, no string"),
        ({**right, "Username": None}, "answer.Username is None, no string"),
        ({**right, "UserAttributes": {}}, "answer.UserAttributes is {}, no list"),
        ({**right, "UserAttributes": [{}]}, "answer.UserAttributes[0] has no Name"),
        ({**right, "MFAOptions": [{"DeliveryMedium": "PIGEON"}]},
         "answer.MFAOptions[0].DeliveryMedium is 'PIGEON': Member must satisfy enum value set: [SMS, EMAIL]"),
    ]:
        assert list(cognito_shapes.faults(described, wrong)) == [words]
    blank = {**right, "Username": ""}
    assert len(list(cognito_shapes.faults(described, blank))) == 2
