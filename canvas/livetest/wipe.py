"""Takes people out of a live test, or the whole test away, so that nothing of it remains but the Message Activity Log.

Messages come first, then journeys: who records an outcome holds its message and waits for the journey. Journeys that
are being moved are waited for, and what they made meanwhile goes too.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from canvas import graph
from canvas.models import Canvas, ExperimentShare, Journey, StepContent, StepVisit
from outreach import lifecycle
from outreach.models import Enrolment, Status
from webhooks.models import Content, FrozenRequest, Message, Receipt


def twin_of(canvas: Canvas) -> Canvas | None:
    """The twin that tests a Canvas now, or has."""
    return Canvas.with_tests.filter(test_of=canvas.pk).select_related("sender").first()


def people(twin: Canvas, profiles: Sequence[int]) -> None:
    """Make it as if these had never entered the test."""
    with transaction.atomic():
        _forget(twin, Journey.objects.filter(canvas=twin, profile_id__in=profiles))
        Receipt.objects.filter(sender=twin.sender_id, profile_id__in=profiles).delete()
        Enrolment.objects.filter(outreach=twin, profile_id__in=profiles).delete()
        ExperimentShare.objects.filter(step__canvas=twin, profile_id__in=profiles).delete()


def everything(canvas: Canvas, now: datetime) -> None:
    """End the test of a Canvas and delete it; without one, nothing happens. The sender stays for the log to name it."""
    twin = twin_of(canvas)
    if twin is None:
        return
    if twin.status != Status.ARCHIVED:
        lifecycle.archive(twin, now)  # committed first: no message is claimed any more
    with transaction.atomic():
        _forget(twin, Journey.objects.filter(canvas=twin))
        Receipt.objects.filter(sender=twin.sender_id).delete()
        written = list(StepContent.objects.filter(revision__step__canvas=twin).values_list("content_id", flat=True))
        for version in twin.versions.all():
            graph.drop(version)
        twin.delete()
        Content.objects.filter(pk__in=written, step_contents=None, variants=None, template=None).delete()


def _forget(twin: Canvas, journeys: "QuerySet[Journey]") -> None:
    _delete_messages(twin, journeys, skip_locked=False)
    ids = list(journeys.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    _delete_messages(twin, journeys, skip_locked=True)
    Journey.objects.filter(pk__in=ids).delete()


def _delete_messages(twin: Canvas, journeys: "QuerySet[Journey]", *, skip_locked: bool) -> None:
    visits = StepVisit.objects.filter(journey__in=journeys.values("pk")).values("pk")
    found = Message.objects.filter(sender=twin.sender_id, cause__in=visits).order_by("pk")
    ids = list(found.select_for_update(of=("self",), skip_locked=skip_locked).values_list("pk", flat=True))
    FrozenRequest.objects.filter(message__in=ids).delete()
    Message.objects.filter(pk__in=ids).delete()
