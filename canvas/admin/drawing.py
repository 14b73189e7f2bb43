"""The map of a Canvas in pixels: cards, lines between them, and where a step can be put in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from canvas import counts, layout, words
from canvas.graph import Graph, Node
from canvas.layout import Edge, Layout, Source
from outreach.models import Variant

COLUMN, ROW = 264, 224
CARD_WIDTH, CARD_HEIGHT = 232, 126
START_HEIGHT, TOP = 54, 12
BEND, LABEL, PLUS, STUB = 16, 36, 58, 84


@dataclass(slots=True)
class Card:
    """A step on the map."""

    node: Node
    x: str
    y: str
    icon: str
    kind: str
    summary: str
    place: int
    numbers: Mapping[str, int] = field(default_factory=dict)
    problems: Sequence[str] = ()
    is_changed: bool = False


@dataclass(slots=True)
class Start:
    """A variant at the top."""

    variant: Variant
    x: str
    y: str
    entered: int


@dataclass(slots=True)
class Line:
    """A path. `source` names it in addresses ("step-3-1", "variant-2"); `taken` counts those who took it."""

    source: str
    d: str
    x: str
    label_y: str
    plus_y: str
    name: str
    title: str
    taken: int | None
    is_end: bool
    end_y: str
    waits: bool


@dataclass(slots=True)
class Drawing:
    cards: list[Card]
    starts: list[Start]
    lines: list[Line]
    width: int
    height: int
    card_width: int = CARD_WIDTH
    card_height: int = CARD_HEIGHT


@dataclass(frozen=True, slots=True)
class Figures:
    """What the map shows besides the graph."""

    by_step: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    by_path: Mapping[tuple[int, str], int] = field(default_factory=dict)
    by_variant: Mapping[int, int] = field(default_factory=dict)
    problems: Mapping[int, Sequence[str]] = field(default_factory=dict)
    changed: frozenset[int] = frozenset()
    is_live: bool = False


def draw(graph: Graph, variants: Sequence[Variant], figures: Figures) -> Drawing:
    """Lay the graph out. Control groups have no steps and are not on the map."""
    sending = [variant for variant in variants if not variant.is_control]
    plan = layout.of(graph, [variant.pk for variant in sending])
    return Drawing(
        [_card(graph, plan, step, figures) for step in graph.order],
        [_start(plan, variant, figures) for variant in sending],
        [_line(graph, plan, edge, figures) for edge in plan.edges],
        int(plan.columns * COLUMN),
        max(_top(plan, source) + _height(source) for source in plan.boxes) + STUB + 24 if plan.boxes else ROW,
    )


def _middle(plan: Layout, source: Source) -> float:
    return plan.boxes[source].column * COLUMN


def _top(plan: Layout, source: Source) -> int:
    row = plan.boxes[source].row
    return TOP if row == 0 else row * ROW - (ROW - START_HEIGHT - TOP - 100)


def _height(source: Source) -> int:
    return START_HEIGHT if source[0] == "variant" else CARD_HEIGHT


def _card(graph: Graph, plan: Layout, step: int, figures: Figures) -> Card:
    node, source = graph.nodes[step], ("step", step)
    return Card(
        node,
        f"{_middle(plan, source) - CARD_WIDTH / 2:.0f}",
        f"{_top(plan, source)}",
        words.ICONS[node.kind],
        str(node.kind.label),
        words.summary(node),
        graph.order[step] + 1,
        figures.by_step.get(step, counts.NOTHING) if figures.is_live else {},
        figures.problems.get(step, ()),
        step in figures.changed,
    )


def _start(plan: Layout, variant: Variant, figures: Figures) -> Start:
    source = ("variant", variant.pk)
    x = _middle(plan, source) - CARD_WIDTH / 2
    return Start(variant, f"{x:.0f}", f"{_top(plan, source)}", figures.by_variant.get(variant.pk, 0))


def _line(graph: Graph, plan: Layout, edge: Edge, figures: Figures) -> Line:
    sx, lane = _middle(plan, edge.source), plan.lanes[edge.source, edge.key] * COLUMN
    bottom = _top(plan, edge.source) + _height(edge.source)
    d = f"M{sx:.0f} {bottom}V{bottom + BEND}H{lane:.0f}"
    if edge.target is None:
        d += f"V{bottom + STUB}"
    else:
        tx, ty = _middle(plan, ("step", edge.target)), _top(plan, ("step", edge.target))
        d += f"V{ty - BEND}H{tx:.0f}V{ty - 2}"
    kind, number = edge.source
    is_branch = kind == "step" and len(graph.nodes[number].ways) > 1
    return Line(
        f"step-{number}-{edge.key}" if kind == "step" else f"variant-{number}",
        d,
        f"{lane:.0f}",
        f"{bottom + LABEL}",
        f"{bottom + PLUS}",
        (edge.name if len(edge.name) < 24 else f"{edge.name[:22]}…") if is_branch else "",
        _title(graph, edge),
        figures.by_path.get((number, str(edge.key)), 0) if is_branch and figures.is_live else None,
        edge.target is None,
        f"{bottom + STUB}",
        kind == "step" and _waits(graph.nodes[number]),
    )


def _title(graph: Graph, edge: Edge) -> str:
    """What a screen reader says of the plus on a path."""
    kind, number = edge.source
    after = _("the start") if kind == "variant" else f"“{graph.nodes[number].name}”"
    if edge.name:
        return _("Add a step after %(step)s, on the path “%(path)s”") % {"step": after, "path": edge.name}
    return _("Add a step after %s") % after


def _waits(node: Node) -> bool:
    waits: Mapping[Any, bool] = {"delay": True, "action": True}
    return waits.get(node.kind.value, False)
