"""Tells the composer which step a webhook belongs to (see `webhooks.owners`)."""

from django.urls import reverse
from django.utils.translation import gettext as _

from canvas.models import StepContent
from webhooks.models import Content
from webhooks.owners import Owner


def of_content(content: Content) -> Owner | None:
    """The Canvas and step of this content; None if it is not a step's. It is edited on the page of its step."""
    rows = StepContent.objects.filter(content=content).select_related("revision__version__canvas")
    item = rows.order_by("-revision__version_id").first()
    if item is None:
        return None
    canvas = item.revision.version.canvas
    if canvas.test_of_id:
        url = reverse("admin:canvas_canvas_live_test", args=[canvas.test_of_id])
    else:
        url = reverse("admin:canvas_canvas_step", args=[canvas.pk, item.revision.step_id])
    return Owner(f"{canvas.name} › {item.revision.name}", url, True, _("It is edited on the page of its step."))
