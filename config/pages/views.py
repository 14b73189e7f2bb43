"""Saved views: a list's search, filters and order under a name, for the person who saved it."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from workspace.models import SavedView

MOST = 50  # of one person on one list
PASSING = {"p", "_popup", "_to_field"}  # where one was, not what one looked at


def save(request: HttpRequest) -> HttpResponse:
    """Save or delete a view; POST only. Goes back to the list."""
    path = request.POST.get("path", "")
    is_ours = url_has_allowed_host_and_scheme(path, allowed_hosts=None) and path.startswith("/")
    if request.method != "POST" or not is_ours or len(path) > 200:
        raise PermissionDenied
    mine = SavedView.objects.filter(user=request.user.pk, path=path)
    if gone := request.POST.get("delete", ""):
        mine.filter(pk=int(gone) if gone.isdigit() else 0).delete()
        return HttpResponseRedirect(path)
    name, query = request.POST.get("name", "").strip()[:60], cleaned(request.POST.get("query", ""))
    if name and query and mine.count() < MOST:
        SavedView.objects.update_or_create(
            user_id=int(request.user.pk or 0), path=path, name=name, defaults={"query": query}
        )
    return HttpResponseRedirect(f"{path}?{query}" if query else path)


def cleaned(query: str) -> str:
    """The query without the page of the list; empty if it is too long to keep."""
    kept = urlencode([(key, value) for key, value in parse_qsl(query, keep_blank_values=True) if key not in PASSING])
    return kept if len(kept) <= 2_000 else ""


def of(request: HttpRequest) -> dict[str, Any]:
    """The views of this list, and what could be saved as a new one."""
    query = cleaned(request.META.get("QUERY_STRING", ""))
    views = list(SavedView.objects.filter(user=request.user.pk, path=request.path)) if request.user.pk else []
    return {"path": request.path, "query": query, "views": views, "shown": [v.pk for v in views if v.query == query]}
