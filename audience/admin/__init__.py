"""Admin pages of the audience."""

from audience.admin.imports import ImportAdmin
from audience.admin.pending import PendingEventAdmin
from audience.admin.profile import ProfileAdmin
from audience.admin.segment import SegmentAdmin

__all__ = ["ImportAdmin", "PendingEventAdmin", "ProfileAdmin", "SegmentAdmin"]
