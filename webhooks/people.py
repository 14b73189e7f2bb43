"""What this app knows about a person, and erases with them (registered with `audience.person` and `.erasure`)."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from audience.models import Profile
from audience.person import Cell, Section
from webhooks.models import FrozenRequest, Message, MessageActivityLog, Receipt
from workspace import bulk

SHOWN = 50


def messages(profile: Profile) -> Section:
    """The latest messages that the profile received."""
    received = Receipt.objects.filter(profile=profile.pk, received_at__isnull=False).select_related("sender")
    rows = [
        (Cell(date_format(localtime(receipt.received_at), "DATETIME_FORMAT")), Cell(receipt.sender.name))
        for receipt in received.order_by("-reserved_at")[:SHOWN]
    ]
    waiting = Message.objects.filter(profile=profile.pk, finished_at=None).count()
    note = _("%d messages wait for this profile.") % waiting if waiting else ""
    return Section(_("Messages received"), (_("time"), _("from")), rows, note)


def failures(profile: Profile) -> Section:
    """The latest entries of the Message Activity Log about the profile."""
    found = MessageActivityLog.objects.filter(profile=profile.pk).order_by("-pk")[:SHOWN]
    rows = [
        (
            Cell(
                date_format(localtime(row.at), "DATETIME_FORMAT"),
                reverse("admin:webhooks_messageactivitylog_change", args=[row.pk]),
            ),
            Cell(row.get_kind_display()),
            Cell(row.text[:200]),
        )
        for row in found
    ]
    return Section(_("Message Activity Log"), (_("time"), _("type"), _("message")), rows)


def erase(profiles: Sequence[int]) -> None:
    """Delete receipts, log rows and kept requests; of messages only the bare row stays, so that totals add up."""
    FrozenRequest.objects.filter(
        message__in=Message.objects.filter(profile__in=profiles, finished_at=None).values("pk")
    ).delete()
    Message.objects.filter(profile__in=profiles, context__isnull=False).update(context=None)
    Receipt.objects.filter(profile__in=profiles).delete()
    MessageActivityLog.objects.filter(profile__in=profiles).delete()


def extent(profiles: Sequence[int]) -> Mapping[str, int]:
    """How much that is."""
    return {
        str(table._meta.verbose_name_plural): table._default_manager.filter(profile__in=profiles).count()
        for table in (Receipt, MessageActivityLog)
    }


def merge(gone: int, survivor: int, now: datetime) -> None:
    """Hand messages that wait, and receipts, over to the profile that stays; where it has the same one, its own stays.

    Registered with `audience.merging`.
    """
    for table, also in ((Message, "AND t.finished_at IS NULL"), (Receipt, "")):
        same = "o.sender_id = t.sender_id AND o.cause = t.cause" + (" AND o.slot = t.slot" if also else "")
        name = table._meta.db_table
        bulk.execute(
            f"UPDATE {name} AS t SET profile_id = %s WHERE t.profile_id = %s {also} "
            f"AND NOT EXISTS (SELECT 1 FROM {name} AS o WHERE o.profile_id = %s AND {same})",
            [survivor, gone, survivor],
        )
    Receipt.objects.filter(profile=gone).delete()
    MessageActivityLog.objects.filter(profile=gone).update(profile=survivor)
