"""Each request of somebody signed in: notes that the session is in use, and asks for the second factor first."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from workspace.access import second_factor, sessions

_ALWAYS = ("admin:logout", "account_code", "admin:jsi18n")


class AccessMiddleware:
    """After AuthenticationMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.session.session_key and request.user.is_authenticated:
            sessions.note_use(request)
            if stop := _gate(request):
                return stop
        return self.get_response(request)


def _gate(request: HttpRequest) -> HttpResponse | None:
    """Where to go first, or None. A page that is asked for in the background gets 403: it can't show a form."""
    if second_factor.awaits_code(request):
        target = "account_code"
    elif settings.SECOND_FACTOR_REQUIRED and not second_factor.has_passed(request):
        target = "account_second_factor"
    else:
        return None
    if request.path in {reverse(name) for name in (*_ALWAYS, target)}:
        return None
    if request.headers.get("HX-Request") or request.path.startswith("/api/"):
        return HttpResponse(status=403)
    return HttpResponseRedirect(f"{reverse(target)}?{urlencode({'next': request.get_full_path()})}")
