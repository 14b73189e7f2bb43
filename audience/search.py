"""Finds profiles by whatever names them: external ID, email, phone, alias, internal ID. Each by its index."""

import contextlib
import re
import uuid

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from audience.ingest.standard import e164
from audience.ingest.values import storable_text
from audience.models import Alias, FormerId, Profile

MOST = 200
_LIKE_A_NUMBER = re.compile(r"[\d\s()+./-]{3,}")


def find(text: str) -> "QuerySet[Profile]":
    """The profiles that the text names exactly, or whose external ID begins with it."""
    text = storable_text(text.strip())
    ids = _named(text)
    if len(ids) < MOST:
        begins = Profile.objects.filter(external_id__startswith=text).order_by()  # in order, another index is read
        ids |= {*begins.values_list("pk", flat=True)[: MOST - len(ids)]}
    return Profile.objects.filter(pk__in=ids)


def named(text: str) -> "QuerySet[Profile]":
    """The profiles that the text names exactly."""
    return Profile.objects.filter(pk__in=_named(storable_text(text.strip())))


def _named(text: str) -> set[int]:
    ids = {*_exact(text).values_list("pk", flat=True)[:MOST]}
    ids |= {*Alias.objects.filter(name=text).values_list("profile", flat=True)[:MOST]}
    return ids | {*FormerId.objects.filter(external_id=text).values_list("profile", flat=True)[:MOST]}


def _exact(text: str) -> "QuerySet[Profile]":
    named = Q(external_id=text) | Q(pk__in=_with_email(text))
    if number := e164(text):
        named |= Q(phone=number)
    elif _LIKE_A_NUMBER.fullmatch(text):
        named |= Q(pk__in=[*Profile.objects.filter(unformatted_phone=text).values_list("pk", flat=True)[:MOST]])
    with contextlib.suppress(ValueError):
        named |= Q(braze_id=uuid.UUID(text))
    return Profile.objects.filter(named)


def _with_email(text: str) -> list[int]:
    found = Profile.objects.annotate(address=Lower("email")).filter(address=text.lower())
    return [*found.exclude(email="").values_list("pk", flat=True)[:MOST]]
