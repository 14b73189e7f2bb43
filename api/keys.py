"""Makes, finds, rotates and revokes API keys."""

import ipaddress
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db.models import Q

from api.models import ApiKey

SEEN_EVERY = timedelta(minutes=1)
GRACE = timedelta(hours=24)  # how long a rotated key's former value goes on working


def make(
    name: str, permissions: Iterable[str], networks: Iterable[str] = (), *, user: Any = None
) -> tuple[ApiKey, str]:
    """A new key: its row, and its text, which is known to nobody afterwards."""
    text = _text()
    key = ApiKey.objects.create(
        name=name,
        prefix=text[: ApiKey.SHOWN],
        digest=_digest(text),
        permissions=sorted(permissions),
        networks=[*networks],
        created_by=user,
    )
    return key, text


def rotate(key: ApiKey, now: datetime) -> str:
    """Give the key a new text and return it; the former one goes on working for a day."""
    text = _text()
    key.former_digest, key.former_until = key.digest, now + GRACE
    key.prefix, key.digest = text[: ApiKey.SHOWN], _digest(text)
    key.save(update_fields=["former_digest", "former_until", "prefix", "digest"])
    return text


def revoke(key: ApiKey, now: datetime) -> None:
    """The key is unknown from now on, for good."""
    key.revoked_at, key.former_digest, key.former_until = now, "", None
    key.save(update_fields=["revoked_at", "former_digest", "former_until"])


def find(text: str, now: datetime) -> ApiKey | None:
    """The key that works under this text. One query."""
    digest = _digest(text)
    former = Q(former_digest=digest, former_until__gt=now)
    return ApiKey.objects.filter(Q(digest=digest) | former, revoked_at=None).first()


def seen(key: ApiKey, now: datetime) -> None:
    """Note that the key was used, at most once a minute."""
    if key.last_seen_at is None or now - key.last_seen_at >= SEEN_EVERY:
        ApiKey.objects.filter(pk=key.pk).update(last_seen_at=now)


def may_come_from(key: ApiKey, address: str) -> bool:
    """Whether the caller's address is in the key's list, or the list is empty."""
    if not key.networks:
        return True
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(caller, ipaddress.IPv6Address) and caller.ipv4_mapped:
        caller = caller.ipv4_mapped
    return any(caller in ipaddress.ip_network(network, strict=False) for network in key.networks)


def _text() -> str:
    return secrets.token_hex(24)


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
