"""The composer's forms: each problem appears on the field that has it."""

from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from webhooks import content_check
from webhooks.fields import HeadersField, PairsField, TranslationsField, seal_headers
from webhooks.models import Content, ContentOverride

URL_ROWS = {"rows": 2, "spellcheck": "false", "dir": "auto", "data-liquid": "short"}
BODY_ROWS = {"rows": 10, "spellcheck": "false", "dir": "auto", "data-liquid": "long"}
_ACE = "django_ace/ace"  # the Ace editor, prebuilt, as django-ace brings it
EDITOR = (
    f"{_ACE}/ace.js",
    f"{_ACE}/ext-language_tools.js",
    f"{_ACE}/ext-rtl.js",
    f"{_ACE}/mode-liquid.js",
    f"{_ACE}/theme-github_light_default.js",
    f"{_ACE}/theme-github_dark.js",
    "webhooks/editor.js",
    "webhooks/tools.js",
    "webhooks/composer.js",
)


class ContentForm(forms.ModelForm):
    """URL, method, headers, body. Whatever can't be sent can be saved only where a draft allows it: empty fields.

    `edited_version` is the version the page was opened with: saving over somebody else's change is refused.
    """

    edited_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    pairs = PairsField(label=_("Key–value pairs"), required=False)
    headers = HeadersField(label=_("Request headers"), required=False)
    translations = TranslationsField(
        label=_("Translations"),
        required=False,
        help_text=_("Texts for {% translation id %}, as CSV: id,de,pt-BR in the first line, then one id a line."),
    )

    class Media:
        js = EDITOR

    class Meta:
        model = Content
        fields = Content.FIELDS_OF_A_COPY
        widgets = {
            "url": UnfoldAdminTextareaWidget(attrs=URL_ROWS),
            "raw_body": UnfoldAdminTextareaWidget(attrs=BODY_ROWS),
            "method": UnfoldAdminSelectWidget,
            "body_kind": UnfoldAdminRadioSelectWidget,
            "success_test": UnfoldAdminSelectWidget,
            "success_path": UnfoldAdminTextInputWidget,
            "success_value": UnfoldAdminTextInputWidget,
            "success_retries": UnfoldBooleanSwitchWidget,
            "client_certificate": UnfoldAdminSelectWidget,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["edited_version"].initial = self.instance.version

    def clean_edited_version(self) -> int | None:
        opened: int | None = self.cleaned_data["edited_version"]
        current = Content.objects.filter(pk=self.instance.pk).values_list("version", flat=True).first()
        if opened is not None and current is not None and opened != current:
            self.add_error(
                None,
                _(
                    "This webhook was saved meanwhile, in another tab or by somebody else. What you typed is still "
                    "here: compare it with the page as it is now, opened in a new tab, then reload."
                ),
            )
        return opened

    def clean_headers(self) -> list[dict[str, Any]]:
        return seal_headers(self.cleaned_data["headers"], self.instance.headers or [])

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned is not None and not self.errors:
            draft = Content(**{name: cleaned[name] for name in Content.FIELDS_OF_A_COPY if name in cleaned})
            for problem in content_check.problems(draft, overrides=()):
                if problem.field != "url" or draft.url.strip():  # a draft may have no address yet
                    self.add_error(problem.field, problem.text)
        return cleaned

    def save(self, commit: bool = True) -> Content:
        if self.has_changed():
            self.instance.version += 1
        return super().save(commit)


class OverrideForm(forms.ModelForm):
    """One language's URL and body."""

    pairs = PairsField(label=_("Key–value pairs"), required=False)

    class Meta:
        model = ContentOverride
        fields = ("language", "url", "pairs", "raw_body")
        widgets = {
            "url": UnfoldAdminTextareaWidget(attrs=URL_ROWS),
            "raw_body": UnfoldAdminTextareaWidget(attrs=BODY_ROWS),
        }

    def clean_language(self) -> str:
        return str(self.cleaned_data["language"]).strip().replace("_", "-")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned is None or self.errors:
            return cleaned
        if not (cleaned["url"].strip() or cleaned["pairs"] or cleaned["raw_body"].strip()):
            self.add_error("language", _("Give this language a URL or a body of its own, or remove it."))
        for problem in content_check.override_problems(ContentOverride(**_columns(cleaned))):
            self.add_error(problem.field, problem.text)
        return cleaned


def _columns(cleaned: dict[str, Any]) -> dict[str, Any]:
    """What a language's form says, without the formset's own fields."""
    return {name: cleaned[name] for name in OverrideForm.Meta.fields if name in cleaned}


class OverrideFormSet(BaseInlineFormSet):
    """A change to any language makes a new version of the content."""

    def save(self, commit: bool = True) -> Any:
        result = super().save(commit)
        if commit and (self.new_objects or self.changed_objects or self.deleted_objects):
            Content.objects.filter(pk=self.instance.pk).update(version=self.instance.version + 1)
        return result
