"""What monitoring asks of delivery, in the Prometheus client's terms. Read from the database and Redis when asked.

Totals come from the same tables as reports, so that every process gives the same answer and none has to be scraped
by itself; only the time that answers take is counted as they come, in Redis.
"""

import logging
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

from django.db.models import Count, Min, Sum
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from redis.exceptions import RedisError

from webhooks import errors, health
from webhooks.models import Lane, LogHour, Message
from webhooks.request import Answer
from workspace import queues

logger = logging.getLogger(__name__)

BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 90.0)  # seconds
_NAMES = (*map(str, BUCKETS), "+Inf")
_KEY = "metrics:latency"


def note(answers: Sequence[Answer]) -> None:
    """Count how long answers took and how many failed. One round trip; without Redis nothing is counted."""
    counts: Counter[str] = Counter()
    seconds = 0.0
    for answer in answers:
        counts[_bucket(answer.seconds)] += 1
        seconds += answer.seconds
    if not counts:
        return
    try:
        pipe = queues.connection().pipeline(transaction=False)
        for bucket, count in counts.items():
            pipe.hincrby(_KEY, bucket, count)
        pipe.hincrbyfloat(_KEY, "sum", seconds)
        errors.add_to(pipe, answers)
        pipe.execute()
    except RedisError as error:
        logger.warning("latency is not counted (%s)", type(error).__name__)


def _bucket(seconds: float) -> str:
    return _NAMES[bisect_left(BUCKETS, seconds)]


class DeliveryCollector:
    """Registered with a `prometheus_client.CollectorRegistry`. A few queries over what is unfinished."""

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        due = Message.objects.filter(
            lane__in=Lane.objects.filter(is_open=True, sender__is_open=True), finished_at=None, due_at__lte=now
        )
        found = due.aggregate(count=Count("pk"), oldest=Min("due_at"))
        lag = (now - found["oldest"]).total_seconds() if found["oldest"] else 0.0
        yield _gauge("hookline_messages_due", "Messages that are due and not finished", found["count"])
        yield _gauge("hookline_due_lag_seconds", "How long the oldest due message has been due", lag)
        in_flight = Message.objects.filter(finished_at=None, leased_until__gt=now).count()
        yield _gauge("hookline_messages_leased", "Messages that workers hold: being rendered or in flight", in_flight)
        yield self._log_entries()
        yield self._hosts()
        yield from self._latency()

    def _log_entries(self) -> Metric:
        rows = LogHour.objects.values_list("kind").annotate(Sum("count")).order_by()
        family = GaugeMetricFamily("hookline_log_entries", "What the Message Activity Log counted", labels=["kind"])
        for kind, count in rows:
            family.add_metric([kind], count)
        return family

    def _hosts(self) -> Metric:
        family = GaugeMetricFamily("hookline_host_halted", "1 for each host that is halted or probed", labels=["host"])
        for host in health.halted():
            family.add_metric([host], 1)
        return family

    def _latency(self) -> Iterator[Metric]:
        try:
            found: dict[bytes, bytes] = queues.connection().hgetall(_KEY)  # type: ignore[assignment]
        except RedisError:
            return
        total, buckets = 0, []
        for limit in [*map(str, BUCKETS), "+Inf"]:
            total += int(found.get(limit.encode(), 0))
            buckets.append((limit, float(total)))
        family = HistogramMetricFamily("hookline_answer_seconds", "How long endpoints took to answer")
        family.add_metric([], buckets, float(found.get(b"sum", 0)))
        yield family


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)
