"""The filter language: one tree in JSON that can be checked, put into words, and compiled to one query.

A tree is `{"all": [...]}`, `{"any": [...]}`, `{"not": ...}` or a leaf `{"filter": name, "op": ..., ...}`. An empty tree
selects nobody; everyone is selected by `{"filter": "everyone"}` alone. Higher apps add filters with `register`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from audience.filters import loading, tree
from audience.filters.base import CUSTOM_DATA, LISTS, MESSAGES, PROFILE, Filter, register, registry
from audience.filters.errors import InvalidFilter, Problem
from audience.filters.scope import ALL_SEEN, Leaf, Scope, Unseen
from audience.filters.tree import MAX_DEPTH, MAX_DEPTH_EVER, is_empty

__all__ = [
    "CUSTOM_DATA",
    "LISTS",
    "MESSAGES",
    "PROFILE",
    "Filter",
    "InvalidFilter",
    "Leaf",
    "Problem",
    "Scope",
    "Unseen",
    "compile_tree",
    "is_empty",
    "register",
    "registry",
    "sentence",
    "validate",
]


def compile_tree(filters: Mapping[str, Any], now: datetime, unseen: Unseen = ALL_SEEN) -> Q:
    """The profiles the tree selects at that moment, as a condition on Profile. Raises InvalidFilter.

    `unseen` names rows of the history that filters must not count: the event that is being reacted to.
    """
    scope = loading.scope_for(filters, now, unseen)
    if problems := tree.problems(filters, scope, MAX_DEPTH_EVER):
        raise InvalidFilter(problems)
    return tree.compile(filters, scope)


def validate(filters: Any, now: datetime | None = None) -> list[Problem]:
    """What keeps a tree from being saved and used; an empty list if nothing does."""
    return tree.problems(filters, loading.scope_for(filters, now or timezone.now()), MAX_DEPTH)


def sentence(filters: Any, now: datetime | None = None) -> str:
    """The tree in words, such as “plan is pro and last order less than 30 days ago”; of a broken one, its faults."""
    scope = loading.scope_for(filters, now or timezone.now())
    if problems := tree.problems(filters, scope, MAX_DEPTH_EVER):
        return " ".join(problem.sentence for problem in problems)
    return tree.sentence(filters, scope)
