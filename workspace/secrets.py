"""Encryption at rest for credentials, secret headers, signing secrets and frozen requests (Fernet, keys rotate)."""

from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class UnreadableSecret(Exception):
    """A sealed value does not open with any key in `CREDENTIALS_KEY`; the message says what to do."""


@cache
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(plain: str) -> str:
    """Encrypt with the newest key; the result is ASCII text."""
    return seal_bytes(plain.encode()).decode("ascii")


def unseal(sealed: str) -> str:
    """Decrypt what `seal` made under any of the keys. Raises UnreadableSecret."""
    return unseal_bytes(sealed.encode("ascii")).decode()


def seal_bytes(plain: bytes) -> bytes:
    return _box(tuple(settings.CREDENTIALS_KEYS)).encrypt(plain)


def unseal_bytes(sealed: bytes) -> bytes:
    try:
        return _box(tuple(settings.CREDENTIALS_KEYS)).decrypt(bytes(sealed))
    except InvalidToken as error:
        raise UnreadableSecret(
            "A stored secret was encrypted with a key that CREDENTIALS_KEY no longer lists. Add that key back."
        ) from error


def reseal(sealed: str) -> str:
    """The same secret under the newest key. Raises UnreadableSecret."""
    return seal(unseal(sealed))


def reseal_bytes(sealed: bytes) -> bytes:
    return seal_bytes(unseal_bytes(sealed))
