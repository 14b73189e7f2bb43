"""A plain interpreter of small Canvases, written from the specification alone: it looks at one profile at a time, knows
the whole future, and uses nothing of the engine. Times are hours.
"""

from dataclasses import dataclass, field
from typing import Any

from canvas.models import Kind
from tests.canvas.world import S


@dataclass(frozen=True)
class Act:
    """Something a profile does (`event`), or an attribute that changes."""

    at: float
    event: str = ""
    number: int = 0
    attribute: str = ""
    value: str = ""


@dataclass
class Rules:
    """Exit criteria: event names, and an (attribute, value) that must not be."""

    exit_events: tuple[str, ...] = ()
    at_once: bool = True
    exit_audience: tuple[str, str] | None = None


@dataclass
class Result:
    visits: list[tuple[str, float]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    state: str = ""
    reason: str = ""
    ended: float = 0.0
    context: dict[str, Any] = field(default_factory=dict)


class Ended(Exception):
    """The journey is over."""


class Interpreter:
    def __init__(self, rules: Rules, attributes: dict[str, str], acts: list[Act], endpoint_works: bool) -> None:
        self.rules, self.attributes, self.endpoint_works = rules, dict(attributes), endpoint_works
        self.acts = sorted(acts, key=lambda act: act.at)  # stable: the order of the list decides within a moment
        self.result = Result()
        self.latched = False
        self.number: int | None = None
        self._seen = 0

    def run(self, steps: list[S], start: float) -> Result:
        try:
            self._see(start)
            self._leave_if_in_audience(start)
            self._walk(steps, start)
        except Ended:
            pass
        return self.result

    def _end(self, now: float, state: str, reason: str = "") -> None:
        self.result.state, self.result.reason, self.result.ended = state, reason, now
        raise Ended

    def _see(self, now: float) -> list[Act]:
        """What happens up to now, that was not seen before; attributes change with it."""
        seen = []
        while self._seen < len(self.acts) and self.acts[self._seen].at <= now:
            act = self.acts[self._seen]
            self._seen += 1
            if act.attribute:
                self.attributes[act.attribute] = act.value
            else:
                seen.append(act)
        return seen

    def _moments(self, start: float, end: float) -> list[float]:
        return sorted({act.at for act in self.acts if start < act.at <= end} | {end})

    def _leave_if_in_audience(self, now: float) -> None:
        wanted = self.rules.exit_audience
        if wanted and self.attributes.get(wanted[0]) == wanted[1]:
            self._end(now, "exited", "exit_audience")

    def _boundary(self, now: float) -> None:
        if self.latched:
            self._end(now, "exited", "exit_event")
        self._leave_if_in_audience(now)

    def _walk(self, steps: list[S], now: float) -> None:
        for place, step in enumerate(steps):
            self.result.visits.append((step.name, now))
            is_last = place == len(steps) - 1
            if step.paths:
                key, now = self._branch(step, now)
                self._boundary(now)
                self._walk(list(dict(step.paths)[key]), now)
                return
            now = self._stay(step, now, is_last)
            self._boundary(now)
        self._end(now, "completed")

    def _stay(self, step: S, now: float, is_last: bool) -> float:
        match step.kind:
            case Kind.DELAY:
                return now if is_last else self._wait(now, now + step.settings["count"], ())
            case Kind.MESSAGE:
                return self._message(step, now)
            case Kind.USER_UPDATE:
                for change in step.settings["changes"]:
                    self.attributes[change["attribute"]] = change["value"]
                return now
            case Kind.CONTEXT:
                self.result.context["last"] = "none" if self.number is None else str(self.number)
                return now
            case Kind.EXIT:
                self._end(now, "completed")
        raise AssertionError(step.kind)

    def _wait(self, now: float, end: float, exceptions: tuple[str, ...]) -> float:
        """Wait, unless an exit or exception event comes; then the audience is asked."""
        excepted = False
        for moment in self._moments(now, end):
            for act in self._see(moment):
                if self.latched or excepted:
                    continue
                if act.event in self.rules.exit_events:
                    self.latched = True
                elif act.event in exceptions:
                    excepted = True
            if excepted:
                self._end(moment, "exited", "exception_event")
            if self.latched and self.rules.at_once:
                self._end(moment, "exited", "exit_event")
        self._boundary(end)
        return end

    def _message(self, step: S, now: float) -> float:
        schedule = step.settings.get("schedule") or {}
        if schedule:
            exceptions = tuple(trigger["name"] for trigger in step.settings.get("exceptions", ()))
            now = self._wait(now, now + schedule["count"], exceptions)
        wanted = step.settings.get("wanted")
        if wanted and self.attributes.get(wanted[0]) != wanted[1]:
            if step.settings.get("unmatched") == "skip":
                return now
            self._end(now, "exited", "step_audience_not_matched")
        if self.endpoint_works:
            self.result.sent.append(step.name)
        elif step.settings.get("advance") == "sent":
            self._end(now, "exited", "not_sent")
        return now

    def _branch(self, step: S, now: float) -> tuple[int, float]:
        if step.kind is not Kind.ACTION_PATHS:
            for key, wanted in step.settings["wanted"]:
                if self.attributes.get(wanted[0]) == wanted[1]:
                    return key, now
            return step.paths[-1][0], now
        return self._actions(step, now)

    def _actions(self, step: S, now: float) -> tuple[int, float]:
        end = now + step.settings["window"]["count"]
        groups = [(key, step.settings["groups"][str(key)]) for key, _ in step.paths if key]
        best: tuple[int, int, Act] | None = None
        for moment in self._moments(now, end):
            for act in self._see(moment):
                if self.latched:
                    continue
                if act.event in self.rules.exit_events:
                    self.latched = True
                    continue
                fits = [
                    (rank, key)
                    for rank, (key, group) in enumerate(groups)
                    if act.event in [t["name"] for t in group["triggers"]]
                ]
                if fits and (best is None or (step.settings["ranked"] and fits[0][0] < best[0])):
                    best = (*fits[0], act)
            if self.latched and self.rules.at_once:
                self._end(moment, "exited", "exit_event")
            if best and not step.settings["ranked"]:
                return self._decide(step, best, moment)
        return self._decide(step, best, end)

    def _decide(self, step: S, best: tuple[int, int, Act] | None, now: float) -> tuple[int, float]:
        self._boundary(now)
        self.number = best[2].number if best else None
        key = best[1] if best else 0
        if key and step.settings["groups"][str(key)].get("exits"):
            self._end(now, "exited", "action_group_exit")
        return key, now
