"""The Audience tab: who, how many, and how the variants share them."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audience.builder import FiltersField
from campaigns.forms.base import TabForm
from campaigns.models import Campaign
from outreach.forms.schedule import WallClockField
from outreach.models import Optimisation, Subscribed


class AudienceForm(TabForm):
    filters = FiltersField(label=gettext_lazy("Additional filters"), required=False)
    winner_at = WallClockField(label=gettext_lazy("the winner goes out"), required=False)

    class Meta:
        model = Campaign
        fields = (
            *("to_everyone", "segments", "filters", "subscribed", "subscription_group", "most_recipients"),
            *("recipients_per", "optimisation", "held_share", "winner_at", "sends_best_anyway"),
        )

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        if cleaned.get("to_everyone") and (cleaned.get("segments") or cleaned.get("filters")):
            self.add_error("to_everyone", _("Choose either all profiles or segments, not both."))
        if cleaned.get("subscribed") == Subscribed.GROUP and not cleaned.get("subscription_group"):
            self.add_error("subscription_group", _("Choose the subscription group."))
        if cleaned.get("optimisation") == Optimisation.WINNER:
            if not cleaned.get("held_share"):
                self.add_error("held_share", _("Say how many per cent are held back for the winner."))
            if not cleaned.get("winner_at"):
                self.add_error("winner_at", _("Say when the winner goes out."))
        return cleaned
