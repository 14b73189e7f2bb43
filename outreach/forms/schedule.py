"""Inputs for a schedule and for quiet hours, for the forms of whatever is scheduled."""

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSplitDateTimeWidget

from outreach import delays, schedule
from outreach.models import Quiet, Recurrence

WEEKDAYS = (
    (0, gettext_lazy("Monday")),
    (1, gettext_lazy("Tuesday")),
    (2, gettext_lazy("Wednesday")),
    (3, gettext_lazy("Thursday")),
    (4, gettext_lazy("Friday")),
    (5, gettext_lazy("Saturday")),
    (6, gettext_lazy("Sunday")),
)
SCHEDULE = ("is_local", "recurrence", "every", "weekdays", "end_on", "run_count")
"""Fields of `outreach.models.Scheduled` as they are; `days_of_month` is an input of its own."""
QUIET = ("quiet_mode", "quiet_start", "quiet_end", "quiet_waits")


class WallClockField(forms.SplitDateTimeField):
    """A day and time on the clocks of the current zone. One that the clocks skip is refused, with the reason."""

    widget = UnfoldAdminSplitDateTimeWidget

    def compress(self, data_list: Any) -> datetime | None:
        if not data_list or not any(data_list):
            return None
        day, at = data_list
        if day in self.empty_values or at in self.empty_values:
            raise ValidationError(_("Give both a day and a time."))
        return moment(day, at, ZoneInfo(timezone.get_current_timezone_name()))


def moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """When the zone's clocks show the time, of a doubled one the first. Raises ValidationError where they never do."""
    if after := schedule.gap_at(day, at, zone):
        raise ValidationError(
            _(
                "%(time)s does not exist on %(day)s in %(zone)s: the clocks go forward. "
                "Choose %(after)s or another time."
            ),
            params={
                "time": f"{at:%H:%M}",
                "day": day,
                "zone": zone.key,
                "after": f"{after.astimezone(zone):%H:%M}",
            },
        )
    return delays.wall_clock(day, at, zone)


class ScheduleInputs(forms.ModelForm):
    """To be mixed into a form of something scheduled; its `clean` calls `check_schedule` and `check_quiet_hours`."""

    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("On these weekdays"),
        coerce=int,
        choices=WEEKDAYS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    days_of_month = forms.CharField(
        label=gettext_lazy("On these days of the month"),
        required=False,
        help_text=gettext_lazy("For example: 1, 15, last. A day that a month lacks is its last."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = ["last" if day == -1 else str(day) for day in self.instance.month_days or []]
        self.fields["days_of_month"].initial = ", ".join(shown)

    def clean_days_of_month(self) -> list[int]:
        return [_day(part) for part in self.cleaned_data["days_of_month"].replace(";", ",").split(",") if part.strip()]

    def check_schedule(self, cleaned: dict[str, Any], *, is_scheduled: bool) -> None:
        """Put problems on their fields, and the days of the month into the instance."""
        start, last = cleaned.get("start_at"), cleaned.get("end_on")
        self.instance.month_days = cleaned.get("days_of_month") or []
        if start and last and last < timezone.localtime(start).date():
            self.add_error("end_on", _("It would never run: its last day is before its first run."))
        if not is_scheduled:
            return
        if cleaned.get("recurrence") == Recurrence.WEEKLY and not cleaned.get("weekdays"):
            self.add_error("weekdays", _("It would never run: choose the weekdays."))
        if cleaned.get("recurrence") == Recurrence.MONTHLY and cleaned.get("days_of_month") == []:
            self.add_error("days_of_month", _("It would never run: choose the days of the month."))

    def check_quiet_hours(self, cleaned: dict[str, Any]) -> None:
        quiet = cleaned.get("quiet_start"), cleaned.get("quiet_end")
        if cleaned.get("quiet_mode") == Quiet.OWN and None in quiet:
            self.add_error("quiet_end", _("Say when the quiet hours begin and end."))
        elif cleaned.get("quiet_mode") == Quiet.OWN and quiet[0] == quiet[1]:
            self.add_error("quiet_end", _("Quiet hours can't begin and end at the same time."))


def _day(part: str) -> int:
    part = part.strip().lower()
    if part in ("last", "-1", str(_("last"))):
        return -1
    if part.isdigit() and 1 <= int(part) <= 31:
        return int(part)
    raise forms.ValidationError(
        _("“%(part)s” is not a day of the month: use 1 to 31, or “last”."), params={"part": part}
    )
