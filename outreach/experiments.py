"""Winning-variant tests and intelligent selection: reads the figures, decides, and writes what follows."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from outreach import arms, assignment, results, selection, statistics
from outreach.models import Optimisation, Outreach, Recalculation, Status, Variant
from outreach.statistics import Figures

TEST, WINNER = 1, 2  # phases of a winning-variant test
RECALCULATE_EVERY = timedelta(hours=12)


def sending(outreach: Outreach) -> list[Variant]:
    """The arms that send, in order."""
    return list(outreach.variants.filter(is_removed=False, is_control=False))


def decide(outreach: Outreach, now: datetime) -> Variant | None:
    """End a winning-variant test: the arm that goes to the rest, if one does. Deciding twice changes nothing.

    Control never wins; where it beats every variant, or nothing is clear, the best goes out only if that was chosen.
    """
    with transaction.atomic():
        row = Outreach.objects.select_for_update().get(pk=outreach.pk)
        if row.decided_at:
            return row.variants.filter(is_winner=True).first()
        candidates = sending(row)
        figures = results.figures_of(row, candidates)
        found = statistics.winner(figures)
        if found is None and row.sends_best_anyway and candidates:
            found = max(range(len(candidates)), key=lambda index: figures[index].rate)
        chosen = candidates[found] if found is not None else None
        if chosen:
            Variant.objects.filter(pk=chosen.pk).update(is_winner=True)
        Outreach.objects.filter(pk=row.pk).update(decided_at=now)
        _log(row, candidates, figures, now, is_end=True)
    return chosen


def assign_winner(outreach: Outreach, variants: Sequence[Variant], ids: Sequence[int], now: datetime) -> dict[int, int]:
    """Give the winner to those whom the test held back; nobody else, and nobody at all without a winner."""
    winner = next((variant for variant in variants if variant.is_winner), None)
    if winner is None:
        return {}
    tested = sum(variant.share for variant in variants)
    chosen = {pk: winner.pk for pk in ids if arms.slot_of(pk, outreach.pk) >= tested}
    assignment.store(outreach, chosen, {winner.pk: winner.share}, {}, now)
    return chosen


def recalculate_due(now: datetime) -> int:
    """Move the shares of every intelligent selection whose half day is over; how many."""
    due = Outreach.objects.filter(
        Q(recalculated_at=None) | Q(recalculated_at__lte=now - RECALCULATE_EVERY),
        status=Status.ACTIVE,
        optimisation=Optimisation.SELECTION,
        decided_at=None,
    )
    return sum(recalculate(outreach, now) for outreach in due)


def recalculate(outreach: Outreach, now: datetime) -> bool:
    """Set the arms' weights by what is known. Receipts too fresh to have had a chance to convert don't count."""
    with transaction.atomic():
        row = Outreach.objects.select_for_update().get(pk=outreach.pk)
        candidates = sending(row)
        if row.decided_at or len(candidates) < 2:
            return False
        figures = results.figures_of(row, candidates, ripe_by=now)
        choice = selection.choose(figures)
        for variant, weight in zip(candidates, choice.weights, strict=True):
            Variant.objects.filter(pk=variant.pk).update(
                weight=weight, is_winner=choice.winner is not None and candidates[choice.winner] == variant
            )
        Outreach.objects.filter(pk=row.pk).update(
            recalculated_at=now, decided_at=now if choice.winner is not None else None
        )
        _log(row, candidates, figures, now, weights=choice.weights, is_end=choice.winner is not None)
    return True


def cancel(outreach: Outreach, now: datetime) -> None:
    """A test whose campaign is stopped has no second phase."""
    Outreach.objects.filter(pk=outreach.pk, optimisation=Optimisation.WINNER, decided_at=None).exclude(
        launched_at=None
    ).update(decided_at=now)


def invalidate(outreach: Outreach, now: datetime) -> None:
    """Forget a running test: what was tested has been edited."""
    outreach.variants.update(is_winner=False, weight=None)
    Outreach.objects.filter(pk=outreach.pk).update(decided_at=now if _is_test(outreach) else None, recalculated_at=None)


def _is_test(outreach: Outreach) -> bool:
    return outreach.optimisation == Optimisation.WINNER


def _log(
    outreach: Outreach,
    candidates: Sequence[Variant],
    figures: Sequence[Figures],
    now: datetime,
    *,
    weights: Sequence[int] = (),
    is_end: bool = False,
) -> None:
    rows = [
        {"variant": variant.pk, "name": variant.name, "reached": f.reached, "converted": f.converted}
        for variant, f in zip(candidates, figures, strict=True)
    ]
    for row, weight in zip(rows, weights, strict=False):
        row["weight"] = weight
    Recalculation.objects.create(outreach=outreach, at=now, figures=rows, is_end=is_end)
