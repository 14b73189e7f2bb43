"""Messages that a halted host kept waiting for a whole day fail; until then they wait without using an attempt."""

from datetime import timedelta

from django.utils.translation import gettext as _

from webhooks import claims, health
from webhooks.attempt import Attempt
from webhooks.models import LogKind, Message, Outcome
from webhooks.record import record
from webhooks.request import Refusal

LONGEST_WAIT = timedelta(hours=24)  # webhooks specification, section 8
BATCH = 500
LEASE = 60.0  # seconds


def give_up() -> int:
    """Fail what has waited too long for hosts that are halted (timetable); how many."""
    hosts = set(health.halted())
    until = claims.database_now() - LONGEST_WAIT
    if not Message.objects.filter(lane__host__in=hosts, finished_at=None, due_at__lte=until).exists():
        return 0
    waiting = claims.claim(BATCH, lambda host: BATCH if host in hosts else 0, LEASE)
    over = [message for message in waiting if message.due_at <= until]
    claims.release(message for message in waiting if message.due_at > until)
    text = _("598: the host was halted for 24 hours")
    refusal = Refusal(Outcome.FAILED, "host_halted", text, LogKind.HOST_HALTED)
    return record([Attempt(message, refusal=refusal) for message in over]) if over else 0
