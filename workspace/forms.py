"""Forms of the house rules."""

import json
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

from workspace import certificates
from workspace.models import Credential, NotificationKind, NotificationPreferences
from workspace.secrets import seal

_NAME = RegexValidator(r"\A[A-Za-z0-9_-]+\Z", _("Use letters (A–Z), digits, - and _ only."))
_CLIENT_NEEDS = {"token_url", "client_id", "client_secret"}
_DOMAIN = RegexValidator(r"\A[a-z0-9.-]+\Z", _("Write the host alone, in lower case, for example api.example.com."))


class CredentialForm(forms.ModelForm):
    """A stored secret. What was saved is never shown; an empty value keeps it."""

    value = forms.CharField(
        label=_("Value"),
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_(
            "Text: the secret. User and password: user:password. Headers: one a line, Name: value. OAuth 2: the lines "
            "token_url, client_id, client_secret and, if needed, scope and send_in: body. Client certificate: the PEM "
            "blocks of certificate and key."
        ),
    )

    class Meta:
        model = Credential
        fields = ("name", "kind", "domain")

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        _NAME(name)
        return name

    def clean_domain(self) -> str:
        domain: str = self.cleaned_data["domain"].strip()
        if domain:
            _DOMAIN(domain)
        return domain

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned is None or self.errors:
            return cleaned
        value, kind = cleaned["value"].strip("\r\n"), cleaned["kind"]
        if kind == Credential.Kind.HEADERS and not cleaned["domain"]:
            self.add_error("domain", _("Say where these headers may go."))
        if value:
            self._seal(value, kind)
        elif not self.instance.pk or "kind" in self.changed_data:
            self.add_error("value", _("Enter the secret."))
        return cleaned

    def _seal(self, value: str, kind: str) -> None:
        if kind == Credential.Kind.BASIC and ":" not in value:
            self.add_error("value", _("Write user:password."))
        elif kind in (Credential.Kind.HEADERS, Credential.Kind.OAUTH2):
            pairs = [[part.strip() for part in line.split(":", 1)] for line in value.splitlines() if line.strip()]
            if not all(len(pair) == 2 and pair[0] for pair in pairs):
                self.add_error("value", _("Write one header a line, Name: value."))
            elif kind == Credential.Kind.OAUTH2:
                self._check_client(dict(pairs))
            value = json.dumps(pairs)
        elif kind == Credential.Kind.CERTIFICATE:
            self._read_certificate(value)
        self.instance.sealed_value = seal(value)

    def _check_client(self, said: dict[str, str]) -> None:
        if missing := sorted(_CLIENT_NEEDS - {name for name, value in said.items() if value}):
            self.add_error("value", _("This is missing: %(names)s.") % {"names": ", ".join(missing)})
        elif unknown := sorted(said.keys() - _CLIENT_NEEDS - {"scope", "send_in"}):
            self.add_error("value", _("This is not known: %(names)s.") % {"names": ", ".join(unknown)})
        elif not said["token_url"].startswith(("https://", "http://")):
            self.add_error("value", _("token_url must start with https://."))
        elif said.get("send_in", "header") not in ("header", "body"):
            self.add_error("value", _("send_in is header or body."))

    def _read_certificate(self, value: str) -> None:
        try:
            found = certificates.read(value)
        except ValueError as error:
            self.add_error("value", str(error))
        else:
            self.instance.expires_at = found.expires_at


class NotificationPreferencesForm(forms.ModelForm):
    """A box for each kind of email."""

    kinds = forms.MultipleChoiceField(
        label=_("Email me about"),
        required=False,
        choices=NotificationKind.choices,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("What nobody chose goes to every administrator."),
    )

    class Meta:
        model = NotificationPreferences
        fields = ("kinds",)
