"""What the editor asks for while somebody writes: names to insert, what is wrong so far, a curl command taken apart."""

import json
from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse

from webhooks import curl, lint, names, preview
from webhooks.models import LogKind, MessageActivityLog
from webhooks.preview import NobodyFound

EARLIER = 5  # tests shown


def offered(request: HttpRequest) -> HttpResponse:
    """Names, filters and tags; with the values of the asked profile, or of a random one, as samples."""
    _only_for_writers(request)
    asked = request.GET.get("as_id", "").strip()
    try:
        person = preview.find_person(asked) if asked else preview.random_person()
    except NobodyFound as nobody:
        return JsonResponse({**names.everything(), "person": "", "problem": str(nobody)})
    return JsonResponse({**names.everything(person.values), "person": person.title, "problem": ""})


def findings(request: HttpRequest) -> HttpResponse:
    """What is wrong in each of the texts sent (a JSON list of strings)."""
    _only_for_writers(request)
    try:
        texts = json.loads(request.body)
    except ValueError:
        texts = None
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return JsonResponse({"problem": "a list of texts is wanted"}, status=400)
    return JsonResponse({"findings": lint.of_texts(texts)})


def taken_apart(request: HttpRequest) -> HttpResponse:
    """A curl command as the composer's fields."""
    _only_for_writers(request)
    try:
        command = curl.read(request.POST.get("curl", ""))
    except curl.NotCurl as fault:
        return JsonResponse({"problem": str(fault)})
    return JsonResponse({"fields": curl.fields(command), "left_out": list(command.left_out)})


VIEWS: tuple[tuple[str, Callable[[HttpRequest], HttpResponse]], ...] = (
    ("names", offered),
    ("findings", findings),
    ("curl", taken_apart),
)


def earlier_tests(content_id: int) -> list[MessageActivityLog]:
    """The latest test sends of a webhook."""
    rows = MessageActivityLog.objects.filter(kind=LogKind.TEST_SEND, content_id=content_id)
    return list(rows.select_related("profile").order_by("-pk")[:EARLIER])


def _only_for_writers(request: HttpRequest) -> Any:
    if not request.user.has_perm("webhooks.view_content"):
        raise PermissionDenied
