"""Lets profiles in, as a set: the checks of the Canvas specification, section 7.1, then a journey for each.

Schedules, events and the API end here; they say who and why (`Candidate`), nothing more.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count as CountOf
from django.db.models import Max, Q

from audience.models import Profile
from audience.segments import among
from canvas import conversions, counts, durations, live
from canvas.counts import StepMetric
from canvas.live import Live
from canvas.models import Cadence, Canvas, EntryQuota, Journey, Reentry
from canvas.states import State
from canvas.travel import Count
from outreach import arms, assignment, counters, stream
from outreach.models import Status, Variant
from webhooks.models import Receipt
from workspace import bulk
from workspace.queues import wake

MOST_AT_ONCE = 20  # live journeys of one profile in one Canvas
MOST_CONTEXT = 50 * 1024
CONTROL_WINDOW = timedelta(days=3)  # how long control journeys are followed where no conversion event says otherwise
ADMITTED = "admitted"
JUST_BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may enter. `source` names the run, event or call, so that it lets a profile in only once.

    `occurred_at` is the time of the event: what happened after it, even before we heard of it, is part of the journey.
    """

    profile_id: int
    source: str
    properties: Mapping[str, Any] | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Before:
    """A profile's earlier journeys in the Canvas."""

    last_entry: datetime | None = None
    live: int = 0


def enter(canvas_id: int, candidates: Sequence[Candidate], now: datetime, *, not_in_audience: int = 0) -> Counter[str]:
    """Start a journey for everybody who may enter; how many, and how many were turned away for which reason.

    The caller has asked the audience; `not_in_audience` is how many it turned away, to be counted with the others.

    The Canvas is locked meanwhile: its limits and re-entry rules hold, however many call at once.
    """
    with transaction.atomic():
        canvas = Canvas.with_tests.select_for_update(of=("self",), no_key=True).get(pk=canvas_id)
        here = live.of([canvas_id]).get(canvas_id)
        if here is None or here.status != Status.ACTIVE or canvas.is_finishing:
            return _turned_away(canvas, candidates, "stopped", now)
        if canvas.end_at and now > canvas.end_at:
            return _turned_away(canvas, candidates, "outside_window", now)
        admitted, refused = _admitted(canvas, here, candidates, now)
        refused["not_in_audience"] += not_in_audience
        arms_of = _assigned(canvas, here, admitted, now)
        refused["control_removed"] += sum(each.profile_id not in arms_of for each in admitted)
        made = _insert(canvas, here, [each for each in admitted if each.profile_id in arms_of], arms_of, now)
        _count(canvas, made, refused, now)
        wake("canvas")
    return Counter({ADMITTED: sum(made.values())}) + +refused


def _turned_away(canvas: Canvas, candidates: Sequence[Candidate], reason: str, now: datetime) -> Counter[str]:
    refused = Counter({reason: len(candidates)}) if candidates else Counter[str]()
    _count(canvas, Counter(), refused, now)
    return refused


def _count(canvas: Canvas, made: Mapping[tuple[int, str], int], refused: Mapping[str, int], now: datetime) -> None:
    totals: Counter[Count] = Counter()
    for (variant, state), number in made.items():
        totals[Count(variant, 0, StepMetric.ENTERED)] += number
        if state == State.COMPLETED:
            totals[Count(variant, 0, StepMetric.COMPLETED)] += number
    totals.update({Count(0, 0, StepMetric.REFUSED, reason): number for reason, number in refused.items()})
    counts.add(canvas.pk, totals, now)


# --- who may


def _admitted(
    canvas: Canvas, here: Live, candidates: Sequence[Candidate], now: datetime
) -> tuple[Sequence[Candidate], Counter[str]]:
    """The candidates that pass, in order, and the numbers of the others by reason."""
    by_profile: dict[int, Candidate] = {}
    for candidate in candidates:
        by_profile.setdefault(candidate.profile_id, candidate)
    refused = Counter({"duplicate_second": len(candidates) - len(by_profile)})
    known = among(Profile.objects.all(), by_profile.keys())
    before = _before(canvas, known)
    wait = reentry_wait(canvas, here, now)
    passing: list[Candidate] = []
    for profile, candidate in by_profile.items():
        earlier = before.get(profile, Before())
        reason = "user_missing" if profile not in known else turned_away(canvas.reentry, earlier, wait, now)
        if reason:
            refused[reason] += 1
        else:
            passing.append(candidate)
    allowed = _within_quota(canvas, passing, now)
    refused["capped"] += len(passing) - len(allowed)
    return allowed, +refused


def _before(canvas: Canvas, profiles: Iterable[int]) -> dict[int, Before]:
    rows = (
        Journey.objects.filter(bulk.is_one_of("canvas_journey.profile_id", profiles), canvas=canvas)
        .values_list("profile_id")
        .annotate(last=Max("entered_at"), live=CountOf("id", filter=Q(ended_at=None)))
    )
    return {profile: Before(last, number) for profile, last, number in rows}


def turned_away(reentry: str, before: Before, wait: timedelta, now: datetime) -> str:
    """Why a profile that was here before may not enter again; empty where it may. Pure."""
    if before.last_entry is None:
        return ""
    if int(before.last_entry.timestamp()) == int(now.timestamp()):
        return "duplicate_second"
    if reentry == Reentry.NEVER:
        return "already_entered"
    if now - before.last_entry < wait:
        return "re_entry_window"
    return "concurrent_limit" if before.live >= MOST_AT_ONCE else ""


def reentry_wait(canvas: Canvas, here: Live, now: datetime) -> timedelta:
    """How long after an entry the next one is allowed, in seconds from the entry."""
    if canvas.reentry == Reentry.AFTER:
        return timedelta(seconds=canvas.reentry_seconds)
    return durations.longest(here.graph, now)


def _within_quota(canvas: Canvas, candidates: Sequence[Candidate], now: datetime) -> Sequence[Candidate]:
    """As many as the limit leaves room for: a random sample, but the same for the same run. Uses the places up."""
    if canvas.entry_limit is None or not candidates:
        return candidates
    bucket = quota_bucket(canvas.entry_cadence, candidates[0].source, now)
    quota, _made = EntryQuota.objects.select_for_update().get_or_create(canvas=canvas, bucket=bucket)
    room = max(0, canvas.entry_limit - quota.used)
    if room < len(candidates):
        chosen = sorted(candidates, key=lambda each: (arms.rank(each.profile_id, canvas.pk), each.profile_id))[:room]
        kept = {each.profile_id for each in chosen}
        candidates = [each for each in candidates if each.profile_id in kept]
    EntryQuota.objects.filter(pk=quota.pk).update(used=quota.used + len(candidates))
    return candidates


def quota_bucket(cadence: str, source: str, now: datetime) -> str:
    """What a limit counts together: hours are UTC hours, days those of the company's zone."""
    match cadence:
        case Cadence.HOUR:
            return f"{now.astimezone(UTC):%Y-%m-%dT%H}"
        case Cadence.DAY:
            return f"{counters.today(now):%Y-%m-%d}"
        case Cadence.RUN:
            return source[:32]
        case _:
            return "lifetime"


# --- which arm


def _assigned(canvas: Canvas, here: Live, admitted: Sequence[Candidate], now: datetime) -> dict[int, Variant]:
    """The arm of each profile, by the rules campaigns have too. Who was in a control group that is gone is in none."""
    every = {variant.pk: variant for variant in canvas.variants.all()}
    current = [v for v in every.values() if not v.is_removed and (v.is_control or v.pk in here.graph.starts)]
    if not admitted or sum(variant.share for variant in current) != 100:
        return {}
    profiles = [each.profile_id for each in admitted]
    kept = assignment.kept(canvas, profiles)
    lost = {pk for pk, before in kept.items() if _is_gone(every.get(before.id), current)}
    asked = [pk for pk in profiles if pk not in lost]
    received = Receipt.objects.filter(bulk.is_one_of("webhooks_receipt.profile_id", asked), sender=canvas.sender_id)
    messaged = set(received.filter(received_at__isnull=False).values_list("profile_id", flat=True))
    chosen = assignment.assign(canvas, current, asked, messaged, zlib.crc32(admitted[0].source.encode()), now)
    return {profile: every[variant] for profile, variant in chosen.items()}


def _is_gone(arm: Variant | None, current: Sequence[Variant]) -> bool:
    """Whether it was a control group that is there no more, or has no share: whoever was in it is never sent to."""
    return arm is not None and arm.is_control and (arm not in current or not arm.share)


# --- the journeys

_ROW = {
    "profile_id": "bigint",
    "variant_id": "bigint",
    "state": "text",
    "step_id": "bigint",
    "wake_at": "timestamptz",
    "ended_at": "timestamptz",
    "source": "text",
    "began_at": "timestamptz",
    "context": "text",
}


def _insert(
    canvas: Canvas, here: Live, admitted: Sequence[Candidate], arms_of: Mapping[int, Variant], now: datetime
) -> Counter[tuple[int, str]]:
    """One statement; how many journeys were made by variant and state. The same source lets nobody in twice."""
    rows = [_row(here, each, arms_of[each.profile_id], now) for each in admitted]
    if not rows:
        return Counter()
    context = "u.context::jsonb" if connection.vendor == "postgresql" else "u.context"
    made = bulk.fetch(
        f"""
        INSERT INTO canvas_journey (
            canvas_id, profile_id, variant_id, state, step_id, wake_at, waits_for, token, attempts, latched,
            entered_at, entry_second, began_at, events_since, source, version_id, context, ended_at, exit_reason,
            label, error
        )
        SELECT %s, u.profile_id, u.variant_id, u.state, u.step_id, u.wake_at, '', 0, 0, '',
            %s, %s, u.began_at, u.began_at, u.source, %s, {context}, u.ended_at, '', '', ''
        FROM {bulk.rows_as_table(_ROW)} WHERE TRUE
        ON CONFLICT DO NOTHING RETURNING variant_id, state, id, profile_id
        """,
        [canvas.pk, bulk.time_param(now), int(now.timestamp()), here.graph.version_id, bulk.as_json(rows)],
    )
    stream.put(
        stream.Event(stream.Kind.ENTRY, f"journey:{pk}", now, canvas.sender_id, profile, variant)
        for variant, _state, pk, profile in made
    )
    return Counter((variant, state) for variant, state, _pk, _profile in made)


def _row(here: Live, candidate: Candidate, arm: Variant, now: datetime) -> dict[str, Any]:
    first = None if arm.is_control else here.graph.present(here.graph.starts[arm.pk])
    state = State.CONTROL if arm.is_control else State.ENTERING if first else State.COMPLETED
    wake_at = now + conversions.last_window(here, CONTROL_WINDOW) if arm.is_control else now if first else None
    return {
        "profile_id": candidate.profile_id,
        "variant_id": arm.pk,
        "state": state,
        "step_id": first,
        "wake_at": wake_at,
        "ended_at": now if state == State.COMPLETED else None,
        "source": candidate.source[:64],
        "began_at": candidate.occurred_at - JUST_BEFORE if candidate.occurred_at else now,
        "context": _stored(candidate.properties),
    }


def _stored(properties: Mapping[str, Any] | None) -> str | None:
    """Entry properties as text; None where there are none, or they are larger than 50 KB."""
    text = json.dumps(properties) if properties else None
    return text if text is None or len(text.encode()) <= MOST_CONTEXT else None
