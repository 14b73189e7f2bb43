"""The editors of steps with named paths: audience paths, action paths, experiment paths."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from canvas.forms.editor import Editor, Groups, Section
from canvas.forms.parts import UNITS, AudienceForm, Part, TriggersForm, choice, number, text


class NameForm(Part):
    name = text(_("Name of the path"), max_length=100)


class ExitsForm(Part):
    exits = forms.BooleanField(label=_("Whoever does this leaves the Canvas"), required=False)


class PathsEditor(Editor):
    """A step with named paths, the last of which is everyone else (key 0)."""

    rest_help: ClassVar[Any] = ""

    def make(self) -> list[Section]:
        self.names: dict[int, NameForm] = {}
        self.parts: dict[int, list[Part]] = {}
        sections = self.first()
        for way in self.node.ways:
            self.names[way.key] = self._part(NameForm, f"path-{way.key}", {"name": way.name})
            self.parts[way.key] = self.group_parts(way.key)
            sections.append(
                Section(
                    f"group-{way.key}",
                    way.name,
                    [self.names[way.key], *self.parts[way.key]],
                    self.group_help(way.key),
                    group=way.key,
                )
            )
        return sections

    def first(self) -> list[Section]:
        """What stands above the paths."""
        return []

    @abstractmethod
    def group_parts(self, key: int) -> list[Part]:
        """What a path has besides its name."""

    def group_help(self, key: int) -> Any:
        return self.rest_help if key == 0 else ""

    def given(self, key: int) -> Mapping[str, Any]:
        return (self.node.settings.get("groups") or {}).get(str(key)) or {}

    def groups(self, command: str = "", fresh: int = 0) -> Groups:
        found = [(way.key, self.names[way.key].cleaned_data["name"] or way.name) for way in self.node.ways]
        return arranged(found, command, fresh)


def arranged(groups: list[tuple[int, str]], command: str, fresh: int) -> Groups:
    """The paths after a command: `add`, `remove-3`, `up-3`. The path with key 0 stays at the end."""
    action, _dash, key = command.partition("-")
    named = [group for group in groups if group[0]]
    rest = [group for group in groups if not group[0]]
    place = next((n for n, group in enumerate(named) if str(group[0]) == key), None)
    match action:
        case "add":
            named.append((fresh, str(_("Group %d")) % fresh))
        case "remove" if place is not None:
            named.pop(place)
        case "up" if place:
            named.insert(place - 1, named.pop(place))
    return [*named, *rest]


class AudiencePathsEditor(PathsEditor):
    rest_help = _("Who fits none of the groups above.")

    def first(self) -> list[Section]:
        text = _("Asked at once, from top to bottom: the first group that fits is taken.")
        return [Section("groups", _("Groups"), help=text)]

    def group_parts(self, key: int) -> list[Part]:
        return [self._part(AudienceForm, f"group-{key}", self.given(key).get("audience"))] if key else []

    def settings(self) -> dict[str, Any]:
        return {"groups": {str(k): {"audience": parts[0].settings()} for k, parts in self.parts.items() if k}}


class WindowForm(Part):
    count = number(_("Wait at most"))
    unit = choice("", UNITS)
    ranked = forms.BooleanField(
        label=_("Hold everybody until the end, then take the highest group that happened"), required=False
    )

    def from_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        window = settings.get("window") or {}
        return {"count": window.get("count"), "unit": window.get("unit", "days"), "ranked": settings.get("ranked")}


class ActionPathsEditor(PathsEditor):
    rest_help = _("Who did none of these until the end of the window.")

    def first(self) -> list[Section]:
        self.window = self._part(WindowForm, "window", self.node.settings)
        if self.is_live:
            for bound in self.window.fields.values():
                bound.disabled = True
        text = _("From when a profile comes here. Unless ranked, the first action that fits decides at once.")
        return [Section("window", _("When"), [self.window], text)]

    def group_parts(self, key: int) -> list[Part]:
        exits = self._part(ExitsForm, f"exits-{key}", self.given(key))
        if not key:
            return [exits]
        return [self._part(TriggersForm, f"group-{key}", {"triggers": self.given(key).get("triggers") or []}), exits]

    def settings(self) -> dict[str, Any]:
        window = self.window.cleaned_data
        groups = {
            str(key): {name: value for part in parts for name, value in part.settings().items()}
            for key, parts in self.parts.items()
        }
        return {
            "window": {"count": window["count"] or 0, "unit": window["unit"]},
            "ranked": bool(window["ranked"]),
            "groups": groups,
        }


class ShareForm(Part):
    share = number(_("Share (%)"), max_value=100)


class ExperimentForm(Part):
    window_days = number(_("Conversion window (days)"), min_value=1, max_value=30)
    control = choice(
        _("Control group"),
        (("continue", _("goes on along its path")), ("exit", _("leaves after the conversion window"))),
    )
    winner_count = number(_("Decide for a winner after (empty: never)"))
    winner_unit = choice(_("counted from the first profile, in"), UNITS, required=False)
    held = number(
        _("Held back for the winner (%)"),
        max_value=99,
        help_text=_("A delay group: it waits, then goes along the winner. Only where everybody comes at once."),
    )
    unclear = choice(
        _("if no path is clearly better"),
        (("best", _("all go along the best one anyway")), ("mix", _("keep the shares"))),
        required=False,
    )
    always_random = forms.BooleanField(
        label=_("Draw anew whenever a profile comes again (else it keeps its path)"), required=False
    )


class ExperimentEditor(PathsEditor):
    rest_help = _("The control group, to compare with.")

    def first(self) -> list[Section]:
        self.experiment = self._part(ExperimentForm, "experiment", self.node.settings)
        if self.is_live:
            for name in ("control", "winner_count", "winner_unit", "held", "unclear"):
                self.experiment.fields[name].disabled = True
        text = _("Each profile is drawn at random, by the shares below. They add up to 100 %.")
        return [Section("window_days", _("Experiment"), [self.experiment], text)]

    def group_parts(self, key: int) -> list[Part]:
        shares = self.node.settings.get("shares") or {}
        return [self._part(ShareForm, f"share-{key}", {"share": shares.get(str(key), 0)})]

    def groups(self, command: str = "", fresh: int = 0) -> Groups:
        found = super().groups(command, fresh)
        return [*found, (0, str(_("Control group")))] if command == "control" else found

    def settings(self) -> dict[str, Any]:
        shares = {str(key): parts[0].cleaned_data["share"] or 0 for key, parts in self.parts.items()}
        return {"shares": shares, **self.experiment.settings()}
