"""Hands out promotion codes: each code once, each message its own, and the same one again when it is tried again."""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, connection, transaction

from webhooks.models import Promotion, PromotionCode
from workspace import bulk

CHUNK = 5000


def take(name: str, message: int, now: datetime) -> str | None:
    """The message's code of this list: the one it has, else the next that is free. None: unknown, expired or used up.

    The code is the message's as soon as this returns, whatever becomes of the worker. Two workers never get the same
    code, and two that render the same message get one code.
    """
    list_id = Promotion.objects.filter(name=name).exclude(expires_at__lte=now).values_list("pk", flat=True).first()
    if list_id is None:
        return None
    return _held(list_id, message) or _take(list_id, message, now)


def _held(list_id: int, message: int) -> str | None:
    return PromotionCode.objects.filter(promotion_id=list_id, message=message).values_list("code", flat=True).first()


def _take(list_id: int, message: int, now: datetime) -> str | None:
    skip = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    sql = f"""
        UPDATE webhooks_promotioncode SET taken_at = %s, message = %s WHERE id = (
            SELECT id FROM webhooks_promotioncode WHERE promotion_id = %s AND taken_at IS NULL
            ORDER BY id LIMIT 1 {skip}
        ) RETURNING code
    """
    try:
        with transaction.atomic():
            rows = bulk.fetch(sql, [bulk.stamp(now), message, list_id])
    except IntegrityError:  # another worker took one for this message meanwhile
        return _held(list_id, message)
    return str(rows[0][0]) if rows else None


def add(promotion: Promotion, codes: Iterable[str]) -> int:
    """Add codes to the list; the number that is new. Codes it has already, used or not, are left as they are."""
    before = promotion.codes.count()
    chunk: list[PromotionCode] = []
    for code in codes:
        chunk.append(PromotionCode(promotion=promotion, code=code))
        if len(chunk) == CHUNK:
            PromotionCode.objects.bulk_create(chunk, ignore_conflicts=True)
            chunk = []
    PromotionCode.objects.bulk_create(chunk, ignore_conflicts=True)
    return promotion.codes.count() - before
