"""What the pages of all step kinds have: a head, and numbered sections in the order in which they are evaluated."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from canvas.forms.parts import INPUT, Part
from canvas.graph import Node

Data = Mapping[str, Any] | None
Groups = Sequence[tuple[int, str]]


@dataclass(slots=True)
class Section:
    """A numbered part of the page. `key` is where the step's problems point to; `group` the path it belongs to."""

    key: str
    title: Any
    forms: Sequence[Part] = ()
    help: Any = ""
    group: int | None = None
    holds_webhooks: bool = False
    problems: list[str] = field(default_factory=list)


class HeadForm(forms.Form):
    """What every step has."""

    name = forms.CharField(label=_("Name"), max_length=100, widget=forms.TextInput(attrs=INPUT))
    note = forms.CharField(
        label=_("Note for colleagues"), required=False, widget=forms.Textarea(attrs={"class": "hl-input", "rows": 2})
    )
    is_disabled = forms.BooleanField(label=_("Switched off: profiles pass through without effect"), required=False)


class Editor(ABC):
    """The forms of one step's page. `is_live`: a published version has the step, so its paths stay."""

    def __init__(self, node: Node, data: Data = None, *, is_live: bool = False) -> None:
        self.node, self.data, self.is_live = node, data, is_live
        initial = {"name": node.name, "note": node.note, "is_disabled": node.is_disabled}
        self.head = HeadForm(data, prefix="step", initial=initial)
        self.sections = self.make()

    @abstractmethod
    def make(self) -> list[Section]:
        """The page's sections, in order."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What the page says. Call it once it is valid."""

    def groups(self, command: str = "", fresh: int = 0) -> Groups | None:
        """The paths, after a command; None for a step whose paths don't change. `fresh` is the key of a new one."""
        return None

    def is_valid(self) -> bool:
        parts = [form.is_valid() for section in self.sections for form in section.forms]
        return all([self.head.is_valid(), *parts])

    @property
    def media(self) -> forms.Media:
        found = forms.Media(js=["outreach/parts.js"])
        for section in self.sections:
            for form in section.forms:
                found += form.media
        return found

    def _part(self, kind: type[Part], key: str, settings: Any) -> Any:
        return kind(settings or {}, self.data, prefix=key)
