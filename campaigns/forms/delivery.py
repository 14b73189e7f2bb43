"""The Delivery tab: when, how often, and what holds a message back."""

from collections.abc import Mapping
from datetime import time
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTimeWidget

from campaigns.forms.base import UNITS, TabForm, in_units
from campaigns.models import LONGEST_REELIGIBILITY, Campaign, Delivery
from outreach import delays
from outreach.delays import Mode
from outreach.forms.rows import SAME_AS_TRIGGER, TriggersField, TriggersWidget
from outreach.forms.schedule import QUIET, SCHEDULE, WEEKDAYS, ScheduleInputs, WallClockField
from outreach.matching import KINDS
from outreach.models import Status

MODES = (
    (Mode.NONE, gettext_lazy("at once")),
    (Mode.AFTER, gettext_lazy("after a while")),
    (Mode.DAYS, gettext_lazy("some calendar days later, at a time")),
    (Mode.NEXT_WEEKDAY, gettext_lazy("on the next weekday, at a time")),
)
ZONES = (("company", gettext_lazy("the company's clock")), ("local", gettext_lazy("the profile's clock")))
EXCEPTIONS = [kind for kind in KINDS if kind not in ("received", "converted", "in_control")]


def number(label: Any, **options: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=0, widget=UnfoldAdminIntegerFieldWidget, **options)


def choice(label: Any, choices: Any, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, required=False, widget=UnfoldAdminSelectWidget, **options)


class DeliveryForm(ScheduleInputs, TabForm):
    """Saves an incomplete campaign too; what only a launch needs is checked by `campaigns.launch`."""

    start_at = WallClockField(
        label=gettext_lazy("start"), required=False, help_text=gettext_lazy("Empty: as soon as it is launched.")
    )
    end_at = WallClockField(
        label=gettext_lazy("end"), required=False, help_text=gettext_lazy("Nothing is sent after this moment.")
    )
    triggers = TriggersField(
        label=gettext_lazy("It is sent when a profile"), required=False, widget=TriggersWidget(same=())
    )
    exceptions = TriggersField(
        label=gettext_lazy("It is dropped if, before it is sent, the profile"),
        required=False,
        widget=TriggersWidget(same=SAME_AS_TRIGGER, kinds=EXCEPTIONS),
    )
    delay_mode = choice(gettext_lazy("send it"), MODES)
    delay_count = number(gettext_lazy("how many"))
    delay_unit = choice(gettext_lazy("of"), UNITS)
    delay_weekday = choice(gettext_lazy("weekday"), WEEKDAYS)
    delay_at = forms.TimeField(label=gettext_lazy("time of day"), required=False, widget=UnfoldAdminTimeWidget)
    delay_zone = choice(gettext_lazy("by"), ZONES)
    re_evaluates = forms.TypedChoiceField(
        label=gettext_lazy("check the audience again right before sending"),
        choices=(
            ("", gettext_lazy("as usual: scheduled campaigns do, others don't")),
            ("true", gettext_lazy("yes")),
            ("false", gettext_lazy("no")),
        ),
        coerce=lambda value: value == "true",
        empty_value=None,
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    reeligible_count = number(
        gettext_lazy("after"), help_text=gettext_lazy("Counted from the moment it was received. 0: at once.")
    )
    reeligible_unit = choice(gettext_lazy("of"), UNITS)

    class Meta:
        model = Campaign
        fields = (
            *("delivery", "start_at", "end_at", *SCHEDULE),
            *("triggers", "exceptions", "portion_start", "portion_end", "portion_waits", "is_reeligible"),
            *(*QUIET, "obeys_caps", "counts_for_caps"),
            "re_evaluates",
        )

    SHOWN_WHEN: ClassVar[Mapping[str, str]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaign = self.instance
        self.initial["re_evaluates"] = {True: "true", False: "false"}.get(campaign.re_evaluates, "")
        delay = campaign.delay or {}
        for name, fallback in (
            ("mode", Mode.NONE),
            ("count", None),
            ("unit", "days"),
            ("weekday", 0),
            ("zone", "company"),
        ):
            self.fields[f"delay_{name}"].initial = delay.get(name, fallback)
        self.fields["delay_at"].initial = time.fromisoformat(delay["at"]) if delay.get("at") else None
        count, unit = in_units(campaign.reeligible_seconds)
        self.fields["reeligible_count"].initial, self.fields["reeligible_unit"].initial = count, unit
        if campaign.pk and campaign.status != Status.DRAFT:
            self.fields["delivery"].disabled = True
            self.fields["delivery"].help_text = _(
                "It can't be changed after the launch; duplicate the campaign instead."
            )

    def clean_start_at(self) -> Any:
        start = self.cleaned_data["start_at"]
        is_new = start and start != self.instance.start_at
        if is_new and start < timezone.now() and self.instance.status == Status.DRAFT:
            local = timezone.localtime(start)
            text = _("%(time)s has passed. Choose a later time, or leave it empty to send as soon as launched.")
            raise forms.ValidationError(text, params={"time": f"{local:%Y-%m-%d %H:%M}"})
        return start

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        self.check_schedule(cleaned, is_scheduled=cleaned.get("delivery") == Delivery.SCHEDULED)
        self.check_quiet_hours(cleaned)
        self._check_bounds(cleaned)
        self._check_portion(cleaned)
        self._read_delay(cleaned)
        self._read_reeligibility(cleaned)
        return cleaned

    def _check_bounds(self, cleaned: dict[str, Any]) -> None:
        start, end = cleaned.get("start_at"), cleaned.get("end_at")
        if start and end and end <= start:
            self.add_error("end_at", _("It ends before it starts. Choose a later end."))

    def _check_portion(self, cleaned: dict[str, Any]) -> None:
        portion = cleaned.get("portion_start"), cleaned.get("portion_end")
        if (portion[0] is None) != (portion[1] is None):
            self.add_error("portion_end", _("The portion of the day needs a start and an end."))
        elif portion[0] is not None and portion[0] == portion[1]:
            self.add_error("portion_end", _("The portion of the day can't begin and end at the same time."))

    def _read_delay(self, cleaned: dict[str, Any]) -> None:
        mode = cleaned.get("delay_mode") or Mode.NONE
        found: dict[str, Any] = {"mode": str(mode)}
        if mode in (Mode.AFTER, Mode.DAYS):
            found["count"] = cleaned.get("delay_count") or 0
            if not found["count"]:
                self.add_error("delay_count", _("Say how long it waits."))
        if mode == Mode.AFTER:
            found["unit"] = cleaned.get("delay_unit") or "days"
        if mode == Mode.NEXT_WEEKDAY:
            found["weekday"] = int(cleaned.get("delay_weekday") or 0)
        if mode in (Mode.DAYS, Mode.NEXT_WEEKDAY):
            if cleaned.get("delay_at") is None:
                self.add_error("delay_at", _("Say at what time of day."))
            found |= {
                "at": f"{cleaned.get('delay_at') or time():%H:%M}",
                "zone": cleaned.get("delay_zone") or "company",
            }
        if not self.errors.get("delay_count") and mode == Mode.AFTER and delays.duration(delays.read(found)).days > 365:
            self.add_error("delay_count", _("The delay is longer than 365 days."))
        self.instance.delay = found if mode != Mode.NONE else {}

    def _read_reeligibility(self, cleaned: dict[str, Any]) -> None:
        seconds = (cleaned.get("reeligible_count") or 0) * delays.SECONDS[cleaned.get("reeligible_unit") or "days"]
        if seconds > LONGEST_REELIGIBILITY:
            self.add_error("reeligible_count", _("At most 720 days."))
        self.instance.reeligible_seconds = min(seconds, LONGEST_REELIGIBILITY)
