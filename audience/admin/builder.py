"""The fragments that the filter builder asks for. Nothing is saved here."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from audience import filters, segments
from audience.builder import fields, inputs, known, nodes
from audience.models import Profile


@require_POST
def builder(request: HttpRequest) -> HttpResponse:
    """The builder after a button was pressed or an input chosen that others depend on."""
    name, action = request.POST.get("builder", ""), request.POST.get("action", "")
    if action == "show-json":
        tree = nodes.to_tree(inputs.read(request.POST, name))
        return TemplateResponse(request, "audience/builder/json.html", fields.context(name, tree, _ESTIMATE))
    value = request.POST.get(name, "") if action == "use-json" else _acted(request, name, action)
    context = fields.context(name, value, _ESTIMATE, is_draft=True)
    if not context["can_build"]:
        context |= fields.context(name, nodes.to_tree(inputs.read(request.POST, name)), _ESTIMATE, is_draft=True)
        context |= {"json": value, "complaint": _("The JSON holds no filter tree; the filters stay as they were.")}
    return TemplateResponse(request, "audience/builder/builder.html", context | {"is_live": True})


_ESTIMATE = fields.FiltersWidget.estimate_url_name


def _acted(request: HttpRequest, name: str, action: str) -> dict[str, Any]:
    root = inputs.read(_with_known_type(request, name), name)
    return nodes.to_tree(nodes.act(root, action, inputs.parse_place(request.POST.get("place", ""))))


def _with_known_type(request: HttpRequest, name: str) -> Any:
    """The form data; where the name of a known attribute was just typed, with its type chosen."""
    changed = request.headers.get("HX-Trigger-Name", "")
    data = request.POST.copy()
    if changed.startswith(f"{name}[") and changed.endswith("]name"):
        prefix = changed.removesuffix("name")
        kind = known.type_of_attribute(data.get(changed, "").strip())
        if kind and data.get(f"{prefix}filter") == "custom_attribute":
            data[f"{prefix}type"] = kind
    return data


@require_POST
def estimate(request: HttpRequest) -> HttpResponse:
    """How many profiles the filters select, in words and with a few examples; or what is wrong."""
    if not (request.user.has_perm("audience.view_segment") or request.user.has_perm("audience.view_profile")):
        raise PermissionDenied
    tree = fields.tree_from(request.POST, request.POST.get("builder", ""))
    return TemplateResponse(request, "audience/builder/estimate.html", estimate_context(request, tree))


def estimate_context(request: HttpRequest, tree: Any) -> dict[str, Any]:
    """What the template of the estimate shows for a tree."""
    now = timezone.now()
    if isinstance(tree, str) or filters.is_empty(tree):
        return {"problems": [_("No filter yet: this selects nobody.")]}
    if problems := filters.validate(tree, now):
        return {"problems": list(dict.fromkeys(problem.sentence for problem in problems))}
    chosen = Profile.objects.filter(filters.compile_tree(tree, now))
    may_see = request.user.has_perm("audience.view_profile")
    return {
        "estimate": segments.estimate(chosen),
        "sentence": filters.sentence(tree, now),
        "oddities": known.oddities(tree),
        "samples": segments.examples(chosen) if may_see else None,
    }
