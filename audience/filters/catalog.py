"""The filters this app brings, in the order the builder offers them."""

from audience.filters.custom import CUSTOM
from audience.filters.events import EVENTS
from audience.filters.membership import MEMBERSHIP
from audience.filters.standard import STANDARD

BUILT_IN = (*STANDARD, *CUSTOM, *EVENTS, *MEMBERSHIP)
