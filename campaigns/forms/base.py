"""What the tabs' forms share: a page that somebody else has changed meanwhile is refused."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns import history
from campaigns.models import Campaign
from outreach import delays

UNITS = (
    ("seconds", gettext_lazy("seconds")),
    ("minutes", gettext_lazy("minutes")),
    ("hours", gettext_lazy("hours")),
    ("days", gettext_lazy("days")),
    ("weeks", gettext_lazy("weeks")),
)


class TabForm(forms.ModelForm):
    """`edited_version` is the version the page was opened with: saving over somebody else's change is refused."""

    edited_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "edited_version" in self.fields:
            self.fields["edited_version"].initial = self.instance.version

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        opened = (cleaned or {}).get("edited_version")
        if not self.instance.pk or opened is None:
            return cleaned
        current = Campaign.objects.filter(pk=self.instance.pk).first()
        if current and current.version != opened:
            raise ValidationError(stale(current))
        return cleaned


def stale(current: Campaign) -> list[str]:
    """Who saved meanwhile, and what is different now."""
    entry = next(iter(history.entries(current, 1)), None)
    who = entry.who if entry else _("Somebody else")
    said = [
        _("%(who)s saved this campaign at %(time)s UTC (version %(version)d). Nothing of yours was saved.")
        % {"who": who, "time": f"{current.updated_at:%H:%M:%S}", "version": current.version}
    ]
    changes = entry.changes[:10] if entry else []
    said += [f"{change.field}: {change.before} → {change.after}" for change in changes]
    return [*said, _("Reload the page, then make your change again.")]


def in_units(seconds: int) -> tuple[int, str]:
    """Seconds in the largest unit that holds them without a rest."""
    for unit, size in sorted(delays.SECONDS.items(), key=lambda pair: -pair[1]):
        if seconds and seconds % size == 0:
            return seconds // size, unit
    return seconds, "days"
