"""Addresses of one's own sign-in, under the admin's."""

from collections.abc import Callable

from django.contrib import admin
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.cache import never_cache

from workspace.access import views


def _own(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    return never_cache(admin.site.admin_view(view))


urlpatterns = [
    path("", _own(views.overview), name="account"),
    path("code/", _own(views.code), name="account_code"),
    path("sessions/end/", _own(views.end_sessions), name="account_end_sessions"),
    path("second-factor/", _own(views.set_up), name="account_second_factor"),
    path("second-factor/off/", _own(views.switch_off), name="account_second_factor_off"),
    path("second-factor/codes/", _own(views.renew_codes), name="account_recovery_codes"),
]
