"""The variants of a Canvas: add, remove, rename, share. A live Canvas keeps what its journeys rely on."""

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from canvas import editing, live
from canvas.errors import NotAllowed
from canvas.models import Canvas, CanvasVersion, Path
from outreach import arms as shares
from outreach.models import Optimisation, Status, Variant

MOST = 8


def current(canvas: Canvas) -> list[Variant]:
    return list(canvas.variants.filter(is_removed=False))


def add(draft: CanvasVersion, name: str, *, is_control: bool = False, expected: int | None = None) -> Variant:
    """One more variant, with no step yet, or the control group.

    In a draft the shares are evened out; a live Canvas gives it 0 % until it is published.
    """
    with editing.edition(draft, expected):
        canvas = draft.canvas
        before = current(canvas)
        _refuse_more(before, is_control)
        variant = Variant.objects.create(
            outreach=canvas, name=name, is_control=is_control, share=0, position=canvas.variants.count()
        )
        if not is_control:
            editing.start_path(draft, variant.pk)
        if canvas.status == Status.DRAFT:
            every = current(canvas)
            for each, share in zip(every, shares.even_shares(len(every)), strict=True):
                Variant.objects.filter(pk=each.pk).update(share=share)
    return variant


def _refuse_more(before: list[Variant], is_control: bool) -> None:
    if is_control and any(variant.is_control for variant in before):
        raise NotAllowed(_("There can be one control group."))
    if not is_control and sum(not variant.is_control for variant in before) >= MOST:
        raise NotAllowed(_("A Canvas has at most %d variants and a control group.") % MOST)


@transaction.atomic
def set_shares(canvas: Canvas, given: Mapping[int, tuple[str, int]], *, selects: bool = False) -> None:
    """Names and shares by variant id; `selects` lets them move to the better variant by themselves.

    Raises NotAllowed where they don't add up or live journeys rely on another.
    """
    every = {variant.pk: variant for variant in canvas.variants.select_for_update().filter(is_removed=False)}
    if set(given) != set(every):
        raise NotAllowed(_("The variants were changed meanwhile. Reload the page."))
    if (total := sum(share for _name, share in given.values())) != 100:
        raise NotAllowed(_("Shares add up to %(total)s %%. They must add up to 100 %%.") % {"total": total})
    newest = live.versions([canvas.pk]).get(canvas.pk)
    begun = set(Path.objects.filter(version=newest, variant__isnull=False).values_list("variant_id", flat=True))
    for pk, (name, share) in given.items():
        variant = every[pk]
        if newest and variant.is_control and share > variant.share:
            raise NotAllowed(_("The control group of a Canvas that was launched can only become smaller."))
        if newest and share and not variant.is_control and pk not in begun:
            raise NotAllowed(_("“%s” is not published yet: until then its share stays 0 %%.") % variant.name)
        Variant.objects.filter(pk=pk).update(name=name, share=share)
    _select(canvas, selects)


def _select(canvas: Canvas, selects: bool) -> None:
    """Switch intelligent selection on or off; switched on anew it begins from even shares."""
    wanted = Optimisation.SELECTION if selects else Optimisation.NONE
    if canvas.optimisation == wanted:
        return
    canvas.variants.update(weight=None, is_winner=False)
    canvas.optimisation, canvas.decided_at, canvas.recalculated_at = wanted, None, None
    canvas.save(update_fields=["optimisation", "decided_at", "recalculated_at"])


def remove(draft: CanvasVersion, variant_id: int, expected: int | None = None) -> None:
    """Take a variant out; its numbers stay. Journeys in it leave once this is published."""
    with editing.edition(draft, expected):
        every = current(draft.canvas)
        variant = next((each for each in every if each.pk == variant_id), None)
        if variant is None:
            raise NotAllowed(_("The variant is gone already."))
        if variant.share and draft.canvas.status != Status.DRAFT:
            raise NotAllowed(_("Give its %(share)d %% to the others first.") % {"share": variant.share})
        if not variant.is_control and sum(not each.is_control for each in every) == 1:
            raise NotAllowed(_("Keep at least one variant that sends."))
        Path.objects.filter(version=draft, variant_id=variant_id).delete()
        Variant.objects.filter(pk=variant_id).update(is_removed=True, share=0)
        if draft.canvas.status == Status.DRAFT:
            left = [each for each in every if each.pk != variant_id]
            for each, share in zip(left, shares.even_shares(len(left)), strict=True):
                Variant.objects.filter(pk=each.pk).update(share=share)
