"""Admin pages of the audience."""

from audience.admin.data import AttributeAdmin, CurrencyRateAdmin, EventNameAdmin
from audience.admin.imports import ImportAdmin
from audience.admin.lists import GlobalControlAdmin, SubscriptionGroupAdmin, SuppressionListAdmin
from audience.admin.pending import PendingEventAdmin
from audience.admin.profile import ProfileAdmin
from audience.admin.segment import SegmentAdmin

__all__ = [
    "AttributeAdmin",
    "CurrencyRateAdmin",
    "EventNameAdmin",
    "GlobalControlAdmin",
    "ImportAdmin",
    "PendingEventAdmin",
    "ProfileAdmin",
    "SegmentAdmin",
    "SubscriptionGroupAdmin",
    "SuppressionListAdmin",
]
