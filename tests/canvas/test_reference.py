"""The engine's history equals that of a plain interpreter, for random small Canvases, profiles and events."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from canvas import watchdog
from canvas.models import Canvas, Journey, Kind
from tests.canvas.reference import Act, Interpreter, Result, Rules
from tests.canvas.world import (
    HOUR,
    S,
    becomes,
    build,
    dispatch,
    event,
    go_live,
    happens,
    has,
    let_in,
    names,
    run,
    trace,
)
from tests.conftest import NOON
from tests.factories import ProfileFactory
from webhooks.models import Message

pytestmark = pytest.mark.django_db
EVENTS, ATTRIBUTES, VALUES = ("buy", "visit", "call"), ("plan", "mood"), ("a", "b")
LATEST = 24

wanted = st.tuples(st.sampled_from(ATTRIBUTES), st.sampled_from(VALUES))
hours = st.integers(1, 4)
triggers = st.lists(st.sampled_from(EVENTS), min_size=1, max_size=2, unique=True)


def filled(settings: dict[str, Any], want: tuple[str, str] | None) -> dict[str, Any]:
    return settings | ({"audience": has(*want), "wanted": want} if want else {})


@st.composite
def simple_step(draw: Any) -> S:
    match draw(st.sampled_from(["message", "scheduled", "delay", "update", "context"])):
        case "message":
            return S(Kind.MESSAGE, "", filled({"advance": draw(ADVANCE), "unmatched": draw(UNMATCHED)}, draw(maybe)))
        case "scheduled":
            schedule = {"mode": "after", "count": draw(hours), "unit": "hours"}
            given = {"schedule": schedule, "advance": draw(ADVANCE), "unmatched": draw(UNMATCHED)}
            exceptions = [event(name) for name in draw(st.lists(st.sampled_from(EVENTS), max_size=1))]
            return S(Kind.MESSAGE, "", filled({**given, "exceptions": exceptions}, draw(maybe)))
        case "delay":
            return S(Kind.DELAY, "", {"mode": "after", "count": draw(hours), "unit": "hours"})
        case "update":
            name, value = draw(wanted)
            return S(
                Kind.USER_UPDATE,
                "",
                {"mode": "form", "changes": [{"attribute": name, "action": "set", "value": value}]},
            )
        case _:
            template = "{{event_properties.${number} | default: 'none'}}"
            return S(Kind.CONTEXT, "", {"variables": [{"name": "last", "type": "text", "template": template}]})


ADVANCE, UNMATCHED = st.sampled_from(["everyone", "sent"]), st.sampled_from(["exit", "skip"])
maybe = st.none() | wanted


@st.composite
def branching_step(draw: Any, branches: Any) -> S:
    kind = draw(st.sampled_from([Kind.DECISION_SPLIT, Kind.AUDIENCE_PATHS, Kind.ACTION_PATHS]))
    if kind is Kind.DECISION_SPLIT:
        want = draw(wanted)
        return S(kind, "", {"audience": has(*want), "wanted": [(1, want)]}, ((1, draw(branches)), (2, draw(branches))))
    paths = tuple((key, draw(branches)) for key in (1, 2, 0))
    if kind is Kind.AUDIENCE_PATHS:
        wants = [(1, draw(wanted)), (2, draw(wanted))]
        groups = {str(key): {"audience": has(*want)} for key, want in wants}
        return S(kind, "", {"groups": groups, "wanted": wants}, paths)
    groups = {
        str(key): {"triggers": [event(n) for n in draw(triggers)], "exits": draw(st.booleans())} for key in (1, 2)
    }
    window = {"count": draw(hours), "unit": "hours"}
    return S(kind, "", {"window": window, "ranked": draw(st.booleans()), "groups": groups}, paths)


def sequences(depth: int) -> Any:
    plain = st.lists(simple_step(), max_size=3)
    if not depth:
        return plain
    ends = st.none() | branching_step(sequences(depth - 1)) | st.just(S(Kind.EXIT, ""))
    return st.tuples(plain, ends).map(lambda pair: [*pair[0], *([pair[1]] if pair[1] else [])])


@st.composite
def acts(draw: Any) -> list[Act]:
    at = st.integers(0, LATEST * 2).map(lambda half: half / 2)
    happening = st.builds(Act, at=at, event=st.sampled_from(EVENTS), number=st.integers(1, 9))
    change = st.builds(Act, at=at, attribute=st.sampled_from(ATTRIBUTES), value=st.sampled_from(VALUES))
    return draw(st.lists(happening | change, max_size=6))


rules = st.builds(
    Rules,
    exit_events=st.lists(st.sampled_from(EVENTS), max_size=1).map(tuple),
    at_once=st.booleans(),
    exit_audience=st.none() | wanted,
)
people = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(ATTRIBUTES), st.sampled_from(VALUES)), acts(), st.booleans()),
    min_size=1,
    max_size=3,
)


def named(steps: Sequence[S], prefix: str = "s") -> list[S]:
    """Every step with a name of its own."""
    return [
        S(
            step.kind,
            f"{prefix}{place}",
            {**step.settings, **({"label": "the end"} if step.kind is Kind.EXIT else {})},
            tuple((key, named(branch, f"{prefix}{place}.{key}.")) for key, branch in step.paths),
        )
        for place, step in enumerate(steps)
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(sequences(2).filter(bool), rules, people)
def test_the_engine_and_a_plain_interpreter_tell_the_same_story(steps, rule, crowd):
    Journey.objects.all().delete()
    Message.objects.all().delete()
    steps = named(steps)
    note(repr(steps))
    audience = has(*rule.exit_audience) if rule.exit_audience else {}
    version = {
        "exit_events": [event(name) for name in rule.exit_events],
        "exits_at_once": rule.at_once,
        "exit_audience": audience,
    }
    profiles = [ProfileFactory(custom_attributes=dict(attributes)) for attributes, _, _ in crowd]
    canvas = go_live(build(steps, version=version))
    expected = [
        Interpreter(rule, attributes, [act for act in acts if act.at > 0], works).run(steps, 0.0)
        for attributes, acts, works in crowd
    ]
    let_in(canvas, *profiles)
    play(canvas, profiles, crowd)
    for profile, story in zip(profiles, expected, strict=True):
        compare(canvas, profile, story)
    conserve(canvas)


def play(canvas: Canvas, profiles: Sequence[Any], crowd: Sequence[Any]) -> None:
    """Move time through every full and half hour: what happens first, then the engine."""
    broken = {profile.pk for profile, (_, _, works) in zip(profiles, crowd, strict=True) if not works}
    for half in range(2 * 60):
        now = NOON + timedelta(minutes=30 * half)
        for profile, (_, acts, _) in zip(profiles, crowd, strict=True):
            for act in acts:
                if act.at == half / 2 and act.at > 0:
                    if act.event:
                        happens(profile, act.event, now, number=act.number)
                    else:
                        becomes(profile, now, **{act.attribute: act.value})
        dispatch(now)
        run(now, broken=broken)
        conserve(canvas)
        if not Journey.objects.filter(ended_at=None).exists():
            return


def compare(canvas: Canvas, profile: Any, story: Result) -> None:
    journey = Journey.objects.get(canvas=canvas, profile=profile)
    assert trace(canvas, profile) == [name for name, _ in story.visits]
    assert (journey.state, journey.exit_reason) == (story.state, story.reason)
    assert journey.ended_at == NOON + story.ended * HOUR
    arrived = dict(journey.visits.values_list("step_id", "entered_at"))
    known = names(canvas)
    assert {known[step]: at for step, at in arrived.items()} == {n: NOON + at * HOUR for n, at in story.visits}
    received = Message.objects.filter(sender=canvas.sender, profile=profile, outcome="received").order_by("pk")
    assert [known[step] for step in steps_of(received)] == story.sent
    assert {"last": "none"} | (journey.context or {}) == {"last": "none"} | story.context


def steps_of(messages: Any) -> list[int]:
    from canvas.models import StepVisit

    visits = dict(StepVisit.objects.filter(pk__in=messages.values("cause")).values_list("pk", "step_id"))
    return [visits[cause] for cause in messages.values_list("cause", flat=True)]


def conserve(canvas: Canvas) -> None:
    """At every moment: entered = proceeded + completed + exited + waiting + failed, of each step and of the whole."""
    assert watchdog.miscounted(canvas.pk) == {}
