"""Keeps what somebody typed when their session has ended meanwhile.

A form that arrives without a session is put aside in the new, nameless session, which signing in keeps. Then the page
at `/admin/kept/` offers to send it once more. Passwords and files are not kept, nor more than a quarter of a megabyte.
"""

import json
from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

KEY = "kept_form"
STOP_ASKING = 286  # htmx: nothing goes wrong, but a part that asks again and again shall end it
MOST = 256 * 1024  # characters
NEVER = ("csrfmiddlewaretoken", "password", "usable_password", "old_password", "new_password", "otp")


class KeepTyped:
    """Middleware, behind authentication: forms sent to the admin after the session has ended."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        """Behind the check for forgery, so that no other site can plant a form here."""
        if request.user.is_authenticated or not _is_inside(request):
            return None
        if request.headers.get("HX-Request"):
            text = _("You were signed out. Save this page: what you typed is kept while you sign in again.")
            return HttpResponse(status=STOP_ASKING, headers={"HX-Trigger": json.dumps({"hlSignedOut": {"text": text}})})
        if request.method != "POST" or not _keep(request):
            return None
        return HttpResponseRedirect(f"{reverse('admin:login')}?{urlencode({'next': reverse('kept_form')})}")


def _is_inside(request: HttpRequest) -> bool:
    return request.path.startswith(reverse("admin:index")) and request.path != reverse("admin:login")


def _keep(request: HttpRequest) -> bool:
    """Put the form aside; whether it could be."""
    names = [name for name in request.POST if not name.startswith(NEVER)]
    fields = [(name, value) for name in names for value in request.POST.getlist(name)]
    if request.headers.get("Sec-Fetch-Dest", "document") != "document" or not fields:
        return False  # asked for by a script: there is nobody to see the answer
    if request.FILES or sum(len(name) + len(value) for name, value in fields) > MOST:
        return False
    request.session[KEY] = {"path": request.get_full_path(), "fields": fields}
    return True


def show(request: HttpRequest) -> HttpResponse:
    """What was kept, with a button that sends it. Shown once: whoever leaves the page leaves it."""
    kept = request.session.pop(KEY, None)
    if kept is None:
        return HttpResponseRedirect(reverse("admin:index"))
    long = [(name, value) for name, value in kept["fields"] if len(value) > 3 and not name.endswith("_FORMS")]
    context = {
        **admin.site.each_context(request),
        "title": _("What you had typed is still here"),
        "kept": kept,
        "texts": long[:40],
    }
    return TemplateResponse(request, "home/kept.html", context)
