"""The page of the variants: who goes which way from the start."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from canvas import arms
from canvas.admin.pages import Site, canvas_of, edit, goto, may_edit, page, shown
from canvas.errors import EditError
from canvas.forms.setup import VariantsForm
from canvas.models import Canvas, CanvasVersion
from outreach.models import Optimisation


def show(site: Site, request: HttpRequest, pk: int) -> HttpResponse:
    """Names and shares; POST saves them, adds a variant or the control group, or removes one."""
    canvas = canvas_of(site, request, pk)
    version, _graph = shown(request, canvas)
    data = request.POST if request.POST.get("do") == "save" else None
    selects = canvas.optimisation == Optimisation.SELECTION
    form = VariantsForm(arms.current(canvas), data, selects=selects)
    if request.method == "POST":
        if not may_edit(site, request, canvas):
            raise PermissionDenied
        if not form.is_bound or form.is_valid():
            _act(site, request, canvas, form)
            return goto("variants", pk)
    has_control = any(variant.is_control for variant in form.variants)
    context = {"version": version, "form": form, "has_control": has_control, "selects": selects}
    return page(site, request, canvas, "canvas/variants.html", _("Variants"), "variants", **context)


def _act(site: Site, request: HttpRequest, canvas: Canvas, form: VariantsForm) -> None:
    action, _dash, number = request.POST.get("do", "").partition("-")
    name = request.POST.get("name", "").strip()[:100]

    def work(draft: CanvasVersion, expected: int | None) -> None:
        match action:
            case "add":
                arms.add(draft, name or _("Variant %d") % (len(form.variants) + 1), expected=expected)
            case "control":
                arms.add(draft, name or _("Control group"), is_control=True, expected=expected)
            case "remove" if number.isdigit():
                arms.remove(draft, int(number), expected)

    if action == "save":
        _save(site, request, canvas, form)
    else:
        edit(site, request, canvas, work)


def _save(site: Site, request: HttpRequest, canvas: Canvas, form: VariantsForm) -> None:
    try:
        arms.set_shares(canvas, form.given, selects=form.cleaned_data["selects"])
    except EditError as error:
        messages.error(request, str(error))
    else:
        site.log_change(request, canvas, _("Changed the variants."))
        messages.success(request, _("The variants were saved. They count for profiles that enter from now on."))
