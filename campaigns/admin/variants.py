"""Arms and their webhooks: add, remove, from a copy, a saved template or the gallery."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _

from campaigns import history
from campaigns.admin.pages import Site, campaign_of, goto, page_url
from campaigns.forms.compose import AddVariantForm, AddWebhookForm
from campaigns.models import Campaign
from outreach import gallery, variants
from outreach.models import Variant, VariantContent
from webhooks.admin.template import compose_url
from webhooks.models import Content, Template


def _changeable(site: Site, request: HttpRequest, pk: int) -> Campaign:
    campaign = campaign_of(site, request, pk)
    if request.method != "POST" or not site.has_change_permission(request, campaign):
        raise PermissionDenied
    return campaign


def _saved(site: Site, request: HttpRequest, campaign: Campaign, message: object) -> None:
    campaign.version += 1
    history.note(campaign, request.user, str(message))
    site.message_user(request, message)


def add(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """Add an arm; POST only. Shares are evened out and can be changed on the page."""
    campaign = _changeable(site, request, pk)
    arms = list(campaign.variants.filter(is_removed=False))
    form = AddVariantForm(arms, request.POST)
    if form.is_valid():
        source = form.cleaned_data["source"]
        copied = next((v for v in arms if str(v.pk) == source), None)
        made = variants.add(campaign, form.cleaned_data["name"], copied, is_control=form.cleaned_data["is_control"])
        if ":" in source and not made.is_control:
            fill(made.contents.get(), source)
        _saved(site, request, campaign, _("The variant was added and the shares were evened out."))
    for errors in form.errors.values():
        site.message_user(request, " ".join(str(error) for error in errors), "error")
    return HttpResponseRedirect(page_url(pk))


def fill(content: Content, source: str) -> None:
    """Make a blank webhook one of the gallery's (`gallery:slack`) or of a saved template (`template:7`)."""
    kind, _colon, key = source.partition(":")
    if kind == "gallery" and key in gallery.BY_KEY:
        gallery.BY_KEY[key].fill(content)
    elif kind == "template" and key.isdigit():
        template = Template.objects.select_related("content").filter(pk=key).first()
        if template:
            variants.fill_from(content, template.content, template.name)


def remove(site: Site, request: HttpRequest, pk: int, variant: int) -> HttpResponse:
    """Remove an arm; POST only. Its numbers stay; its share goes to the others."""
    campaign = _changeable(site, request, pk)
    arm = get_object_or_404(Variant, pk=variant, outreach=campaign, is_removed=False)
    sending = campaign.variants.filter(is_removed=False, is_control=False).exclude(pk=arm.pk)
    if not arm.is_control and not sending.exists():
        site.message_user(request, _("Keep at least one variant that sends."), "error")
    else:
        variants.remove(arm)
        _saved(site, request, campaign, _("The variant was removed; its numbers stay."))
    return HttpResponseRedirect(page_url(pk))


def add_webhook(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """Give a variant one more webhook and open it; POST only."""
    campaign = _changeable(site, request, pk)
    form = AddWebhookForm(list(campaign.variants.filter(is_removed=False)), request.POST)
    if not form.is_valid():
        site.message_user(request, _("Choose the variant."), "error")
        return HttpResponseRedirect(page_url(pk))
    content = variants.add_webhook(form.cleaned_data["variant"])
    source = form.cleaned_data["source"]
    if ":" in source:
        fill(content, source)
    elif source and (first := Content.objects.filter(variant_content__variant=source).first()):
        variants.fill_from(content, first, "")
    _saved(site, request, campaign, _("The webhook was added."))
    return HttpResponseRedirect(compose_url(content.pk))


def remove_webhook(site: Site, request: HttpRequest, pk: int, content: int) -> HttpResponse:
    """Take a webhook out of its variant; POST only. Messages that wait for it fail with that reason."""
    campaign = _changeable(site, request, pk)
    item = get_object_or_404(VariantContent, content=content, variant__outreach=campaign)
    if item.variant.variant_contents.count() == 1:
        site.message_user(request, _("Keep at least one webhook, or remove the variant."), "error")
        return goto("change", pk)
    item.content.delete()
    _saved(site, request, campaign, _("The webhook was removed."))
    return HttpResponseRedirect(page_url(pk))
