"""What changed between two versions, in sentences."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from canvas import graph as graphs
from canvas import words
from canvas.graph import Graph, Node
from canvas.models import CanvasVersion


def between(older: CanvasVersion | None, newer: CanvasVersion) -> list[str]:
    """The differences, a sentence each; empty where nothing differs, or there is nothing to compare with."""
    if older is None:
        return []
    return list(_of_graphs(graphs.load(older), graphs.load(newer)))


def _of_graphs(old: Graph, new: Graph) -> Iterator[str]:
    for step, node in new.nodes.items():
        if step not in old.nodes:
            yield _("“%(step)s” was added: %(what)s") % {"step": node.name, "what": words.summary(node)}
    for step, node in old.nodes.items():
        if step not in new.nodes:
            yield _("“%s” was deleted.") % node.name
        else:
            yield from _of_nodes(node, new.nodes[step], old, new)
    if (old.exit_events, old.exit_audience, old.exits_at_once) != (
        new.exit_events,
        new.exit_audience,
        new.exits_at_once,
    ):
        yield _("The exit criteria changed.")
    if set(old.starts) != set(new.starts):
        yield _("Variants were added or removed.")
    for variant in set(old.starts) & set(new.starts):
        if old.present(old.starts[variant]) != new.present(new.starts[variant]):
            yield _("A variant begins with another step.")


def _of_nodes(old: Node, new: Node, was: Graph, now: Graph) -> Iterator[str]:
    if old.name != new.name:
        yield _("“%(old)s” is now called “%(new)s”.") % {"old": old.name, "new": new.name}
    if old.settings != new.settings:
        before, after = words.summary(old), words.summary(new)
        if before != after:
            yield _("“%(step)s” was: %(before)s It is: %(after)s") % {
                "step": new.name,
                "before": before,
                "after": after,
            }
        else:
            yield _("The settings of “%s” changed.") % new.name
    if old.contents != new.contents:
        yield _("The webhooks of “%s” changed.") % new.name
    if old.is_disabled != new.is_disabled:
        yield (_("“%s” was switched off.") if new.is_disabled else _("“%s” was switched on.")) % new.name
    if [way.name for way in old.ways] != [way.name for way in new.ways]:
        yield _("The paths of “%s” were renamed.") % new.name
    for way in new.ways:
        before_target, target = was.next(old.id, way.key), now.next(new.id, way.key)
        if before_target != target and old.way(way.key):
            yield _("“%(step)s” now leads to %(target)s.") % {
                "step": f"{new.name}{f' › {way.name}' if way.name else ''}",
                "target": f"“{now.nodes[target].name}”" if target else _("the end"),
            }
