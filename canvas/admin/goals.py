"""The page of the conversion events: what the Canvas is for."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from canvas.admin.pages import Site, canvas_of, goto, may_edit, page
from canvas.forms import goals
from canvas.models import Canvas
from outreach.models import Status


def show(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """Up to four events. Once launched they stay: the numbers before and after could not be compared."""
    canvas = canvas_of(site, request, pk)
    is_open = may_edit(site, request, canvas) and canvas.status == Status.DRAFT
    forms = goals.forms_of(canvas.conversions, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if not is_open:
            raise PermissionDenied
        if sum(form.is_valid() for form in forms) == len(forms):
            found = [goal for place, form in enumerate(forms, 1) if (goal := form.goal(place))]
            Canvas.objects.filter(pk=pk).update(conversions=found)
            messages.success(request, _("The conversion events were saved."))
            return goto("goals", pk)
    shown = forms if is_open else forms[: len(canvas.conversions)]
    context = {"forms": shown, "is_open": is_open, "media": forms[0].media}
    return page(site, request, canvas, "canvas/goals.html", _("Conversions"), "goals", **context)
