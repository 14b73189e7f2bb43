"""Schedules and settings in sentences."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audience.filters.fields import listed
from campaigns.forms.delivery import WEEKDAYS
from campaigns.models import Campaign, Delivery, Recurrence
from outreach import delays, matching, runs, schedule
from outreach.delays import Mode


def when(campaign: Campaign, now: datetime) -> str:
    """When it is sent, as one sentence."""
    match campaign.delivery:
        case Delivery.ACTION:
            triggers = [matching.sentence(t) for t in campaign.triggers if not matching.problems(t)]
            return _("When a profile %(does)s: %(delay)s.") % {
                "does": listed(triggers, _("or")) or "…",
                "delay": waits(campaign),
            }
        case Delivery.API:
            return _("When the API is called.")
        case _other:
            return _scheduled(campaign, now)


def waits(campaign: Campaign) -> str:
    """The delay of an action-based campaign."""
    delay = delays.read(campaign.delay or {})
    clock = _("on the profile's clock") if delay.is_local else _("on the company's clock")
    at = f"{delay.at:%H:%M}" if delay.at else ""
    match delay.mode:
        case Mode.AFTER:
            return _("after %s") % span(delays.duration(delay))
        case Mode.DAYS:
            days = ngettext("%d calendar day later", "%d calendar days later", delay.count) % delay.count
            return _("%(days)s at %(at)s %(clock)s") % {"days": days, "at": at, "clock": clock}
        case Mode.NEXT_WEEKDAY:
            return _("on the next %(day)s at %(at)s %(clock)s") % {
                "day": dict(WEEKDAYS)[delay.weekday],
                "at": at,
                "clock": clock,
            }
        case _other:
            return _("at once")


def _scheduled(campaign: Campaign, now: datetime) -> str:
    if campaign.start_at is None and not campaign.recurrence:
        return _("As soon as it is launched.")
    start = schedule_start(campaign, now)
    clock = _("each profile's own time") if campaign.is_local else runs.zone_of(campaign).key
    at = f"{start:%H:%M}"
    how_often = _how_often(campaign)
    if not how_often:
        return _("On %(day)s at %(at)s, %(clock)s.") % {"day": date_format(start.date()), "at": at, "clock": clock}
    words = _("%(often)s at %(at)s, %(clock)s, from %(day)s") % {
        "often": how_often,
        "at": at,
        "clock": clock,
        "day": date_format(start.date()),
    }
    return f"{words}{_end(campaign)}."


def schedule_start(campaign: Campaign, now: datetime) -> datetime:
    return (campaign.start_at or now).astimezone(runs.zone_of(campaign))


def _how_often(campaign: Campaign) -> str:
    n = campaign.every
    match campaign.recurrence:
        case Recurrence.DAILY:
            return _("Every day") if n == 1 else _("Every %d days") % n
        case Recurrence.WEEKLY:
            days = listed([str(dict(WEEKDAYS)[day]) for day in sorted(campaign.weekdays)], _("and"))
            return (_("Every %s") % days) if n == 1 else _("Every %(n)d weeks on %(days)s") % {"n": n, "days": days}
        case Recurrence.MONTHLY:
            shown = [_("the last day") if day == -1 else str(day) for day in sorted(campaign.month_days, key=_last)]
            days = listed(shown, _("and"))
            if n == 1:
                return _("Every month on %s") % days
            return _("Every %(n)d months on %(days)s") % {"n": n, "days": days}
        case _other:
            return ""


def _last(day: int) -> int:
    return 32 if day == -1 else day


def _end(campaign: Campaign) -> str:
    if campaign.end_on:
        return _(", until %s") % date_format(campaign.end_on)
    if campaign.run_count:
        return ngettext(", %d time", ", %d times", campaign.run_count) % campaign.run_count
    return ""


def next_runs(campaign: Campaign, now: datetime, count: int = 5) -> list[str]:
    """The next runs, each with the company's clock and UTC."""
    if campaign.delivery != Delivery.SCHEDULED or (campaign.start_at is None and not campaign.recurrence):
        return []
    zone = runs.zone_of(campaign)
    return [_run(campaign, moment, zone) for moment in runs.upcoming(campaign, now, count)]


def _run(campaign: Campaign, moment: datetime, zone: ZoneInfo) -> str:
    shown = moment.astimezone(zone)
    day = date_format(shown, "l, j F Y")
    if not campaign.is_local:
        return _("%(day)s at %(at)s %(zone)s (%(utc)s UTC)") % {
            "day": day,
            "at": f"{shown:%H:%M}",
            "zone": zone.key,
            "utc": f"{moment:%m-%d %H:%M}",
        }
    first = schedule.wall_clock(shown.date(), shown.time(), schedule.FIRST_ZONE)
    last = schedule.wall_clock(shown.date(), shown.time(), ZoneInfo("Pacific/Pago_Pago"))
    return _("%(day)s at %(at)s on each profile's clock (from %(first)s to %(last)s UTC)") % {
        "day": day,
        "at": f"{shown:%H:%M}",
        "first": f"{first:%m-%d %H:%M}",
        "last": f"{last:%m-%d %H:%M}",
    }


def eligibility(campaign: Campaign) -> str:
    """How often one person may receive it."""
    if not campaign.is_reeligible:
        return _("Each person at most once, ever.")
    if not campaign.reeligible_seconds:
        return _("Each person as often as they qualify.")
    wait = span(timedelta(seconds=campaign.reeligible_seconds))
    return _("Each person at most once in %s, counted from the moment it was received.") % wait


def span(length: timedelta) -> str:
    """A duration in its largest whole unit."""
    seconds = int(length.total_seconds())
    units = (
        (604_800, ngettext("%d week", "%d weeks", seconds // 604_800)),
        (86_400, ngettext("%d day", "%d days", seconds // 86_400)),
        (3_600, ngettext("%d hour", "%d hours", seconds // 3_600)),
        (60, ngettext("%d minute", "%d minutes", seconds // 60)),
    )
    for size, text in units:
        if seconds >= size and seconds % size == 0:
            return text % (seconds // size)
    return ngettext("%d second", "%d seconds", seconds) % seconds if seconds < 60 else f"{length}"
