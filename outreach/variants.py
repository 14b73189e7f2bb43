"""Makes and copies variants. Adding one evens the shares out again."""

from django.db import transaction

from outreach import arms
from outreach.models import Outreach, Variant, VariantContent
from webhooks.models import Content


def first_variant(outreach: Outreach, name: str) -> Variant:
    """The variant a new outreach starts with: everything goes to one blank webhook."""
    variant = Variant.objects.create(outreach=outreach, name=name, share=100)
    add_webhook(variant)
    return variant


def add_webhook(variant: Variant, content: Content | None = None) -> Content:
    """Give a variant one more webhook, blank unless given, in the next slot that was never used."""
    used = variant.variant_contents.values_list("slot", flat=True)
    content = content or Content.objects.create()
    VariantContent.objects.create(variant=variant, slot=max(used, default=-1) + 1, content=content)
    return content


@transaction.atomic
def add(outreach: Outreach, name: str, source: Variant | None = None, *, is_control: bool = False) -> Variant:
    """A new arm with a blank webhook, with copies of `source`'s, or, as the control group, with none."""
    variants = list(outreach.variants.filter(is_removed=False))
    variant = Variant.objects.create(
        outreach=outreach, name=name, position=len(variants), is_control=is_control, share=0
    )
    if source is not None and not is_control:
        for item in source.variant_contents.select_related("content"):
            VariantContent.objects.create(variant=variant, slot=item.slot, content=item.content.copy())
    elif not is_control:
        add_webhook(variant)
    for arm, share in zip([*variants, variant], arms.even_shares(len(variants) + 1), strict=True):
        Variant.objects.filter(pk=arm.pk).update(share=share)
    variant.refresh_from_db()
    return variant


def remove(variant: Variant) -> None:
    """Take an arm out. Its numbers stay; the shares of the others grow in proportion, to 100 again."""
    with transaction.atomic():
        Variant.objects.filter(pk=variant.pk).update(is_removed=True, share=0)
        left = list(variant.outreach.variants.filter(is_removed=False))
        total = sum(arm.share for arm in left)
        goal = total + variant.share
        shares = [arm.share * goal // total for arm in left] if total else arms.even_shares(len(left))
        shares[-1] += goal - sum(shares) if total else 0
        for arm, share in zip(left, shares, strict=True):
            Variant.objects.filter(pk=arm.pk).update(share=share)


def fill_from(content: Content, source: Content, name: str) -> None:
    """Make a webhook a copy of another, languages included."""
    for field in Content.FIELDS_OF_A_COPY:
        setattr(content, field, getattr(source, field))
    content.made_from = name
    content.save()
    content.overrides.all().delete()
    for override in source.overrides.all():
        content.overrides.create(
            language=override.language, url=override.url, pairs=override.pairs, raw_body=override.raw_body
        )
