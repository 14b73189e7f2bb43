"""Signs requests as Standard Webhooks says, with secrets that can be rotated without a gap.

A sender has one newest secret and, for a day after a rotation, the one before it: both sign, so a receiver may change
over whenever it likes. Secrets are encrypted at rest and shown once, when they are made.
"""

import base64
import secrets as random
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from standardwebhooks import Webhook

from webhooks.models import Sender
from workspace import secrets

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
    sender.refresh_from_db()
    return secret


def stop(sender: Sender) -> None:
    """Sign no more, and forget the secrets."""
    Sender.objects.filter(pk=sender.pk).update(is_signed=False, sealed_secrets=[])


def signers(senders: Iterable[int], now: datetime) -> dict[int, list[Webhook]]:
    """What each of these senders signs with, newest secret first; nothing for one that doesn't. One query."""
    wanted = set(senders)
    rows = Sender.objects.filter(pk__in=wanted, is_signed=True).values_list("pk", "sealed_secrets")
    found = {pk: [Webhook(secrets.unseal(each["secret"])) for each in _in_force(kept, now)] for pk, kept in rows}
    return {sender: found.get(sender, []) for sender in wanted}


def _in_force(sealed: Iterable[Mapping[str, str | None]], now: datetime) -> list[Mapping[str, str]]:
    return [
        each  # type: ignore[misc]
        for each in sealed
        if not each["retires_at"] or datetime.fromisoformat(each["retires_at"]) > now
    ]


def headers(signers: Iterable[Webhook], webhook_id: str, body: bytes | None, now: datetime) -> list[tuple[str, str]]:
    """`webhook-timestamp` and `webhook-signature` for this attempt (Standard Webhooks, sections on headers)."""
    text = (body or b"").decode("utf-8", "replace")
    signature = " ".join(signer.sign(webhook_id, now, text) for signer in signers)
    return [("webhook-timestamp", str(int(now.timestamp()))), ("webhook-signature", signature)]
