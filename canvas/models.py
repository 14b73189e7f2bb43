"""Canvases: journeys of several steps."""

from django.utils.translation import gettext_lazy as _

from outreach.models import Outreach


class Canvas(Outreach):
    """An outreach that takes each profile through steps."""

    class Meta:
        verbose_name = _("Canvas")
        verbose_name_plural = _("Canvases")
        permissions = [("launch_canvas", _("Can launch, pause and stop Canvases"))]
