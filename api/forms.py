"""The form that makes a key."""

import ipaddress
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

from api import permissions
from api.models import ApiKey


class ApiKeyForm(forms.ModelForm):
    """What a key may do, and from where; neither can be changed afterwards."""

    permissions = forms.MultipleChoiceField(
        label=_("Permissions"),
        choices=lambda: [(group, [(name, name) for name in names]) for group, names in permissions.GROUPS.items()],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("As few as the caller needs. They can't be changed later: a new scope needs a new key."),
    )
    networks = forms.CharField(
        label=_("Allowed addresses"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=_(
            "One address or network a line, for example 203.0.113.0/24. Empty: any. For webhooks of ours that call "
            "this API, add 127.0.0.1."
        ),
    )

    class Meta:
        model = ApiKey
        fields = ("name", "permissions", "networks")

    def clean_networks(self) -> list[str]:
        found = []
        for line in self.cleaned_data["networks"].splitlines():
            if text := line.strip():
                try:
                    found.append(str(ipaddress.ip_network(text, strict=False)))
                except ValueError as error:
                    raise forms.ValidationError(_("“%s” is neither an address nor a network.") % text) from error
        return found

    def clean_permissions(self) -> list[Any]:
        return sorted(self.cleaned_data["permissions"])
