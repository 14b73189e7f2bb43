"""What may be meant so, but often is not: warnings about the messages and dates of a graph, to be read at launch."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from audience.models import Attribute
from canvas import durations
from canvas.findings import Finding
from canvas.graph import Graph, Node
from canvas.models import Kind
from canvas.steps import message
from outreach.delays import Mode
from webhooks import warnings as content_warnings
from webhooks.models import Content


def of(graph: Graph, now: datetime) -> Iterator[Finding]:
    yield from _dates(graph)
    yield from _experiments(graph, now)
    types = dict(Attribute.objects.values_list("name", "type"))
    contents = message.contents_of(graph.nodes_of(Kind.MESSAGE))
    after_actions = graph.reachable(node.id for node in graph.nodes_of(Kind.ACTION_PATHS))
    for node in graph.nodes_of(Kind.MESSAGE):
        for content in (contents[pk] for _slot, pk in node.contents if pk in contents):
            yield from _of_content(node, content, node.id in after_actions)
            for doubt in content_warnings.warnings(content, types=types):
                yield Finding(f"{node.name}: {doubt.sentence}", node.id, "contents")


def _dates(graph: Graph) -> Iterator[Finding]:
    """Whoever waited for the later date finds that the earlier one has passed, and leaves."""
    days = {node.id: day for node in graph.nodes_of(Kind.DELAY) if (day := _day(node))}
    for step, day in days.items():
        for later in graph.reachable(graph.targets(step)):
            if later in days and days[later] < day:
                text = _("“%(later)s” waits until a date before that of “%(step)s”: everybody would leave there.")
                yield Finding(text % {"later": graph.nodes[later].name, "step": graph.nodes[step].name}, later)


def _experiments(graph: Graph, now: datetime) -> Iterator[Finding]:
    """Whoever waits behind an experiment for longer than it looks for conversions is counted as not converted."""
    for node in graph.nodes_of(Kind.EXPERIMENT_PATHS):
        window = timedelta(days=int(node.settings.get("window_days") or 0))
        if window and durations.after(graph, node.id, now) > window:
            text = _("“%s” counts conversions for a shorter time than its paths can take.")
            yield Finding(text % node.name, node.id, "window_days")


def _day(node: Node) -> date | None:
    if node.is_disabled or node.settings.get("mode") != Mode.DATE:
        return None
    try:
        return date.fromisoformat(str(node.settings.get("date")))
    except ValueError:
        return None


def _of_content(node: Node, content: Content, is_after_action: bool) -> Iterator[Finding]:
    overrides = list(content.overrides.all())
    urls = [content.url, *(override.url for override in overrides)]
    if any(url.strip().lower().startswith("http://") for url in urls):
        yield Finding(
            _("“%s” calls an address without https: what it says can be read on the way.") % node.name, node.id
        )
    pairs = [content.pairs, *(override.pairs for override in overrides)]
    texts = [*urls, content.raw_body, *(override.raw_body for override in overrides), str(pairs), str(content.headers)]
    if not is_after_action and any("event_properties" in text for text in texts):
        yield Finding(_("“%s” uses event properties, but no action path comes before it.") % node.name, node.id)
