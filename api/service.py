"""The API as a whole: its endpoints, what faults look like, and the addresses it stands at."""

import functools
import logging
import uuid
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import Resolver404, URLPattern, re_path, resolve
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from api import endpoints
from api.errors import ApiError, BadRequest, InvalidKey, NotFound, RateLimited
from api.parser import Lenient

logger = logging.getLogger(__name__)

api = NinjaAPI(
    title="Hookline",
    version="1.0",
    description="Data about people goes in, campaigns and Canvases are set off, and results come out.",
    urls_namespace="rest",
    docs_url="/api/docs",
    openapi_url="/api/openapi.json",
    parser=Lenient(),
)
for router in endpoints.ROUTERS:
    api.add_router("", router)


# --- faults


@api.exception_handler(ApiError)
def _told(request: HttpRequest, error: ApiError) -> HttpResponse:
    response = JsonResponse(error.body, status=error.status)
    if isinstance(error, RateLimited):
        response["Retry-After"] = str(error.retry_after)
    return response


@api.exception_handler(AuthenticationError)
def _no_key(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return _told(request, InvalidKey())


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    return JsonResponse({"message": error.message}, status=error.status_code)


@api.exception_handler(ValidationError)
def _wrong_field(request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0]
    place = [str(part) for part in first["loc"] if part not in ("body", "query", "path", "data", "params")]
    reason = str(first["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return _told(request, BadRequest(f"Bad Request: '{'.'.join(place)}' {reason[:1].lower()}{reason[1:]}"))


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
def _away(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("path=%s database is away (%s)", request.path, type(error).__name__)
    return JsonResponse({"message": "Service Unavailable"}, status=503)


@api.exception_handler(Exception)
def _our_fault(request: HttpRequest, error: Exception) -> HttpResponse:
    request_id = uuid.uuid4().hex
    logger.error("request_id=%s path=%s", request_id, request.path, exc_info=error)
    return JsonResponse({"message": "Internal Server Error", "request_id": request_id}, status=500)


# --- addresses

View = Callable[..., HttpResponseBase]


def _answered(view: View) -> View:
    """The view with JSON for a wrong method, and the headers that tell how the rate limit stands."""

    @csrf_exempt
    @functools.wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if response.status_code == 405:
            allowed = response.headers.get("Allow", "")
            response = JsonResponse({"message": "Method Not Allowed"}, status=405, headers={"Allow": allowed})
        if standing := getattr(request, "standing", None):
            response["X-RateLimit-Limit"] = str(standing.limit)
            response["X-RateLimit-Remaining"] = str(standing.remaining)
            response["X-RateLimit-Reset"] = str(standing.reset)
        return response

    return answer


@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponseBase:
    """An API path with a slash too many is answered like the plain one; anything else is no address."""
    plain = "/" + request.path_info.strip("/")
    if plain not in (request.path_info, "/"):
        try:
            found = resolve(plain, "api.addresses")
        except Resolver404:
            pass
        else:
            return found.func(request, *found.args, **found.kwargs)
    return _told(request, NotFound())


def patterns() -> list[Any]:
    """The API's addresses, at the root of the host."""
    found, _app, _namespace = api.urls
    for pattern in found:
        if isinstance(pattern, URLPattern):
            pattern.callback = _answered(pattern.callback)
    return [*found]


OURS = r"^(?!admin(?:/|$)|static/|health/|metrics$)"
catch_all = re_path(OURS, unknown)
