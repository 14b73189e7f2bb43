"""Forms of the campaign page."""

from typing import Any

from django import forms
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from campaigns.models import Campaign
from outreach.models import Variant


class CampaignForm(forms.ModelForm):
    """`edited_version` is the version the page was opened with: saving over somebody else's change is refused."""

    edited_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Campaign
        fields = ("name", "description", "teams", "tags", "to_everyone", "segments", "delivery", "start_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["edited_version"].initial = self.instance.version

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        opened = (cleaned or {}).get("edited_version")
        if self.instance.pk and opened is not None:
            current = Campaign.objects.filter(pk=self.instance.pk).values_list("version", "updated_at").first()
            if current and current[0] != opened:
                raise forms.ValidationError(
                    _("Somebody else saved this campaign at %(time)s UTC. Reload the page before you save."),
                    params={"time": f"{current[1]:%H:%M:%S}"},
                )
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
        total = sum(form.cleaned_data.get("share") or 0 for form in kept)
        if total != 100:
            text = _("Shares add up to %(total)s %%. They must add up to 100 %%.") % {"total": total}
            kept[-1].add_error("share", text)
        if sum(bool(form.cleaned_data.get("is_control")) for form in kept) > 1:
            kept[-1].add_error("is_control", _("There can be one control group."))
        if all(form.cleaned_data.get("is_control") for form in kept):
            kept[-1].add_error("is_control", _("Keep at least one variant that sends."))


class AddVariantForm(forms.Form):
    """A new arm: blank, a copy of another variant, or the control group."""

    name = forms.CharField(label=_("Name"), max_length=100, widget=UnfoldAdminTextInputWidget)
    source = forms.ChoiceField(label=_("Copy from variant"), required=False, widget=UnfoldAdminSelectWidget)
    is_control = forms.BooleanField(label=_("Control group (sends nothing)"), required=False)

    def __init__(self, variants: list[Variant], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        copies = [(str(v.pk), v.name) for v in variants if not v.is_control]
        self.fields["source"].choices = [("", _("Blank webhook")), *copies]  # type: ignore[attr-defined]
        self.has_control = any(variant.is_control for variant in variants)
        self.count = len(variants)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned and cleaned.get("is_control") and self.has_control:
            self.add_error("is_control", _("There can be one control group."))
        if self.count >= 9:
            self.add_error("name", _("A campaign has at most eight variants and a control group."))
        return cleaned
