"""What is asked for before sign-in and its safety change."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from workspace import audit


class CodeForm(forms.Form):
    """A code of the authenticator app, or a recovery code."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false", "autocapitalize": "none"}
        ),
    )


class PasswordForm(forms.Form):
    """The own password again: who finds a screen unlocked must not change how its owner signs in."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise forms.ValidationError(_("That is not your password."))
        return password


class SetUpForm(PasswordForm, CodeForm):
    """Both, to switch the second factor on."""

    field_order = ("code", "password")


class AuditForm(forms.Form):
    """What to look for in the audit trail."""

    who = forms.ChoiceField(label=_("Person"), required=False)
    action = forms.ChoiceField(label=_("Action"), required=False, choices=[("", _("any")), *audit.Action.choices])
    kind = forms.ChoiceField(label=_("About"), required=False)
    text = forms.CharField(label=_("Name contains"), required=False, max_length=100)
    since = forms.DateField(label=_("From"), required=False)
    until = forms.DateField(label=_("Until"), required=False)
    before = forms.DateTimeField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["who"].choices = [("", _("anybody")), *((name, name) for name in audit.people())]  # type: ignore[attr-defined]
        self.fields["kind"].choices = [("", _("anything")), *audit.kinds()]  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            if name != "before":
                field.widget.attrs["class"] = "hl-input hl-short"
        for name in ("since", "until"):
            self.fields[name].widget.input_type = "date"

    def wanted(self) -> audit.Wanted:
        """What was asked for. Days are those of the installation's time zone; the last one counts whole."""
        given = self.cleaned_data
        until = _midnight(given["until"] + timedelta(days=1)) if given["until"] else None
        bounds = [moment for moment in (until, given["before"]) if moment]
        return audit.Wanted(
            who=given["who"],
            action=given["action"],
            kind=given["kind"],
            text=given["text"],
            since=_midnight(given["since"]) if given["since"] else None,
            before=min(bounds) if bounds else None,
        )


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
