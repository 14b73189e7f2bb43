"""Signs requests as Standard Webhooks says, with secrets that can be rotated without a gap.

A sender has one newest secret and, for a day after a rotation, the one before it: both sign, so a receiver may change
over whenever it likes. Secrets are encrypted at rest and shown once, when they are made.
"""

import base64
import secrets as random
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from standardwebhooks import Webhook

from webhooks.models import Sender
from workspace import secrets
from workspace.remembered import Recent

Sealed = Mapping[str, Any]  # {"secret", "retires_at": ISO text or None}
OVERLAP = timedelta(days=1)
_SECRET_BYTES = 32


def rotate(sender: Sender, now: datetime, overlap: timedelta = OVERLAP) -> str:
    """Sign with a new secret, and with the one before it for `overlap` more. Returns the secret, to be shown once."""
    secret = "whsec_" + base64.b64encode(random.token_bytes(_SECRET_BYTES)).decode()
    with transaction.atomic():
        row = Sender.objects.select_for_update().get(pk=sender.pk)
        before = [each for each in row.sealed_secrets if not each["retires_at"]]
        kept = [each | {"retires_at": (now + overlap).isoformat()} for each in before]
        row.sealed_secrets = [{"secret": secrets.seal(secret), "retires_at": None}, *kept]
        row.is_signed = True
        row.save(update_fields=["sealed_secrets", "is_signed"])
    _recent.forget()
    sender.refresh_from_db()
    return secret


def stop(sender: Sender) -> None:
    """Sign no more, and forget the secrets."""
    Sender.objects.filter(pk=sender.pk).update(is_signed=False, sealed_secrets=[])
    _recent.forget()


def signers(senders: Iterable[int], now: datetime) -> dict[int, list[Webhook]]:
    """What each of these senders signs with, newest secret first; none for one that doesn't. At most a second old."""
    wanted = set(senders)
    kept = _recent.of(wanted)
    return {pk: [Webhook(each["secret"]) for each in _in_force(kept.get(pk, ()), now)] for pk in wanted}


def _load(senders: set[int]) -> Mapping[int, list[Sealed]]:
    rows = Sender.objects.filter(pk__in=senders, is_signed=True).values_list("pk", "sealed_secrets")
    return {pk: [each | {"secret": secrets.unseal(each["secret"])} for each in kept] for pk, kept in rows}


_recent = Recent(_load)


def _in_force(kept: Iterable[Sealed], now: datetime) -> list[Sealed]:
    return [each for each in kept if not each["retires_at"] or datetime.fromisoformat(each["retires_at"]) > now]


def headers(signers: Iterable[Webhook], webhook_id: str, body: bytes | None, now: datetime) -> list[tuple[str, str]]:
    """`webhook-timestamp` and `webhook-signature` for this attempt (Standard Webhooks, sections on headers)."""
    text = (body or b"").decode("utf-8", "replace")
    signature = " ".join(signer.sign(webhook_id, now, text) for signer in signers)
    return [("webhook-timestamp", str(int(now.timestamp()))), ("webhook-signature", signature)]
