"""The template gallery: what each ready-made webhook does, as a picture, and a button that makes a template of it."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from outreach import gallery
from outreach.gallery import Entry
from webhooks.admin.template import compose_url
from webhooks.models import Template


@dataclass(frozen=True)
class Picture:
    """`shape` is how the outcome looks; `lines` what stands in it; `caption` says it in words."""

    shape: str
    lines: tuple[Any, ...]
    caption: Any


CHAT_LINE = _("Ada is waiting for a call.")
PICTURES: dict[str, Picture] = {
    "slack": Picture("chat", ("#sales", CHAT_LINE), _("A line in a channel of your team")),
    "discord": Picture("chat", ("#welcome", _("Welcome Ada!")), _("A line in a channel of your community")),
    "teams": Picture("card", ("Teams", _("Ada")), _("A card in a Teams channel")),
    "line": Picture("phone", ("LINE", _("Hello Ada!")), _("A message in the customer's LINE chat")),
    "messenger": Picture("phone", ("Messenger", _("Hello Ada!")), _("A message in the customer's Messenger")),
    "whatsapp": Picture("phone", ("WhatsApp", _("Hello Ada!")), _("A template message on WhatsApp")),
    "kakao": Picture("phone", ("KakaoTalk", _("Hello Ada!")), _("A message in the customer's KakaoTalk")),
    "twilio": Picture("phone", ("SMS", _("Hello Ada!")), _("A text message on the customer's phone")),
    "lob": Picture("postcard", (_("Dear Ada,"), "1 Main Street"), _("A printed postcard in the letter box")),
    "zapier": Picture("flow", ("webhook", "Zap"), _("The start of an automation")),
    "salesforce": Picture("table", (_("Lead"), "Ada Kim"), _("A lead in Salesforce")),
    "marketo": Picture("table", (_("Lead"), "ada@example.com"), _("A lead in Marketo")),
    "remerge": Picture("flow", (_("event"), _("ad")), _("An event for the audience of advertisements")),
    "own_event": Picture("table", (_("Event"), "visited"), _("An event on the profile, in Hookline")),
    "own_attribute": Picture("table", (_("Attribute"), "vip: true"), _("An attribute of the profile, in Hookline")),
}


def show(request: HttpRequest) -> HttpResponse:
    """All of it by group. POST makes a template of the one named, and leads to its composer."""
    if not request.user.has_perm("webhooks.view_template"):
        raise PermissionDenied
    if request.method == "POST":
        return _make(request)
    groups: dict[Any, list[tuple[Entry, Picture | None]]] = {}
    for entry in gallery.ENTRIES:
        groups.setdefault(str(entry.group), []).append((entry, PICTURES.get(entry.key)))
    context = {
        **admin.site.each_context(request),
        "title": _("Gallery"),
        "groups": list(groups.items()),
        "may_add": request.user.has_perm("webhooks.add_template"),
    }
    return TemplateResponse(request, "outreach/gallery.html", context)


def _make(request: HttpRequest) -> HttpResponse:
    entry = gallery.BY_KEY.get(request.POST.get("key", ""))
    if entry is None or not request.user.has_perm("webhooks.add_template"):
        raise PermissionDenied
    template = Template.objects.create(name=entry.name, description=str(entry.note), content=entry.fill())
    messages.success(request, _("“%s” is a template now. Put in what is yours, then test it.") % template.name)
    return HttpResponseRedirect(compose_url(template.content_id))
