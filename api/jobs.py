"""What the timetable does for the API."""

from django.utils import timezone

from api import repeats


def tidy() -> None:
    """Forget what is kept for a day."""
    repeats.forget_old(timezone.now())
