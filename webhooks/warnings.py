"""Says what in a composed webhook can be sent but is probably not meant. It keeps nobody from saving.

Names are looked up among the attributes that profiles have; raw JSON is tried with hostile values.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from django.utils import timezone
from django.utils.translation import gettext as _

from audience.models import Attribute
from webhooks.compiled import header_value
from webhooks.compose import the_guard
from webhooks.content_check import Problem
from webhooks.hostile import Broken, judge
from webhooks.liquid import LiquidSyntaxProblem, Services, Template, parse, undeclared
from webhooks.liquid.advice import Advice, Kind, advice
from webhooks.liquid.suggest import near
from webhooks.liquid.undeclared import Undeclared
from webhooks.models import BodyKind, Content, ContentOverride, Method
from webhooks.services import Needs, Shelf

CAMPAIGN_NAMES = frozenset({"name", "api_id", "dispatch_id", "message_name", "message_api_id"})
CANVAS_NAMES = frozenset({"name", "api_id", "variant_name", "variant_api_id"})
_LOOKS_LIKE_JSON = re.compile(r"(?:\s|\{%.*?%\}|\{\{.*?\}\})*(?:\{(?![{%(])|\[)", re.DOTALL)
NEVER_TEXT = (Attribute.Type.NUMBER, Attribute.Type.BOOLEAN)


def warnings(
    content: Content, overrides: Iterable[ContentOverride] | None = None, types: Mapping[str, str] | None = None
) -> list[Problem]:
    """Everything worth a second look, in the order of the page. One query for the known attributes without `types`."""
    types = dict(Attribute.objects.values_list("name", "type")) if types is None else types
    found = [*_of_headers(content, types), *_of_wording(content, content, types)]
    for override in content.overrides.all() if overrides is None else overrides:
        for problem in _of_wording(content, override, types):
            found.append(Problem(problem.field, problem.text, override.language))
    return list(dict.fromkeys(found))


def _of_headers(content: Content, types: Mapping[str, str]) -> Iterator[Problem]:
    for line in content.headers:
        name = _("header %(name)s") % {"name": line.get("name", "")}
        yield from _of_text("headers", name, header_value(line), types)


def _of_wording(content: Content, wording: Content | ContentOverride, types: Mapping[str, str]) -> Iterator[Problem]:
    yield from _of_text("url", _("Webhook URL"), wording.url, types, is_url=True)
    if content.method == Method.GET:
        return
    if content.body_kind == BodyKind.PAIRS:
        for pair in wording.pairs:
            yield from _of_text("pairs", str(pair.get("key", "")), str(pair.get("value", "")), types, is_pair=True)
    elif wording.raw_body.strip():
        yield from _of_text("raw_body", _("Raw text"), wording.raw_body, types)
        yield from _of_json(content, wording.raw_body, types)


def _of_text(
    field: str, name: str, source: str, types: Collection[str], *, is_url: bool = False, is_pair: bool = False
) -> Iterator[Problem]:
    template = _parsed(source)
    if template is None:
        return
    known = {"custom_attribute": set(types), "campaign": CAMPAIGN_NAMES, "canvas": CANVAS_NAMES}
    said = [(u.line, u.column, _undeclared(u, types)) for u in undeclared(template, known)]
    said += [(a.line, a.column, _advice(a)) for a in advice(template, is_url=is_url, is_pair=is_pair)]
    for line, column, sentence in sorted(said):
        place = _("%(name)s, line %(line)s, column %(column)s") % {"name": name, "line": line, "column": column}
        yield Problem(field, f"{place}: {sentence}")


def _parsed(source: str) -> Template | None:
    """The template, or None: a syntax error is not ours to show."""
    try:
        return parse(source)
    except LiquidSyntaxProblem:
        return None


def _undeclared(found: Undeclared, types: Collection[str]) -> str:
    named = {"name": found.name, "meant": found.meant}
    match found.namespace:
        case None:
            sentence = _("nothing sets the variable %(name)s, so it is blank.") % named
            if found.meant and found.meant == found.name:
                return f"{sentence} " + _("Was {{${%(name)s}}} meant?") % named
        case "":
            sentence = _("there is no attribute ${%(name)s}, so it is blank.") % named
            if not found.meant and (found.name in types or near(found.name, types)):
                return f"{sentence} " + _("Was custom_attribute.${%(name)s} meant?") % (
                    named if found.name in types else {"name": near(found.name, types)}
                )
        case "custom_attribute":
            sentence = _("no profile has had the custom attribute “%(name)s” yet, so it is blank.") % named
        case namespace:
            sentence = _("%(namespace)s has no “%(name)s”, so it is blank.") % (named | {"namespace": namespace})
    return f"{sentence} " + _("Did you mean “%(meant)s”?") % named if found.meant else sentence


def _advice(found: Advice) -> str:
    return _SENTENCES[found.kind]() % {"name": found.name}


_SENTENCES = {
    Kind.NO_DEFAULT: lambda: _(
        "%(name)s may be missing, and then the address is another one. Add “| default: '…'”, or abort when it is blank."
    ),
    Kind.NOT_ESCAPED: lambda: _(
        "%(name)s goes into the address as it is; a space, & or # in it changes the call. Add “| url_param_escape”."
    ),
    Kind.SHADOWS: lambda: _(
        "the variable %(name)s is named like an attribute; {{%(name)s}} and {{${%(name)s}}} are not the same."
    ),
    Kind.BARE_ATTRIBUTE: lambda: _("%(name)s stands here as plain text. Was {{%(name)s}} meant?"),
    Kind.ALMOST_LIQUID: lambda: _("“%(name)s” is plain text. Liquid starts with {{ or {%%."),
    Kind.LIQUID_IN_REASON: lambda: _("Liquid in an abort reason is not run; it is logged as it stands: %(name)s"),
    Kind.LIQUID_IN_COMMENT: lambda: _(
        "Liquid in an HTML comment runs, and the comment is sent. {%% comment %%} leaves it out."
    ),
    Kind.ALWAYS_BLANK: lambda: _("%(name)s belongs to another channel or to an app; in a webhook it is always blank."),
    Kind.ESCAPED_TWICE: lambda: _("%(name)s is not needed in key–value pairs; they are always valid JSON."),
}


def _of_json(content: Content, source: str, types: Mapping[str, str]) -> Iterator[Problem]:
    """What breaks a raw JSON body, and how to mend it."""
    template = _parsed(source)
    if template is None or not _is_meant_as_json(content, source):
        return
    never_text = frozenset(name for name, type in types.items() if type in NEVER_TEXT)
    verdict = judge(source, never_text=never_text, services=_at_hand(template, content))
    if verdict is None:
        return
    if not verdict.is_json:
        yield Problem("raw_body", _("Raw text does not parse as JSON: %(error)s") % {"error": verdict.error})
    for broken in verdict.broken:
        yield Problem("raw_body", _broken(broken))


def _at_hand(template: Template, content: Content) -> Services:
    """What exists, with sample codes; nothing is fetched."""
    supply = Shelf(the_guard()).lay_out(Needs.of([template]), (), timezone.now())
    return replace(supply.services(None, 0, content.translations or {}), connected_content=None)


def _is_meant_as_json(content: Content, source: str) -> bool:
    declared = [header_value(h) for h in content.headers if h.get("name", "").lower() == "content-type"]
    return "json" in declared[0].lower() if declared else bool(_LOOKS_LIKE_JSON.match(source))


def _broken(found: Broken) -> str:
    shown = {"name": found.name, "value": found.value.replace("\n", "⏎"), "mended": found.mended}
    if found.value:
        sentence = _("Raw text stops being JSON where %(name)s is “%(value)s”.") % shown
    else:
        sentence = _("Raw text stops being JSON where %(name)s is missing.") % shown
    place = _("line %(line)s, column %(column)s") % {"line": found.line, "column": found.column}
    return f"{sentence} " + (_("Write %(mended)s (%(place)s).") % (shown | {"place": place}) if found.mended else place)
