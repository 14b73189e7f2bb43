"""Which header names and values may be sent. Pure; used by the composer's form and right before sending."""

import re

OWNED_BY_TRANSPORT = frozenset(
    "host content-length transfer-encoding connection upgrade te trailer expect"
    " webhook-id webhook-timestamp webhook-signature".split()
)
MAX_BYTES = 16 * 1024
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def name_problem(name: str) -> str | None:
    """Why this can't be a header's name, in words; None if it can (RFC 9110, section 5.6.2)."""
    if not name.strip():
        return "A header needs a name"
    if not _TOKEN.fullmatch(name):
        return f"“{name}” is not a valid header name: letters, digits and hyphens only"
    if name.lower() in OWNED_BY_TRANSPORT or name.lower().startswith("proxy-"):
        return f"“{name}” is set by Hookline itself"
    return None


def value_problem(name: str, value: str) -> str | None:
    """Why this value can't be sent, in words; None if it can. CR and LF never get into a header."""
    if not _CONTROL.search(value):
        return None
    what = "line break" if "\r" in value or "\n" in value else "control character"
    return f"header {name} would contain a {what}"
