"""Experiment paths: a random share for each path, kept for a profile that comes again.

Settings: `shares` (whole per cents by path key, 0 is the control), `control` ("continue", or "exit" after the tracking
window), `window_days`, `always_random`; `winner_count` and `winner_unit` (decide this long after the first came: then
all go along the best path), `unclear` ("best", or "mix": keep the shares where no path is clearly better), `held` (the
share of the delay group, which waits for the winner; only where everybody comes at once).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from canvas.graph import Node
from canvas.models import ExperimentResult, ExperimentShare, StepVisit
from canvas.states import Reason, Waiting
from canvas.steps.problem import Problem
from canvas.travel import Batch, Traveller
from canvas.verdicts import Go, Leave, Verdict, Verdicts, Wait
from outreach import arms, delays
from workspace import bulk

RENDERS = False
CONTROL = 0
DELAY_GROUP = 32_000  # stands for the path of those who wait for the winner
MOST_PATHS = 4
LOOK_AGAIN, LONGEST_WAIT = timedelta(hours=1), timedelta(days=1)  # should nobody decide when the time is up


def problems(node: Node, now: datetime) -> Iterator[Problem]:
    paths = [way for way in node.ways if way.key != CONTROL]
    if not 1 <= len(paths) <= MOST_PATHS:
        yield Problem(_("There can be one to four paths and a control group."), "shares")
    if held(node) and len(paths) == MOST_PATHS:
        yield Problem(_("With a delay group there can be three paths."), "shares")
    if held(node) and not winner_after(node):
        yield Problem(_("A delay group waits for a winner: say when to decide for one."), "held")
    total = sum(shares(node).values()) + held(node)
    if total != 100:
        yield Problem(_("Shares add up to %(total)s %%. They must add up to 100 %%.") % {"total": total}, "shares")
    if not 1 <= int(node.settings.get("window_days") or 0) <= 30:
        yield Problem(_("The conversion window is between 1 and 30 days."), "window_days")

    if winner_after(node) and node.settings.get("always_random"):
        yield Problem(_("A winner needs profiles that keep their path: don't draw anew."), "window_days")


def winner_after(node: Node) -> timedelta:
    """How long after the first profile the winner is decided; zero: never."""
    seconds = delays.SECONDS.get(node.settings.get("winner_unit") or "days", 0)
    return timedelta(seconds=int(node.settings.get("winner_count") or 0) * seconds)


def held(node: Node) -> int:
    """The share of the delay group in per cent."""
    return int(node.settings.get("held") or 0)


def shares(node: Node) -> dict[int, int]:
    """The share by path key, in order of rank."""
    given = node.settings.get("shares") or {}
    return {way.key: int(given.get(str(way.key)) or 0) for way in node.ways}


def enter(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    winner = _winner(node)
    if winner is not None:
        return {t.id: Go(winner) for t in people}
    paths = _drawn(node, people)
    return {t.id: _on(batch, node, paths[t.id]) for t in people}


def _on(batch: Batch, node: Node, path: int) -> Verdict:
    if path == DELAY_GROUP:
        return Wait(batch.now + winner_after(node), Waiting.DELAY_GROUP)
    if path == CONTROL and node.settings.get("control") == "exit":
        window = timedelta(days=int(node.settings.get("window_days") or 1))
        return Wait(batch.now + window, Waiting.CONTROL_WINDOW)
    return Go(path)


def _winner(node: Node) -> int | None:
    """The path that has won, if that was decided, and it is still there."""
    if not winner_after(node):
        return None
    found = ExperimentResult.objects.filter(step=node.id).values_list("winner", flat=True).first()
    return found if found is not None and node.way(found) else None


def resolve(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    """Those who waited: a control group that goes no further, and the delay group, which follows the winner."""
    waiting = [t for t in people if t.waits_for == Waiting.DELAY_GROUP]
    left: Verdicts = {t.id: Leave(Reason.CONTROL_WINDOW_ENDED) for t in people if t.waits_for != Waiting.DELAY_GROUP}
    return {**left, **_released(batch, node, waiting)} if waiting else left


def _released(batch: Batch, node: Node, people: Sequence[Traveller]) -> Verdicts:
    """Without a winner they go by the shares of the others; before the decision they wait on, but never for good."""
    winner = _winner(node)
    is_decided = ExperimentResult.objects.filter(step=node.id).exists()
    split = {key: share for key, share in shares(node).items() if share}
    came = dict(StepVisit.objects.filter(pk__in=[t.visit_id for t in people]).values_list("pk", "entered_at"))
    found: dict[int, Verdict] = {}
    for t in people:
        latest = came.get(t.visit_id or 0, batch.now) + batch.shortened(winner_after(node) + LONGEST_WAIT)
        if winner is not None:
            found[t.id] = Go(winner)
        elif split and (is_decided or batch.now >= latest):
            found[t.id] = _on(batch, node, _by_share(t.profile_id, node.id, split))
        else:
            found[t.id] = Wait(batch.now + LOOK_AGAIN, Waiting.DELAY_GROUP)
    return found


def _by_share(profile: int, step: int, split: Mapping[int, int]) -> int:
    place = arms.rank(profile, step) % sum(split.values())
    for key, share in split.items():
        place -= share
        if place < 0:
            return key
    return next(iter(split))


def _drawn(node: Node, people: Sequence[Traveller]) -> dict[int, int]:
    split = {**shares(node), DELAY_GROUP: held(node)}
    keys, parts = list(split), list(split.values())
    if sum(parts) != 100:
        return {t.id: node.last_way for t in people}
    if node.settings.get("always_random"):
        return {t.id: keys[arms.pick(t.id, node.id, parts)] for t in people}
    fresh = {t.profile_id: keys[arms.pick(t.profile_id, node.id, parts)] for t in people}
    kept = _keep(node, fresh)
    return {t.id: path if (path := kept[t.profile_id]) in split else fresh[t.profile_id] for t in people}


def _keep(node: Node, drawn: dict[int, int]) -> dict[int, int]:
    """Store each profile's first path; the one that stands."""
    rows = [{"id": profile, "path": drawn[profile]} for profile in sorted(drawn)]
    bulk.execute(
        f"""
        INSERT INTO canvas_experimentshare (step_id, profile_id, path)
        SELECT %s, id, path FROM {bulk.rows_as_table({"id": "bigint", "path": "smallint"})} WHERE TRUE
        ON CONFLICT (step_id, profile_id) DO NOTHING
        """,
        [node.id, bulk.as_json(rows)],
    )
    kept = ExperimentShare.objects.filter(step_id=node.id, profile_id__in=drawn)
    return drawn | dict(kept.values_list("profile_id", "path"))
