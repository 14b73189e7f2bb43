"""Content Blocks and catalogs."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, StackedInline

from webhooks import blocks, catalogs
from webhooks.library_forms import CatalogForm, ContentBlockForm, SelectionForm
from webhooks.models import Catalog, CatalogItem, CatalogSelection, Content, ContentBlock
from workspace import teams


@admin.register(ContentBlock)
class ContentBlockAdmin(ModelAdmin):
    form = ContentBlockForm
    empty_text = _(
        "A Content Block is a piece of text used by many messages: change it once, and it changes everywhere."
    )
    list_display = ("name", "description", "state", "updated_at")
    list_filter = ("state", "teams", "tags")
    search_fields = ("name", "description", "content")
    autocomplete_fields = ("teams", "tags")
    warn_unsaved_form = True
    fieldsets = (
        (None, {"fields": ("name", "description", "content", "tag", "state", "used_by")}),
        (_("Teams and tags"), {"fields": ("teams", "tags")}),
    )
    readonly_fields = ("tag", "used_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContentBlock]:
        return teams.visible(super().get_queryset(request), request.user)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "name") if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # names are for life; archive it

    @admin.display(description=_("in a message"))
    def tag(self, block: ContentBlock) -> str:
        return block.liquid_tag if block.pk else "–"

    @admin.display(description=_("used by"))
    def used_by(self, block: ContentBlock) -> str:
        found = list(blocks.users(block)) if block.pk else []
        links = ((_page(user), blocks.title(user)) for user in found)
        return format_html_join(", ", '<a class="hl-link" href="{}">{}</a>', links) or "–"


def _page(user: Content | ContentBlock) -> str:
    return reverse(f"admin:webhooks_{user._meta.model_name}_change", args=[user.pk])


class SelectionInline(StackedInline):
    model = CatalogSelection
    form = SelectionForm
    extra = 0


@admin.register(Catalog)
class CatalogAdmin(ModelAdmin):
    form = CatalogForm
    inlines = [SelectionInline]
    empty_text = _(
        "A catalog is a table of things to put into messages, such as products with prices, from a CSV file."
    )
    list_display = ("name", "description", "item_count", "updated_at")
    search_fields = ("name", "description")
    fields = ("name", "description", "file", "columns", "see_items")
    readonly_fields = ("columns", "see_items")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Catalog]:
        return super().get_queryset(request).annotate(item_count=Count("items"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "name") if obj else self.readonly_fields

    @admin.display(description=_("items"), ordering="item_count")
    def item_count(self, catalog: Any) -> int:
        return int(catalog.item_count)

    @admin.display(description=_("fields"))
    def columns(self, catalog: Catalog) -> str:
        return ", ".join(f"{field['name']} ({field['type']})" for field in catalog.fields) or "–"

    @admin.display(description=_("items"))
    def see_items(self, catalog: Catalog) -> str:
        if not catalog.pk:
            return "–"
        url = reverse("admin:webhooks_catalogitem_changelist") + f"?catalog__id__exact={catalog.pk}"
        return format_html('<a class="hl-link" href="{}">{}</a>', url, _("Show the items"))

    def save_model(self, request: HttpRequest, obj: Catalog, form: CatalogForm, change: bool) -> None:
        if form.found:
            obj.fields = catalogs.fields_of(form.header, form.found, obj.fields)
        super().save_model(request, obj, form, change)
        if form.found:
            count = catalogs.store(obj, form.found)
            self.message_user(request, _("%(count)d items were imported.") % {"count": count})


@admin.register(CatalogItem)
class CatalogItemAdmin(ModelAdmin):
    """Items, to look at and to mend. Many come by CSV or the API."""

    list_display = ("item_id", "catalog", "shown")
    list_filter = ("catalog",)
    list_select_related = ("catalog",)
    search_fields = ("item_id",)
    autocomplete_fields = ("catalog",)
    fields = ("catalog", "item_id", "values")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False  # reached from its catalog

    @admin.display(description=_("values"))
    def shown(self, item: CatalogItem) -> str:
        return ", ".join(f"{name}: {value}" for name, value in item.values.items())[:200]

    def save_model(self, request: HttpRequest, obj: CatalogItem, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        catalogs.touch(obj.catalog)

    def delete_model(self, request: HttpRequest, obj: CatalogItem) -> None:
        super().delete_model(request, obj)
        catalogs.touch(obj.catalog)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[CatalogItem]) -> None:
        touched = list(Catalog.objects.filter(items__in=queryset).distinct())
        super().delete_queryset(request, queryset)
        for catalog in touched:
            catalogs.touch(catalog)
