"""Filters on what profiles did in Canvases (campaigns specification, 4.5)."""

from collections.abc import Sequence
from typing import Any

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from audience.filters import Filter, Leaf, Scope
from audience.filters.fields import References
from canvas.models import Canvas, Journey, JourneyConversion, Kind, Step, StepRevision, StepVisit
from outreach.filters import RECEIVED, LastTime, Whether, latest, received
from outreach.models import Status, Variant
from webhooks.models import Receipt


def _canvas_choices() -> Sequence[tuple[int, str]]:
    return [*Canvas.objects.exclude(status=Status.ARCHIVED).order_by("name").values_list("pk", "name")]


def _variant_choices() -> Sequence[tuple[int, str]]:
    rows = Variant.objects.filter(is_removed=False, outreach__in=Canvas.objects.exclude(status=Status.ARCHIVED))
    found = rows.order_by("outreach__name", "position").values_list("pk", "outreach__name", "name")
    return [(pk, f"{canvas} – {name}") for pk, canvas, name in found]


def _steps() -> "QuerySet[Any]":
    """Message steps, each with a name: that of its Canvas and its own, as last edited."""
    own = StepRevision.objects.filter(step=OuterRef("pk")).order_by("-pk").values("name")[:1]
    name = Concat(F("canvas__name"), Value(" – "), Subquery(own), output_field=CharField())
    return Step.objects.filter(kind=Kind.MESSAGE, canvas__in=Canvas.objects.all()).annotate(name=name)


def _step_choices() -> Sequence[tuple[int, str]]:
    return [*_steps().exclude(canvas__status=Status.ARCHIVED).order_by("name").values_list("pk", "name")]


CANVASES = References("ids", _("Canvases"), model=Canvas, choices=_canvas_choices)
VARIANTS = References("ids", _("variants"), model=Variant, choices=_variant_choices)
STEPS = References("ids", _("steps"), model=Step, choices=_step_choices, named=_steps)


def _journeys() -> "QuerySet[Journey]":
    return Journey.objects.filter(profile=OuterRef("pk"))


class Converted(Whether):
    """Converted from any of some Canvases, or from none; control groups are never counted."""

    def matching(self, leaf: Leaf, scope: Scope) -> "QuerySet[JourneyConversion]":
        rows = JourneyConversion.objects.filter(journey__profile=OuterRef("pk"), canvas__in=leaf["ids"])
        return rows.filter(journey__variant__is_control=False)


class InControl(Whether):
    """In the control group of some Canvases. Who never entered any of them matches neither way."""

    def matching(self, leaf: Leaf, scope: Scope) -> "QuerySet[Journey]":
        return _journeys().filter(canvas__in=leaf["ids"], variant__is_control=True)

    def compile(self, leaf: Leaf, scope: Scope) -> Q:
        found = super().compile(leaf, scope)
        return found if leaf["op"] == "in" else found & Q(Exists(_journeys().filter(canvas__in=leaf["ids"])))


class EnteredVariant(Whether):
    """Entered a Canvas in one of some variants, or in none of them."""

    def matching(self, leaf: Leaf, scope: Scope) -> "QuerySet[Journey]":
        return _journeys().filter(variant__in=leaf["ids"])


def _of_steps(ids: Sequence[int]) -> "QuerySet[Receipt]":
    """What the profile received from these steps: the cause of such a receipt is the visit."""
    senders = Step.objects.filter(pk__in=ids).values("canvas__sender")
    return received().filter(Exists(StepVisit.objects.filter(pk=OuterRef("cause"), step__in=ids)), sender__in=senders)


class ReceivedStep(Whether):
    """Received the message of one of some steps, or of none of them."""

    def matching(self, leaf: Leaf, scope: Scope) -> "QuerySet[Receipt]":
        return _of_steps(leaf["ids"])


class LastReceivedStep(LastTime):
    """When the profile last received the message of one of some steps."""

    def when(self, leaf: Leaf, scope: Scope) -> Subquery:
        return latest(_of_steps(leaf["ids"]), "received_at")


FILTERS: tuple[Filter, ...] = (
    ReceivedStep("received_step", _("received a step of a Canvas"), STEPS, RECEIVED),
    LastReceivedStep("last_received_step", _("last received a step of a Canvas"), STEPS, _("last received the step")),
    EnteredVariant(
        "entered_variant",
        _("entered a variant of a Canvas"),
        VARIANTS,
        (("entered", _("has entered")), ("not_entered", _("has not entered"))),
    ),
    Converted(
        "converted_canvas",
        _("converted from a Canvas"),
        CANVASES,
        (("in", _("has converted from")), ("not_in", _("has not converted from"))),
    ),
    InControl(
        "in_canvas_control",
        _("in a Canvas's control group"),
        CANVASES,
        (("in", _("is in the control group of")), ("not_in", _("entered, but is not in the control group of"))),
    ),
)
