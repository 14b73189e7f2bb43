"""Access tokens by OAuth 2 client credentials (RFC 6749, section 4.4): what to ask, of whom.

The asking itself is a Connected Content call, so it is guarded, bounded, cached and logged like one.
"""

import base64
import json
from urllib.parse import quote, urlencode

from webhooks.liquid import ConnectedContentCall
from webhooks.liquid.calls import FORM
from workspace import secrets
from workspace.models import Credential


def call(credential: Credential) -> ConnectedContentCall:
    """The request that brings a token."""
    said: dict[str, str] = dict(json.loads(secrets.unseal(credential.sealed_value)))
    body = {"grant_type": "client_credentials"}
    if said.get("scope"):
        body["scope"] = said["scope"]
    headers: tuple[tuple[str, str], ...] = ()
    if said.get("send_in") == "body":
        body |= {"client_id": said["client_id"], "client_secret": said["client_secret"]}
    else:
        user = f"{quote(said['client_id'], safe='')}:{quote(said['client_secret'], safe='')}"  # RFC 6749, section 2.3.1
        headers = (("Authorization", f"Basic {base64.b64encode(user.encode()).decode()}"),)
    return ConnectedContentCall(
        said["token_url"],
        "POST",
        headers,
        urlencode(body),
        content_type=FORM,
        accept="application/json",
        is_for_token=True,
    )
