"""What profiles did in a span of time, read from the stored history and from what is still in the outbox."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.conf import settings

from audience.models import CustomEvent, PendingEvent, Purchase
from outreach import matching
from outreach.matching import Happening, Names

Kind = PendingEvent.Kind


def read(listened: Names, profiles: Collection[int], first: datetime, last: datetime) -> Iterable[Happening]:
    """Everything of the listened names that these profiles did from `first` to `last`. One query for each kind."""
    during = {"profile_id__in": profiles, "occurred_at__gte": first, "occurred_at__lte": last}
    if names := listened.get(Kind.CUSTOM_EVENT):
        yield from map(matching.of_event, CustomEvent.objects.filter(**during, name__in=names))
    if names := listened.get(Kind.PURCHASE):
        bought = Purchase.objects.filter(**during)
        yield from map(matching.of_purchase, bought if "" in names else bought.filter(product_id__in=names))
    if Kind.SESSION_START in listened:
        yield from map(matching.of_session, CustomEvent.objects.filter(**during, name=settings.SESSION_EVENT))
    others = [kind for kind in listened if kind in (Kind.ATTRIBUTES, Kind.SUBSCRIPTION)]
    if others:
        yield from map(matching.of_pending, PendingEvent.objects.filter(**during, kind__in=others))
