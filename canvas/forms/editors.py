"""One editor a step kind."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from canvas.forms.branching import ActionPathsEditor, AudiencePathsEditor, ExperimentEditor
from canvas.forms.editor import Editor, Section
from canvas.forms.parts import AudienceForm, DelayForm, Part, StepDelayForm, TriggersForm, choice, radio, text
from canvas.forms.rows import ChangesWidget, RowsField, VariablesWidget
from canvas.models import Kind
from canvas.steps import message


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


class QuietForm(Part):
    ignores_quiet = forms.BooleanField(
        label=_("Send in quiet hours too"),
        required=False,
        help_text=_("For what can't wait, such as a code somebody asked for."),
    )


class MessageEditor(Editor):
    def make(self) -> list[Section]:
        given = self.node.settings
        self.schedule = self._part(DelayForm, "schedule", given.get("schedule"))
        self.quiet = self._part(QuietForm, "quiet", given)
        self.audience = self._part(AudienceForm, "audience", given.get("audience"))
        self.unmatched = self._part(UnmatchedForm, "unmatched", given)
        self.exceptions = self._part(TriggersForm, "exceptions", {"triggers": given.get("exceptions") or []})
        self.advance = self._part(AdvanceForm, "advance", given)
        return [
            Section(
                "schedule",
                _("When"),
                [self.schedule, self.quiet],
                _("How long a profile waits here before the message."),
            ),
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
            **self.quiet.settings(),
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
