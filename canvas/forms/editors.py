"""One editor a step kind: the sections of its page, in the order in which they are evaluated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from canvas.forms.parts import (
    INPUT,
    UNITS,
    AudienceForm,
    DelayForm,
    Part,
    StepDelayForm,
    TriggersForm,
    choice,
    number,
    radio,
    text,
)
from canvas.forms.rows import ChangesWidget, RowsField, VariablesWidget
from canvas.graph import Node
from canvas.models import Kind
from canvas.steps import message

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


class Editor:
    """The forms of one step's page. `is_live`: a published version has the step, so its paths stay."""

    def __init__(self, node: Node, data: Data = None, *, is_live: bool = False) -> None:
        self.node, self.data, self.is_live = node, data, is_live
        initial = {"name": node.name, "note": node.note, "is_disabled": node.is_disabled}
        self.head = HeadForm(data, prefix="step", initial=initial)
        self.sections = self.make()

    def make(self) -> list[Section]:
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        """What the page says. Call it once it is valid."""
        raise NotImplementedError

    def groups(self, command: str = "", fresh: int = 0) -> Groups | None:
        """The paths, after a command; None for a step whose paths don't change. `fresh` is the key of a new one."""
        return None

    def is_valid(self) -> bool:
        parts = [form.is_valid() for section in self.sections for form in section.forms]
        return all([self.head.is_valid(), *parts])

    @property
    def media(self) -> forms.Media:
        found = forms.Media(js=["canvas/step.js"])
        for section in self.sections:
            for form in section.forms:
                found += form.media
        return found

    def _part(self, kind: type[Part], key: str, settings: Any) -> Any:
        return kind(settings or {}, self.data, prefix=key)


class AdvanceForm(Part):
    advance = radio(
        _("Who goes on"),
        (
            (message.EVERYONE, _("everyone: sent, capped, failed or skipped, they go on after the first attempt")),
            (message.SENT, _("only who received it (2xx); the others leave once every attempt has failed")),
        ),
    )

    def from_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        return {"advance": settings.get("advance") or message.EVERYONE}


class UnmatchedForm(Part):
    unmatched = radio(
        _("Who does not match"),
        ((message.EXIT, _("leaves the Canvas")), (message.SKIP, _("goes on without the message"))),
    )

    def from_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        return {"unmatched": settings.get("unmatched") or message.EXIT}


class MessageEditor(Editor):
    def make(self) -> list[Section]:
        given = self.node.settings
        self.schedule = self._part(DelayForm, "schedule", given.get("schedule"))
        self.audience = self._part(AudienceForm, "audience", given.get("audience"))
        self.unmatched = self._part(UnmatchedForm, "unmatched", given)
        self.exceptions = self._part(TriggersForm, "exceptions", {"triggers": given.get("exceptions") or []})
        self.advance = self._part(AdvanceForm, "advance", given)
        return [
            Section("schedule", _("When"), [self.schedule], _("How long a profile waits here before the message.")),
            Section(
                "audience",
                _("Who"),
                [self.audience, self.unmatched],
                _("Asked after the wait, and again right before sending. Empty: everybody who comes here."),
            ),
            Section(
                "exceptions",
                _("Unless"),
                [self.exceptions],
                _("If the profile does one of these while it waits here, it leaves without the message."),
            ),
            Section("contents", _("What"), holds_webhooks=True),
            Section("advance", _("Then"), [self.advance]),
        ]

    def settings(self) -> dict[str, Any]:
        return {
            "schedule": self.schedule.settings() or {"mode": "none"},
            "audience": self.audience.settings(),
            "exceptions": self.exceptions.settings()["triggers"],
            **self.unmatched.settings(),
            **self.advance.settings(),
        }


class HoldForm(Part):
    holds_at_end = forms.BooleanField(
        label=_("Hold people even if nothing follows, for steps added later"), required=False
    )


class DelayEditor(Editor):
    def make(self) -> list[Section]:
        self.delay = self._part(StepDelayForm, "delay", self.node.settings)
        self.hold = self._part(HoldForm, "hold", self.node.settings)
        return [
            Section("mode", _("When"), [self.delay], _("Worked out when a profile comes here, and kept.")),
            Section("hold", _("Then"), [self.hold]),
        ]

    def settings(self) -> dict[str, Any]:
        return self.delay.settings() | self.hold.settings()


class DecisionEditor(Editor):
    def make(self) -> list[Section]:
        self.audience = self._part(AudienceForm, "audience", self.node.settings.get("audience"))
        text = _("Asked at once when a profile comes here. Who fits goes the way of Yes, everybody else that of No.")
        return [Section("audience", _("Who"), [self.audience], text)]

    def settings(self) -> dict[str, Any]:
        return {"audience": self.audience.settings()}


# --- paths


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

    def group_parts(self, key: int) -> list[Part]:
        raise NotImplementedError

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
    always_random = forms.BooleanField(
        label=_("Draw anew whenever a profile comes again (else it keeps its path)"), required=False
    )


class ExperimentEditor(PathsEditor):
    rest_help = _("The control group, to compare with.")

    def first(self) -> list[Section]:
        self.experiment = self._part(ExperimentForm, "experiment", self.node.settings)
        if self.is_live:
            self.experiment.fields["control"].disabled = True
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


# --- the others


class UpdateForm(Part):
    fields_when: ClassVar[Mapping[str, str]] = {"changes": "mode=form", "json": "mode=json"}
    mode = radio(_("Write it as"), (("form", _("a form")), ("json", _("JSON, with Liquid"))))
    changes = RowsField(label=_("Changes"), required=False, widget=ChangesWidget)
    json = forms.CharField(
        label=_("JSON"),
        required=False,
        help_text=_("An object with attributes, events or purchases, for the journey's own profile."),
        widget=forms.Textarea(attrs={"class": "hl-input", "rows": 10, "spellcheck": "false"}),
    )
    on_failure = choice(
        _("If it can't be stored"), (("continue", _("go on")), ("exit", _("leave the Canvas"))), required=False
    )

    def from_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        return {"mode": "form", "on_failure": "continue"} | super().from_settings(settings)


class UpdateEditor(Editor):
    def make(self) -> list[Section]:
        self.update = self._part(UpdateForm, "update", self.node.settings)
        text = _("Values may contain Liquid. Numbers, true, false, lists and objects are stored as such.")
        return [Section("changes", _("What"), [self.update], text)]

    def settings(self) -> dict[str, Any]:
        return self.update.settings()


class VariablesForm(Part):
    variables = RowsField(label=_("Variables"), required=False, widget=VariablesWidget)


class ContextEditor(Editor):
    def make(self) -> list[Section]:
        self.variables = self._part(VariablesForm, "context", self.node.settings)
        text = _("Worked out from top to bottom; later ones see earlier ones as {{context.${name}}}.")
        return [Section("variables", _("What"), [self.variables], text)]

    def settings(self) -> dict[str, Any]:
        return {"variables": self.variables.cleaned_data["variables"]}


class LabelForm(Part):
    label = text(_("Label, as reports show it"), max_length=100)


class ExitEditor(Editor):
    def make(self) -> list[Section]:
        self.label = self._part(LabelForm, "exit", self.node.settings)
        return [Section("label", _("What"), [self.label])]

    def settings(self) -> dict[str, Any]:
        return {"label": self.label.cleaned_data["label"]}


EDITORS: Mapping[Kind, type[Editor]] = {
    Kind.MESSAGE: MessageEditor,
    Kind.DELAY: DelayEditor,
    Kind.DECISION_SPLIT: DecisionEditor,
    Kind.AUDIENCE_PATHS: AudiencePathsEditor,
    Kind.ACTION_PATHS: ActionPathsEditor,
    Kind.EXPERIMENT_PATHS: ExperimentEditor,
    Kind.USER_UPDATE: UpdateEditor,
    Kind.CONTEXT: ContextEditor,
    Kind.EXIT: ExitEditor,
}
