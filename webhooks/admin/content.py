"""The composer: one page for a webhook, wherever it is used, with preview and test send beside the form."""

import json
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, StackedInline

from webhooks import curl, owners, preview
from webhooks.admin import writing
from webhooks.forms import ContentForm, OverrideForm, OverrideFormSet
from webhooks.masking import shown_request
from webhooks.models import Content, ContentOverride
from webhooks.preview import NobodyFound, Person
from webhooks.request import Refusal
from webhooks.warnings import warnings
from workspace import teams
from workspace.models import Workspace


class OverrideInline(StackedInline):
    model = ContentOverride
    form = OverrideForm
    formset = OverrideFormSet
    extra = 0
    tab = False


@dataclass(frozen=True)
class Draft:
    """What the form holds now, saved or not; `errors` where it does not hold together."""

    content: Content
    overrides: list[ContentOverride]
    errors: dict[str, Any]


@admin.register(Content)
class ContentAdmin(ModelAdmin):
    form = ContentForm
    inlines = [OverrideInline]
    change_form_template = "webhooks/composer.html"
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": ("name", "url", "method", "sends_body_on_delete", "edited_version")}),
        (_("Request body"), {"fields": ("body_kind", "pairs", "raw_body")}),
        (_("Request headers"), {"fields": ("headers",)}),
        (
            _("Answer"),
            {
                "fields": ("success_test", "success_path", "success_value", "success_retries"),
                "classes": ("collapse",),
                "description": _("Some endpoints answer 200 and say in the answer that something went wrong."),
            },
        ),
        (_("Client certificate"), {"fields": ("client_certificate",), "classes": ("collapse",)}),
        (_("Translations"), {"fields": ("translations",), "classes": ("collapse",)}),
    )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False  # reached from what the webhook belongs to, not from the index

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Content | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Content | None = None) -> bool:
        return super().has_view_permission(request, obj) and self._is_of_their_teams(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Content | None = None) -> bool:
        owner = _owner(obj)
        may = super().has_change_permission(request, obj) and self._is_of_their_teams(request, obj)
        return may and not (owner and owner.is_locked)

    def _is_of_their_teams(self, request: HttpRequest, obj: Content | None) -> bool:
        owner = _owner(obj)
        return owner is None or teams.may_see(owner.teams, request.user)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:index"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        content = Content.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        owner = owners.of(content) if content else None
        return super().change_view(
            request,
            object_id,
            form_url,
            {
                "owner": owner,
                "show_save_and_add_another": False,
                "title": owner.title if owner else _("Webhook"),
                "earlier": writing.earlier_tests(content.pk) if content else (),
                "warnings": warnings(content) if content and request.method == "GET" else (),
            },
        )

    def response_change(self, request: HttpRequest, obj: Content) -> HttpResponse:
        owner = owners.of(obj)
        if owner and not {"_continue", "_saveasnew"} & set(request.POST):
            self.message_user(request, _("The webhook was saved."))
            return HttpResponseRedirect(owner.url)
        return super().response_change(request, obj)

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        ours = [
            path("<int:pk>/preview/", wrap(self.preview_view), name="webhooks_content_preview"),
            path("<int:pk>/test/", wrap(self.test_view), name="webhooks_content_test"),
            *(path(f"{name}/", wrap(view), name=f"webhooks_content_{name}") for name, view in writing.VIEWS),
        ]
        return ours + list(super().get_urls())

    def preview_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The rendered request for the chosen person, as a fragment. Nothing is saved or sent.

        Asked for by itself while somebody types, it keeps quiet about drafts that fetch something: only a press of the
        button makes requests to others.
        """
        draft = self._draft(request, pk)
        if request.POST.get("is_live") and fetches(draft):
            return HttpResponse(status=204)
        context: dict[str, Any] = {"errors": draft.errors}
        if not draft.errors:
            context["warnings"] = warnings(draft.content, draft.overrides)
            try:
                person = person_of(request)
                composed = preview.compose(
                    draft.content, draft.overrides, person, timezone.now(), request.POST.get("as_language") or None
                )
                context |= {"person": person, "composed": composed, **_shown(composed)}
                context["as_random"] = person.values["id"] if request.POST.get("as_kind", "random") == "random" else ""
            except (NobodyFound, ValueError) as error:
                context["problem"] = str(error)
        return TemplateResponse(request, "webhooks/preview.html", context)

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send once, now, and show the answer. The draft is not saved by testing."""
        draft = self._draft(request, pk)
        context: dict[str, Any] = {"errors": draft.errors}
        if not draft.errors:
            try:
                person = person_of(request)
                context["row"] = preview.test_send(
                    draft.content, draft.overrides, person, timezone.now(), Workspace.current().key
                )
                context["person"] = person
            except (NobodyFound, ValueError) as error:
                context["problem"] = str(error)
        context["earlier"] = writing.earlier_tests(pk)
        return TemplateResponse(request, "webhooks/test_result.html", context)

    def _draft(self, request: HttpRequest, pk: int) -> Draft:
        if request.method != "POST":
            raise PermissionDenied
        content = get_object_or_404(Content, pk=pk)
        if not self.has_view_permission(request, content):
            raise PermissionDenied
        form = ContentForm(request.POST, instance=content)
        if not form.is_valid():
            return Draft(content, [], _labelled(form))
        overrides, errors = _overrides(request, pk)
        return Draft(form.instance, overrides, errors)


def _owner(content: Content | None) -> owners.Owner | None:
    """Who it belongs to, asked once a page: every permission check wants to know."""
    if content is None:
        return None
    if not hasattr(content, "known_owner"):
        content.known_owner = owners.of(content)  # type: ignore[attr-defined]
    return content.known_owner  # type: ignore[attr-defined]


def _overrides(request: HttpRequest, pk: int) -> tuple[list[ContentOverride], dict[str, Any]]:
    """The language forms of the page as unsaved rows."""
    found: list[ContentOverride] = []
    errors: dict[str, Any] = {}
    total = request.POST.get("overrides-TOTAL_FORMS", "0")
    for number in range(min(int(total) if total.isdigit() else 0, 200)):
        prefix = f"overrides-{number}"
        if request.POST.get(f"{prefix}-DELETE") or not request.POST.get(f"{prefix}-language"):
            continue
        form = OverrideForm(request.POST, prefix=prefix)
        if form.is_valid():
            found.append(ContentOverride(content_id=pk, **form.cleaned_data))
        else:
            errors |= _labelled(form)
    return found, errors


def _labelled(form: Any) -> dict[str, Any]:
    return {str(form.fields[name].label if name in form.fields else ""): list(e) for name, e in form.errors.items()}


def person_of(request: HttpRequest) -> Person:
    """Whose values the page asks for. Raises NobodyFound, and ValueError for a custom user that is not JSON."""
    match request.POST.get("as_kind", "random"):
        case "existing":
            return preview.find_person(request.POST.get("as_id", ""))
        case "custom":
            try:
                typed = json.loads(request.POST.get("as_custom") or "{}")
            except ValueError as error:
                raise ValueError(_("The custom user is not valid JSON: %(error)s") % {"error": error}) from error
            if not isinstance(typed, dict):
                raise ValueError(_('The custom user must be a JSON object, for example {"first_name": "Ada"}.'))
            return preview.custom_person(typed)
        case _:
            return preview.random_person(request.POST.get("as_random", ""))


def _shown(composed: preview.Composed) -> dict[str, Any]:
    result = composed.result
    if isinstance(result, Refusal):
        return {"refusal": result}
    shown = shown_request(result, composed.secrets)
    try:
        shown["pretty"] = json.dumps(json.loads(shown["body"]), indent=2, ensure_ascii=False)
    except ValueError:
        shown["pretty"] = shown["body"]
    command = curl.written(shown["method"], shown["url"], shown["headers"], shown["body"])
    return {"request_shown": shown, "size": len(result.body or b""), "curl": command}


def fetches(draft: Draft) -> bool:
    """Whether rendering asks some other server for something."""
    rows: list[Content | ContentOverride] = [draft.content, *draft.overrides]
    texts = [row.url + row.raw_body + json.dumps(row.pairs) for row in rows]
    blocks = any("content_blocks" in text for text in texts)  # a block may fetch, too
    return blocks or any("connected_content" in text for text in [*texts, json.dumps(draft.content.headers)])
