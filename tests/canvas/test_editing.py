"""Edits of a draft: whatever is done in whatever order, the graph holds together, and undo goes back the same way."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canvas import editing, graph, layout, undo
from canvas.errors import NotAllowed
from canvas.models import CanvasVersion, Kind, Path, StepRevision
from tests.canvas.world import audience_paths, build, delay, has, message, split

pytestmark = pytest.mark.django_db
EDITS = ("add", "move", "remove", "copy", "connect", "switch")
one_edit = st.tuples(st.sampled_from(EDITS), st.integers(0, 30), st.integers(0, 30), st.sampled_from(list(Kind)))


def make(draft: CanvasVersion, edit: str, first: int, second: int, kind: Kind) -> None:
    """The edit with the steps and paths that the numbers fall on."""
    steps = list(draft.revisions.order_by("pk"))
    ways = list(Path.objects.filter(version=draft).order_by("pk"))
    way = ways[first % len(ways)]
    if edit == "add":
        editing.add_step(draft, kind, way)
        return
    if not steps:
        raise NotAllowed
    step = steps[second % len(steps)]
    match edit:
        case "move":
            editing.move_step(draft, step.step_id, way)
        case "remove":
            editing.remove_step(draft, step.step_id)
        case "copy":
            editing.copy_step(draft, step.step_id)
        case "connect":
            editing.connect(draft, way, step.step_id)
        case "switch":
            editing.change(step, is_disabled=not step.is_disabled)


def check(draft: CanvasVersion) -> None:
    """No circle, no path to or from a step that is gone, and each kind with the paths it needs."""
    current = graph.read(draft)
    assert not current.on_cycles
    ways = Path.objects.filter(version=draft)
    assert {way.target_id for way in ways if way.target_id} <= set(current.nodes)
    assert {way.step_id for way in ways if way.step_id} <= set(current.nodes)
    for node in current.nodes.values():
        branching = node.kind in editing.BRANCHING
        assert len(node.ways) == 0 if node.kind is Kind.EXIT else len(node.ways) >= (2 if branching else 1)
    names = list(StepRevision.objects.filter(version=draft).values_list("name", flat=True))
    assert len(names) == len(set(names))
    check_map(draft, current)


def check_map(draft: CanvasVersion, current: graph.Graph) -> None:
    """Every step has its card, none lies over another, and each path leads down."""
    plan = layout.of(current, [variant.pk for variant in draft.canvas.variants.all()])
    assert {number for kind, number in plan.boxes if kind == "step"} == set(current.nodes)
    places = sorted((box.row, box.column) for box in plan.boxes.values())
    for (row, column), (other_row, other_column) in itertools.pairwise(places):
        assert row != other_row or other_column - column > 0.99
    for edge in plan.edges:
        assert (edge.source, edge.key) in plan.lanes
        if edge.target is not None:
            assert plan.boxes["step", edge.target].row > plan.boxes[edge.source].row


@given(st.lists(one_edit, min_size=1, max_size=10))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_edits_keep_the_graph_whole_and_undo_takes_them_back(edits):
    pro = split("pro?", has("plan", "pro"), [message("yes")], [message("no")])
    canvas = build([message("hello"), delay("wait"), audience_paths("who?", (has("plan", "x"), [pro]), rest=["yes"])])
    draft = CanvasVersion.objects.get(canvas=canvas)
    pictures = []
    for edit, first, second, kind in edits:
        before = undo._picture(draft)
        try:
            make(draft, edit, first, second, kind)
        except NotAllowed:
            assert undo._picture(draft) == before  # a refused edit leaves nothing behind
        else:
            pictures.append(before)
        check(draft)
    for picture in reversed(pictures):
        undo.take_back(draft)
        assert undo._picture(draft) == picture
        check(draft)
    with pytest.raises(NotAllowed):
        undo.take_back(draft)
