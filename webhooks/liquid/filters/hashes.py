"""Digests and signatures over UTF-8. Nil stays nil, never the digest of nothing; a signature needs a key."""

import base64
import hashlib
import hmac
from collections.abc import Callable

from webhooks.liquid.errors import Fault
from webhooks.liquid.values import text

from .registry import register


def _hashed(algorithm: str) -> Callable[[object], str | None]:
    def digest(value: object) -> str | None:
        return None if value is None else hashlib.new(algorithm, _bytes(value), usedforsecurity=False).hexdigest()

    return digest


def _signed(algorithm: str, write: Callable[[bytes], str]) -> Callable[[object, object], str | None]:
    def sign(value: object, key: object) -> str | None:
        if key is None:
            raise Fault("the secret key of this signature is missing")
        return None if value is None else write(hmac.digest(_bytes(key), _bytes(value), algorithm))

    return sign


def _bytes(value: object) -> bytes:
    return text(value).encode("utf-8", "replace")


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


register("md5")(_hashed("md5"))
register("sha1")(_hashed("sha1"))
register("sha2", "sha256")(_hashed("sha256"))
register("sha512")(_hashed("sha512"))
register("hmac_sha1_hex", "hmac_sha1")(_signed("sha1", bytes.hex))
register("hmac_sha256_hex", "hmac_sha256")(_signed("sha256", bytes.hex))
register("hmac_sha512")(_signed("sha512", bytes.hex))
register("hmac_sha1_base64")(_signed("sha1", _base64))
register("hmac_sha256_base64")(_signed("sha256", _base64))
