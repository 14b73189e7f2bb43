"""Makes the messages of message steps, and takes back those of journeys that ended early."""

from collections import Counter
from collections.abc import Mapping, Sequence

from canvas.graph import Node
from canvas.states import State
from canvas.travel import Batch, Visit
from outreach import counters
from outreach.counters import Key
from outreach.models import Metric
from webhooks.lanes import open_lanes
from webhooks.models import Content, Outcome, Sender
from workspace import bulk
from workspace.queues import wake

_TARGET = {"step": "bigint", "slot": "smallint", "content": "bigint", "lane": "bigint"}
_VISIT = {"visit": "bigint", "step": "bigint", "profile": "bigint", "variant": "bigint"}


def make_messages(batch: Batch, new_ids: Mapping[tuple[int, int], int]) -> Counter[Key]:
    """A message for each visit and webhook, due now; what that adds to the totals. A visit never gets two."""
    if not batch.sends:
        return Counter()
    nodes = {visit.step_id: batch.graph.nodes[visit.step_id] for visit in batch.sends}
    targets = _targets(batch.sender_id, list(nodes.values()))
    visits = _visit_ids(batch.sends, new_ids)
    rows = [
        {"visit": visits[v.traveller.id, v.step_id], "step": v.step_id}
        | {"profile": v.traveller.profile_id, "variant": v.traveller.variant_id}
        for v in batch.sends
    ]
    made = bulk.fetch(
        f"""
        INSERT INTO webhooks_message
            (sender_id, lane_id, content_id, profile_id, cause, slot, variant, due_at, attempts, lease, outcome, reason)
        SELECT %s, t.lane, t.content, u.profile, u.visit, t.slot, u.variant, %s, 0, 0, '', ''
        FROM {bulk.rows_as_table(_VISIT)} JOIN {bulk.rows_as_table(_TARGET, "t")} ON t.step = u.step
        WHERE TRUE
        ON CONFLICT (sender_id, cause, profile_id, slot) DO NOTHING
        RETURNING variant
        """,
        [batch.sender_id, bulk.time_param(batch.now), bulk.as_json(rows), bulk.as_json(targets)],
    )
    wake("deliver")
    day = counters.today(batch.now)
    totals = Counter(variant for (variant,) in made)
    return Counter({Key(batch.graph.canvas_id, day, v, 0, Metric.PLANNED): n for v, n in totals.items()})


def _targets(sender_id: int, nodes: Sequence[Node]) -> list[dict[str, int]]:
    """The webhooks of the steps, each with its slot and lane."""
    wanted = {content for node in nodes for _slot, content in node.contents}
    contents = list(Content.objects.filter(pk__in=wanted).prefetch_related("overrides"))
    lanes = open_lanes(Sender(pk=sender_id), contents)
    return [
        {"step": node.id, "slot": slot, "content": content, "lane": lanes[content]}
        for node in nodes
        for slot, content in node.contents
        if content in lanes
    ]


def _visit_ids(sends: Sequence[Visit], new_ids: Mapping[tuple[int, int], int]) -> Mapping[tuple[int, int], int]:
    """Visit ids by journey and step; of stays that began in an earlier batch they are looked up."""
    older = [visit for visit in sends if (visit.traveller.id, visit.step_id) not in new_ids]
    if not older:
        return new_ids
    rows = [{"journey": visit.traveller.id, "step": visit.step_id} for visit in older]
    found = bulk.fetch(
        f"SELECT v.journey_id, v.step_id, v.id FROM {bulk.rows_as_table({'journey': 'bigint', 'step': 'bigint'})} "
        "JOIN canvas_stepvisit AS v ON v.journey_id = u.journey AND v.step_id = u.step",
        [bulk.as_json(rows)],
    )
    return {**new_ids, **{(journey, step): pk for journey, step, pk in found}}


def cancel(batch: Batch) -> Counter[Key]:
    """Cancel the unfinished messages of journeys that left early; what that adds to the totals.

    Messages on the wire finish. Those another worker is recording at the moment are left to it: this never waits for
    a message while it holds journeys, so the two can't wait for each other.
    """
    ended = [t.id for t in batch.travellers if t.state is State.EXITED]
    if not ended:
        return Counter()
    now = bulk.time_param(batch.now)
    rows = bulk.fetch(
        f"""
        UPDATE webhooks_message SET outcome = %s, reason = %s, finished_at = %s, leased_until = NULL
        WHERE finished_at IS NULL AND id IN (
            SELECT m.id FROM {bulk.ids_as_table()}
            JOIN canvas_stepvisit AS v ON v.journey_id = u.id
            JOIN webhooks_message AS m ON m.sender_id = %s AND m.cause = v.id
            WHERE m.finished_at IS NULL AND (m.leased_until IS NULL OR m.leased_until <= %s)
            {bulk.for_update("m", skip_locked=True)}
        ) RETURNING variant
        """,
        [Outcome.CANCELLED, "journey_ended", now, bulk.as_json_ids(ended), batch.sender_id, now],
    )
    day = counters.today(batch.now)
    totals = Counter(variant for (variant,) in rows)
    return Counter(
        {Key(batch.graph.canvas_id, day, v, 0, Metric.CANCELLED, "journey_ended"): n for v, n in totals.items()}
    )
