"""Builds Canvases from nested lists, and moves time for them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from audience import reactions
from audience.ingest.track import track
from audience.models import PendingEvent, Profile
from canvas import engine, entry, graph, launch, setup
from canvas.models import Canvas, CanvasVersion, Journey, Kind, Path, Step, StepContent, StepRevision, StepVisit
from outreach.models import Status, Variant
from tests.conftest import NOON
from tests.factories import pair
from webhooks import hooks
from webhooks.attempt import Attempt
from webhooks.claims import Claimed
from webhooks.models import Content, Message
from webhooks.record import record
from webhooks.request import Answer, Refusal, Request

SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3_600, 86_400))


@dataclass
class S:
    """A step: its kind, name and settings, and for a branching one what follows each path."""

    kind: Kind
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    paths: Sequence[tuple[int, Sequence["S | str"]]] = ()
    webhooks: int = 1


def message(name: str = "message", **settings: Any) -> S:
    webhooks = settings.pop("webhooks", 1)
    return S(Kind.MESSAGE, name, settings, webhooks=webhooks)


def delay(name: str = "delay", **settings: Any) -> S:
    return S(Kind.DELAY, name, {"mode": "after", "unit": "days", "count": 1, **settings})


def split(name: str, audience: Mapping[str, Any], yes: Sequence[Any] = (), no: Sequence[Any] = ()) -> S:
    return S(Kind.DECISION_SPLIT, name, {"audience": audience}, ((1, yes), (2, no)))


def audience_paths(name: str, *groups: tuple[Mapping[str, Any], Sequence[Any]], rest: Sequence[Any] = ()) -> S:
    settings = {"groups": {str(n): {"audience": audience} for n, (audience, _) in enumerate(groups, 1)}}
    paths = [(n, steps) for n, (_, steps) in enumerate(groups, 1)]
    return S(Kind.AUDIENCE_PATHS, name, settings, (*paths, (0, rest)))


def action_paths(
    name: str,
    *groups: tuple[Sequence[Any], Sequence[Any]],
    rest: Sequence[Any] = (),
    ranked: bool = False,
    **window: Any,
) -> S:
    given = {str(n): {"triggers": list(triggers)} for n, (triggers, _) in enumerate(groups, 1)}
    paths = [(n, steps) for n, (_, steps) in enumerate(groups, 1)]
    settings = {"window": window or {"count": 1, "unit": "days"}, "ranked": ranked, "groups": given}
    return S(Kind.ACTION_PATHS, name, settings, (*paths, (0, rest)))


def event(name: str, *conditions: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": "event", "name": name, "conditions": list(conditions)}


def has(attribute: str, value: str) -> dict[str, Any]:
    """An audience of those whose custom attribute is this text."""
    leaf = {"filter": "custom_attribute", "name": attribute, "type": "text", "op": "any_of", "values": [value]}
    return {"filters": leaf}


def build(
    steps: Sequence[S | str], url: str = "https://example.com/hook", version: Mapping[str, Any] = {}, **values: Any
) -> Canvas:
    """A draft Canvas to everybody with one variant and these steps."""
    canvas = setup.create(values.pop("name", "journey"), **{"to_everyone": True, **values})
    draft = CanvasVersion.objects.get(canvas=canvas)
    CanvasVersion.objects.filter(pk=draft.pk).update(**version)
    lay(draft, Path.objects.get(version=draft, variant__isnull=False), steps, url)
    return canvas


def lay(draft: CanvasVersion, path: Path, steps: Sequence[S | str], url: str = "https://example.com/hook") -> None:
    """Put steps on a path of a draft; a name leads to a step that is there already."""
    for each in steps:
        if isinstance(each, str):
            path.target_id = StepRevision.objects.get(version=draft, name=each).step_id
            path.save()
            return
        step = Step.objects.create(canvas_id=draft.canvas_id, kind=each.kind)
        revision = StepRevision.objects.create(version=draft, step=step, name=each.name, settings=dict(each.settings))
        path.target = step
        path.save()
        for slot in range(each.webhooks if each.kind == Kind.MESSAGE else 0):
            content = Content.objects.create(
                url=url, pairs=[pair("step", each.name), pair("name", "{{${first_name}}}")]
            )
            StepContent.objects.create(revision=revision, slot=slot, content=content)
        for rank, (key, branch) in enumerate(each.paths):
            way = Path.objects.create(version=draft, step=step, key=key, rank=rank, name=f"path {key}")
            lay(draft, way, branch, url)
        if each.paths or each.kind == Kind.EXIT:
            return
        path = Path.objects.create(version=draft, step=step)


def go_live(canvas: Canvas, now: datetime = NOON) -> Canvas:
    """Launch without letting anybody in."""
    launch.start(canvas, now)
    canvas.refresh_from_db()
    assert canvas.status == Status.ACTIVE
    return canvas


def let_in(canvas: Canvas, *profiles: Profile, now: datetime = NOON, source: str = "run:1", **properties: Any) -> None:
    entry.enter(canvas.pk, [entry.Candidate(p.pk, source, properties or None) for p in profiles], now)


def run(now: datetime, answer: int | None = 200, broken: Collection[int] = ()) -> None:
    """Move everything due at this moment; messages get this answer at once: none if None, 404 for `broken` profiles."""
    for _ in range(100):
        moved = engine.run(lambda: now)
        if answer is not None:
            moved += deliver(now, answer, broken)
        if not moved:
            return
    raise AssertionError("the engine does not come to rest")


def deliver(now: datetime, status: int = 200, broken: Collection[int] = ()) -> int:
    """Ask the checks before sending about every waiting message, and record an answer for the others."""
    claimed = claim(now)
    if claimed:
        request = Request("POST", "https://example.com/hook", "example.com")
        ended, going = checked(claimed, now)
        record([*ended, *(Attempt(m, request, Answer(404 if m.profile_id in broken else status)) for m in going)])
        Journey.objects.filter(state="sending", wake_at__isnull=False).update(wake_at=now)
        Journey.objects.filter(last_message_at__gt=now).update(last_message_at=now)  # recorded by the real clock
    return len(claimed)


def claim(now: datetime) -> list[Claimed]:
    """Every message that is due, as a worker holds it."""
    rows = Message.objects.filter(finished_at=None, sender__is_open=True, due_at__lte=now)
    return [
        Claimed(
            m.pk,
            m.sender_id,
            m.lane_id,
            m.content_id,
            m.profile_id,
            m.cause,
            m.slot,
            m.variant,
            m.due_at,
            m.attempts,
            m.first_attempt_at,
            m.context,
            m.lease,
        )
        for m in rows
    ]


def checked(batch: Sequence[Claimed], now: datetime) -> tuple[list[Attempt], Sequence[Claimed]]:
    """What the checks end or hold, and those that may go; in the order that delivery asks them in."""
    ended: list[Attempt] = []
    for _, check in hooks.checks:
        verdicts = check(batch, now) if batch else {}
        for message in batch:
            match verdicts.get(message.id):
                case Refusal() as refusal:
                    ended.append(Attempt(message, refusal=refusal))
                case hooks.Hold(due_at):
                    ended.append(Attempt(message, hold_until=due_at))
        batch = [message for message in batch if message.id not in verdicts]
    return ended, batch


def happens(profile: Profile, name: str, at: datetime, received: datetime | None = None, **properties: Any) -> None:
    """The profile does something; it is stored and reacted to at once."""
    now = received or at
    track(
        events=[{"braze_id": str(profile.braze_id), "name": name, "time": at.isoformat(), "properties": properties}],
        now=now,
    )
    dispatch(now)


def buys(profile: Profile, product: str, at: datetime, price: float, received: datetime | None = None) -> None:
    row = {"braze_id": str(profile.braze_id), "product_id": product, "currency": "USD", "price": price}
    track(purchases=[{**row, "time": at.isoformat()}], now=received or at)
    dispatch(received or at)


def becomes(profile: Profile, now: datetime, **attributes: Any) -> None:
    track(attributes=[{"braze_id": str(profile.braze_id), **attributes}], now=now)
    dispatch(now)


def dispatch(now: datetime) -> None:
    """React to everything in the outbox, one event at a time, in order."""
    for pending in PendingEvent.objects.order_by("occurred_at", "pk"):
        for reaction in reactions.reactions():
            reaction([pending], now)
        pending.delete()


def journey(profile: Profile) -> Journey:
    return Journey.objects.get(profile=profile)


def names(canvas: Canvas) -> dict[int, str]:
    return dict(StepRevision.objects.filter(version__canvas=canvas).values_list("step_id", "name"))


def trace(canvas: Canvas, profile: Profile) -> list[str]:
    """The names of the steps a profile came to, in order."""
    named = names(canvas)
    visits = StepVisit.objects.filter(journey__canvas=canvas, journey__profile=profile).order_by("entered_at", "pk")
    return [named[step] for step in visits.values_list("step_id", flat=True)]


def step_named(canvas: Canvas, name: str) -> int:
    return StepRevision.objects.filter(version__canvas=canvas, name=name).values_list("step_id", flat=True)[0]


def variants(canvas: Canvas) -> list[Variant]:
    return list(canvas.variants.all())


def forget_graphs() -> None:
    graph.forget()
