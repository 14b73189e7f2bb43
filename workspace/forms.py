"""Forms of the house rules."""

import json
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from workspace.models import Credential
from workspace.secrets import seal

_NAME = RegexValidator(r"\A[A-Za-z0-9_-]+\Z", _("Use letters (A–Z), digits, - and _ only."))
_DOMAIN = RegexValidator(r"\A[a-z0-9.-]+\Z", _("Write the host alone, in lower case, for example api.example.com."))


class CredentialForm(forms.ModelForm):
    """A stored secret. What was saved is never shown; an empty value keeps it."""

    value = forms.CharField(
        label=_("Value"),
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("Text: the secret. User and password: user:password. Headers: one a line, Name: value."),
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
        elif kind == Credential.Kind.HEADERS:
            pairs = [[part.strip() for part in line.split(":", 1)] for line in value.splitlines() if line.strip()]
            if not all(len(pair) == 2 and pair[0] for pair in pairs):
                self.add_error("value", _("Write one header a line, Name: value."))
            value = json.dumps(pairs)
        self.instance.sealed_value = seal(value)
