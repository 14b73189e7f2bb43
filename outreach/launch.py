"""Checks an outreach before it may send: what blocks, in plain sentences, all at once."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from outreach import reach
from outreach.models import Outreach, Variant
from webhooks import content_check
from webhooks.models import Content

_PLACEHOLDER = re.compile(r"<[A-Z][A-Z0-9_]{2,}>")


def problems(outreach: Outreach, now: datetime) -> list[str]:
    """Every reason why this outreach can't be launched; empty when it can."""
    return [*_variant_problems(outreach), *audience_problems(outreach, now)]


def _variant_problems(outreach: Outreach) -> Iterator[str]:
    variants = list(outreach.variants.filter(is_removed=False).prefetch_related("contents__overrides"))
    if not any(not variant.is_control for variant in variants):
        yield _("There is no variant with a webhook yet.")
        return
    yield from share_problems(variants)
    for variant in variants:
        if not variant.is_control:
            yield from _content_problems(variant)


def share_problems(variants: Iterable[Variant]) -> Iterator[str]:
    """Shares that don't add up."""
    total = sum(variant.share for variant in variants)
    if total != 100:
        yield _("Shares add up to %(total)s %%. They must add up to 100 %%.") % {"total": total}


def _content_problems(variant: Variant) -> Iterator[str]:
    contents = list(variant.contents.all())
    if not contents:
        yield _("%(variant)s has no webhook.") % {"variant": variant.name}
    for content in contents:
        for problem in content_check.problems(content):
            yield f"{variant.name}: {problem.sentence}"
        if found := _PLACEHOLDER.search(_all_text(content)):
            yield _("%(variant)s: %(name)s is still a placeholder.") % {"variant": variant.name, "name": found[0]}


def _all_text(content: Content) -> str:
    headers = [h["value"] for h in content.headers if not h.get("is_secret")]
    return "\n".join([content.url, content.raw_body, *(str(p.get("value")) for p in content.pairs), *headers])


def audience_problems(outreach: Outreach, now: datetime, *, may_be_empty: bool = False) -> Iterator[str]:
    """An audience that is not chosen, names an archived segment, or is nobody (where that matters)."""
    segments = list(outreach.segments.all())
    if not outreach.to_everyone and not segments and not outreach.filters:
        yield _("Choose an audience: segments, filters, or all profiles.")
        return
    archived = [segment.name for segment in segments if segment.is_archived]
    if archived:
        yield ngettext("The segment %(names)s is archived.", "The segments %(names)s are archived.", len(archived)) % {
            "names": ", ".join(archived)
        }
    elif not may_be_empty and not reach.audience(outreach, now).exists():
        yield _("The audience is empty: no profile matches.")
