"""What became of messages, for monitoring: the sums of the daily totals."""

from collections.abc import Iterator

from django.db.models import Sum
from prometheus_client.core import CounterMetricFamily, Metric

from outreach.models import DailyCount


class OutcomeCollector:
    """Registered with a `prometheus_client.CollectorRegistry`. One query."""

    def collect(self) -> Iterator[Metric]:
        rows = DailyCount.objects.filter(step=0).values_list("metric").annotate(Sum("count")).order_by()
        family = CounterMetricFamily("hookline_messages", "Messages of campaigns and Canvases", labels=["outcome"])
        for metric, count in rows:
            family.add_metric([metric], count)
        yield family
