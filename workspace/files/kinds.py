"""What there can be in a file, and how it is taken in: all of it or nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from workspace.files.document import VERSION, Document, at, parse, said
from workspace.files.errors import BadFile
from workspace.files.links import Found
from workspace.files.shapes import Part, checked


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of document. `write` says a row as one; `make` makes the row that a checked one describes.

    `check` finds what the shape alone can't; `facts` says in a few words what a row is.
    """

    key: str
    label: Any
    rows: Callable[[], "QuerySet[Any]"]
    shape: type[Part]
    write: Callable[[Any], Document]
    make: Callable[[Document, Found], Any]
    facts: Callable[[Any], Sequence[str]]
    check: Callable[[Document, str], Sequence[str]] = lambda document, place: ()

    def document(self, row: Any) -> Document:
        return {"hookline": VERSION, "kind": self.key, **self.write(row)}


@dataclass(frozen=True, slots=True)
class Made:
    """A row that came out of a file, or (`is_old`) was here already, the same.

    `lacking` says what it refers to that is not here, and stays unset.
    """

    kind: Kind
    row: Any
    facts: Sequence[str]
    lacking: Sequence[str]
    is_old: bool = False


kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Offer a kind. What others refer to is registered before them, and made before them."""
    kinds[kind.key] = kind


Documents = Sequence[tuple[str, Kind, Document]]


def read(data: bytes, allowed: Mapping[str, Kind] = kinds) -> Documents:
    """The checked documents of a file, each with its place and kind. Raises BadFile with every problem."""
    found, problems = [], []
    for place, given in parse(data):
        kind, faults = _kind(given, place, allowed)
        if kind:
            document, faults = checked(kind.shape, given, place)
            faults = faults or [*kind.check(document, place)]
            found.append((place, kind, document))
        problems += faults
    if problems:
        raise BadFile(problems)
    return found


def _kind(given: Any, place: str, allowed: Mapping[str, Kind]) -> tuple[Kind | None, list[str]]:
    if not isinstance(given, dict) or "hookline" not in given:
        return None, [said(place, _("This is no document of Hookline: it has no field “hookline”."))]
    if type(given["hookline"]) is not int or given["hookline"] != VERSION:
        text = _("This version of the format is not known here; it must be %d.") % VERSION
        return None, [said(at(place, "hookline"), text)]
    name = given.get("kind")
    kind = allowed.get(name) if isinstance(name, str) else None
    if kind is None:
        text = _("It must be one of these: %s.") % ", ".join(allowed)
        return None, [said(at(place, "kind"), text)]
    return kind, []


@transaction.atomic
def make(documents: Documents, user: Any = None) -> list[Made]:
    """Make what they describe, as drafts of the user's. Raises BadFile, and makes nothing, where one can't be made."""
    order = list(kinds)
    made, problems = [], []
    for place, kind, document in sorted(documents, key=lambda each: order.index(each[1].key)):
        links = Found(user)
        row = kind.make(document, links)
        if row is not None:
            made.append(Made(kind, row, kind.facts(row), links.lacking, links.is_old))
        problems += [at(place, problem) for problem in links.problems]
    if problems:
        raise BadFile(problems)
    return made


def rehearse(documents: Documents, user: Any = None) -> list[Made]:
    """What `make` would make; nothing of it stays."""
    with transaction.atomic():
        made = make(documents, user)
        transaction.set_rollback(True)
    return made
