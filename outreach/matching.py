"""Whether something that happened is what a trigger waits for. Pure but for the words.

A trigger is `{"kind": …, "name": …, "conditions": […], "join": "all" | "any", "to": …}`, its kind one of `KINDS`.
`name` is the event, product, attribute or subscription group, empty for any. Campaigns and Canvases say what they wait
for in this form.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audience.filters.fields import listed
from audience.filters.scope import Scope
from audience.models import CustomEvent, PendingEvent, Purchase
from outreach import properties

Kind = PendingEvent.Kind
Trigger = Mapping[str, Any]
Names = Mapping[Kind, set[str]]

KINDS: Mapping[str, tuple[Kind, Any]] = {
    "event": (Kind.CUSTOM_EVENT, gettext_lazy("performs a custom event")),
    "purchase": (Kind.PURCHASE, gettext_lazy("makes a purchase")),
    "session": (Kind.SESSION_START, gettext_lazy("starts a session")),
    "attribute": (Kind.ATTRIBUTES, gettext_lazy("changes a custom attribute")),
    "email_added": (Kind.ATTRIBUTES, gettext_lazy("adds an email address")),
    "subscription": (Kind.SUBSCRIPTION, gettext_lazy("changes a subscription")),
    "received": (Kind.OUTREACH, gettext_lazy("receives a campaign or Canvas")),
    "converted": (Kind.OUTREACH, gettext_lazy("converts for a campaign or Canvas")),
    "in_control": (Kind.OUTREACH, gettext_lazy("is enrolled in a control group")),
}
INTERACTIONS = ("received", "converted", "in_control")  # their `name` is the id of an outreach, empty for any


@dataclass(frozen=True, slots=True)
class Happening:
    """Something a profile did or that changed: `changes` has old and new value by name.

    `source` tells two apart, `serial` orders those of the same moment.
    """

    kind: Kind
    name: str
    occurred_at: datetime
    source: str
    serial: int = 0
    profile_id: int = 0
    properties: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Sequence[Any]] = field(default_factory=dict)


def of_pending(event: PendingEvent) -> Happening:
    is_change = event.kind in (Kind.ATTRIBUTES, Kind.SUBSCRIPTION)
    return Happening(
        Kind(event.kind),
        event.name,
        event.occurred_at,
        f"{event.kind}:{event.source_id}" if event.source_id else f"pending:{event.pk}",
        event.source_id or event.pk,
        event.profile_id,
        {} if is_change else event.payload,
        event.payload if is_change else {},
    )


def of_event(row: CustomEvent) -> Happening:
    source = f"{Kind.CUSTOM_EVENT}:{row.pk}"
    return Happening(Kind.CUSTOM_EVENT, row.name, row.occurred_at, source, row.pk, row.profile_id, row.properties)


def of_session(row: CustomEvent) -> Happening:
    return Happening(Kind.SESSION_START, "", row.occurred_at, f"{Kind.SESSION_START}:{row.pk}", row.pk, row.profile_id)


def of_purchase(row: Purchase) -> Happening:
    source = f"{Kind.PURCHASE}:{row.pk}"
    return Happening(Kind.PURCHASE, row.product_id, row.occurred_at, source, row.pk, row.profile_id, row.properties)


def matches(trigger: Trigger, happening: Happening, scope: Scope, others: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether this is what the trigger waits for. `others`: the journey's `context` and the profile's `attribute`s."""
    if KINDS[trigger["kind"]][0] is not happening.kind:
        return False
    match trigger["kind"]:
        case "attribute" | "subscription":
            return _changed(trigger, happening.changes)
        case "email_added":
            before, after = happening.changes.get("email", (None, None))
            return bool(after) and not before
        case "received" | "converted" | "in_control" as kind:
            what, _sign, which = happening.name.partition(":")
            return what == kind and trigger.get("name") in (None, "", which)
    if trigger.get("name") and trigger["name"] != happening.name:
        return False
    leaves = trigger.get("conditions") or ()
    test = properties.any_holds if leaves and trigger.get("join") == "any" else properties.all_hold
    return test(leaves, happening.properties, scope, others)


def _changed(trigger: Trigger, changes: Mapping[str, Sequence[Any]]) -> bool:
    """Setting a value again, or removing it, is no change to wait for."""
    names = [trigger["name"]] if trigger.get("name") else [*changes]
    wanted = trigger.get("to")
    for name in names:
        before, after = changes.get(name, (None, None))
        if after is not None and after != before and wanted in (None, "", after):
            return True
    return False


def names_of(triggers: Iterable[Trigger]) -> dict[Kind, set[str]]:
    """What to listen for; the empty name stands for any."""
    found: dict[Kind, set[str]] = {}
    for trigger in triggers:
        kind = KINDS[trigger["kind"]][0]
        found.setdefault(kind, set()).add(_listened(trigger))
    return found


def _listened(trigger: Trigger) -> str:
    name = trigger.get("name") or ""
    if trigger["kind"] == "email_added":
        return "email"
    return interaction(trigger["kind"], name) if name and trigger["kind"] in INTERACTIONS else name


def interaction(kind: str, outreach: object) -> str:
    """The name of a pending event that says what a profile had to do with an outreach."""
    return f"{kind}:{outreach}"


def wanted(listened: Names, occurred: Names) -> dict[Kind, set[str]]:
    """The names among those that occurred that somebody listens for."""
    found = {}
    for kind, names in listened.items():
        here = occurred.get(kind, set())
        found[kind] = set(here) if "" in names else here & names
    return found


def problems(trigger: Any) -> list[str]:
    """What is wrong with a trigger, in sentences."""
    if not isinstance(trigger, Mapping) or trigger.get("kind") not in KINDS:
        return [_("Choose what to wait for.")]
    if trigger["kind"] in ("event", "attribute") and not trigger.get("name"):
        return [_("Name the custom event.") if trigger["kind"] == "event" else _("Name the attribute.")]
    return [fault for leaf in trigger.get("conditions") or () for _key, fault in properties.problems(leaf)]


def sentence(trigger: Trigger) -> str:
    """A trigger without problems in words."""
    name, to = trigger.get("name"), trigger.get("to")
    match trigger["kind"]:
        case "event":
            text = _("performs “%s”") % name
        case "purchase":
            text = _("buys %s") % name if name else _("buys something")
        case "attribute":
            text = _("changes %(name)s to %(to)s") % {"name": name, "to": to} if to else _("changes %s") % name
        case "received" | "converted" | "in_control" if name:
            text = f"{KINDS[trigger['kind']][1]} ({name})"
        case "subscription":
            text = _("changes the subscription %s") % name if name else _("changes a subscription")
        case kind:
            text = str(KINDS[kind][1])
    leaves = [properties.sentence(leaf) for leaf in trigger.get("conditions") or ()]
    glue = _("or") if trigger.get("join") == "any" else _("and")
    return (
        _("%(trigger)s with %(conditions)s") % {"trigger": text, "conditions": listed(leaves, glue)} if leaves else text
    )
