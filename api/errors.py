"""What ends a request early: each carries its status and what the answer says.

ApiError
├── BadRequest   400, with entries for single items where they can be named
├── InvalidKey   401
├── Forbidden    403
├── NotFound     404
├── TooLarge     413
└── RateLimited  429
"""

from collections.abc import Mapping, Sequence
from typing import Any


class ApiError(Exception):
    """The base. `message` and `errors` are the answer's fields of that name, `more` further ones."""

    status = 500
    message = "Internal Server Error"

    def __init__(
        self, message: str = "", *, errors: Sequence[Any] = (), status: int | None = None, **more: Any
    ) -> None:
        self.message = message or self.message
        self.errors, self.more = errors, more
        self.status = status or self.status
        super().__init__(self.message)

    @property
    def body(self) -> Mapping[str, Any]:
        found: dict[str, Any] = {"message": self.message, **self.more}
        return found | {"errors": list(self.errors)} if self.errors else found


class BadRequest(ApiError):
    status, message = 400, "Bad Request"


class InvalidKey(ApiError):
    status, message = 401, "Invalid API key"


class Forbidden(ApiError):
    status, message = 403, "Access Denied"


class NotFound(ApiError):
    status, message = 404, "Invalid URL"


class TooLarge(ApiError):
    status, message = 413, "Request Entity Too Large"


class RateLimited(ApiError):
    status, message = 429, "Rate Limited"

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after
