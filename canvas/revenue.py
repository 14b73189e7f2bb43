"""Which Canvases get the credit for purchases: those entered shortly before (specification, section 12.1)."""

from collections.abc import Iterator, Sequence

from canvas import conversions
from canvas.conversions import Entered
from canvas.models import Canvas
from outreach.conversions import LONGEST_WINDOW
from outreach.matching import Kind
from outreach.models import Status
from outreach.revenue import WINDOW, Bought, Credit


def credits(bought: Sequence[Bought]) -> Iterator[Credit]:
    """One for each Canvas whose latest journey began before the purchase, its primary window open. Two queries."""
    by_profile = {each.profile_id: each for each in bought}
    since = min(each.occurred_at for each in bought) - LONGEST_WINDOW
    launched = dict(Canvas.objects.exclude(status=Status.DRAFT).values_list("pk", "conversions"))
    for (canvas, profile), journey in conversions.latest(launched, by_profile, since).items():
        purchase, goals = by_profile[profile], launched[canvas]
        window = conversions.window(goals[0]) if goals else WINDOW
        if conversions.is_within(journey, window, purchase.occurred_at, f"{Kind.PURCHASE}:{purchase.id}"):
            yield _credit(canvas, journey, purchase)


def _credit(canvas: int, journey: Entered, bought: Bought) -> Credit:
    step = conversions.step_of(journey, bought.occurred_at)
    return Credit(
        canvas,
        bought.id,
        journey.variant_id,
        step,
        journey.id,
        bought.amount,
        journey.entered_at,
        bought.occurred_at,
    )
