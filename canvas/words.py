"""Steps in words: what each does, as a sentence that a colleague would say."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audience.filters.fields import listed
from canvas import audiences
from canvas.graph import Graph, Node
from canvas.models import Kind
from canvas.steps import action_paths, delay, experiment_paths, message
from outreach import matching
from outreach.delays import Mode

WEEKDAYS = (
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
)
ICONS: Mapping[Kind, str] = {
    Kind.MESSAGE: "webhook",
    Kind.DELAY: "hourglass_top",
    Kind.DECISION_SPLIT: "call_split",
    Kind.AUDIENCE_PATHS: "groups",
    Kind.ACTION_PATHS: "touch_app",
    Kind.EXPERIMENT_PATHS: "science",
    Kind.USER_UPDATE: "edit_note",
    Kind.CONTEXT: "data_object",
    Kind.EXIT: "logout",
}
PURPOSES: Mapping[Kind, Any] = {
    Kind.MESSAGE: gettext_lazy("Send one or more webhooks."),
    Kind.DELAY: gettext_lazy("Wait for a time, or until a date or weekday."),
    Kind.DECISION_SPLIT: gettext_lazy("Yes or no: is the profile in this audience now?"),
    Kind.AUDIENCE_PATHS: gettext_lazy("Several groups by who they are; the first that fits is taken."),
    Kind.ACTION_PATHS: gettext_lazy("Wait for what they do, and go on accordingly."),
    Kind.EXPERIMENT_PATHS: gettext_lazy("Random shares, to compare ways."),
    Kind.USER_UPDATE: gettext_lazy("Change attributes of the profile."),
    Kind.CONTEXT: gettext_lazy("Work out values for this journey alone."),
    Kind.EXIT: gettext_lazy("End the journey here, under a label."),
}


def summary(node: Node) -> str:
    """What the step does, in one line. Settings that can't be read yet say so."""
    try:
        return str(_SUMMARIES[node.kind](node))
    except (KeyError, ValueError, TypeError, AttributeError):
        return _("Not set up yet.")


def span(count: Any, unit: str) -> str:
    """A number of units."""
    number = int(count or 0)
    match unit:
        case "seconds":
            return ngettext("%(n)d second", "%(n)d seconds", number) % {"n": number}
        case "minutes":
            return ngettext("%(n)d minute", "%(n)d minutes", number) % {"n": number}
        case "hours":
            return ngettext("%(n)d hour", "%(n)d hours", number) % {"n": number}
        case "weeks":
            return ngettext("%(n)d week", "%(n)d weeks", number) % {"n": number}
        case _:
            return ngettext("%(n)d day", "%(n)d days", number) % {"n": number}


def lasting(time: timedelta) -> str:
    """A duration, to its two largest units."""
    seconds = int(time.total_seconds())
    parts: list[str] = []
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1)):
        if seconds >= size and len(parts) < 2:
            parts.append(span(seconds // size, unit))
            seconds %= size
    return " ".join(parts) or _("no time")


def waiting(settings: Mapping[str, Any]) -> str:
    """A delay: "for 3 days, then until 09:00"."""
    at, whose = settings.get("at") or "", _whose(settings)
    match settings.get("mode") or Mode.NONE:
        case Mode.AFTER:
            length = span(settings.get("count"), settings.get("unit") or "days")
            if at:
                return _("for %(length)s, then until %(at)s %(whose)s") % {"length": length, "at": at, "whose": whose}
            return _("for %s") % length
        case Mode.DAYS:
            length = span(settings.get("count"), "days")
            return _("%(length)s, until %(at)s %(whose)s") % {"length": length, "at": at or "00:00", "whose": whose}
        case Mode.DATE:
            return _("until %(day)s, %(at)s %(whose)s") % {"day": settings["date"], "at": at, "whose": whose}
        case Mode.WEEKDAY | Mode.NEXT_WEEKDAY:
            day = WEEKDAYS[int(settings.get("weekday") or 0)]
            return _("until the next %(day)s, %(at)s %(whose)s") % {"day": day, "at": at, "whose": whose}
        case delay.PERSONAL:
            return _("as long as “%s” says") % settings["name"]
        case _:
            return _("not at all")


def _whose(settings: Mapping[str, Any]) -> str:
    return _("in the profile's own time") if settings.get("zone") == "local" else _("company time")


def _message(node: Node) -> str:
    settings = node.settings
    schedule = settings.get("schedule") or {}
    parts = []
    if (schedule.get("mode") or "none") != "none":
        parts.append(_("Wait %s.") % waiting(schedule))
    audience = settings.get("audience") or {}
    count = len(node.contents)
    what = ngettext("Send %d webhook", "Send %d webhooks", count) % count if count else _("Send nothing yet")
    whom = _(" to those for whom %s") % audiences.sentence(audience) if not audiences.is_empty(audience) else ""
    parts.append(f"{what}{whom}.")
    if settings.get("advance") == message.SENT:
        parts.append(_("Only those who received it go on."))
    return " ".join(parts)


def _delay(node: Node) -> str:
    return _("Wait %s.") % waiting(node.settings)


def _decision(node: Node) -> str:
    audience = node.settings.get("audience") or {}
    return _("Is it so that %s?") % audiences.sentence(audience) if audience else _("No question yet.")


def _groups(node: Node) -> str:
    return listed([way.name for way in node.ways], _("or"))


def _actions(node: Node) -> str:
    given = node.settings.get("window") or {}
    length = span(given.get("count"), given.get("unit") or "days")
    triggers = [matching.sentence(t) for t in action_paths.all_triggers(node) if not matching.problems(t)]
    what = listed(triggers[:3], _("or")) or _("nothing yet")
    if action_paths.is_ranked(node):
        return _("Wait %(length)s, then take the best that happened: %(what)s.") % {"length": length, "what": what}
    return _("Wait up to %(length)s until the profile %(what)s.") % {"length": length, "what": what}


def _experiment(node: Node) -> str:
    shares = experiment_paths.shares(node)
    parts = [f"{way.name} {shares[way.key]} %" for way in node.ways]
    if held := experiment_paths.held(node):
        parts.append(_("waits for the winner %(share)s %%") % {"share": held})
    return ", ".join(parts)


def _update(node: Node) -> str:
    if node.settings.get("mode") == "json":
        return _("Update the profile as the JSON says.")
    names = [str(change.get("attribute")) for change in node.settings.get("changes") or ()]
    return _("Change %s.") % listed(names, _("and")) if names else _("Change nothing yet.")


def _context(node: Node) -> str:
    names = [str(variable.get("name")) for variable in node.settings.get("variables") or ()]
    return _("Work out %s.") % listed(names, _("and")) if names else _("Work out nothing yet.")


def _exit(node: Node) -> str:
    return _("The journey ends as “%s”.") % (node.settings.get("label") or node.name)


_SUMMARIES = {
    Kind.MESSAGE: _message,
    Kind.DELAY: _delay,
    Kind.DECISION_SPLIT: _decision,
    Kind.AUDIENCE_PATHS: _groups,
    Kind.ACTION_PATHS: _actions,
    Kind.EXPERIMENT_PATHS: _experiment,
    Kind.USER_UPDATE: _update,
    Kind.CONTEXT: _context,
    Kind.EXIT: _exit,
}


def what_next(graph: Graph, node: Node) -> Iterator[tuple[str, Node | None]]:
    """Each way out with the step it leads to (None: the end)."""
    for way in node.ways:
        target = graph.present(way.target)
        yield way.name, graph.nodes[target] if target is not None else None


def before(graph: Graph, step: int) -> list[Node]:
    """The steps that lead to this one."""
    return [node for node in graph.nodes.values() if step in graph.targets(node.id)]


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"
