"""What became of messages, for monitoring: the sums of the daily totals."""

from collections.abc import Iterator

from django.db.models import Sum
from prometheus_client.core import GaugeMetricFamily, Metric

from outreach.models import DailyCount


class OutcomeCollector:
    """Registered with a `prometheus_client.CollectorRegistry`. One query.

    A gauge: a replay takes failures back, which a counter would show as a restart.
    """

    def collect(self) -> Iterator[Metric]:
        rows = (
            DailyCount.objects.filter(step=0, outreach__test_of=None)
            .values_list("metric")
            .annotate(Sum("count"))
            .order_by()
        )
        family = GaugeMetricFamily("hookline_messages", "Messages of campaigns and Canvases", labels=["outcome"])
        for metric, count in rows:
            family.add_metric([metric], count)
        yield family
