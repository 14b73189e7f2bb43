"""Where webhooks leave from, for receivers that admit known addresses only."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Origin:
    """An address or network, and whether only calls to this installation itself come from it."""

    address: str
    is_loopback: bool


def addresses() -> Sequence[Origin]:
    """As the settings say; 127.0.0.1 where webhooks may reach this machine itself."""
    found = [Origin(address, _is_loopback(address)) for address in settings.WEBHOOK_SOURCE_ADDRESSES]
    own = Origin("127.0.0.1", True)
    if any(_is_loopback(network) for network in settings.WEBHOOK_ALLOWED_NETWORKS) and own not in found:
        found.append(own)
    return found


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.ip_network(text, strict=False).is_loopback
    except ValueError:
        return False
