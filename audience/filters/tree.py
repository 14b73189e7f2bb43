"""Filter trees: `{"all": [...]}`, `{"any": [...]}`, `{"not": ...}` and leaves `{"filter": name, "op": ..., ...}`.

An empty tree selects nobody. "Everyone" is said by the leaf `{"filter": "everyone"}`, never by leaving something out;
an empty group inside a tree is a mistake, because under a NOT it would mean everyone.
"""

import json
import operator
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from audience.filters.base import registry
from audience.filters.columns import NOBODY
from audience.filters.errors import Problem
from audience.filters.scope import Leaf, Scope, Tree

GROUPS = ("all", "any")
MAX_DEPTH = 5  # of a saved tree
MAX_DEPTH_EVER = 10  # of what the API sends
MAX_LEAF_BYTES = 10_000
MAX_LEAVES = 500
MAX_BYTES = 200_000

TreePath = tuple[str | int, ...]


def is_empty(tree: Any) -> bool:
    """Whether the tree says nothing at all."""
    return not tree or (isinstance(tree, Mapping) and any(tree.get(key) == [] for key in GROUPS) and len(tree) == 1)


def leaves(tree: Any) -> Iterator[Leaf]:
    """Every leaf of the tree, even of one that is partly wrong."""
    if not isinstance(tree, Mapping):
        return
    if "filter" in tree:
        yield tree
    for key in GROUPS:
        children = tree.get(key)
        for child in children if isinstance(children, list) else ():
            yield from leaves(child)
    yield from leaves(tree.get("not"))


def problems(tree: Any, scope: Scope, max_depth: int = MAX_DEPTH_EVER) -> list[Problem]:
    """What keeps the tree from being used. An empty tree is usable: it selects nobody."""
    return [] if is_empty(tree) else [*faults(tree, scope, max_depth=max_depth), *_too_complex(tree, scope)]


def faults(tree: Any, scope: Scope, path: TreePath = (), max_depth: int = MAX_DEPTH_EVER) -> Iterator[Problem]:
    """What is wrong in a tree that is not empty, its size apart."""
    match tree:
        case {"filter": name, **others} if not any(key in others for key in (*GROUPS, "not")):
            yield from _leaf_problems(name, tree, scope, path)
        case {"all": list(children), **others} | {"any": list(children), **others} if not others.keys() - {"name"}:
            key = "all" if "all" in tree else "any"
            if not children:
                yield Problem((*path, key), _("A group is empty: add a filter to it or remove it."))
            elif max_depth < 1:
                yield Problem((*path, key), _("The groups are nested too deeply."))
            else:
                for place, child in enumerate(children):
                    yield from faults(child, scope, (*path, key, place), max_depth - 1)
        case {"not": inner, **others} if not others.keys() - {"name"} and not _is_not(inner):
            yield from faults(inner, scope, (*path, "not"), max_depth)
        case _:
            yield Problem(path, _("This is neither a filter nor a group of filters."))


def _is_not(tree: Any) -> bool:
    return isinstance(tree, Mapping) and "not" in tree


def _leaf_problems(name: Any, leaf: Leaf, scope: Scope, path: TreePath) -> Iterator[Problem]:
    known = registry.get(name) if isinstance(name, str) else None
    if known is None:
        yield Problem((*path, "filter"), _("There is no filter “%s”.") % (name,))
    elif _size(leaf) > MAX_LEAF_BYTES:
        yield Problem(path, _("A filter is larger than %d bytes. Import long lists as a CSV file.") % MAX_LEAF_BYTES)
    else:
        for key, sentence in known.problems(leaf, scope):
            yield Problem((*path, *key), sentence)


def _too_complex(tree: Any, scope: Scope) -> Iterator[Problem]:
    count, size = cost(tree, scope)
    if count > MAX_LEAVES or size > MAX_BYTES:
        sentence = _(
            "The audience has %(count)d filters of %(size)d bytes, segments included; the limit is %(most)d filters "
            "and %(bytes)d bytes. Remove repeated filters, or turn lists of IDs into a CSV import."
        )
        figures = {"count": count, "size": size, "most": MAX_LEAVES, "bytes": MAX_BYTES}
        yield Problem((), f"{sentence % figures} {_largest(tree, scope)}".rstrip())


def _largest(tree: Any, scope: Scope) -> str:
    """Which of the segments that the tree names has the most filters; empty where it names none."""
    named = {key for leaf in leaves(tree) for key in _included(leaf, scope)}
    sizes = [(cost(scope.segments[key].tree, scope, frozenset({key}))[0], scope.segments[key].name) for key in named]
    if not sizes:
        return ""
    count, name = max(sizes)
    return _("The largest segment is “%(name)s” with %(count)d.") % {"name": name, "count": count}


def cost(tree: Any, scope: Scope, inside: frozenset[int] = frozenset()) -> tuple[int, int]:
    """How many filters the tree has and how many bytes they take, the segments it includes written out."""
    count = size = 0
    for leaf in leaves(tree):
        count, size = count + 1, size + _size(leaf)
        for key in _included(leaf, scope):
            if key not in inside:
                more = cost(scope.segments[key].tree, scope, inside | {key})
                count, size = count + more[0], size + more[1]
    return count, size


def _included(leaf: Leaf, scope: Scope) -> list[int]:
    """The segments that a leaf, which may be partly wrong, includes; those that are gone left out."""
    named = leaf.get("segments") if leaf.get("filter") == "segment" else None
    found = named if isinstance(named, list) else []
    return [key for key in found if isinstance(key, int) and key in scope.segments]


def _size(leaf: Leaf) -> int:
    try:
        return len(json.dumps(leaf))
    except (TypeError, ValueError):
        return MAX_LEAF_BYTES + 1


def compile(tree: Tree, scope: Scope) -> Q:
    """The profiles a tree without problems selects."""
    if is_empty(tree):
        return NOBODY
    match tree:
        case {"all": children}:
            return reduce(operator.and_, [compile(child, scope) for child in children])
        case {"any": children}:
            return reduce(operator.or_, [compile(child, scope) for child in children])
        case {"not": inner}:
            return ~compile(inner, scope)
        case _:
            return registry[tree["filter"]].compile(tree, scope)


def sentence(tree: Tree, scope: Scope, is_inner: bool = False) -> str:
    """A tree without problems in words, for example “plan is pro and last order less than 30 days ago”."""
    if is_empty(tree):
        return _("nobody")
    match tree:
        case {"all": children}:
            return _joined(_(" and "), children, scope, is_inner)
        case {"any": children}:
            return _joined(_(" or "), children, scope, is_inner)
        case {"not": inner}:
            return pgettext("in front of a condition", "not (%s)") % sentence(inner, scope)
        case _:
            return registry[tree["filter"]].sentence(tree, scope)


def _joined(glue: str, children: list[Tree], scope: Scope, is_inner: bool) -> str:
    if len(children) == 1:
        return sentence(children[0], scope, is_inner)
    text = glue.join(sentence(child, scope, is_inner=True) for child in children)
    return f"({text})" if is_inner else text
