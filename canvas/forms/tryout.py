"""The form of a dry run: whom, from when, and what the profile does meanwhile."""

import json
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audience import search
from audience.models import Profile
from canvas.forms.parts import INPUT, UNITS, radio
from canvas.forms.rows import Row, RowsField, RowsWidget
from canvas.graph import Graph
from canvas.models import Canvas
from canvas.rehearsal.one import Coming, Wanted, experiments
from outreach import delays

EVENT_KINDS = (("event", _("performs the event")), ("purchase", _("buys the product")))


class EventsWidget(RowsWidget):
    template_name = "canvas/widgets/events.html"
    columns = ("name", "kind", "after", "unit", "properties")
    blank = 2

    def more(self) -> Row:
        return {"kinds": EVENT_KINDS, "units": UNITS}


class JsonField(forms.CharField):
    """A JSON object; blank: an empty one."""

    widget = forms.Textarea(attrs={"class": "hl-input", "rows": 2, "spellcheck": "false"})

    def clean(self, value: Any) -> dict[str, Any]:
        return read_object(str(super().clean(value) or ""))


def read_object(text: str) -> dict[str, Any]:
    """The object in a text. Raises ValidationError."""
    try:
        found = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise ValidationError(_("This is not JSON: %(error)s"), params={"error": error}) from error
    if not isinstance(found, dict):
        raise ValidationError(_('Write a JSON object, for example {"plan": "pro"}.'))
    return found


class TryForm(forms.Form):
    whom: ClassVar[Any] = (
        ("random", _("a random profile")),
        ("existing", _("the profile with this external ID or email")),
        ("custom", _("a made-up profile")),
    )
    as_kind = radio(_("For"), whom, initial="random")
    as_id = forms.CharField(
        label=_("External ID or email"), required=False, widget=forms.TextInput(attrs=INPUT | {"autocomplete": "off"})
    )
    as_custom = JsonField(
        label=_("Its attributes, as the API takes them"), required=False, initial='{"first_name": "Ada", "plan": "pro"}'
    )
    start = forms.DateTimeField(
        label=_("Enters at (UTC unless the workspace says otherwise)"),
        widget=forms.DateTimeInput(attrs=INPUT | {"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    variant = forms.ChoiceField(label=_("Variant"), required=False, widget=forms.Select(attrs=INPUT))
    properties = JsonField(label=_("Entry properties"), required=False, initial="")
    events = RowsField(label=_("Meanwhile it"), required=False, widget=EventsWidget)

    class Media:
        js = ("webhooks/composer.js", "outreach/parts.js")

    def __init__(self, canvas: Canvas, graph: Graph, data: Any = None) -> None:
        super().__init__(data, initial={"start": timezone.localtime().replace(second=0, microsecond=0)})
        arms = canvas.variants.filter(is_removed=False)
        chosen = self.fields["variant"]
        assert isinstance(chosen, forms.ChoiceField)
        chosen.choices = [("", _("as it is drawn")), *((str(arm.pk), arm.name) for arm in arms)]
        self.crossings = experiments(graph.nodes)
        for node in self.crossings:
            ways = [(way.key, way.name) for way in node.ways]
            self.fields[f"path-{node.id}"] = forms.ChoiceField(
                label=node.name,
                choices=[("", _("as it is drawn")), *ways],
                required=False,
                widget=forms.Select(attrs=INPUT),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self.profile: Profile | None = None
        match cleaned.get("as_kind"):
            case "existing":
                self.profile = search.find(cleaned.get("as_id") or "").first() if cleaned.get("as_id") else None
                if self.profile is None:
                    self.add_error("as_id", _("No profile has this external ID or email."))
            case "random":
                self.profile = Profile.objects.order_by("random_bucket").first()
                if self.profile is None:
                    self.add_error("as_kind", _("There are no profiles yet. Make one up."))
        try:
            self.coming = [self._coming(row) for row in cleaned.get("events") or ()]
        except (ValidationError, ValueError) as error:
            texts = error.messages if isinstance(error, ValidationError) else [str(_("“After” is a number."))]
            self.add_error("events", texts)
        return cleaned

    def _coming(self, row: Row) -> Coming:
        start: datetime = self.cleaned_data.get("start") or timezone.now()
        wait = timedelta(seconds=float(row["after"] or 0) * delays.SECONDS.get(row["unit"], 1))
        kind = row["kind"] if row["kind"] in dict(EVENT_KINDS) else "event"
        return Coming(start + wait, row["name"].strip(), kind, read_object(row["properties"]))

    def wanted(self) -> Wanted:
        """What the valid form asks for."""
        data = self.cleaned_data
        paths = {node.id: int(key) for node in self.crossings if (key := data.get(f"path-{node.id}"))}
        return Wanted(
            data["start"],
            self.profile,
            data["as_custom"] if data["as_kind"] == "custom" else {},
            data["properties"],
            int(data["variant"]) if data["variant"] else None,
            self.coming,
            paths,
        )
