"""RQ entry points of delivery."""

from functools import cache

from django.conf import settings
from django.utils import timezone

from webhooks import alerts, halts, hosts, lanes, log, trust
from webhooks.compose import Composer, the_guard
from webhooks.deliver import Pump
from webhooks.pruning import Walk
from webhooks.transport import Transport, TransportSettings
from webhooks.window import PumpSettings
from workspace import queues
from workspace.worker import stopping


def deliver() -> int:
    """Send what is due (queue `deliver`)."""
    queues.woken("deliver")
    return the_pump().run()


def tidy() -> None:
    """Close empty lanes, give up on what halted hosts kept too long, delete what is old (timetable)."""
    lanes.close_empty()
    halts.give_up()
    log.prune(timezone.now())
    log.end_full_logging(timezone.now())
    _the_walk().go_on(timezone.now())
    hosts.note_new()
    alerts.check_due(timezone.now())


@cache
def _the_walk() -> Walk:
    return Walk()


@cache
def the_pump() -> Pump:
    """This process's pump: it keeps connections and parsed templates from one wake to the next."""
    return Pump(the_transport(), Composer(the_guard()), the_pump_settings(), stopping)


@cache
def the_transport() -> Transport:
    """This process's connections, under the deployment's settings."""
    return Transport(
        TransportSettings(
            guard=the_guard(),
            timeout=settings.WEBHOOK_TIMEOUT,
            connect_timeout=settings.WEBHOOK_CONNECT_TIMEOUT,
            body_kept=settings.RESPONSE_BYTES_KEPT,
            proxy=settings.WEBHOOK_PROXY,
            connections=settings.DELIVER_WINDOW * 2,
            ca_file=trust.ca_file(),
        )
    )


def the_pump_settings() -> PumpSettings:
    return PumpSettings(settings.DELIVER_WINDOW, settings.DELIVER_HOST_WINDOW, settings.LEASE_SECONDS)
