"""A filter tree as the builder shows it: a root group, groups inside groups, and filters, each plain or negated.

Pure. A place is the way from the root: `(1, 0)` is the first member of the second member of the root group.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

Place = tuple[int, ...]
TreePath = tuple[str | int, ...]

KINDS = ("all", "any")
BLANK_CONDITION = {"type": "text", "op": "any_of"}
BLANK_FILTER = {"filter": "custom_attribute", "type": "text", "op": "any_of"}


class Unbuildable(ValueError):
    """The tree is not made of groups and filters; it can only be edited as JSON."""


@dataclass(frozen=True)
class LeafNode:
    """One filter. `leaf` is what the tree keeps of it."""

    leaf: dict[str, Any]
    is_negated: bool = False


@dataclass(frozen=True)
class Group:
    """Filters and groups of which all, or any, must hold; negated: must not."""

    kind: str = "all"
    members: "tuple[Node, ...]" = ()
    is_negated: bool = False
    name: str = ""


Node = Group | LeafNode


def from_tree(tree: Any) -> Group:
    """The nodes of a tree. Raises Unbuildable."""
    if not tree:
        return Group()
    root = _node(tree)
    return root if isinstance(root, Group) and not root.is_negated else Group(members=(root,))


def _node(tree: Any) -> Node:
    match tree:
        case {"filter": str()}:
            return LeafNode(dict(tree))
        case {"all": list(members), **others} | {"any": list(members), **others} if not others.keys() - {"name"}:
            kind = "all" if "all" in tree else "any"
            return Group(kind, tuple(_node(each) for each in members), name=str(others.get("name", "")))
        case {"not": inner, **others} if not others.keys() - {"name"}:
            node = _node(inner)
            if not node.is_negated:
                return replace(node, is_negated=True)
    raise Unbuildable


def to_tree(root: Group) -> dict[str, Any]:
    """The tree to save. No members: the empty tree, which selects nobody. A root with one filter is that filter."""
    if not root.members:
        return {}
    if len(root.members) == 1 and isinstance(root.members[0], LeafNode) and not root.name:
        return _tree(root.members[0])
    return _tree(root)


def _tree(node: Node) -> dict[str, Any]:
    if isinstance(node, LeafNode):
        inner = node.leaf
    else:
        inner = {node.kind: [_tree(member) for member in node.members]}
        if node.name:
            inner["name"] = node.name
    return {"not": inner} if node.is_negated else inner


def tree_paths(root: Group) -> dict[Place, TreePath]:
    """Where in `to_tree(root)` each node is."""
    if len(root.members) == 1 and isinstance(root.members[0], LeafNode) and not root.name:
        return {(): (), (0,): ()}
    return dict(_paths(root, (), ()))


def _paths(node: Node, place: Place, path: TreePath) -> Iterator[tuple[Place, TreePath]]:
    yield place, path
    if isinstance(node, Group):
        inside = (*path, "not", node.kind) if node.is_negated else (*path, node.kind)
        for number, member in enumerate(node.members):
            yield from _paths(member, (*place, number), (*inside, number))


def act(root: Group, action: str, place: Place) -> Group:
    """The nodes after a button was pressed. A place that is gone changes nothing."""
    match action:
        case "add-filter":
            return _edit(root, place, lambda node: _with(node, LeafNode(dict(BLANK_FILTER))))
        case "add-group":
            return _edit(root, place, lambda node: _with(node, Group("any", (LeafNode(dict(BLANK_FILTER)),))))
        case "add-exclusion":
            excluded = Group("any", (LeafNode(dict(BLANK_FILTER)),), is_negated=True)
            return _edit(root, place, lambda node: _with(node, excluded))
        case "remove":
            return _change_members(root, place, lambda members, n: members[:n] + members[n + 1 :])
        case "duplicate":
            return _change_members(root, place, lambda members, n: members[: n + 1] + members[n:])
        case "add-condition":
            return _edit(root, place, _with_condition)
        case "remove-condition":
            return _edit(root, place[:-1], lambda node: _without_condition(node, place[-1]))
    return root


def _with(node: Node, member: Node) -> Node:
    return replace(node, members=(*node.members, member)) if isinstance(node, Group) else node


def _with_condition(node: Node) -> Node:
    if isinstance(node, Group):
        return node
    return replace(node, leaf=node.leaf | {"conditions": [*_conditions(node), dict(BLANK_CONDITION)]})


def _without_condition(node: Node, number: int) -> Node:
    if isinstance(node, Group):
        return node
    left = [each for index, each in enumerate(_conditions(node)) if index != number]
    return replace(node, leaf=node.leaf | {"conditions": left})


def _conditions(node: LeafNode) -> Sequence[Any]:
    found = node.leaf.get("conditions")
    return found if isinstance(found, list) else ()


def _edit(node: Any, place: Place, change: Callable[[Node], Node]) -> Any:
    if not place:
        return change(node)
    if not isinstance(node, Group) or place[0] >= len(node.members):
        return node
    members = [*node.members]
    members[place[0]] = _edit(members[place[0]], place[1:], change)
    return replace(node, members=tuple(members))


def _change_members(root: Group, place: Place, change: Callable[[tuple[Node, ...], int], tuple[Node, ...]]) -> Group:
    """Change the members of the group that holds the place."""

    def within(node: Node) -> Node:
        if not isinstance(node, Group) or place[-1] >= len(node.members):
            return node
        return replace(node, members=change(node.members, place[-1]))

    changed: Group = _edit(root, place[:-1], within) if place else root
    return changed
