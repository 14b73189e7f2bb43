"""Makes the messages of message steps, and takes back those of journeys that ended early."""

from collections import Counter
from collections.abc import Sequence

from canvas.graph import Node
from canvas.models import Kind, StepVisit
from canvas.states import State
from canvas.travel import Batch
from outreach import counters
from outreach.counters import Key
from outreach.models import Metric
from webhooks import frozen
from webhooks.lanes import open_lanes
from webhooks.models import Content, Outcome, Sender
from workspace import bulk
from workspace.queues import wake

_TARGET = {"step": "bigint", "slot": "smallint", "content": "bigint", "lane": "bigint"}
_VISIT = {"visit": "bigint", "step": "bigint", "profile": "bigint", "variant": "bigint"}


def make_messages(batch: Batch) -> Counter[Key]:
    """A message for each visit and webhook, due now; what that adds to the totals. A visit never gets two."""
    if not batch.sends:
        return Counter()
    nodes = {visit.step_id: batch.graph.nodes[visit.step_id] for visit in batch.sends}
    targets = _targets(batch.sender_id, list(nodes.values()))
    rows = [
        {"visit": v.id, "step": v.step_id, "profile": v.traveller.profile_id, "variant": v.traveller.variant_id}
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


def cancel(batch: Batch) -> Counter[Key]:
    """Cancel the unfinished messages of journeys that left early; what that adds to the totals.

    Messages on the wire finish. Those another worker is recording at the moment are left to it: this never waits for
    a message while it holds journeys, so the two can't wait for each other.
    """
    ended = [t.id for t in batch.travellers if t.state is State.EXITED]
    messaging = [node.id for node in batch.graph.nodes_of(Kind.MESSAGE)]
    visits = StepVisit.objects.filter(journey_id__in=ended, step_id__in=messaging) if ended and messaging else None
    causes = list(visits.values_list("pk", flat=True)) if visits is not None else []
    if not causes:
        return Counter()
    now = bulk.time_param(batch.now)
    rows = bulk.fetch(
        f"""
        WITH free AS MATERIALIZED (
            SELECT m.id FROM webhooks_message AS m
            WHERE m.sender_id = %s AND {bulk.in_ids("m.cause")} AND m.finished_at IS NULL
            AND (m.leased_until IS NULL OR m.leased_until <= %s)
            {bulk.for_update("m", skip_locked=True)}
        )
        UPDATE webhooks_message SET outcome = %s, reason = %s, finished_at = %s, leased_until = NULL
        WHERE id IN (SELECT id FROM free) RETURNING variant, id, attempts
        """,
        [batch.sender_id, bulk.ids_param(causes), now, Outcome.CANCELLED, "journey_ended", now],
    )
    day = counters.today(batch.now)
    totals = Counter(variant for variant, *_ in rows)
    frozen.forget([id for _variant, id, attempts in rows if attempts])
    return Counter(
        {Key(batch.graph.canvas_id, day, v, 0, Metric.CANCELLED, "journey_ended"): n for v, n in totals.items()}
    )
