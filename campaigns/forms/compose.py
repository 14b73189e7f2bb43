"""The Compose tab: name, teams, tags, variants."""

from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from campaigns.forms.base import TabForm
from campaigns.models import Campaign
from outreach import gallery
from outreach.models import Optimisation, Variant
from webhooks.models import Template


class ComposeForm(TabForm):
    class Meta:
        model = Campaign
        fields = ("name", "description", "teams", "tags")
        widgets = {"description": UnfoldAdminTextareaWidget(attrs={"rows": 2})}


class NewCampaignForm(forms.ModelForm):
    """What a new campaign starts with."""

    class Meta:
        model = Campaign
        fields = ("name", "description", "delivery", "to_everyone", "segments", "teams", "tags")
        widgets = {"description": UnfoldAdminTextareaWidget(attrs={"rows": 2})}

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned and cleaned.get("to_everyone") and cleaned.get("segments"):
            self.add_error("to_everyone", _("Choose either all profiles or segments, not both."))
        return cleaned


class VariantFormSet(BaseInlineFormSet):
    """Shares must add up to 100 %; the message stands at the last share."""

    def clean(self) -> None:
        super().clean()
        kept = [form for form in self.forms if form not in self.deleted_forms and form.cleaned_data]
        if any(self.errors) or not kept:
            return
        held = self.instance.held_share if self.instance.optimisation == Optimisation.WINNER else 0
        total = sum(form.cleaned_data.get("share") or 0 for form in kept) + held
        if total != 100:
            text = _("Shares add up to %(total)s %%. They must add up to 100 %%.") % {"total": total}
            kept[-1].add_error("share", text)


class AddVariantForm(forms.Form):
    """A new arm: blank, a copy of another variant, from a template, or the control group."""

    name = forms.CharField(label=_("Name"), max_length=100, widget=UnfoldAdminTextInputWidget)
    source = forms.ChoiceField(label=_("Start from"), required=False, widget=UnfoldAdminSelectWidget)
    is_control = forms.BooleanField(label=_("Control group (sends nothing)"), required=False)

    def __init__(self, variants: list[Variant], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].choices = source_choices(variants)  # type: ignore[attr-defined]
        self.has_control = any(variant.is_control for variant in variants)
        self.count = len([variant for variant in variants if not variant.is_control])

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        is_control = bool(cleaned and cleaned.get("is_control"))
        if is_control and self.has_control:
            self.add_error("is_control", _("There can be one control group."))
        if not is_control and self.count >= 8:
            self.add_error("name", _("A campaign has at most eight variants and a control group."))
        return cleaned


class AddWebhookForm(forms.Form):
    """One more webhook of a variant, from a template or blank."""

    variant = forms.ModelChoiceField(Variant.objects.none())
    source = forms.ChoiceField(required=False)

    def __init__(self, variants: list[Variant], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = Variant.objects.filter(pk__in=[v.pk for v in variants if not v.is_control])
        self.fields["variant"].queryset = found  # type: ignore[attr-defined]
        self.fields["source"].choices = source_choices(variants)  # type: ignore[attr-defined]


def source_choices(variants: list[Variant]) -> list[Any]:
    """A blank webhook, copies, saved templates, the gallery."""
    copies = [(str(v.pk), v.name) for v in variants if not v.is_control]
    saved = Template.objects.filter(is_archived=False).values_list("pk", "name")
    return [
        ("", _("Blank webhook")),
        (_("Copy from variant"), copies),
        (_("Saved templates"), [(f"template:{pk}", name) for pk, name in saved]),
        (_("Gallery"), [(f"gallery:{each.key}", each.name) for each in gallery.ENTRIES]),
    ]
