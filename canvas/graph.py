"""A version of a Canvas as the engine walks it: immutable, loaded once for a process."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from canvas.models import CanvasVersion, Kind, Path, StepContent, StepRevision

_KEPT = 256


@dataclass(frozen=True, slots=True)
class Way:
    """A path of a step, or from a variant's start. `target` None: it ends the journey."""

    key: int
    name: str
    target: int | None


@dataclass(frozen=True, slots=True)
class Node:
    """A step as a version has it. `ways` in order of rank; `contents` are (slot, content id)."""

    id: int
    kind: Kind
    name: str
    settings: Mapping[str, Any]
    ways: Sequence[Way] = ()
    contents: Sequence[tuple[int, int]] = ()
    is_disabled: bool = False
    note: str = ""

    def way(self, key: int) -> Way | None:
        return next((way for way in self.ways if way.key == key), None)

    @property
    def last_way(self) -> int:
        """The key of the path for those nothing else fits: the only one, No, or Everyone else."""
        return self.ways[-1].key if self.ways else 0


@dataclass(frozen=True)
class Graph:
    """`starts` maps variants to their first steps; `redirects` steps that are gone to where their people go."""

    version_id: int
    number: int
    canvas_id: int
    nodes: Mapping[int, Node]
    starts: Mapping[int, int | None]
    exit_events: Sequence[Mapping[str, Any]] = ()
    exit_audience: Mapping[str, Any] = field(default_factory=dict)
    exits_at_once: bool = True
    redirects: Mapping[int, int | None] = field(default_factory=dict)

    def next(self, step: int, key: int) -> int | None:
        """The step that a path of a step leads to. A step that is gone leads where its redirect does."""
        node = self.nodes.get(step)
        if node is None:
            return self.redirected(step)
        way = node.way(key)
        return self.present(way.target) if way else None

    def redirected(self, step: int | None) -> int | None:
        """Where those go who wait in a step that is gone; None: they leave."""
        seen: set[int] = set()
        while step is not None and step not in self.nodes:
            if step in seen:
                return None
            seen.add(step)
            step = self.redirects.get(step)
        return step

    def present(self, step: int | None) -> int | None:
        return step if step in self.nodes else self.redirected(step)

    def targets(self, step: int) -> list[int]:
        """The steps right after a step, in order of rank, each once."""
        found = (self.present(way.target) for way in self.nodes[step].ways)
        return [*dict.fromkeys(target for target in found if target is not None)]

    @cached_property
    def order(self) -> Mapping[int, int]:
        """A place for each step, so that every path leads to a later place; steps on a cycle come last."""
        incoming = dict.fromkeys(self.nodes, 0)
        for step in self.nodes:
            for target in self.targets(step):
                incoming[target] += 1
        ready = [step for step, count in incoming.items() if not count]
        placed: list[int] = []
        while ready:
            step = ready.pop(0)
            placed.append(step)
            for target in self.targets(step):
                incoming[target] -= 1
                if not incoming[target]:
                    ready.append(target)
        placed += [step for step in self.nodes if incoming[step]]
        return {step: place for place, step in enumerate(placed)}

    @cached_property
    def on_cycles(self) -> frozenset[int]:
        """Steps from which a path leads back to themselves."""
        return frozenset(step for step in self.nodes if step in self.reachable(self.targets(step)))

    def reachable(self, steps: Iterable[int | None]) -> set[int]:
        """These steps and all that follow them."""
        found: set[int] = set()
        waiting = [step for step in steps if step is not None and step in self.nodes]
        while waiting:
            step = waiting.pop()
            if step not in found:
                found.add(step)
                waiting += self.targets(step)
        return found

    def nodes_of(self, kind: Kind) -> Iterator[Node]:
        return (node for node in self.nodes.values() if node.kind is kind)


_kept: OrderedDict[tuple[int, datetime | None], Graph] = OrderedDict()


def load(version: CanvasVersion) -> Graph:
    """The graph of a version. Published ones never change, so they are kept; a draft is read afresh."""
    key = (version.pk, version.published_at)
    if version.number is None:
        return read(version)
    if key not in _kept:
        _kept[key] = read(version)
        while len(_kept) > _KEPT:
            _kept.popitem(last=False)
    return _kept[key]


def drop(version: CanvasVersion) -> None:
    """Forget one version: its row was taken back."""
    _kept.pop((version.pk, version.published_at), None)


def forget() -> None:
    """Empty the cache (tests reuse ids)."""
    _kept.clear()


def read(version: CanvasVersion) -> Graph:
    """Read the graph from the database, in three queries."""
    ways: dict[int, list[Way]] = {}
    starts: dict[int, int | None] = {}
    for path in Path.objects.filter(version=version).order_by("rank", "key"):
        if path.step_id:
            ways.setdefault(path.step_id, []).append(Way(path.key, path.name, path.target_id))
        else:
            starts[path.variant_id or 0] = path.target_id
    contents: dict[int, list[tuple[int, int]]] = {}
    rows = StepContent.objects.filter(revision__version=version).order_by("slot")
    for revision, slot, content in rows.values_list("revision_id", "slot", "content_id"):
        contents.setdefault(revision, []).append((slot, content))
    revisions = StepRevision.objects.filter(version=version).select_related("step").order_by("step_id")
    nodes = {r.step_id: _node(r, ways.get(r.step_id, ()), contents.get(r.pk, ())) for r in revisions}
    return Graph(
        version.pk,
        version.number or 0,
        version.canvas_id,
        nodes,
        starts,
        version.exit_events,
        version.exit_audience,
        version.exits_at_once,
        {int(step): target for step, target in version.redirects.items()},
    )


def _node(revision: StepRevision, ways: Sequence[Way], contents: Sequence[tuple[int, int]]) -> Node:
    return Node(
        revision.step_id,
        Kind(revision.step.kind),
        revision.name,
        revision.settings,
        tuple(ways),
        tuple(contents),
        revision.is_disabled,
        revision.note,
    )
