"""What Canvases know about a person, and what becomes of it when the person is deleted or merged into another."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from audience.models import Profile
from audience.person import Cell, Section
from canvas.models import Canvas, ExperimentShare, Journey, Reentry, StepRevision
from canvas.states import Reason, State
from outreach.models import Enrolment
from workspace import bulk
from workspace.queues import wake

SHOWN = 50
CONCURRENT = (Reentry.AFTER, Reentry.AFTER_LONGEST)


def journeys(profile: Profile) -> Section:
    """The latest journeys of the profile, without live tests: where it is, or how it ended."""
    own = Journey.objects.filter(profile=profile.pk, canvas__test_of=None)
    found = list(own.select_related("canvas").order_by("-pk")[:SHOWN])
    names = dict(StepRevision.objects.filter(step__in={j.step_id for j in found}).values_list("step_id", "name"))
    rows = [
        (
            Cell(_moment(j.entered_at), reverse("admin:canvas_canvas_journey", args=[j.canvas_id, j.pk])),
            Cell(j.canvas.name, reverse("admin:canvas_canvas_flow", args=[j.canvas_id])),
            Cell(names.get(j.step_id or 0, "")),
            Cell(_standing(j)),
        )
        for j in found
    ]
    return Section(_("Canvases"), (_("entered"), _("Canvas"), _("step"), _("how it stands")), rows)


def _standing(journey: Journey) -> str:
    if journey.ended_at and journey.exit_reason:
        return _("left at %(at)s: %(why)s") % {
            "at": _moment(journey.ended_at),
            "why": Reason(journey.exit_reason).label,
        }
    if journey.ended_at:
        return _("completed at %s") % _moment(journey.ended_at)
    if journey.wake_at:
        return _("%(state)s, goes on at %(at)s") % {
            "state": State(journey.state).label,
            "at": _moment(journey.wake_at),
        }
    return str(State(journey.state).label)


def _moment(at: datetime) -> str:
    return date_format(localtime(at), "DATETIME_FORMAT")


def extent(profiles: Sequence[int]) -> Mapping[str, int]:
    """How many journeys that is."""
    return {str(Journey._meta.verbose_name_plural): Journey.objects.filter(profile__in=profiles).count()}


def erase(profiles: Sequence[int]) -> None:
    """Blank what journeys hold, and have those that live end: the bare rows stay, so that totals add up.

    Journeys that are being moved at the moment are blanked once the profile is gone: nobody waits for them with the
    profile locked, as moving one may wait for the profile.
    """
    ids = list(profiles)
    _blank(ids, skip_locked=True)
    ExperimentShare.objects.filter(profile__in=ids).delete()
    transaction.on_commit(lambda: _blank(ids))


def _blank(profiles: Sequence[int], *, skip_locked: bool = False) -> None:
    bulk.execute(
        f"""
        UPDATE canvas_journey SET context = NULL, event_properties = NULL,
            wake_at = CASE WHEN ended_at IS NULL AND state <> 'failed' THEN %s ELSE wake_at END
        WHERE id IN (
            SELECT j.id FROM canvas_journey AS j WHERE {bulk.in_ids("j.profile_id")}
            ORDER BY j.id {bulk.for_update("j", skip_locked=skip_locked)}
        )
        """,
        [bulk.time_param(timezone.now()), bulk.ids_param(profiles)],
    )
    wake("canvas")


@transaction.atomic
def merge(gone: int, survivor: int, now: datetime) -> None:
    """Hand the journeys of a profile that is merged over to the one that stays. Called before the profile is deleted.

    Each goes on at the step and time it was at; eligibility is not asked again. Where the survivor is inside the same
    Canvas and that allows no second journey, the other one ends.
    """
    found = list(Journey.objects.select_for_update(of=("self",)).filter(profile__in=[gone, survivor]).order_by("pk"))
    own = [journey for journey in found if journey.profile_id == survivor]
    inside = {journey.canvas_id for journey in own if journey.ended_at is None}
    taken = {(j.canvas_id, j.entry_second) for j in own} | {(j.canvas_id, j.source) for j in own}
    single = set(Canvas.with_tests.filter(pk__in=inside).exclude(reentry__in=CONCURRENT).values_list("pk", flat=True))
    for journey in found:
        if journey.profile_id != gone:
            continue
        if journey.ended_at is None and journey.canvas_id in single:
            Journey.objects.filter(pk=journey.pk).update(latched=Reason.USER_MERGED, wake_at=now)
        if not {(journey.canvas_id, journey.entry_second), (journey.canvas_id, journey.source)} & taken:
            Journey.objects.filter(pk=journey.pk).update(profile_id=survivor)
    _merge_arms(gone, survivor)
    wake("canvas")


def _merge_arms(gone: int, survivor: int) -> None:
    """The survivor keeps its arm, and takes over the others; who was messaged is in no control group any more."""
    mine = {row.outreach_id: row for row in Enrolment.objects.filter(profile=survivor).select_related("variant")}
    for row in Enrolment.objects.filter(profile=gone).select_related("variant"):
        kept = mine.get(row.outreach_id)
        if kept is None:
            Enrolment.objects.filter(pk=row.pk).update(profile_id=survivor)
        elif kept.variant.is_control and not row.variant.is_control:
            Enrolment.objects.filter(pk=kept.pk).update(variant_id=row.variant_id)
    mine_paths = ExperimentShare.objects.filter(profile=survivor).values("step")
    ExperimentShare.objects.filter(profile=gone).exclude(step__in=mine_paths).update(profile_id=survivor)
