"""The optional second factor: codes from an authenticator app (TOTP, RFC 6238), and recovery codes for its loss.

django-otp holds the keys, refuses a code that was used, and makes wrong ones wait longer each time. A session says in
its own data whether it has passed; one that says nothing is asked for a code as soon as its person has a second factor.
"""

import secrets
from base64 import b32encode
from typing import Any

import segno
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from workspace.access import sessions

RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike
_STATE = "second_factor"
PASSED, NONE = "passed", "none"


def is_on(user: Any) -> bool:
    return TOTPDevice.objects.filter(user=user, confirmed=True).exists()


def note_sign_in(request: HttpRequest, user: User) -> None:
    """A session that needs no code says so from the start, so that no later request has to look."""
    request.session.pop(_STATE, None)
    if not is_on(user):
        request.session[_STATE] = NONE


def awaits_code(request: HttpRequest) -> bool:
    """Whether this session must still show the second factor."""
    if request.session.get(_STATE) in (PASSED, NONE):
        return False
    return is_on(request.user)


def has_passed(request: HttpRequest) -> bool:
    return bool(request.session.get(_STATE) == PASSED)


def begin(user: User) -> TOTPDevice:
    """An authenticator that counts only once `confirm` has seen a code of it; the same one until then."""
    device = TOTPDevice.objects.filter(user=user, confirmed=False).order_by("-pk").first()
    return device or TOTPDevice.objects.create(user=user, name="authenticator", confirmed=False)


@transaction.atomic
def confirm(request: HttpRequest, code: str) -> list[str] | None:
    """Switch the second factor on if the code fits, and return the recovery codes; None if it does not.

    Other sessions of this person end: whoever sits there has shown a password only.
    """
    user = request.user
    assert isinstance(user, User)
    device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).order_by("-pk").first()
    if device is None or not device.verify_token(_plain(code)):
        return None
    TOTPDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
    TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
    request.session[_STATE] = PASSED
    sessions.end(user, keep=request.session.session_key)
    return new_recovery_codes(user)


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Ten codes in place of those before. Each lets in once."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery codes")
    codes = ["".join(secrets.choice(_LETTERS) for _ in range(12)) for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    return [f"{code[:4]}-{code[4:8]}-{code[8:]}" for code in codes]


def codes_left(user: User) -> int:
    return StaticToken.objects.filter(device__user=user).count()


def passes(request: HttpRequest, code: str) -> bool:
    """Let the session in if the code is right: six digits from the app, or a recovery code."""
    code = _plain(code)
    kind = TOTPDevice if len(code) == 6 and code.isdecimal() else StaticDevice
    with transaction.atomic():
        device = kind.objects.select_for_update().filter(user=request.user, confirmed=True).first()
        is_right = device is not None and device.verify_token(code)
    if is_right:
        request.session.cycle_key()
        request.session[_STATE] = PASSED
    return is_right


def is_waiting(user: Any) -> bool:
    """Whether wrong codes were entered so lately that none is looked at now."""
    devices = [*TOTPDevice.objects.filter(user=user, confirmed=True), *StaticDevice.objects.filter(user=user)]
    return any(not device.verify_is_allowed()[0] for device in devices)


@transaction.atomic
def switch_off(user: User) -> bool:
    """Remove authenticator and recovery codes; whether there was one."""
    StaticDevice.objects.filter(user=user).delete()
    return bool(TOTPDevice.objects.filter(user=user).delete()[0])


def picture(device: TOTPDevice) -> str:
    """The QR code that an authenticator app reads, as an SVG data address: the page's policy allows no inline style."""
    return str(segno.make(device.config_url, micro=False).svg_data_uri(scale=5, border=2))


def key_in_words(device: TOTPDevice) -> str:
    """The key for typing it in: base32 in groups of four."""
    text = b32encode(device.bin_key).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").lower()
