"""Tries a raw JSON body with values that break JSON, before a profile brings one.

Every name that the body reads is given, one after the other, what people do have in their attributes: quotes,
backslashes, line breaks, emoji, nothing. Where the result stops being JSON, filters are tried until it holds.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product

from liquid.token import Token

from webhooks.liquid import Aborted, LiquidProblem, Postponed, Services, Template, parse
from webhooks.liquid.errors import position
from webhooks.liquid.samples import Place, Sample, sample, written

VALUES: Mapping[str, object] = {
    "a quote": 'say "hi"',
    "a backslash": "C:\\dir",
    "a line break": "one\ntwo",
    "an emoji": "😱",
    "empty text": "",
    "no value": None,
}
FILTERS = ("json_escape", "as_json_string")
NEVER_TEXT = frozenset({("", "random_bucket_number"), ("", "date_of_birth"), ("", "last_used_app_date")})
_MOST_OUTPUTS = 3  # of one value, for which every combination of filters is tried
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
Values = Mapping[Place, object]


@dataclass(frozen=True, slots=True)
class Broken:
    """A name whose value ends the JSON: `what` is a key of VALUES, `mended` the output as it holds, "" if none does.

    `line` and `column` are those of the first output in the template that prints it, 1 and 1 where none does by itself.
    """

    name: str
    what: str
    value: str
    mended: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """`is_json` with harmless values, and the error where it is none; then what breaks it."""

    is_json: bool
    error: str = ""
    broken: tuple[Broken, ...] = ()


def judge(
    source: str, *, never_text: frozenset[str] = frozenset(), services: Services | None = None, seconds: float = 1.0
) -> Verdict | None:
    """What becomes of this body under hostile values. None where it cannot be tried: it aborts, fetches or fails.

    `never_text` are custom attributes that hold numbers or booleans only; of them only a missing value is tried.
    `seconds` of trying at most; what is left then is not looked at. Raises LiquidSyntaxProblem.
    """
    template = parse(source)
    found = sample(template)
    usual = _harmless(template, found, services)
    if usual is None:
        text = _text(template, found, {}, services)
        return None if text is None else Verdict(False, _error(text) or "")
    ends = time.perf_counter() + seconds
    broken = []
    for place in found.places:
        if time.perf_counter() > ends:
            break
        values = _values(place, never_text)
        if what := _first_break(template, found, usual, place, values, services):
            broken.append(_mended(source, found, usual, place, what, values, services))
    return Verdict(True, broken=tuple(broken))


def _harmless(template: Template, found: Sample, services: Services | None) -> Values | None:
    """Values under which the body is JSON: those it compares with, else the usual one. None where there are none."""
    for values in (found.compared, {}):
        text = _text(template, found, values, services)
        if text is not None and not _error(text):
            return values
    return None


def _values(place: Place, never_text: frozenset[str]) -> Mapping[str, object]:
    if place[0] == "subscribed_state":
        return {}  # one of a few words of ours
    is_number = place in NEVER_TEXT or (place[0] == "custom_attribute" and place[1:] in {(n,) for n in never_text})
    return {"no value": None} if is_number else VALUES


def _first_break(
    template: Template,
    found: Sample,
    usual: Values,
    place: Place,
    values: Mapping[str, object],
    services: Services | None,
) -> str | None:
    for what, value in values.items():
        text = _text(template, found, {**usual, place: value}, services)
        if text is not None and _error(text):
            return what
    return None


def _mended(
    source: str,
    found: Sample,
    usual: Values,
    place: Place,
    what: str,
    values: Mapping[str, object],
    services: Services | None,
) -> Broken:
    """The finding, with the filters under which every value passes."""
    tokens = found.outputs.get(place, ())
    said = Broken(written(place), what, str(values[what] or ""), "")
    if not tokens:
        return said
    line, column = position(source, tokens[0].start_index)
    for filters in _choices(len(tokens)):
        try:
            template = parse(_with_filters(source, tokens, filters))
        except LiquidProblem:
            continue
        if not _first_break(template, found, usual, place, values, services):
            return Broken(said.name, what, said.value, _filtered(tokens[0].value, filters[0]), line, column)
    return Broken(said.name, what, said.value, "", line, column)


def _choices(count: int) -> Iterator[Sequence[str]]:
    if count > _MOST_OUTPUTS:
        yield from ([name] * count for name in FILTERS)
    else:
        yield from product(FILTERS, repeat=count)


def _with_filters(source: str, tokens: Sequence[Token], filters: Sequence[str]) -> str:
    """The source with one more filter in each of these outputs."""
    for token, name in sorted(zip(tokens, filters, strict=True), key=lambda pair: -pair[0].start_index):
        start, end = token.start_index, token.start_index + len(token.value)
        source = source[:start] + _filtered(token.value, name) + source[end:]
    return source


def _filtered(output: str, name: str) -> str:
    """`{{ x }}` -> `{{ x | name }}`."""
    end = "-}}" if output.endswith("-}}") else "}}"
    inside = output.removesuffix(end)
    space = " " if inside.endswith(" ") else ""
    return f"{inside.rstrip()} | {name}{space}{end}"


def _text(template: Template, found: Sample, values: Values, services: Services | None) -> str | None:
    """The body with these values, or None where there is none."""
    try:
        return template.render(found.data(values, now=_NOW, services=services))
    except (Aborted, Postponed, LiquidProblem):
        return None


def _error(text: str) -> str | None:
    """Why this is no JSON, or None."""
    try:
        json.loads(text.strip())
    except ValueError as error:
        return str(error)
    except RecursionError:
        return "nested too deeply"
    return None
