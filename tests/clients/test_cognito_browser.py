"""AWS Amplify 6 and amazon-cognito-identity-js in Chromium, on a page of another origin: registration, sign-in by SRP,
storage, sign-out, and two tabs that refresh at once."""

import json
import secrets
import shutil
import subprocess
import urllib.parse

import pytest

from cognito_stage import PASSWORD, Stage
from matrix import shows
from pages import served
from service import BINARY, HERE, node

ROTATING = {"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"],
            "RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 10}}
STILL = {"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]}
TOKENS = ["LastAuthUser", "accessToken", "clockDrift", "idToken", "refreshToken"]


@pytest.fixture(scope="module")
def origin(folder):
    """A web server with the applications, bundled as their users do."""
    place = folder / "applications"
    place.mkdir()
    shutil.copy(HERE / "application.html", place)
    for script in ("page_amplify.mjs", "page_identity.mjs"):
        bundle = [HERE / "node_modules/.bin/esbuild", HERE / "js" / script, "--bundle", "--format=esm", "--log-level=error",
                  "--define:global=globalThis", f"--outfile={place / script}"]
        subprocess.run(bundle, check=True, timeout=60)
    with served(place) as origin:
        yield origin


@shows("Amplify 6", "In a browser", "Registration", "Two tabs that refresh at once", "Refresh with rotation")
@shows("identity-js", "In a browser", "Registration", "Two tabs that refresh at once")
# K02, R22, R23: amazon-cognito-identity-js has no call that rotates; Amplify has no other.
@pytest.mark.parametrize("script, options, kept", [
    ("page_amplify.mjs", ROTATING, [*TOKENS, "signInDetails"]),
    ("page_identity.mjs", STILL, TOKENS),
])
def test_an_application_in_a_browser_registers_signs_in_refreshes_from_two_tabs_and_signs_out(
        service, origin, script, options, kept):
    place = Stage(service).place(client=options)
    name = f"page-{secrets.token_hex(4)}"
    words = {"script": script, "endpoint": service.other, "pool": place.pool, "client": place.client}
    page = f"{origin}/application.html?{urllib.parse.urlencode(words)}"
    picture = BINARY.parent.parent / f"{script.removesuffix('.mjs')}.png"
    seen = json.loads(node("cognito_browser.mjs", page, service.data / "mail", name, PASSWORD, picture))
    refresh_token = seen.pop("refresh token")
    assert seen == {
        "registered": "CONFIRM_SIGN_UP",
        "confirmed": True,
        "wrong": "NotAuthorizedException: Incorrect username or password.",
        "signed in": True,
        "kept": kept,
        "second tab": name,
        "refreshed": [True] * 10,
        "still there": [name, name],
        "signed out": True,
        "kept afterwards": 0,
        "first tab afterwards": None,
    }
    with pytest.raises(place.anyone.exceptions.NotAuthorizedException, match="Refresh Token has been revoked"):
        place.anyone.get_tokens_from_refresh_token(ClientId=place.client, RefreshToken=refresh_token)
    assert picture.stat().st_size > 5_000
