"""Lists of promotion codes."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from webhooks import promotions
from webhooks.library_forms import PromotionForm
from webhooks.models import Promotion


@admin.register(Promotion)
class PromotionAdmin(ModelAdmin):
    form = PromotionForm
    empty_text = _(
        "A list of promotion codes: each message that asks for one takes the next, and no code is given out twice."
    )
    list_display = ("name", "description", "left_count", "sent_count", "expires_at")
    search_fields = ("name", "description")
    fields = ("name", "description", "expires_at", "file", "tag", "left_count", "sent_count")
    readonly_fields = ("tag", "left_count", "sent_count")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Promotion]:
        free = Q(codes__taken_at=None)
        left, sent = Count("codes", filter=free & Q(codes__isnull=False)), Count("codes", filter=~free)
        return super().get_queryset(request).annotate(left_count=left, sent_count=sent)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "name") if obj else self.readonly_fields

    @admin.display(description=_("codes left"), ordering="left_count")
    def left_count(self, promotion: Any) -> int:
        return int(getattr(promotion, "left_count", 0))

    @admin.display(description=_("codes sent"), ordering="sent_count")
    def sent_count(self, promotion: Any) -> int:
        return int(getattr(promotion, "sent_count", 0))

    @admin.display(description=_("in a message"))
    def tag(self, promotion: Promotion) -> str:
        return f"{{% promotion('{promotion.name}') %}}" if promotion.pk else "–"

    def save_model(self, request: HttpRequest, obj: Promotion, form: PromotionForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.codes:
            new = promotions.add(obj, form.codes)
            told = _("%(new)d codes were added; %(old)d were there already.")
            self.message_user(request, told % {"new": new, "old": len(form.codes) - new})
