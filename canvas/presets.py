"""What a new Canvas can start from: three that are ready, and those that people saved."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas import portable, publishing
from canvas.errors import NotAllowed
from canvas.models import Canvas, CanvasTemplate, CanvasVersion
from canvas.portable import Document

READY: Mapping[str, tuple[Any, Any]] = {
    "onboarding": (
        gettext_lazy("Onboarding"),
        gettext_lazy("Welcome at sign-up, a hint after a day, and another way for those who have not come back."),
    ),
    "abandoned-cart": (
        gettext_lazy("Abandoned cart"),
        gettext_lazy("An hour after a cart was left: a reminder, a day later an offer. An order ends the journey."),
    ),
    "win-back": (
        gettext_lazy("Win-back"),
        gettext_lazy("For those not seen for 30 days: two messages a week apart, until they come back."),
    ),
}


def choices() -> Sequence[tuple[str, Any, Any]]:
    """Key, name, and a line that says what it is for."""
    saved = CanvasTemplate.objects.values_list("pk", "name", "description")
    ready = ((key, name, purpose) for key, (name, purpose) in READY.items())
    return [*ready, *((f"saved-{pk}", name, purpose) for pk, name, purpose in saved)]


def make(key: str, name: str, author: Any = None) -> Canvas:
    """A draft Canvas from a template. Raises NotAllowed where it is gone."""
    return portable.make(document(key), name, author)


def document(key: str) -> Document:
    if key in READY:
        return {"onboarding": _onboarding, "abandoned-cart": _abandoned_cart, "win-back": _win_back}[key]()
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


# --- the ready ones


def _step(key: str, kind: str, name: str, to: str | None = None, **more: Any) -> Document:
    settings = more.pop("settings", {})
    paths = more.pop("paths", None) or [{"key": 0, "name": "", "to": to}]
    return {"key": key, "kind": kind, "name": name, "settings": settings, "paths": paths, **more}


def _message(key: str, name: str, text: str, to: str | None = None) -> Document:
    pairs = [
        {"key": "user", "value": "{{${user_id}}}", "type": "text", "omit_blank": False},
        {"key": "text", "value": text, "type": "text", "omit_blank": False},
    ]
    settings = {"schedule": {"mode": "none"}, "unmatched": "exit", "advance": "everyone"}
    webhooks = [{"name": name, "url": "", "pairs": pairs}]
    return _step(key, "message", name, to, settings=settings, webhooks=webhooks)


def _wait(key: str, name: str, count: int, unit: str, to: str) -> Document:
    settings = {"mode": "after", "count": count, "unit": unit, "zone": "company"}
    return _step(key, "delay", name, to, settings=settings)


def _one_variant(first: str) -> list[Document]:
    return [{"name": _("Variant 1"), "share": 100, "is_control": False, "first": first}]


def _event(name: str) -> Document:
    return {"kind": "event", "name": name}


def _onboarding() -> Document:
    window = {
        "window": {"count": 2, "unit": "days"},
        "ranked": False,
        "groups": {"1": {"triggers": [_event("activated")]}},
    }
    paths = [{"key": 1, "name": _("Has begun"), "to": "5"}, {"key": 0, "name": _("Everyone else"), "to": "6"}]
    return {
        "settings": {"to_everyone": True, "entry": "action", "triggers": [_event("signed_up")]},
        "variants": _one_variant("1"),
        "steps": [
            _wait("1", _("Let the profile arrive"), 5, "minutes", "2"),
            _message("2", _("Welcome"), _("Welcome, {{${first_name} | default: 'friend'}}!"), "3"),
            _wait("3", _("A day later"), 1, "days", "4"),
            _step("4", "action", _("Has begun?"), settings=window, paths=paths),
            _message("5", _("What comes next"), _("Well begun, {{${first_name} | default: 'friend'}}. Next: …")),
            _message("6", _("How to begin"), _("It takes two minutes to begin: …")),
        ],
    }


def _abandoned_cart() -> Document:
    hint = _("Your cart waits: {{context.${product} | default: 'your choice'}}.")
    return {
        "settings": {
            "to_everyone": True,
            "entry": "action",
            "triggers": [_event("cart_updated")],
            "reentry": "after",
            "reentry_seconds": 7 * 86_400,
        },
        "exits": {"exit_events": [{"kind": "purchase"}], "exits_at_once": True},
        "variants": _one_variant("1"),
        "steps": [
            _wait("1", _("Time to finish"), 1, "hours", "2"),
            _message("2", _("Reminder"), hint, "3"),
            _wait("3", _("A day to think"), 1, "days", "4"),
            _message("4", _("Offer"), _("10 % off until tomorrow, if you order now.")),
        ],
    }


def _win_back() -> Document:
    asleep = {"filter": "last_active", "op": "more_than_days_ago", "days": 30}
    return {
        "settings": {
            "to_everyone": False,
            "filters": asleep,
            "entry": "scheduled",
            "reentry": "after",
            "reentry_seconds": 90 * 86_400,
        },
        "exits": {"exit_events": [{"kind": "session"}], "exits_at_once": True},
        "variants": _one_variant("1"),
        "steps": [
            _message("1", _("We miss you"), _("It has been a while, {{${first_name} | default: 'friend'}}."), "2"),
            _wait("2", _("A week"), 1, "weeks", "3"),
            _message("3", _("A reason to return"), _("Here is what is new: …")),
        ],
    }
