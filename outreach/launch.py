"""Checks an outreach before it may send: what blocks, and what only needs a look, in plain sentences, all at once."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audience import segments as audience_segments
from audience.models import Segment
from outreach import approvals, matching, reach
from outreach.models import Optimisation, Outreach, Quiet, Subscribed, Variant
from webhooks import content_check
from webhooks.models import Content, LogKind, MessageActivityLog

_PLACEHOLDER = re.compile(r"<[A-Z][A-Z0-9_]{2,}>")


class Problem(str):
    """A sentence about what is wrong. `section` is the part of the page that mends it."""

    section: str

    def __new__(cls, text: str, section: str = "") -> "Problem":
        made = super().__new__(cls, text)
        made.section = section
        return made


def in_section(section: str, sentences: Iterable[str]) -> Iterator[Problem]:
    """The sentences as problems of one section."""
    return (Problem(sentence, section) for sentence in sentences)


def problems(outreach: Outreach, now: datetime, *, may_be_empty: bool = False) -> list[str]:
    """Every reason why this outreach can't be launched; empty when it can."""
    return [
        *in_section("compose", _variant_problems(outreach)),
        *in_section("audience", audience_problems(outreach, now, may_be_empty=may_be_empty)),
        *in_section("conversions", conversion_problems(outreach)),
        *in_section("audience", optimisation_problems(outreach)),
        *in_section("delivery", control_problems(outreach)),
        *in_section("review", approval_problems(outreach)),
    ]


def conversion_problems(outreach: Outreach) -> Iterator[str]:
    """Conversion events that can't be counted."""
    for event in outreach.conversion_events.all():
        for fault in matching.problems(event.trigger):
            yield _("Conversion event %(event)s: %(fault)s") % {"event": event, "fault": fault}
        if not 60 <= event.window_seconds <= 30 * 86_400:
            yield _("Conversion event %(event)s: choose a time from one minute to 30 days.") % {"event": event}


def optimisation_problems(outreach: Outreach) -> Iterator[str]:
    """What an optimisation needs and lacks."""
    if not outreach.optimisation:
        return
    name = outreach.get_optimisation_display()
    if outreach.variants.filter(is_removed=False, is_control=False).count() < 2:
        yield _("“%(name)s” needs at least two variants.") % {"name": name}
    if not outreach.conversion_events.exists():
        yield _("“%(name)s” needs a conversion event to compare the variants by.") % {"name": name}


def control_problems(outreach: Outreach) -> Iterator[str]:
    """Quiet hours and subscriptions that are half filled in."""
    if outreach.quiet_mode == Quiet.OWN and (outreach.quiet_start is None or outreach.quiet_end is None):
        yield _("Say when the quiet hours begin and end.")
    elif outreach.quiet_mode == Quiet.OWN and outreach.quiet_start == outreach.quiet_end:
        yield _("Quiet hours can't begin and end at the same time.")
    if outreach.subscribed == Subscribed.GROUP and outreach.subscription_group_id is None:
        yield _("Choose the subscription group.")


def approval_problems(outreach: Outreach) -> Iterator[str]:
    """Sections that wait for approval, where the workspace asks for it."""
    for name in approvals.missing(outreach):
        yield _("“%(section)s” has not been approved.") % {"section": name}


def _variant_problems(outreach: Outreach) -> Iterator[str]:
    variants = list(outreach.variants.filter(is_removed=False).prefetch_related("contents__overrides"))
    if not any(not variant.is_control for variant in variants):
        yield _("There is no variant with a webhook yet.")
        return
    held = outreach.held_share if outreach.optimisation == Optimisation.WINNER else 0
    yield from share_problems(variants, held)
    for variant in variants:
        if not variant.is_control:
            yield from _content_problems(variant)


def share_problems(variants: Iterable[Variant], held: int = 0) -> Iterator[str]:
    """Shares that don't add up; `held` per cent are kept back for a winner."""
    total = sum(variant.share for variant in variants) + held
    if total != 100:
        yield _("Shares add up to %(total)s %%. They must add up to 100 %%.") % {"total": total}


def _content_problems(variant: Variant) -> Iterator[str]:
    contents = list(variant.contents.all())
    if not contents:
        yield _("%(variant)s has no webhook.") % {"variant": variant.name}
    for content in contents:
        for problem in content_check.problems(content):
            yield f"{variant.name}: {problem.sentence}"
        if name := placeholder_in(content):
            yield _("%(variant)s: %(name)s is still a placeholder.") % {"variant": variant.name, "name": name}


def placeholder_in(content: Content) -> str:
    """The first `<LIKE_THIS>` of a webhook that nobody has filled in; empty where there is none."""
    headers = [h["value"] for h in content.headers if not h.get("is_secret")]
    texts = [content.url, content.raw_body, *(str(p.get("value")) for p in content.pairs), *headers]
    found = _PLACEHOLDER.search("\n".join(texts))
    return found[0] if found else ""


def test_warnings(contents: Sequence[Content]) -> Iterator[str]:
    """Webhooks that nobody has tried since they were last changed."""
    tests = MessageActivityLog.objects.filter(kind=LogKind.TEST_SEND, content_id__in=[each.pk for each in contents])
    last = dict(tests.order_by().values_list("content_id").annotate(Max("at")))
    untried = [str(each) for each in contents if each.pk not in last or last[each.pk] < each.updated_at]
    if untried:
        yield ngettext(
            "No test was sent of %(names)s since it was last changed.",
            "No tests were sent of %(names)s since they were last changed.",
            len(untried),
        ) % {"names": ", ".join(f"“{name}”" for name in untried)}


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
    elif found := _unusable(outreach, segments, now):
        yield from found
    elif not may_be_empty and not reach.audience(outreach, now).exists():
        yield _("The audience is empty: no profile matches.")


def _unusable(outreach: Outreach, segments: Sequence[Segment], now: datetime) -> list[str]:
    if outreach.to_everyone:
        return []
    tree = outreach.filters or {"filter": "everyone"}
    return [problem.sentence for problem in audience_segments.problems(segments, tree, now)]
