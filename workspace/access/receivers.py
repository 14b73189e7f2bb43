"""What follows from a sign-in (Django's signals)."""

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest

from workspace.access import second_factor, sessions


def signed_in(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """Note in the new session whose it is and whether it needs a code."""
    if request is not None:
        sessions.note_sign_in(request)
        second_factor.note_sign_in(request, user)
