"""The bytes of a file: one document, or a list of them. The same documents give the same bytes.

Whatever is read was checked for what neither database can keep: depth, numbers, characters. Pure.
"""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import gettext as _

from workspace.files.errors import BadFile

Document = dict[str, Any]
VERSION = 1
MOST_BYTES = 2_000_000
MOST_DEPTH = 40
MOST_DOCUMENTS = 200
_LARGEST = 2**63 - 1


def write(documents: Sequence[Document]) -> bytes:
    """A file of one document, or of a list where there are several."""
    said = documents[0] if len(documents) == 1 else list(documents)
    text = json.dumps(said, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2, sort_keys=True)
    return f"{text}\n".encode()


def parse(data: bytes) -> list[tuple[str, Any]]:
    """The documents of a file, each with its place. Raises BadFile."""
    if len(data) > MOST_BYTES:
        raise BadFile([_("The file is larger than %d bytes.") % MOST_BYTES])
    try:
        found = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        where = {"line": error.lineno, "column": error.colno}
        raise BadFile([_("This is no JSON: line %(line)d, column %(column)d can't be read.") % where]) from error
    except UnicodeDecodeError as error:
        raise BadFile([_("This is no text in UTF-8.")]) from error
    except RecursionError as error:
        raise BadFile([_("It is nested too deeply.")]) from error
    except ValueError as error:  # a number of thousands of digits
        raise BadFile([_("A number is too large.")]) from error
    if faults := list(_faults(found, "")):
        raise BadFile(faults)
    documents = [(f"[{n}]", each) for n, each in enumerate(found)] if isinstance(found, list) else [("", found)]
    if not 0 < len(documents) <= MOST_DOCUMENTS:
        raise BadFile([_("A file holds from one to %d documents.") % MOST_DOCUMENTS])
    return documents


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise BadFile([_("“%s” is there twice.") % key[:100]])
        found[key] = value
    return found


def _constant(name: str) -> None:
    raise BadFile([_("%s is no JSON number.") % name])


def at(place: str, key: str | int) -> str:
    """The place of something inside: `variants[0].name`."""
    if isinstance(key, int):
        return f"{place}[{key}]"
    return f"{place}.{key}" if place and not place.endswith(" ") else f"{place}{key}"


def said(place: str, sentence: str) -> str:
    """A problem with its place."""
    return f"{place}: {sentence}" if place else sentence


def _faults(value: Any, place: str, depth: int = 0) -> Iterator[str]:
    if depth > MOST_DEPTH:
        yield said(place[:200], _("It is nested too deeply."))
        return
    match value:
        case dict():
            for key, inner in value.items():
                yield from _faults(key, place, MOST_DEPTH)
                yield from _faults(inner, at(place, key), depth + 1)
        case list():
            for n, inner in enumerate(value):
                yield from _faults(inner, at(place, n), depth + 1)
        case str() if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            yield said(place, _("A value holds a character that can't be stored."))
        case int() | float() if not math.isfinite(value) or abs(value) > _LARGEST:
            yield said(place, _("A number is too large."))
