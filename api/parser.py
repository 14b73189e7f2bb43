"""Hands django-ninja what the gate parsed, and reads queries the ways clients write them."""

import re
from typing import Any

from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from ninja.parser import Parser

from audience.ingest.values import storable_text

_LIST = re.compile(r"(.+?)\[\d*\]")


class Lenient(Parser):
    """`name=a&name=b`, `name[]=a&name[]=b` and `name[0]=a` are the same list; a blank value counts as absent."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        parsed: dict[str, Any] = request.parsed  # type: ignore[attr-defined]
        return parsed

    def parse_querydict(
        self, data: "MultiValueDict[str, Any]", list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key in data:
            values = [storable_text(str(value)) for value in data.getlist(key) if value != ""]
            form = _LIST.fullmatch(key)
            name = form[1] if form and form[1] in list_fields else key
            if name in list_fields:
                found.setdefault(name, []).extend(values)
            elif values:
                found[name] = values[-1]
        return found
