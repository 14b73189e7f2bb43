"""Preview and test send: what this webhook would be for one profile, and what the endpoint says to it now.

A test goes through the same transport and guard as every send. It is logged as `[TEST SEND]` and counts nowhere: no
statistics, caps, conversions, host health or rate.
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from audience.models import BUCKETS, Profile
from webhooks import activity, calls, identity, trust
from webhooks.attempt import Attempt, Ruling, rule
from webhooks.claims import Claimed
from webhooks.compiled import Compiled, compile_content
from webhooks.compose import render, the_guard
from webhooks.liquid import LiquidSyntaxProblem, RenderData
from webhooks.masking import shown_text
from webhooks.models import Content, ContentOverride, LogKind, MessageActivityLog, Outcome
from webhooks.request import Answer, Refusal, Request
from webhooks.services import Shelf
from webhooks.success import condition_of
from webhooks.transport import Transport, TransportSettings

STANDARD_FIELDS = [field.attname for field in Profile._meta.concrete_fields]


class NobodyFound(Exception):
    """No profile fits; the message says what to do."""


@dataclass(frozen=True)
class Person:
    """Whose values are used. `values` are the columns of a profile; `properties` what a trigger would carry."""

    values: Mapping[str, Any]
    properties: Mapping[str, Any]
    title: str


@dataclass(frozen=True)
class Composed:
    """What rendering came to. `calls` says, a sentence each, what Connected Content did; `secrets` are to be hidden."""

    result: Request | Refusal
    secrets: tuple[str, ...] = ()
    has_sample_code: bool = False
    calls: tuple[str, ...] = ()


def random_person(again: str = "") -> Person:
    """Any profile, or the one with internal ID `again` if it still exists. Raises NobodyFound if there is none."""
    if again.isdigit() and (same := Profile.objects.filter(pk=int(again)).first()):
        return existing_person(same)
    start = random.randrange(BUCKETS)  # noqa: S311
    profile = (
        Profile.objects.filter(random_bucket__gte=start).order_by("random_bucket").first()
        or Profile.objects.order_by("random_bucket").first()
    )
    if profile is None:
        raise NobodyFound(_("There are no profiles yet. Use a custom user, or import some."))
    return existing_person(profile)


def find_person(text: str) -> Person:
    """The profile with this external ID, email or internal ID. Raises NobodyFound."""
    text = text.strip()
    profile = Profile.objects.filter(external_id=text).first() if text else None
    profile = profile or (Profile.objects.filter(email__iexact=text).order_by("-updated_at").first() if text else None)
    if profile is None:
        other_case = Profile.objects.filter(external_id__iexact=text).exists() if text else False
        hint = " " + _("External IDs are case-sensitive.") if other_case else ""
        raise NobodyFound(_("No profile has the external ID or email “%(text)s”.") % {"text": text} + hint)
    return existing_person(profile)


def existing_person(profile: Profile) -> Person:
    return Person({name: getattr(profile, name) for name in STANDARD_FIELDS}, {}, str(profile))


def custom_person(typed: Mapping[str, Any]) -> Person:
    """A made-up profile: standard fields by name, `properties` apart, everything else a custom attribute."""
    profile = Profile(id=0)
    values = {name: getattr(profile, name) for name in STANDARD_FIELDS}
    own = {key: value for key, value in typed.items() if key in values and key != "custom_attributes"}
    custom = {k: v for k, v in typed.items() if k not in values and k != "properties"} | typed.get(
        "custom_attributes", {}
    )
    return Person({**values, **own, "custom_attributes": custom}, typed.get("properties", {}), str(_("custom user")))


def compose(
    content: Content, overrides: Iterable[ContentOverride], person: Person, now: datetime, language: str | None = None
) -> Composed:
    """The request this webhook makes of this person, or why it makes none."""
    try:
        compiled = compile_content(content, overrides)
    except LiquidSyntaxProblem as problem:
        where = f" ({problem.line}:{problem.column})"
        return Composed(Refusal(Outcome.FAILED, "render_error", problem.message + where, LogKind.LIQUID_ERROR))
    data = _data(compiled, person, now)
    request = render(compiled, data, the_guard(), language or str(person.values["language"]))
    secrets = (*compiled.secrets, *data.secrets)
    if isinstance(request, Refusal):
        request = replace(request, text=shown_text(request.text, secrets))
    return Composed(request, secrets, bool(data.promotions), tuple(calls.said(data.calls, secrets)))


def _data(compiled: Compiled, person: Person, now: datetime) -> RenderData:
    """The person's values, with everything that exists, but sample promotion codes."""
    profile = int(person.values["id"] or 0)
    supply = Shelf(the_guard()).lay_out(compiled.needs, [profile], now)
    return RenderData(
        person.values,
        now=now,
        event_properties=person.properties,
        api_trigger_properties=person.properties,
        canvas_entry_properties=person.properties,
        context=person.properties,
        campaign={"name": _("(preview)"), "api_id": "", "dispatch_id": ""},
        services=supply.services(None, profile, compiled.translations),
    )


def test_send(
    content: Content, overrides: Iterable[ContentOverride], person: Person, now: datetime, workspace_key: Any
) -> MessageActivityLog:
    """Make the request once, at once, and keep the answer in the log. The saved row is returned."""
    composed = compose(content, overrides, person, now)
    request = composed.result
    message = _no_message(content, person, now)
    if isinstance(request, Refusal):
        attempt = Attempt(message, refusal=replace(request, outcome=request.outcome or Outcome.FAILED))
    else:
        signed = request.with_headers(
            [
                ("webhook-id", identity.webhook_id(workspace_key, random.getrandbits(62))),
                ("User-Agent", identity.USER_AGENT),
            ]
        )
        answer = send_once(signed)
        if (condition := condition_of(content)) and answer.is_received:
            answer = condition.judged(answer)
        attempt = Attempt(message, signed, answer, began_at=now, secrets=composed.secrets)
    row = activity.row(attempt, _final(rule(attempt, now, 0.5)), now, is_test=True)
    row.save()
    return row


def send_once(request: Request) -> Answer:
    """One request over connections of its own, bounded to the time a page may wait."""
    transport = Transport(
        TransportSettings(
            guard=the_guard(),
            body_kept=settings.RESPONSE_BYTES_KEPT,
            proxy=settings.WEBHOOK_PROXY,
            ca_file=trust.ca_file(),
        )
    )
    try:
        return transport.send_one(request, settings.TEST_SEND_TIMEOUT)
    finally:
        transport.close()


def _no_message(content: Content, person: Person, now: datetime) -> Claimed:
    return Claimed(0, 0, 0, content.pk or 0, int(person.values["id"] or 0), 0, 0, 0, now, 0, None, None)


def _final(ruling: Ruling) -> Ruling:
    """A test is never tried again, whatever the answer."""
    return ruling._replace(outcome=ruling.outcome or Outcome.FAILED)
