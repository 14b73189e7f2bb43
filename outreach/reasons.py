"""Why a message was not made or not sent, in words. The keys are those of the campaigns specification, section 8."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

REASONS = {
    "profile_not_found": gettext_lazy("the profile does not exist"),
    "not_in_audience": gettext_lazy("not in the audience"),
    "suppressed": gettext_lazy("on a suppression list"),
    "global_control": gettext_lazy("in the global control group"),
    "already_received": gettext_lazy("received it already"),
    "not_yet_reeligible": gettext_lazy("received it too recently"),
    "already_pending": gettext_lazy("a message is waiting already"),
    "outside_portion_of_day": gettext_lazy("outside the portion of the day"),
    "volume_limit": gettext_lazy("over the maximum number of recipients"),
    "outside_duration": gettext_lazy("after the end of the campaign"),
    "local_time_passed": gettext_lazy("more than an hour past that time there"),
    "held_for_winner": gettext_lazy("held back for the winner"),
    "control_group": gettext_lazy("in the control group"),
    "outreach_inactive": gettext_lazy("the campaign was stopped"),
    "late_72h": gettext_lazy("held up for more than 72 hours"),
    "rate_limited": gettext_lazy("waited too long for its place in the rate"),
    "exception_event": gettext_lazy("an exception event happened"),
    "no_longer_in_audience": gettext_lazy("no longer in the audience"),
    "not_subscribed": gettext_lazy("not subscribed"),
    "quiet_hours": gettext_lazy("in quiet hours"),
    "frequency_cap": gettext_lazy("frequency cap"),
    "liquid_abort": gettext_lazy("aborted by the message itself"),
    "render_error": gettext_lazy("error in Liquid"),
    "connected_content": gettext_lazy("Connected Content failed"),
    "bad_url": gettext_lazy("unusable address"),
    "unusable_request": gettext_lazy("unusable request"),
    "content_missing": gettext_lazy("the webhook was deleted"),
    "perhaps_sent": gettext_lazy("was perhaps sent before the database was restored"),
}


def in_words(reason: str) -> str:
    """The reason for people; one that is unknown here as it stands."""
    name, _colon, rule = reason.partition(":")
    words = str(REASONS.get(name, name.replace("_", " ")))
    return _("%(reason)s (rule %(rule)s)") % {"reason": words, "rule": rule} if rule else words
