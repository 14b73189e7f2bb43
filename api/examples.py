"""A line to try a key with: one call that the key may make and that changes as little as possible."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

_GETS: Sequence[tuple[str, str]] = (
    ("campaigns.list", "/campaigns/list"),
    ("canvas.list", "/canvas/list"),
    ("segments.list", "/segments/list"),
    ("events.list", "/events/list"),
    ("content_blocks.list", "/content_blocks/list"),
    ("catalogs.get", "/catalogs"),
    ("custom_attributes.get", "/custom_attributes"),
    ("addresses.get", "/webhooks/addresses"),
)
_POSTS: Sequence[tuple[str, str, Mapping[str, Any]]] = (
    ("users.export.ids", "/users/export/ids", {"external_ids": ["customer-1"]}),
    ("users.track", "/users/track", {"attributes": [{"external_id": "customer-1", "first_name": "Ada"}]}),
)


def curl(permissions: Sequence[str], site: str, key: str) -> str:
    """A command that works as it stands; where nothing harmless is allowed, one that shows how a call is made."""
    authorization = f"-H 'Authorization: Bearer {key}'"
    for name, path in _GETS:
        if name in permissions:
            return f"curl {authorization} {site}{path}"
    found = [(path, body) for name, path, body in _POSTS if name in permissions]
    path, body = found[0] if found else ("/" + permissions[0].replace(".", "/"), {})
    return f"curl {authorization} -H 'Content-Type: application/json' -d '{json.dumps(body)}' {site}{path}"
