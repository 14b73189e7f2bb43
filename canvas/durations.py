"""How long a journey can take at most: the longest path, all delays and windows on it added up."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from canvas.graph import Graph, Node
from canvas.models import Kind
from canvas.steps import action_paths, delay
from outreach import delays
from workspace.models import Workspace


def longest(graph: Graph, now: datetime) -> timedelta:
    """The maximum duration of the Canvas. Quiet hours and rates are not in it; a personal delay counts as its limit."""
    zone = ZoneInfo(Workspace.current().time_zone)
    return max((_from(graph, start, now, zone) for start in graph.starts.values()), default=timedelta())


def _from(graph: Graph, start: int | None, now: datetime, zone: ZoneInfo) -> timedelta:
    """The longest way from a step to its end; steps are taken from the last to the first."""
    left: dict[int, timedelta] = {}
    for step in sorted(graph.reachable([start]), key=lambda each: -graph.order[each]):
        after = max((left.get(target, timedelta()) for target in graph.targets(step)), default=timedelta())
        left[step] = of_step(graph, graph.nodes[step], now, zone) + after
    return left.get(start or 0, timedelta())


def after(graph: Graph, step: int, now: datetime) -> timedelta:
    """The longest that a journey can take from a step on."""
    return _from(graph, step, now, ZoneInfo(Workspace.current().time_zone))


def of_step(graph: Graph, node: Node, now: datetime, zone: ZoneInfo) -> timedelta:
    """The longest stay in one step."""
    if node.is_disabled:
        return timedelta()
    match node.kind:
        case Kind.DELAY if node.settings.get("mode") == delay.PERSONAL:
            return delay.MOST
        case Kind.DELAY:
            return delays.longest(delays.read(node.settings), now, zone)
        case Kind.MESSAGE:
            return delays.longest(delays.read(node.settings.get("schedule") or {}), now, zone)
        case Kind.ACTION_PATHS:
            return action_paths.window(node)
        case _:
            return timedelta()


def all_of(graph: Graph, now: datetime) -> Sequence[tuple[int, timedelta]]:
    """The longest way of each variant."""
    zone = ZoneInfo(Workspace.current().time_zone)
    return [(variant, _from(graph, start, now, zone)) for variant, start in graph.starts.items()]
