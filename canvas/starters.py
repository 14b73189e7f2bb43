"""The Canvases that come with Hookline, as documents to start from: what they say and where they call is the author's.

Which ones: Canvas specification, section 13. Each writes what `canvas.portable` reads, in the language of the moment.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from canvas.portable import Document


@dataclass(frozen=True, slots=True)
class Starter:
    """A name, a line that says what it is for, and how to write it."""

    name: Any
    purpose: Any
    write: Callable[[], Document]


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


def _asked(key: str, name: str, days: int, *groups: tuple[str, str, str], rest: tuple[str, str | None]) -> Document:
    """Action paths: for each group its event, the path's name and the step it leads to; `rest` is everyone else's."""
    settings = {
        "window": {"count": days, "unit": "days"},
        "ranked": False,
        "groups": {str(n): {"triggers": [_event(event)]} for n, (event, _name, _to) in enumerate(groups, 1)},
    }
    paths = [{"key": n, "name": name, "to": to} for n, (_event_name, name, to) in enumerate(groups, 1)]
    return _step(key, "action", name, settings=settings, paths=[*paths, {"key": 0, "name": rest[0], "to": rest[1]}])


def _keep(key: str, name: str, attribute: str, value: str, to: str | None = None) -> Document:
    """User update: set one custom attribute."""
    changes = [{"attribute": attribute, "action": "set", "value": value}]
    return _step(key, "update", name, to, settings={"mode": "form", "changes": changes, "on_failure": "continue"})


def _on(*events: str, again_after_days: int = 0) -> Document:
    """Settings: entered by these events, by everybody, perhaps again after so many days."""
    settings: Document = {"to_everyone": True, "entry": "action", "triggers": [_event(name) for name in events]}
    if again_after_days:
        settings |= {"reentry": "after", "reentry_seconds": again_after_days * 86_400}
    return settings


def _onboarding() -> Document:
    begun = ("activated", _("Has begun"), "5")
    return {
        "settings": _on("signed_up"),
        "variants": _one_variant("1"),
        "steps": [
            _wait("1", _("Let the profile arrive"), 5, "minutes", "2"),
            _message("2", _("Welcome"), _("Welcome, {{${first_name} | default: 'friend'}}!"), "3"),
            _wait("3", _("A day later"), 1, "days", "4"),
            _asked("4", _("Has begun?"), 2, begun, rest=(_("Everyone else"), "6")),
            _message("5", _("What comes next"), _("Well begun, {{${first_name} | default: 'friend'}}. Next: …")),
            _message("6", _("How to begin"), _("It takes two minutes to begin: …")),
        ],
    }


def _abandoned_cart() -> Document:
    hint = _("Your cart waits: {{context.${product} | default: 'your choice'}}.")
    return {
        "settings": _on("cart_updated", again_after_days=7),
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


def _back_in_stock() -> Document:
    news = _("{{context.${product} | default: 'What you waited for'}} is here again.")
    last = _("Still there: {{context.${product} | default: 'what you waited for'}}.")
    return {
        "settings": _on("back_in_stock", again_after_days=1),
        "exits": {"exit_events": [{"kind": "purchase"}], "exits_at_once": True},
        "variants": _one_variant("1"),
        "steps": [
            _message("1", _("Here again"), news, "2"),
            _wait("2", _("A day to think"), 1, "days", "3"),
            _message("3", _("Last call"), last),
        ],
    }


def _feature_adoption() -> Document:
    tried = ("feature_used", _("Has tried it"), "5")
    return {
        "settings": _on("feature_seen"),
        "variants": _one_variant("1"),
        "steps": [
            _wait("1", _("Three days to find it"), 3, "days", "2"),
            _message("2", _("What it is good for"), _("Have you seen what you can do with it? …"), "3"),
            _asked("3", _("Tried it?"), 7, tried, rest=(_("Everyone else"), "4")),
            _message("4", _("Show how"), _("Three steps, one minute: …")),
            _message("5", _("Go further"), _("You have the hang of it. Next: …")),
        ],
    }


def _feedback() -> Document:
    asked = _("How was {{context.${product_id} | default: 'your order'}}? One click is enough: …")
    told = ("feedback_given", _("Told us"), "4")
    return {
        "settings": {**_on(again_after_days=30), "triggers": [{"kind": "purchase"}]},
        "variants": _one_variant("1"),
        "steps": [
            _wait("1", _("Time to arrive and be used"), 1, "weeks", "2"),
            _message("2", _("Ask"), asked, "3"),
            _asked("3", _("Told us?"), 5, told, rest=(_("Everyone else"), "5")),
            _message("4", _("Thank you"), _("Thank you. This is what we do with it: …")),
            _message("5", _("Ask once more"), _("We would still like to know: …")),
        ],
    }


def _preferences() -> Document:
    answered = ("preference_given", _("Answered"), "3")
    return {
        "settings": _on("profile_completed"),
        "variants": _one_variant("1"),
        "steps": [
            _message("1", _("The question"), _("What would you like to hear about? …"), "2"),
            _asked("2", _("Answered?"), 7, answered, rest=(_("Everyone else"), "5")),
            _keep("3", _("Keep the answer"), "preference", "{{event_properties.${preference}}}", "4"),
            _message("4", _("Confirm"), _("Noted: {{custom_attribute.${preference} | default: 'your choice'}}.")),
            _message("5", _("Remind"), _("One question is open: …")),
        ],
    }


def _newsletter() -> Document:
    confirmed = ("newsletter_confirmed", _("Confirmed"), "3")
    return {
        "settings": _on("newsletter_requested", again_after_days=1),
        "variants": _one_variant("1"),
        "steps": [
            _message("1", _("Please confirm"), _("One click, and you are on the list: …"), "2"),
            _asked("2", _("Confirmed?"), 2, confirmed, rest=(_("Everyone else"), "4")),
            _message("3", _("Welcome to the list"), _("You are on the list. This is what comes: …")),
            _message("4", _("Remind"), _("Your confirmation is missing: …")),
        ],
    }


READY: Mapping[str, Starter] = {
    "onboarding": Starter(
        gettext_lazy("Onboarding"),
        gettext_lazy("Welcome at sign-up, a hint after a day, and another way for those who have not come back."),
        _onboarding,
    ),
    "abandoned-cart": Starter(
        gettext_lazy("Abandoned cart"),
        gettext_lazy("An hour after a cart was left: a reminder, a day later an offer. An order ends the journey."),
        _abandoned_cart,
    ),
    "win-back": Starter(
        gettext_lazy("Win-back"),
        gettext_lazy("For those not seen for 30 days: two messages a week apart, until they come back."),
        _win_back,
    ),
    "back-in-stock": Starter(
        gettext_lazy("Back in stock"),
        gettext_lazy("Says that what somebody waited for is here again, and again after a day. A purchase ends it."),
        _back_in_stock,
    ),
    "feature-adoption": Starter(
        gettext_lazy("Feature adoption"),
        gettext_lazy("Three days after somebody saw a feature: what it is for, and help for those who did not try it."),
        _feature_adoption,
    ),
    "post-purchase-feedback": Starter(
        gettext_lazy("Feedback after a purchase"),
        gettext_lazy("A week after a purchase: one question, thanks for an answer, one reminder without."),
        _feedback,
    ),
    "preference-survey": Starter(
        gettext_lazy("Preference survey"),
        gettext_lazy("Asks what people want to hear about, and keeps the answer in their profile."),
        _preferences,
    ),
    "newsletter-sign-up": Starter(
        gettext_lazy("Newsletter sign-up"),
        gettext_lazy("Asks for a confirmation, welcomes those who gave it, and reminds the others once."),
        _newsletter,
    ),
}
