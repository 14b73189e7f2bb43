"""Saved webhooks to start from."""

from itertools import count
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from webhooks.models import Content, Template


@admin.register(Template)
class TemplateAdmin(ModelAdmin):
    empty_text = _(
        "A template is a webhook to start from: its address, headers and body, ready to be changed. Save one, "
        "and offer it to every campaign and Canvas."
    )
    empty_links = ((_("Choose from the gallery"), "gallery"),)
    list_display = ("name", "description", "method", "is_archived", "updated_at")
    list_filter = ("is_archived", "teams", "tags")
    list_select_related = ("content",)
    search_fields = ("name", "description", "content__url")
    autocomplete_fields = ("teams", "tags")
    fields = ("name", "description", "webhook", "teams", "tags", "is_archived")
    readonly_fields = ("webhook",)
    actions = ("duplicate",)

    @admin.action(description=_("Duplicate"), permissions=["add"])
    def duplicate(self, request: HttpRequest, templates: "QuerySet[Template]") -> None:
        """A copy of each, with a webhook of its own."""
        for template in templates.select_related("content"):
            name = _free_name(gettext("Copy of %s") % template.name)
            twin = Template.objects.create(
                name=name, description=template.description, content=template.content.copy(name=name[:100])
            )
            twin.teams.set(template.teams.all())
            twin.tags.set(template.tags.all())
        made = len(templates)
        self.message_user(
            request, ngettext("%d template was duplicated.", "%d templates were duplicated.", made) % made
        )

    @admin.display(description=_("HTTP method"), ordering="content__method")
    def method(self, template: Template) -> str:
        return template.content.method

    @admin.display(description=_("webhook"))
    def webhook(self, template: Template) -> str:
        if not template.pk:
            return str(_("Save the name first; then compose the webhook."))
        return format_html(
            '<a class="hl-link" href="{}">{}</a>',
            compose_url(template.content_id),
            template.content.url or _("Compose…"),
        )

    def save_model(self, request: HttpRequest, obj: Template, form: Any, change: bool) -> None:
        if not change:
            obj.content = Content.objects.create(name=obj.name[:100])
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Template, post_url_continue: str | None = None) -> HttpResponse:
        self.message_user(request, _("“%s” was made. Now compose its webhook.") % obj)
        return HttpResponseRedirect(compose_url(obj.content_id))


def _free_name(name: str) -> str:
    """The name, with a number behind it where it is taken."""
    taken = set(Template.objects.filter(name__startswith=name[:240]).values_list("name", flat=True))
    numbered = (f"{name[:240]} {number}" for number in count(2))
    return name[:255] if name[:255] not in taken else next(each for each in numbered if each not in taken)


def compose_url(content_id: int) -> str:
    return reverse("admin:webhooks_content_change", args=[content_id])
