"""Names instead of ids, and back: what the rows of a file refer to.

What a target lacks stays unset: of a list that names one, all of it, so that no audience grows by a name that is left
out. It is noted, for people to read.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from workspace import teams
from workspace.files.document import said
from workspace.models import Team


class Links:
    """Turns the values of one side into those of the other. `events` gathers names of custom events that are passed."""

    def __init__(self) -> None:
        self.events: set[str] = set()

    def __call__(self, rows: "QuerySet[Any]", values: Sequence[Any], place: str = "") -> list[Any]:
        """What stands for the values, in their order; empty where one of them has nothing."""
        raise NotImplementedError

    def lack(self, sentence: str) -> None:
        """Note what is not here."""

    def refuse(self, place: str, sentence: str) -> None:
        """Note what is wrong with the file."""


class Named(Links):
    """From ids to names."""

    def __call__(self, rows: "QuerySet[Any]", values: Sequence[Any], place: str = "") -> list[Any]:
        wanted = [key for key in values if type(key) is int]
        names = dict(rows.filter(pk__in=wanted).values_list("pk", "name"))
        return [names[key] for key in values] if all(key in names for key in values) else []


class Found(Links):
    """From names to ids, of what `user` may see (None: everything)."""

    def __init__(self, user: Any = None) -> None:
        super().__init__()
        self.user = user
        self.lacking: list[str] = []
        self.problems: list[str] = []
        self.is_old = False  # the row was here already

    def __call__(self, rows: "QuerySet[Any]", values: Sequence[Any], place: str = "") -> list[Any]:
        if not all(isinstance(name, str) for name in values):
            self.refuse(place, _("Names are texts."))
            return []
        found = [self._one(rows, name) for name in values]
        return [] if None in found else found

    def _one(self, rows: "QuerySet[Any]", name: str) -> int | None:
        ids = list(self._visible(rows).filter(name=name).values_list("pk", flat=True)[:2])
        if len(ids) == 1:
            return int(ids[0])
        words = _("several are called so here") if ids else _("not here")
        self.lack(f"{rows.model._meta.verbose_name} “{name}”: {words}")
        return None

    def _visible(self, rows: "QuerySet[Any]") -> "QuerySet[Any]":
        if self.user is None or self.user.is_superuser:
            return rows
        if rows.model is Team:
            return rows.filter(members=self.user)
        return teams.visible(rows, self.user) if hasattr(rows.model, "teams") else rows

    def teams(self, names: Sequence[Any]) -> list[int]:
        """Of these teams those that are here. Who belongs to teams makes nothing that others see: then it is theirs."""
        found = [key for name in names for key in self(Team.objects.all(), [name], "teams")]
        if found or self.user is None or self.user.is_superuser:
            return found
        return list(Team.objects.filter(members=self.user).values_list("pk", flat=True))

    def lack(self, sentence: str) -> None:
        if sentence not in self.lacking:
            self.lacking.append(sentence)

    def refuse(self, place: str, sentence: str) -> None:
        self.problems.append(said(place, sentence))
