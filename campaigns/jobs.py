"""RQ entry points of campaigns."""

from django.utils import timezone

from campaigns import idle


def tidy() -> None:
    """Stop what has had nothing left to send for long (timetable)."""
    idle.check_due(timezone.now())
