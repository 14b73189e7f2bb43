"""A caller with a key, as clients of the API have it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from api import keys, permissions

NOBODY = "00000000-0000-4000-8000-000000000000"  # an identifier of nothing


class Caller:
    """Posts JSON and reads JSON. `last` is the answer as it came."""

    def __init__(self, token: str) -> None:
        self.client, self.token = Client(raise_request_exception=False), token

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def raw(self, path: str, body: Any, method: str = "POST", **headers: str) -> HttpResponse:
        return self.client.generic(
            method, path, body, content_type="application/json", headers=self.headers() | headers
        )

    def post(self, path: str, body: Any = None, status: int = 201, method: str = "POST", **headers: str) -> Any:
        """The parsed answer, which must have that status."""
        return self._read(self.raw(path, json.dumps({} if body is None else body), method, **headers), status)

    def get(self, path: str, query: Any = None, status: int = 200) -> Any:
        return self._read(self.client.get(path, query or {}, headers=self.headers()), status)

    def _read(self, response: HttpResponse, status: int) -> Any:
        self.last = response
        assert response.status_code == status, (response.status_code, response.content[:2000])
        assert response["Content-Type"].split(";")[0] == "application/json"
        found = json.loads(response.content)
        assert isinstance(found["message"], str)
        return found


def caller_with(*names: str, **values: Any) -> Caller:
    _key, text = keys.make("test", names or permissions.every(), **values)
    return Caller(text)


@pytest.fixture
def api(db: None) -> Iterator[Caller]:
    """A caller who may do everything."""
    return caller_with()


@pytest.fixture
def live_api(transactional_db: None, live_server: Any) -> tuple[str, str]:
    """The address of a running server, and a key for everything."""
    _key, text = keys.make("live", permissions.every())
    return live_server.url, text
