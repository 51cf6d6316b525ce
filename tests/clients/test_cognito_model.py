"""What the service checks Cognito's inputs against is what botocore says of them."""

import re

import cognito_model


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
