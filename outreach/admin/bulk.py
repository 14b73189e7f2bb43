"""Actions on many campaigns or Canvases at once: what the two lists share."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from outreach import bulk_moves
from outreach.bulk_moves import WORDS, Move
from outreach.models import Outreach
from workspace.models import Tag


class BulkMoves:
    """A mixin for an outreach's admin: `bulk_moves` says who does each move, `note_move` writes it into the history."""

    bulk_moves: Mapping[str, Move] = {}
    actions: Sequence[str] = ("pause_many", "resume_many", "stop_many", "archive_many", "tag_many")

    def note_move(self, request: HttpRequest, row: Any, move: str) -> None:
        raise NotImplementedError

    def has_launch_permission(self, request: HttpRequest) -> bool:
        opts: Any = self.opts  # type: ignore[attr-defined]
        return bool(request.user.has_perm(f"{opts.app_label}.launch_{opts.model_name}"))

    @admin.action(description=_("Pause…"), permissions=["launch"])
    def pause_many(self, request: HttpRequest, rows: "QuerySet[Outreach]") -> HttpResponse | None:
        return self._move_many(request, rows, "pause")

    @admin.action(description=_("Resume…"), permissions=["launch"])
    def resume_many(self, request: HttpRequest, rows: "QuerySet[Outreach]") -> HttpResponse | None:
        return self._move_many(request, rows, "resume")

    @admin.action(description=_("Stop…"), permissions=["launch"])
    def stop_many(self, request: HttpRequest, rows: "QuerySet[Outreach]") -> HttpResponse | None:
        return self._move_many(request, rows, "stop")

    @admin.action(description=_("Archive…"), permissions=["launch"])
    def archive_many(self, request: HttpRequest, rows: "QuerySet[Outreach]") -> HttpResponse | None:
        return self._move_many(request, rows, "archive")

    @admin.action(description=_("Add a tag…"), permissions=["change"])
    def tag_many(self, request: HttpRequest, rows: "QuerySet[Outreach]") -> HttpResponse | None:
        tag = Tag.objects.filter(pk=request.POST.get("tag") or 0).first() if "confirmed" in request.POST else None
        if tag is None:
            return self._ask(request, rows, "tag_many", _("Add a tag"), tags=Tag.objects.all())
        found = list(rows)
        for row in found:
            row.tags.add(tag)
        self._say(request, ngettext("%d was tagged.", "%d were tagged.", len(found)) % len(found))
        return None

    def _move_many(self, request: HttpRequest, rows: "QuerySet[Outreach]", move: str) -> HttpResponse | None:
        """Ask first, with the numbers; then do it."""
        able, others = bulk_moves.fitting(rows, move)
        if "confirmed" not in request.POST:
            words = WORDS[move]
            shown = {"words": words, "able": able, "others": others, "waiting": bulk_moves.waiting(able)}
            return self._ask(request, rows, f"{move}_many", words.label, **shown)
        done, faults = bulk_moves.carry_out(able, self.bulk_moves[move], timezone.now())
        for row in done:
            row.refresh_from_db()
            self.note_move(request, row, move)
        if done:
            count = ngettext("%(label)s: %(n)d done.", "%(label)s: %(n)d done.", len(done))
            self._say(request, count % {"label": WORDS[move].label, "n": len(done)})
        for fault in faults:
            self._say(request, fault, messages.WARNING)
        return None

    def _ask(
        self, request: HttpRequest, rows: "QuerySet[Outreach]", action: str, label: Any, **shown: Any
    ) -> HttpResponse:
        site: Any = self
        context = {
            **site.admin_site.each_context(request),
            "opts": site.opts,
            "title": label,
            "rows": rows,
            "action": action,
            "label": label,
            **shown,
        }
        return TemplateResponse(request, "outreach/bulk_confirm.html", context)

    def _say(self, request: HttpRequest, text: Any, level: int = messages.SUCCESS) -> None:
        messages.add_message(request, level, text)
