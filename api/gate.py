"""What every request passes before its fields are looked at: key, address, permission, rate limit, size, JSON."""

import time

from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from api import body, keys, limits
from api.errors import Forbidden, InvalidKey, RateLimited
from api.models import ApiKey
from workspace.access.address import client_address


class BearerKey(HttpBearer):
    """Lets a call in whose key has `permission`; it counts towards `bucket`. The parsed body is `request.parsed`."""

    def __init__(self, permission: str, bucket: str = "other") -> None:
        super().__init__()
        self.permission, self.bucket = permission, bucket

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey:
        now = timezone.now()
        key = keys.find(token.strip(), now)
        if key is None:
            raise InvalidKey
        self._allow(request, key)
        take(request, self.bucket)
        keys.seen(key, now)
        request.parsed = body.read(request) if request.method not in ("GET", "HEAD") else {}  # type: ignore[attr-defined]
        request._body = b"{}"  # read; the parser hands out what was parsed
        return key

    def _allow(self, request: HttpRequest, key: ApiKey) -> None:
        problem = ""
        if not keys.may_come_from(key, client_address(request)):
            problem = "Invalid whitelisted IPs"
        elif self.permission not in key.permissions:
            problem = f"Access Denied: the key lacks the permission {self.permission}"
        if problem:
            _note(request, limits.peek(self.bucket, time.time()))
            raise Forbidden(problem)


def take(request: HttpRequest, bucket: str) -> None:
    """Count the call towards a bucket; the answer's headers tell how that stands. Raises RateLimited."""
    standing = limits.take(bucket, time.time())
    _note(request, standing)
    if standing and standing.is_refused:
        raise RateLimited(max(1, standing.reset - int(time.time())))


def _note(request: HttpRequest, standing: limits.Standing | None) -> None:
    request.standing = standing  # type: ignore[attr-defined]
