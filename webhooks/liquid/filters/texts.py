"""Filters over text. Every value is turned to text first, so nil is ''."""

import html
import re

from webhooks.liquid.limits import LIMITS, too_long
from webhooks.liquid.values import exact, items, text

from .registry import register

_ENTITY = re.compile(r"&(?!(?:[a-zA-Z][a-zA-Z0-9]*|#\d+|#[xX][0-9a-fA-F]+);)")
_HIDING = re.compile(r"<(script|style)\b|<!--", re.IGNORECASE)
_HIDDEN_ENDS = {
    "script": re.compile(r"</script\s*>", re.IGNORECASE),
    "style": re.compile(r"</style\s*>", re.IGNORECASE),
    "": re.compile("-->"),
}
_MARKUP = re.compile(r"<[^<>]*>", re.DOTALL)
_BREAKS = re.compile(r"\r?\n")


@register("append")
def append(value: object, tail: object) -> str:
    return text(value) + text(tail)


@register("prepend")
def prepend(value: object, head: object) -> str:
    return text(head) + text(value)


@register("upcase")
def upcase(value: object) -> str:
    return text(value).upper()


@register("downcase")
def downcase(value: object) -> str:
    return text(value).lower()


@register("capitalize")
def capitalize(value: object) -> str:
    return text(value).capitalize()


@register("strip")
def strip(value: object) -> str:
    return text(value).strip()


@register("lstrip")
def lstrip(value: object) -> str:
    return text(value).lstrip()


@register("rstrip")
def rstrip(value: object) -> str:
    return text(value).rstrip()


@register("strip_html")
def strip_html(value: object) -> str:
    """Scripts, styles and comments go with what they hold, other markup without it."""
    return _MARKUP.sub("", _without_hidden(text(value)))


def _without_hidden(source: str) -> str:
    """In linear time: once a kind has no end, later starts of that kind are not looked at."""
    kept, at, look, ended = [], 0, 0, set(_HIDDEN_ENDS)
    while opening := _HIDING.search(source, look):
        kind, look = (opening.group(1) or "").lower(), opening.end()
        closing = _HIDDEN_ENDS[kind].search(source, look) if kind in ended else None
        if closing:
            kept.append(source[at : opening.start()])
            at = look = closing.end()
        else:
            ended.discard(kind)
    return "".join(kept) + source[at:]


@register("strip_newlines")
def strip_newlines(value: object) -> str:
    return _BREAKS.sub("", text(value))


@register("newline_to_br")
def newline_to_br(value: object) -> str:
    return _BREAKS.sub("<br />\n", text(value))


@register("escape")
def escape(value: object) -> str:
    return html.escape(text(value), quote=False).replace('"', "&quot;").replace("'", "&#39;")


@register("escape_once")
def escape_once(value: object) -> str:
    source = _ENTITY.sub("&amp;", text(value))
    for character, entity in (("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        source = source.replace(character, entity)
    return source


@register("replace")
def replace(value: object, old: object, new: object = "") -> str:
    source, old, new = text(value), text(old), text(new)
    if len(source) + source.count(old) * (len(new) - len(old)) > LIMITS.value:
        raise too_long("the text that 'replace' makes", LIMITS.value)
    return source.replace(old, new)


@register("replace_first")
def replace_first(value: object, old: object, new: object = "") -> str:
    return text(value).replace(text(old), text(new), 1)


@register("remove")
def remove(value: object, part: object) -> str:
    return text(value).replace(text(part), "")


@register("remove_first")
def remove_first(value: object, part: object) -> str:
    return text(value).replace(text(part), "", 1)


@register("slice")
def slice_(value: object, start: object, length: object = 1) -> object:
    """A part of a text or list; a negative start counts from the end."""
    whole = items(value) if isinstance(value, list | range) else text(value)
    at, count = int(exact(start)), max(0, int(exact(length)))
    if at < 0:
        at += len(whole)
    return whole[at : at + count] if at >= 0 else whole[:0]


@register("split")
def split(value: object, separator: object) -> list[str]:
    """Parts of a text; empty ones at the end are dropped, and an empty separator gives the characters."""
    source, between = text(value), text(separator)
    if (source.count(between) if between else len(source)) > LIMITS.items:
        raise too_long("the list that 'split' makes", LIMITS.items)
    if not between:
        return list(source)
    parts = source.split() if between == " " else source.split(between)
    while parts and not parts[-1]:
        parts.pop()
    return parts


@register("truncate")
def truncate(value: object, length: object = 50, tail: object = "...") -> str:
    """The text cut to `length` characters, the tail among them."""
    source, end, most = text(value), text(tail), int(exact(length))
    if len(source) <= most:
        return source
    return source[: max(0, most - len(end))] + end


@register("truncatewords")
def truncatewords(value: object, count: object = 15, tail: object = "...") -> str:
    """The first words; the tail only where words were cut."""
    source, most = text(value), max(1, int(exact(count)))
    words = source.split(maxsplit=min(most, LIMITS.items))
    return " ".join(words[:most]) + text(tail) if len(words) > most else source


@register("size")
def size(value: object) -> int:
    return len(value) if isinstance(value, str | list | tuple | dict | range) else 0


@register("default")
def default(value: object, instead: object = "", *, allow_false: object = False) -> object:
    """The value, or `instead` where it is nil, false, '', or an empty list or object."""
    if value is False:
        return value if allow_false is True else instead
    return instead if value is None or value == "" or value in ([], {}) else value
