"""What a status means and what to try, in words, to show beside a row of the log (webhooks specification, 16.6)."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise


@dataclass(frozen=True)
class Help:
    """`meaning` in a few words; `advice` is what to look at or change."""

    meaning: Words
    advice: Words


_SLOWER = _("Lower the speed limit of the campaign or Canvas. It is tried again by itself.")
_BUSY = _("Wait, or lower the speed limit of the campaign or Canvas. It is tried again by itself.")
_BY_STATUS = {
    400: Help(
        _("the endpoint could not read the request"),
        _(
            "Compare syntax and required fields with the endpoint's documentation. Look for Liquid that came out blank "
            "or broke the JSON."
        ),
    ),
    401: Help(_("not authenticated"), _("Check that the key or token is there, is the right one and has not expired.")),
    403: Help(_("understood, but not allowed"), _("Check what the key may do.")),
    404: Help(_("there is nothing at this address"), _("Look for a typing error in the URL.")),
    405: Help(_("the endpoint does not take this method there"), _("Choose another HTTP method.")),
    408: Help(_("the endpoint gave up waiting"), _("Ask how fast it is. It is tried again by itself.")),
    409: Help(_("it conflicts with what the endpoint has already"), _("Often it has had this message before.")),
    410: Help(_("the address is gone for good"), _("Stop the campaign, or put the new address into the URL.")),
    422: Help(_("the endpoint refuses the values"), _("Preview as this profile and look for missing or odd values.")),
    429: Help(_("too many requests"), _SLOWER),
    500: Help(_("an unexpected error"), _("Look at the endpoint's status page. It is tried again by itself.")),
    502: Help(_("a server behind the endpoint answered badly"), _BUSY),
    503: Help(_("overloaded, or in maintenance"), _BUSY),
    504: Help(_("a server behind the endpoint answered too late"), _BUSY),
    529: Help(_("the endpoint is overloaded"), _BUSY),
    598: Help(_("we make no requests to this host just now"), _("It failed too often: see the page Hosts.")),
    599: Help(
        _("no connection, or no complete answer"),
        _("Check the host's name, its firewall and certificate, and whether it lets our addresses in."),
    ),
}
_REDIRECT = Help(
    _("the endpoint points elsewhere"), _("Redirects are not followed: put the final address into the URL.")
)
_BAD_REQUEST = Help(_("the endpoint refuses the request"), _("Read its answer below."))
_BROKEN = Help(_("the endpoint failed"), _("It is tried again by itself."))
_UNMET = Help(_("it answered well, but not what you ask for"), _("Look at the webhook's rule under Answer."))


def of_status(status: int | None) -> Help | None:
    """The help for a status; None where there is nothing to say."""
    if status is None or status < 200:
        return None
    if status < 300:
        return _UNMET
    kind = {3: _REDIRECT, 4: _BAD_REQUEST, 5: _BROKEN}.get(status // 100)
    return _BY_STATUS.get(status, kind)
