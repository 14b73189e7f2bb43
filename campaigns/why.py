"""Why did they get it, or why not? For any profile and campaign, sent or not: what happened, and every check now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from audience import segments
from audience.models import Profile, SubscriptionState
from campaigns import admission, events, words
from campaigns.models import Campaign, Delivery
from outreach import arms, assignment, capping, controls, delays, eligibility, reach, reasons, runs, suppression, zones
from outreach.checks import may_receive
from outreach.models import Conversion, Enrolment, Occurrence, Status
from webhooks.models import Message, Outcome, Receipt

MOST = 50
RUNS = 10
Result = Occurrence.Result


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the specification's order: its name, whether it is passed, and the value it looked at."""

    name: str
    is_passed: bool
    value: str = ""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that is on record, newest first."""

    at: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`verdict` is the short answer in a sentence."""

    verdict: str
    happened: list[Happened]
    checks: list[Check]


def explain(campaign: Campaign, profile: Profile, now: datetime) -> Answer:
    """A few queries, whatever the campaign's size."""
    checks = list(_checks(campaign, profile, now))
    happened = sorted(_happened(campaign, profile), key=lambda each: (each.at is None, each.at or now), reverse=True)
    return Answer(_verdict(campaign, profile, checks), happened[:MOST], checks)


def _verdict(campaign: Campaign, profile: Profile, checks: Sequence[Check]) -> str:
    receipts = Receipt.objects.filter(sender=campaign.sender_id, profile=profile.pk, received_at__isnull=False).count()
    latest = Message.objects.filter(sender=campaign.sender_id, profile=profile.pk).order_by("-pk").first()
    if receipts:
        return _("They received it (%d times).") % receipts if receipts > 1 else _("They received it.")
    if latest and latest.finished_at is None:
        return _("A message waits for them; it is due at %s UTC.") % f"{latest.due_at:%Y-%m-%d %H:%M}"
    if latest:
        return _("They did not receive it: %s.") % reasons.in_words(latest.reason or latest.outcome)
    failed = next((check for check in checks if not check.is_passed), None)
    if failed:
        return _("They have not received it, and would not: %s.") % failed.name
    return _("They have not received it. Nothing would hold it back now.")


def _happened(campaign: Campaign, profile: Profile) -> Iterator[Happened]:
    enrolment = Enrolment.objects.filter(outreach=campaign, profile=profile).select_related("variant").first()
    if enrolment:
        yield Happened(enrolment.enrolled_at, _("belongs to “%s”") % enrolment.variant.name)
    messages = Message.objects.filter(sender=campaign.sender_id, profile=profile.pk).order_by("-pk")[:MOST]
    for message in messages:
        yield Happened(message.finished_at or message.due_at, _message(message))
    receipts = Receipt.objects.filter(sender=campaign.sender_id, profile=profile.pk, received_at__isnull=False)
    for receipt in receipts.exclude(cause__in={message.cause for message in messages}).order_by("-pk")[:MOST]:
        yield Happened(receipt.received_at, str(Outcome.RECEIVED.label))  # its message is deleted by now
    for entry in campaign.control_entries.filter(profile=profile):
        yield Happened(entry.entered_at, _("would have received it, but is in the control group"))
    for row in Conversion.objects.filter(outreach=campaign, profile=profile).select_related("event"):
        yield Happened(row.converted_at, _("converted (event %s)") % row.event)

    latest = campaign.occurrences.exclude(result=Result.RUNNING).select_related("dispatch").order_by("-planned_at")
    for run in latest[:RUNS]:
        yield Happened(run.planned_at, _run(run, profile))


def _run(run: Occurrence, profile: Profile) -> str:
    if run.result == Result.MISSED:
        return _("a run that was due then was missed: nothing was at work, or the campaign was paused")
    if run.result == Result.CANCELLED:
        return _("a run that was due then was cancelled")
    if profile.created_at > (run.finished_at or run.planned_at):
        return _("a run, before this profile was there")
    if run.dispatch and not runs.due_times(run, [profile.pk], run.dispatch.created_at):
        return _("a run: %s") % reasons.in_words("local_time_passed")
    if not run.considered_count:
        return _("a run that found nobody in the audience")
    return _("a run that looked at %(seen)s profiles and made %(made)s messages") % {
        "seen": f"{run.considered_count:,}",
        "made": f"{run.planned_count:,}",
    }


def _message(message: Message) -> str:
    if message.finished_at is None:
        return _("a message waits: due at %(due)s UTC, %(n)d attempts so far") % {
            "due": f"{message.due_at:%Y-%m-%d %H:%M}",
            "n": message.attempts,
        }
    words_ = f"{message.get_outcome_display()}: {reasons.in_words(message.reason)}" if message.reason else ""
    return words_ or str(message.get_outcome_display())


# --- the checks, in the order of the specification


def _checks(campaign: Campaign, profile: Profile, now: datetime) -> Iterator[Check]:
    yield Check(_("the campaign is active"), campaign.status == Status.ACTIVE, campaign.get_status_display())
    if campaign.end_at or campaign.start_at:
        bounds = f"{_at(campaign.start_at)} – {_at(campaign.end_at)}"
        is_open = (not campaign.start_at or campaign.delivery == Delivery.SCHEDULED or campaign.start_at <= now) and (
            not campaign.end_at or now <= campaign.end_at
        )
        yield Check(_("within its duration"), is_open, bounds)
    yield _audience(campaign, profile, now)
    yield from _lists(campaign, profile, now)
    yield _eligible(campaign, profile, now)
    zone = zones.of_profiles([profile.pk])[profile.pk]
    yield from _end(campaign, now, zone)
    if portion := events.portion_of(campaign):
        yield Check(
            _("within the portion of the day"), portion.holds(now, zone), f"{now.astimezone(zone):%H:%M} {zone.key}"
        )
    yield _arm(campaign, profile)
    if campaign.most_recipients is not None:
        used = f"{campaign.dispatched_count} / {campaign.most_recipients}"
        yield Check(_("a place is left"), campaign.dispatched_count < campaign.most_recipients, used)
    yield _subscription(campaign, profile)
    if quiet := controls.quiet_window(campaign):
        yield Check(_("no quiet hours now"), not quiet.holds(now, zone), f"{now.astimezone(zone):%H:%M} {zone.key}")
    yield from _caps(campaign, profile, now)


def _end(campaign: Campaign, now: datetime, zone: ZoneInfo) -> Iterator[Check]:
    """Whether a message that an event set off now would be due before the campaign ends."""
    if campaign.delivery == Delivery.ACTION and campaign.end_at and now <= campaign.end_at:
        delay = delays.read(campaign.delay or {})
        due = events.due_at(delay, events.portion_of(campaign), campaign.portion_waits, now, zone, zones.company())
        if due:
            yield Check(_("due before the end, if it were set off now"), due <= campaign.end_at, _at(due))


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "…"


def _audience(campaign: Campaign, profile: Profile, now: datetime) -> Check:
    is_in = bool(segments.among(reach.audience(campaign, now), [profile.pk]))
    names = ", ".join(campaign.segments.values_list("name", flat=True))
    return Check(_("in the audience"), is_in, names or (_("all profiles") if campaign.to_everyone else ""))


def _lists(campaign: Campaign, profile: Profile, now: datetime) -> Iterator[Check]:
    tags = controls.tags_of([campaign.pk])
    out = suppression.kept_out(tags, {campaign.pk: {profile.pk}}, now)[campaign.pk].get(profile.pk)
    yield Check(_("on no suppression list"), out != suppression.SUPPRESSED)
    yield Check(
        _("not in the global control group"), out != suppression.CONTROLLED, _("bucket %d") % profile.random_bucket
    )


def _eligible(campaign: Campaign, profile: Profile, now: datetime) -> Check:
    wait = admission.wait_of(campaign)
    last = eligibility.last_receipts(campaign, [profile.pk], 0).get(profile.pk)
    is_waiting = bool(eligibility.waiting_for(campaign, [profile.pk], 0)) and wait != eligibility.ALWAYS
    reason = eligibility.reason_against(last, wait, now, is_waiting=is_waiting)
    value = _("last received %s") % _at(last) if last else words.eligibility(campaign)
    return Check(_("eligible"), not reason, reasons.in_words(reason) + f" ({value})" if reason else value)


def _arm(campaign: Campaign, profile: Profile) -> Check:
    variants = list(campaign.variants.filter(is_removed=False))
    kept = assignment.kept(campaign, [profile.pk]).get(profile.pk)
    arm = arms.arm_for(assignment.of(campaign, variants), arms.slot_of(profile.pk, campaign.pk), kept)
    names = {variant.pk: variant.name for variant in variants}
    if arm is None:
        return Check(_("in a variant"), False, _("held back for the winner"))
    return Check(_("not in the control group"), not arm.is_control, names[arm.id])


def _subscription(campaign: Campaign, profile: Profile) -> Check:
    own = controls.of({campaign.sender_id})[campaign.sender_id]
    states = {profile.pk: (profile.email_subscribe, profile.push_subscribe)}
    rows = SubscriptionState.objects.filter(profile=profile, state="subscribed").values_list("group_id", "profile_id")
    return Check(
        _("subscribed, as the campaign asks"),
        may_receive(own, profile.pk, states, set(rows)),
        campaign.get_subscribed_display(),
    )


def _caps(campaign: Campaign, profile: Profile, now: datetime) -> Iterator[Check]:
    if not campaign.obeys_caps:
        yield Check(_("within the frequency caps"), True, _("caps are off for this campaign"))
        return
    tags = controls.tags_of([campaign.pk]).get(campaign.pk, set())
    for rule in capping.rules():
        if rule.covers(tags):
            used = capping.places_taken(rule, zones.of_profiles([profile.pk]), now).get(profile.pk, 0)
            name = _("frequency cap: at most %(most)d in %(every)d %(unit)s") % {
                "most": rule.most,
                "every": rule.every,
                "unit": rule.unit,
            }
            yield Check(name, used < rule.most, f"{used} / {rule.most}")
