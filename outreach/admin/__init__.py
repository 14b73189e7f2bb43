"""What the lists of campaigns and Canvases share, and what API calls have left behind."""

from .bulk import BulkMoves
from .calls import DirectSendAdmin, ScheduledCallAdmin

__all__ = ["BulkMoves", "DirectSendAdmin", "ScheduledCallAdmin"]
