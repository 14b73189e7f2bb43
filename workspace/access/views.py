"""The pages of one's own sign-in: sessions, second factor, and the code that is asked for after the password."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from workspace.access import browsers, second_factor, sessions
from workspace.access.forms import CodeForm, PasswordForm, SetUpForm


def _page(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    shell = {**admin.site.each_context(request), "title": title}
    return TemplateResponse(request, f"workspace/{template}.html", shell | context)


def _me(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # admin_view lets nobody else through
    return request.user


def _next(request: HttpRequest) -> str:
    target = request.POST.get("next") or request.GET.get("next") or ""
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if is_ours else reverse("admin:index")


def overview(request: HttpRequest) -> HttpResponse:
    """Where I am signed in, and how."""
    user, here = _me(request), request.session.session_key
    rows = [
        (row, browsers.in_words(row.agent), sessions.handle_of(row), row.session_key == here)
        for row in sessions.live(user)
    ]
    return _page(
        request,
        "account",
        _("Sign-in and security"),
        sessions=rows,
        is_on=second_factor.is_on(user),
        codes_left=second_factor.codes_left(user),
        form=PasswordForm(user),
    )


@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """End one of my sessions, or all others."""
    handle = request.POST.get("session", "")
    count = sessions.end(_me(request), handle=handle, keep=request.session.session_key)
    messages.success(request, _("Sessions ended: %d.") % count)
    return redirect("account")


@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The step after the password."""
    user = _me(request)
    if not second_factor.awaits_code(request):
        return HttpResponseRedirect(_next(request))
    form = CodeForm(request.POST or None)
    if form.is_valid():
        if second_factor.passes(request, form.cleaned_data["code"]):
            return HttpResponseRedirect(_next(request))
        form.add_error("code", _wrong(user))
    return _page(request, "account_code", _("Second step"), form=form, next=_next(request))


def _wrong(user: User) -> str:
    if second_factor.is_waiting(user):
        return _("That code is not right. Wait a moment before the next one: each wrong code makes the wait longer.")
    return _("That code is not right, or was used already.")


@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """Switch the second factor on; the recovery codes are shown on the answer, once."""
    user = _me(request)
    if second_factor.is_on(user):
        return redirect("account")
    form = SetUpForm(user, request.POST or None)
    if form.is_valid():
        codes = second_factor.confirm(request, form.cleaned_data["code"])
        if codes:
            return _page(request, "account_codes", _("Recovery codes"), codes=codes)
        form.add_error("code", _("That code is not right. Check that the clock of your phone is."))
    device = second_factor.begin(user)
    return _page(
        request,
        "account_set_up",
        _("Switch on the second factor"),
        form=form,
        picture=second_factor.picture(device),
        key=second_factor.key_in_words(device),
    )


@require_POST
def switch_off(request: HttpRequest) -> HttpResponse:
    """Switch the second factor off again."""
    if _knows_password(request):
        second_factor.switch_off(_me(request))
        second_factor.note_sign_in(request, _me(request))
        messages.success(request, _("The second factor is off."))
    return redirect("account")


@require_POST
def renew_codes(request: HttpRequest) -> HttpResponse:
    """Ten new recovery codes; those before no longer count."""
    if not _knows_password(request) or not second_factor.is_on(_me(request)):
        return redirect("account")
    return _page(request, "account_codes", _("Recovery codes"), codes=second_factor.new_recovery_codes(_me(request)))


def _knows_password(request: HttpRequest) -> bool:
    form = PasswordForm(_me(request), request.POST)
    if not form.is_valid():
        messages.error(request, _("That is not your password."))
    return form.is_valid()
