"""What somebody sees who was refused for too many wrong passwords. django-axes counts; see AXES_* in the settings."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _


def locked(request: HttpRequest, response: HttpResponse | None = None, credentials: Any = None) -> HttpResponse:
    """429, with how long to wait (`AXES_LOCKOUT_CALLABLE`)."""
    wait = settings.AXES_COOLOFF_TIME
    context = {
        **admin.site.each_context(request),
        "title": _("Too many attempts"),
        "minutes": int(wait.total_seconds() // 60),
    }
    page = TemplateResponse(request, "workspace/locked.html", context, status=429)
    page.headers["Retry-After"] = str(int(wait.total_seconds()))
    return page.render()
