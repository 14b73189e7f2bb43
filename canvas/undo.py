"""Takes back the last change of a draft: each is kept as what was there before."""

from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from canvas.errors import NotAllowed
from canvas.models import CanvasVersion, DraftChange, Path, StepContent, StepRevision
from webhooks.models import Content

MOST = 50
_OWN = ("exit_events", "exit_audience", "exits_at_once")
_REVISION = ("id", "step_id", "name", "note", "settings", "is_disabled")
_CONTENT = ("revision_id", "slot", "content_id")
_PATH = ("id", "step_id", "variant_id", "key", "rank", "name", "target_id")


def remember(draft: CanvasVersion, what: str, author: Any = None) -> None:
    """Keep the draft as it is now, before a change. Who edits is the draft's author; old changes are forgotten."""
    DraftChange.objects.create(version=draft, what=what[:255], before=_picture(draft), author=author or draft.author)
    older = DraftChange.objects.filter(version=draft).order_by("-pk").values_list("pk", flat=True)[MOST:]
    DraftChange.objects.filter(pk__in=list(older)).delete()


def last(draft: CanvasVersion) -> DraftChange | None:
    """The change that would be taken back."""
    return DraftChange.objects.filter(version=draft).select_related("author").order_by("-pk").first()


def take_back(draft: CanvasVersion) -> str:
    """Make the draft what it was before its last change; what that was. Raises NotAllowed where there is none."""
    with transaction.atomic():
        locked = CanvasVersion.objects.select_for_update().get(pk=draft.pk)
        change = last(locked)
        if change is None or locked.number is not None:
            raise NotAllowed(_("There is nothing to undo."))
        _restore(locked, change.before)
        change.delete()
        CanvasVersion.objects.filter(pk=draft.pk).update(edition=F("edition") + 1)
    draft.refresh_from_db()
    return change.what


def forget(draft: CanvasVersion) -> None:
    """Drop the way back, and the webhooks that only it still needed."""
    pictures = DraftChange.objects.filter(version=draft).values_list("before", flat=True)
    seen = {row["content_id"] for picture in pictures for row in picture["contents"]}
    DraftChange.objects.filter(version=draft).delete()
    Content.objects.filter(pk__in=seen, step_contents=None, variants=None, template=None).delete()


def _picture(draft: CanvasVersion) -> dict[str, Any]:
    return {
        "own": {name: getattr(draft, name) for name in _OWN},
        "revisions": list(draft.revisions.order_by("pk").values(*_REVISION)),
        "contents": list(StepContent.objects.filter(revision__version=draft).order_by("pk").values(*_CONTENT)),
        "paths": list(draft.paths.order_by("pk").values(*_PATH)),
    }


def _restore(draft: CanvasVersion, before: dict[str, Any]) -> None:
    CanvasVersion.objects.filter(pk=draft.pk).update(**before["own"])
    Path.objects.filter(version=draft).delete()
    StepRevision.objects.filter(version=draft).delete()
    StepRevision.objects.bulk_create(StepRevision(version=draft, **row) for row in before["revisions"])
    StepContent.objects.bulk_create(StepContent(**row) for row in before["contents"])
    arms = set(draft.canvas.variants.filter(is_removed=False, is_control=False).values_list("pk", flat=True))
    Path.objects.bulk_create(
        Path(version=draft, **row) for row in before["paths"] if row["variant_id"] in (None, *arms)
    )
    for variant in arms:  # one that was added since then keeps its start
        Path.objects.get_or_create(version=draft, variant_id=variant, defaults={"key": 0})
