"""Saved webhooks to start from."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from webhooks.models import Content, Template


@admin.register(Template)
class TemplateAdmin(ModelAdmin):
    list_display = ("name", "description", "method", "is_archived", "updated_at")
    list_filter = ("is_archived", "teams", "tags")
    list_select_related = ("content",)
    search_fields = ("name", "description", "content__url")
    autocomplete_fields = ("teams", "tags")
    fields = ("name", "description", "webhook", "teams", "tags", "is_archived")
    readonly_fields = ("webhook",)

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


def compose_url(content_id: int) -> str:
    return reverse("admin:webhooks_content_change", args=[content_id])
