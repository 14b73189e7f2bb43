"""Who sees what: rows that belong to teams are for their members."""

from collections.abc import Collection
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet

from workspace.models import Team

Row = TypeVar("Row", bound=Model)


def visible(rows: "QuerySet[Row]", user: Any) -> "QuerySet[Row]":
    """The rows (with a relation `teams`) that the user may see: those of their teams and those of no team.

    Superusers see all.
    """
    if user.is_superuser:
        return rows
    return rows.filter(Q(teams=None) | Q(pk__in=_of_teams(rows, user)))


def may_see(teams: Collection[int], user: Any) -> bool:
    """Whether somebody may see what belongs to these teams (ids): theirs, or nobody's in particular."""
    if user.is_superuser or not teams:
        return True
    return not isinstance(user, AnonymousUser) and Team.objects.filter(members=user, pk__in=teams).exists()


def _of_teams(rows: "QuerySet[Row]", user: Any) -> Any:
    if isinstance(user, AnonymousUser):
        return ()
    mine = Team.objects.filter(members=user)
    return rows.model._default_manager.filter(teams__in=mine).values("pk")
