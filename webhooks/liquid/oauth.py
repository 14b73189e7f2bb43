"""Reads what a token endpoint answers (RFC 6749, section 5.1)."""

import json

USUAL_LIFE = 300  # seconds, where the answer names none
LONGEST_LIFE = 86_400


def access_token(text: str) -> str:
    """The token; empty where the answer holds none."""
    token = _members(text).get("access_token")
    return token if isinstance(token, str) else ""


def token_seconds(text: str) -> int:
    """How long to keep the token: three quarters of its life, so that it never runs out on the way."""
    life = _members(text).get("expires_in")
    if isinstance(life, str) and life.isdigit():
        life = int(life)
    return max(1, min(life if isinstance(life, int) else USUAL_LIFE, LONGEST_LIFE) * 3 // 4)


def _members(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
