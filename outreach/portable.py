"""What campaigns and Canvases share as documents: settings, webhooks, variants.

A document refers to other rows by id and keeps secrets sealed; duplicating and Canvas templates use it so. In a file it
refers to them by name, and secrets are left out (`translated`, `without_secrets`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from audience import portable as audience_portable
from audience.filters import is_empty
from audience.models import Segment, SubscriptionGroup
from outreach import matching
from outreach.models import Outreach, Variant
from outreach.shapes import WEBHOOK
from webhooks.masking import is_secret_header, without_secrets_in
from webhooks.models import Content, ContentOverride
from workspace.files import Document, Found, Links
from workspace.files.document import at
from workspace.models import Credential, Tag, Team
from workspace.secrets import seal

WORDING = ("language", "url", "pairs", "raw_body")
_CERTIFICATES = Credential.objects.filter(kind=Credential.Kind.CERTIFICATE)

# --- webhooks


def webhook_of(content: Content) -> Document:
    """A webhook with its languages; the client certificate by name."""
    certificate = content.client_certificate
    return {
        **{name: getattr(content, name) for name in WEBHOOK},
        "client_certificate": certificate.name if certificate else None,
        "languages": [{name: getattr(each, name) for name in WORDING} for each in content.overrides.all()],
    }


def make_webhook(given: Mapping[str, Any]) -> Content:
    """A new webhook as the document says. What it leaves out is as in a blank one."""
    certificate = _CERTIFICATES.filter(name=given.get("client_certificate")).first()
    known = {name: given[name] for name in WEBHOOK if name in given}
    content = Content.objects.create(**known, client_certificate=certificate)
    ContentOverride.objects.bulk_create(ContentOverride(content=content, **row) for row in given.get("languages") or ())
    return content


def without_secrets(webhook: Document) -> Document:
    """As a file has it. Header values that are secret are empty; an address that is one has a placeholder."""
    return {
        **webhook,
        "url": without_secrets_in(webhook["url"]),
        "headers": [_bare(header) for header in webhook["headers"]],
        "languages": [{**each, "url": without_secrets_in(each["url"])} for each in webhook["languages"]],
    }


def _bare(header: Mapping[str, Any]) -> Document:
    name, value = header["name"], header.get("value", "")
    is_secret = bool(header.get("is_secret")) or (is_secret_header(name) and "{" not in value)
    return {"name": name, "value": "" if is_secret else value, "is_secret": is_secret}


def taken_in(webhook: Mapping[str, Any], links: Found, place: str) -> Document:
    """A webhook of a file as a document."""
    name = webhook.get("name") or webhook.get("url") or _("webhook")
    headers = []
    for n, header in enumerate(webhook.get("headers") or ()):
        is_secret = bool(header.get("is_secret"))
        if is_secret and header.get("value"):
            where = at(at(at(place, "headers"), n), "value")
            links.refuse(where, _("A secret has no place in a file. Leave the value empty, and type it afterwards."))
        elif is_secret:
            links.lack(_("“%(webhook)s”: value of the header %(name)s") % {"webhook": name, "name": header["name"]})
        value = seal("") if is_secret else header.get("value", "")
        headers.append({"name": header["name"], "value": value, "is_secret": is_secret})
    if certificate := webhook.get("client_certificate"):
        links(_CERTIFICATES.all(), [certificate], at(place, "client_certificate"))
    return {**webhook, "headers": headers}


# --- what refers to other rows


def translated(settings: Mapping[str, Any], links: Links, place: str) -> Document:
    """Settings, of an outreach or a step, with the rows they refer to as the links have them."""
    found = dict(settings)
    for key, value in settings.items():
        where = at(place, key)
        match key:
            case "filters":
                found[key] = audience_portable.tree(value, links, where)
            case "audience" | "exit_audience":
                found[key] = _audience(value, links, where)
            case "triggers" | "exceptions" | "exit_events":
                found[key] = triggers(value or (), links, where)
            case "conversions":
                found[key] = [translated(each, links, at(where, n)) for n, each in enumerate(value)]
            case "groups":
                found[key] = {name: translated(group, links, at(where, name)) for name, group in value.items()}
    return found


def _audience(given: Mapping[str, Any], links: Links, place: str) -> Document:
    found = translated({key: value for key, value in given.items() if key != "segments"}, links, place)
    if named := given.get("segments"):
        segments = links(Segment.objects.all(), named, at(place, "segments"))
        found |= {"segments": segments} if segments else unfilled(found)
    return found


def unfilled(settings: Mapping[str, Any]) -> Document:
    """Filters that wait for a segment that is not here."""
    return {"filters": audience_portable.with_unfilled(settings.get("filters") or {})}


def triggers(given: Iterable[Mapping[str, Any]], links: Links, place: str) -> list[Document]:
    """Triggers; those on a campaign or Canvas that is not here are left out."""
    found = []
    for n, trigger in enumerate(given):
        name = trigger.get("name") or ""
        if trigger["kind"] == "event":
            links.events.add(name)
        if trigger["kind"] not in matching.INTERACTIONS or not name:
            found.append(dict(trigger))
            continue
        value = int(name) if not isinstance(links, Found) and name.isdecimal() else name
        if swapped := links(Outreach.objects.all(), [value], at(at(place, n), "name")):
            found.append({**trigger, "name": str(swapped[0])})
    return found


# --- the outreach itself


def head_of(outreach: Outreach) -> Document:
    """What both have besides their settings."""
    return {
        "description": outreach.description,
        "teams": list(outreach.teams.values_list("pk", flat=True)),
        "tags": list(outreach.tags.values_list("pk", flat=True)),
        "segments": list(outreach.segments.values_list("pk", flat=True)),
        "subscription_group": outreach.subscription_group_id,
        "rate_per_minute": outreach.sender.rate_per_minute,
    }


def add_to(outreach: Outreach, document: Mapping[str, Any]) -> None:
    """What of `head_of` is in other tables."""
    for relation in ("teams", "tags", "segments"):
        getattr(outreach, relation).set(document.get(relation) or ())
    if rate := document.get("rate_per_minute"):
        outreach.sender.rate_per_minute = rate
        outreach.sender.save(update_fields=["rate_per_minute"])


def written_head(outreach: Outreach, document: Document, links: Links) -> Document:
    """The head and the settings of a document as a file has them."""
    group = document["subscription_group"]
    return {
        **document,
        "name": outreach.name,
        **{key: sorted(links(rows, document[key])) for key, rows in _relations().items()},
        "subscription_group": links(SubscriptionGroup.objects.all(), [group])[0] if group else None,
        "is_signed": outreach.sender.is_signed,
        "settings": translated(document["settings"], links, "settings"),
    }


def read_head(document: Document, links: Found) -> Document:
    """The head and the settings of a file as a document has them."""
    settings = translated(document.get("settings") or {}, links, "settings")
    segments = links(Segment.objects.all(), named, "segments") if (named := document.get("segments")) else []
    if named and not segments:
        settings |= unfilled(settings)
    if settings.get("to_everyone") and (segments or not is_empty(settings.get("filters"))):
        links.refuse("settings.to_everyone", _("Choose either all profiles or segments, not both."))
    group = document.get("subscription_group")
    groups = links(SubscriptionGroup.objects.all(), [group], "subscription_group") if group else []
    if document.get("is_signed"):
        links.lack(_("signing secret: its requests were signed; switch signing on for its sender"))
    return {
        **document,
        "settings": settings,
        "segments": segments,
        "teams": links.teams(document.get("teams") or ()),
        "tags": audience_portable.tags(document, links),
        "subscription_group": groups[0] if groups else None,
    }


def _relations() -> Mapping[str, Any]:
    return {"teams": Team.objects.all(), "tags": Tag.objects.all(), "segments": Segment.objects.all()}


def make_variant(outreach: Outreach, position: int, given: Mapping[str, Any]) -> Variant:
    """One arm as a document describes it, without what it sends."""
    return Variant.objects.create(
        outreach=outreach,
        name=given["name"],
        share=given["share"],
        position=position,
        is_control=bool(given.get("is_control")),
    )
