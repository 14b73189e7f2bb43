"""Where the steps of a Canvas stand on its map. Pure.

Branches stand side by side, in the order of their ranks. What several branches lead to stands below the step where
they part (its dominator), one row beneath the last of them. Everything is in columns and rows; the page turns them
to pixels.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from canvas.graph import Graph

Source = tuple[str, int]  # ("variant", id) or ("step", id)
ROOT: Source = ("root", 0)
LOOSE: Source = ("loose", 0)


@dataclass(frozen=True, slots=True)
class Edge:
    """A path: from a source, down its own column, to a step or to the end."""

    source: Source
    key: int
    name: str
    target: int | None
    is_alone: bool


@dataclass(slots=True)
class Place:
    """The middle of a box, in columns from the left, and its row."""

    column: float
    row: int


@dataclass(slots=True)
class Layout:
    """`boxes` by source; `lanes` says in which column each edge runs down."""

    boxes: dict[Source, Place] = field(default_factory=dict)
    lanes: dict[tuple[Source, int], float] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    columns: float = 1


def of(graph: Graph, variants: Sequence[int]) -> Layout:
    """The map of a graph with these variants, in their order."""
    return _Plan(graph, variants).layout()


class _Plan:
    def __init__(self, graph: Graph, variants: Sequence[int]) -> None:
        self.graph = graph
        self.variants = variants
        self.result = Layout()

    @cached_property
    def starts(self) -> Mapping[int, int | None]:
        return {variant: self.graph.present(self.graph.starts.get(variant)) for variant in self.variants}

    @cached_property
    def loose(self) -> list[int]:
        """Steps that nothing leads to, first in their part of the graph."""
        reached = self.graph.reachable(self.starts.values())
        rest = [step for step in self.graph.order if step not in reached]
        led_to = {target for step in rest for target in self.graph.targets(step)}
        heads = [step for step in rest if step not in led_to]
        return heads or rest[:1]

    @cached_property
    def edges(self) -> list[Edge]:
        found = [Edge(("variant", variant), 0, "", target, is_alone=True) for variant, target in self.starts.items()]
        for step in self.graph.order:
            ways = self.graph.nodes[step].ways
            for way in ways:
                target = self.graph.present(way.target)
                found.append(Edge(("step", step), way.key, way.name, target, is_alone=len(ways) == 1))
        return found

    @cached_property
    def sources(self) -> Mapping[int, list[Source]]:
        """What leads to each step; a loose one hangs beside the map."""
        found: dict[int, list[Source]] = {}
        for edge in self.edges:
            if edge.target is not None:
                found.setdefault(edge.target, []).append(edge.source)
        for step in self.loose:
            found.setdefault(step, []).append(LOOSE)
        return found

    @cached_property
    def parents(self) -> Mapping[Source, Source]:
        """The dominator of each box: the last one that every way to it passes."""
        found: dict[Source, Source] = {("variant", variant): ROOT for variant in self.variants}
        found[LOOSE] = ROOT
        for step in self.graph.order:
            above = [source for source in self.sources.get(step, [LOOSE]) if source in found] or [LOOSE]
            common = above[0]
            for source in above[1:]:
                common = self._meeting(common, source, found)
            found["step", step] = common
        return found

    def _meeting(self, one: Source, other: Source, found: Mapping[Source, Source]) -> Source:
        seen = {one}
        while one != ROOT:
            one = found[one]
            seen.add(one)
        while other not in seen:
            other = found[other]
        return other

    @cached_property
    def rows(self) -> Mapping[Source, int]:
        """Each box beneath all that lead to it; where branches meet again, beneath all that hangs on any of them."""
        found = self._rows_below({})
        for _turn in self.graph.order:  # each turn settles at least one more meeting point
            lower = self._rows_below(self._bottoms(found))
            if lower == found:
                break
            found = lower
        return found

    def _rows_below(self, bottoms: Mapping[Source, int]) -> dict[Source, int]:
        found: dict[Source, int] = {("variant", variant): 0 for variant in self.variants} | {LOOSE: 0}
        for step in self.graph.order:
            above = [found[source] for source in self.sources.get(step, [LOOSE]) if source in found]
            if step not in self._hung:
                above.append(bottoms.get(self.parents["step", step], 0))
            found["step", step] = max(above, default=0) + 1
        return found

    def _bottoms(self, rows: Mapping[Source, int]) -> dict[Source, int]:
        """The lowest row of what hangs on the paths of each box, with all that is below it."""
        whole = dict(rows)
        hanging: dict[Source, int] = {}
        for step in reversed([*self.graph.order]):
            box, parent = ("step", step), self.parents["step", step]
            whole[parent] = max(whole.get(parent, 0), whole[box])
            if step in self._hung:
                hanging[parent] = max(hanging.get(parent, 0), whole[box])
        roots = [whole["variant", variant] for variant in self.variants]
        hanging[ROOT] = max([*roots, whole[LOOSE]], default=0)
        hanging.pop(LOOSE, None)  # loose parts stand in columns of their own
        return hanging

    @cached_property
    def _hung(self) -> set[int]:
        return {edge.target for edge in self.edges if edge.target is not None and self.hangs(edge)}

    def hangs(self, edge: Edge) -> bool:
        """Whether the target stands right in the edge's own column."""
        return edge.target is not None and len(self.sources[edge.target]) == 1

    def ways(self, source: Source) -> list[Edge]:
        return self._by_source.get(source, [])

    @cached_property
    def _by_source(self) -> Mapping[Source, list[Edge]]:
        found: dict[Source, list[Edge]] = {}
        for edge in self.edges:
            found.setdefault(edge.source, []).append(edge)
        return found

    @cached_property
    def _below(self) -> Mapping[Source, list[int]]:
        """What stands below a box without hanging on one of its paths."""
        found: dict[Source, list[int]] = {}
        for step in self.graph.order:
            if step not in self._hung:
                found.setdefault(self.parents["step", step], []).append(step)
        return found

    def width(self, source: Source) -> float:
        if source not in self._widths:
            across = sum(self._lane_width(edge) for edge in self.ways(source))
            below = sum(self.width(("step", step)) for step in self._below.get(source, ()))
            self._widths[source] = max(1.0, across, below)
        return self._widths[source]

    @cached_property
    def _widths(self) -> dict[Source, float]:
        return {}

    def _lane_width(self, edge: Edge) -> float:
        return self.width(("step", edge.target)) if edge.target is not None and self.hangs(edge) else 1.0

    def layout(self) -> Layout:
        left = 0.0
        for source in self._roots():
            self._put(source, left)
            left += self.width(source)
        joined = self._below.get(ROOT, ())
        under = sum(self.width(("step", step)) for step in joined)
        start = max(0.0, (left - under) / 2)
        for step in joined:
            self._put(("step", step), start)
            start += self.width(("step", step))
        self.result.edges = self.edges
        self.result.columns = max(left, start, 1.0)
        return self.result

    def _roots(self) -> Iterator[Source]:
        yield from (("variant", variant) for variant in self.variants)
        yield from (("step", step) for step in self._below.get(LOOSE, ()))

    def _put(self, source: Source, left: float) -> None:
        """Place a box over the middle of what is below it."""
        width = self.width(source)
        self.result.boxes[source] = Place(left + width / 2, self.rows[source])
        edges = self.ways(source)
        here = left + (width - sum(self._lane_width(edge) for edge in edges)) / 2
        for edge in edges:
            lane = self._lane_width(edge)
            self.result.lanes[source, edge.key] = here + lane / 2
            if edge.target is not None and self.hangs(edge):
                self._put(("step", edge.target), here)
            here += lane
        joined = self._below.get(source, ())
        here = left + (width - sum(self.width(("step", step)) for step in joined)) / 2
        for step in joined:
            self._put(("step", step), here)
            here += self.width(("step", step))
