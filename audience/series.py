"""Sizes of segments and numbers of events, by day or hour."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Count, DecimalField, F, QuerySet, Sum
from django.db.models.functions import TruncDate, TruncHour

from audience import segments
from audience.models import CustomEvent, Purchase, Segment, SegmentSize

FRESH = timedelta(hours=1)  # an exact count this old still is today's size


def sizes(segment: Segment, days: list[date], now: datetime, today: date) -> list[tuple[date, int]]:
    """How large a segment was. Before the first record: 0; on a day without one: as the day before; today: as now."""
    rows = SegmentSize.objects.filter(segment=segment, day__lte=days[-1]).order_by("day")
    known = dict(rows.values_list("day", "size"))
    if today in days:
        known[today] = _now(segment, now)
    size = known[max(before)] if (before := [day for day in known if day < days[0]]) else 0
    found = []
    for day in days:
        size = known.get(day, size)
        found.append((day, size))
    return found


def _now(segment: Segment, now: datetime) -> int:
    if segment.exact_count is not None and segment.counted_at and now - segment.counted_at <= FRESH:
        return segment.exact_count
    return segments.estimate(segments.members([segment], {}, now)).middle


def events_by_day(
    name: str, days: list[date], zone: ZoneInfo, segment: Segment | None, now: datetime
) -> list[tuple[date, int]]:
    """How often an event happened on each day of the zone, by anybody or by those who are in a segment now."""
    first = datetime.combine(days[0], time.min, zone)
    last = datetime.combine(days[-1] + timedelta(days=1), time.min, zone)
    rows = CustomEvent.objects.filter(name=name, occurred_at__gte=first, occurred_at__lt=last)
    if segment:
        rows = rows.filter(profile__in=segments.members([segment], {}, now).values("pk"))
    counted = rows.annotate(day=TruncDate("occurred_at", tzinfo=zone)).values_list("day").annotate(Count("pk"))
    counts = dict(counted.order_by())
    return [(day, counts.get(day, 0)) for day in days]


def purchases_by_day(product: str, days: list[date], zone: ZoneInfo) -> list[tuple[date, int, Decimal]]:
    """Pieces bought, and money spent whatever its currency, on each day of the zone; of all products or one."""
    first = datetime.combine(days[0], time.min, zone)
    last = datetime.combine(days[-1] + timedelta(days=1), time.min, zone)
    rows = _bought(product, first, last).annotate(day=TruncDate("occurred_at", tzinfo=zone))
    found = {day: (pieces, money) for day, pieces, money in rows.values_list("day").annotate(**_SUMS).order_by()}
    return [(day, *found.get(day, (0, Decimal(0)))) for day in days]


def purchases_by_hour(product: str, length: int, ending_at: datetime) -> list[tuple[datetime, int, Decimal]]:
    """The same for so many hours, the last of which is that of `ending_at`."""
    last = ending_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [last - timedelta(hours=n) for n in reversed(range(length))]
    rows = _bought(product, hours[0], last + timedelta(hours=1)).annotate(hour=TruncHour("occurred_at", tzinfo=UTC))
    found = {hour: (pieces, money) for hour, pieces, money in rows.values_list("hour").annotate(**_SUMS).order_by()}
    return [(hour, *found.get(hour, (0, Decimal(0)))) for hour in hours]


_SUMS = {"pieces": Sum("quantity"), "money": Sum(F("price") * F("quantity"), output_field=DecimalField())}


def _bought(product: str, first: datetime, last: datetime) -> "QuerySet[Purchase]":
    rows = Purchase.objects.filter(occurred_at__gte=first, occurred_at__lt=last)
    return rows.filter(product_id=product) if product else rows


def events_by_hour(
    name: str, length: int, ending_at: datetime, segment: Segment | None, now: datetime
) -> list[tuple[datetime, int]]:
    """The same for so many hours, the last of which is that of `ending_at`."""
    last = ending_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [last - timedelta(hours=n) for n in reversed(range(length))]
    rows = CustomEvent.objects.filter(name=name, occurred_at__gte=hours[0], occurred_at__lt=last + timedelta(hours=1))
    if segment:
        rows = rows.filter(profile__in=segments.members([segment], {}, now).values("pk"))
    counted = rows.annotate(hour=TruncHour("occurred_at", tzinfo=UTC)).values_list("hour").annotate(Count("pk"))
    counts = dict(counted.order_by())
    return [(hour, counts.get(hour, 0)) for hour in hours]
