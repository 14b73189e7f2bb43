"""What a new Canvas can start from: those that are ready (`canvas.starters`), and those that people saved."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from canvas import portable, publishing, starters
from canvas.errors import NotAllowed
from canvas.models import Canvas, CanvasTemplate, CanvasVersion
from canvas.portable import Document


def choices() -> Sequence[tuple[str, Any, Any]]:
    """Key, name, and a line that says what it is for."""
    saved = CanvasTemplate.objects.values_list("pk", "name", "description")
    ready = ((key, starter.name, starter.purpose) for key, starter in starters.READY.items())
    return [*ready, *((f"saved-{pk}", name, purpose) for pk, name, purpose in saved)]


def make(key: str, name: str, author: Any = None) -> Canvas:
    """A draft Canvas from a template. Raises NotAllowed where it is gone."""
    return portable.make(document(key), name, author)


def document(key: str) -> Document:
    if key in starters.READY:
        return starters.READY[key].write()
    pk = key.removeprefix("saved-")
    found = CanvasTemplate.objects.filter(pk=pk).first() if pk.isdigit() else None
    if found is None:
        raise NotAllowed(_("This template is gone."))
    kept: Document = found.document
    return kept


def save(canvas: Canvas, name: str, description: str = "", author: Any = None) -> CanvasTemplate:
    """Keep a Canvas as it is being edited as a template; one of the same name is replaced."""
    version: CanvasVersion = publishing.shown(canvas)
    values = {"description": description[:255], "document": portable.document_of(version), "author": author}
    return CanvasTemplate.objects.update_or_create(name=name[:255], defaults=values)[0]
