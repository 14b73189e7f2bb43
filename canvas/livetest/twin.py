"""The Canvas of a live test (Canvas specification, section 15.2): a copy of what is being edited, launched at once.

Only the chosen enter, whoever is in the audience. It has no control group, caps and quiet hours, and counts for the
caps of nobody; suppression lists, subscriptions and the global control group hold as for every message.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from canvas import durations, entry, graph, launch, publishing, setup
from canvas.errors import NotAllowed
from canvas.graph import Graph
from canvas.livetest import wipe
from canvas.models import Canvas, CanvasVersion, Entry
from outreach import arms, assignment, lifecycle
from outreach.errors import NotLaunchable
from outreach.models import Quiet, Variant
from webhooks.log import FULL_LOGGING
from webhooks.models import Sender

MOST_PEOPLE = 20
MOST_FACTOR = 1_440  # a day becomes a minute
SOURCE = "live test"
KEPT = ("subscribed", "subscription_group", "conversions")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who walks (profile ids), how fast, with which entry properties; `variant` None: the variants in turn."""

    people: Sequence[int]
    time_factor: int = MOST_FACTOR
    properties: Mapping[str, Any] = field(default_factory=dict)
    variant: int | None = None


def start(canvas: Canvas, wanted: Wanted, now: datetime, author: Any = None) -> Canvas:
    """Begin a test in place of the one before; its twin. Raises NotLaunchable, NotAllowed."""
    version = publishing.shown(canvas)
    current = graph.load(version)
    if found := list(launch.graph_problems(canvas, current, now)):
        raise NotLaunchable([finding.text for finding in found])
    wipe.everything(canvas, now)
    with transaction.atomic():
        Canvas.objects.select_for_update(of=("self",), no_key=True).get(pk=canvas.pk)
        if wipe.twin_of(canvas):
            raise NotAllowed(_("Somebody else has started a test just now."))
        twin = _copy(canvas, current, wanted, now, author)
        variants = _sending(canvas, twin)
        setup.copy_graph(version, twin, variants, author)
        lifecycle.activate(twin, now)
        publishing.publish(twin, now, author, state_of(version))
        _let_in(twin, wanted, variants, now)
    return twin


def add(canvas: Canvas, twin: Canvas, wanted: Wanted, now: datetime) -> None:
    """Let more people into a running test; those who are in it begin anew."""
    wipe.people(twin, wanted.people)
    with transaction.atomic():
        _let_in(twin, wanted, _by_original(canvas, twin), now)


def state_of(version: CanvasVersion) -> str:
    """What tells whether a version was changed since it was copied."""
    return f"{version.pk}-{version.edition}"


def _copy(canvas: Canvas, current: Graph, wanted: Wanted, now: datetime, author: Any) -> Canvas:
    """The twin's row. Its sender signs as the original's does, and logs every request while the test can last."""
    lasts = durations.longest(current, now) / wanted.time_factor + FULL_LOGGING
    signing = {"is_signed": canvas.sender.is_signed, "sealed_secrets": canvas.sender.sealed_secrets}
    twin = Canvas(
        name=_("%s (live test)") % canvas.name[:200],
        test_of=canvas,
        time_factor=wanted.time_factor,
        created_by=author,
        sender=Sender.objects.create(log_everything_until=now + lasts, **signing),
        to_everyone=True,
        entry=Entry.API,
        quiet_mode=Quiet.NONE,
        obeys_caps=False,
        **{name: getattr(canvas, name) for name in KEPT},
    )
    twin.save()
    twin.tags.set(canvas.tags.all())  # suppression lists may spare some
    return twin


def _sending(canvas: Canvas, twin: Canvas) -> dict[int, Variant]:
    """The twin's variants by those of the Canvas: without the control group, in even shares."""
    copied = setup.copy_variants(canvas, twin)
    Variant.objects.filter(outreach=twin, is_control=True).delete()
    sending = {old: new for old, new in copied.items() if not new.is_control}
    for variant, share in zip(sending.values(), arms.even_shares(len(sending)), strict=True):
        variant.share = share
    Variant.objects.bulk_update(sending.values(), ["share"])
    return sending


def _by_original(canvas: Canvas, twin: Canvas) -> dict[int, Variant]:
    """The twin's variants by those of the Canvas that have the same place; the first for one that came later."""
    mine = {variant.position: variant for variant in twin.variants.all()}
    first = next(iter(mine.values()))
    return {old.pk: mine.get(old.position, first) for old in canvas.variants.filter(is_removed=False, is_control=False)}


def _let_in(twin: Canvas, wanted: Wanted, variants: Mapping[int, Variant], now: datetime) -> None:
    """Give everybody a variant, the chosen one or one after the other, then let them enter."""
    only = variants.get(wanted.variant or 0)
    given = [only] if only else list(variants.values())
    chosen = {profile: given[place % len(given)] for place, profile in enumerate(wanted.people)}
    shares = {variant.pk: variant.share for variant in given}
    assignment.store(twin, {profile: variant.pk for profile, variant in chosen.items()}, shares, {}, now)
    entry.enter(twin.pk, [entry.Candidate(pk, SOURCE, wanted.properties or None) for pk in wanted.people], now)
