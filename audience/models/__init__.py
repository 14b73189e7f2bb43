"""Who can be messaged: profiles, what they did, and saved filters over them."""

from .history import CurrencyRate, CustomEvent, EventName, EventSummary, PendingEvent, Purchase
from .imports import Import, ImportedProfile
from .profile import BUCKETS, Alias, Attribute, FormerId, Gender, Profile, Subscription, random_bucket
from .segment import GlobalControl, Segment, SegmentSize, SuppressionList
from .subscription import SubscriptionGroup, SubscriptionState

__all__ = [
    "BUCKETS",
    "Alias",
    "Attribute",
    "CurrencyRate",
    "CustomEvent",
    "EventName",
    "EventSummary",
    "FormerId",
    "Gender",
    "GlobalControl",
    "Import",
    "ImportedProfile",
    "PendingEvent",
    "Profile",
    "Purchase",
    "Segment",
    "SegmentSize",
    "Subscription",
    "SubscriptionGroup",
    "SubscriptionState",
    "SuppressionList",
    "random_bucket",
]
