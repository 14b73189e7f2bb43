"""Gathers every text that goes through gettext, and keeps a language's catalogue beside it.

Babel reads Python and writes both file formats; Django turns its own templates into something Babel can read. So the
gettext tools, which a fresh machine does not have, are not needed.
"""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import unfold
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

APPS = ("api", "audience", "campaigns", "canvas", "config", "outreach", "webhooks", "workspace")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
UNFOLD = Path(unfold.__file__).parent
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]")
Found = tuple[Any, str, int, str | None]  # text (with its plural), file, line, context


def path_of(language: str) -> Path:
    return Path(settings.BASE_DIR) / "locale" / language / "LC_MESSAGES" / "django.po"


def found() -> Iterator[Found]:
    """Every text in code and templates, tests and migrations aside."""
    root = Path(settings.BASE_DIR)
    for app in APPS:
        for file in sorted((root / app).rglob("*.py")):
            if "migrations" not in file.parts:
                yield from _texts(file.read_bytes(), str(file.relative_to(root)))
    yield from _templates(root / "templates", root)
    for file in sorted(UNFOLD.rglob("*.py")):  # it brings no Korean of its own
        yield from _texts(file.read_bytes(), str(file.relative_to(UNFOLD.parent)))
    yield from _templates(UNFOLD / "templates", UNFOLD.parent)


def _templates(folder: Path, root: Path) -> Iterator[Found]:
    for file in sorted(folder.rglob("*.html")):
        lines = templatize(file.read_text(), origin=str(file)).splitlines()
        source = "\n".join(line.lstrip() for line in lines)  # indents that Python would take for blocks
        yield from _texts(source.encode(), str(file.relative_to(root)))


def _texts(source: bytes, name: str) -> Iterator[Found]:
    for line, text, _comments, context in extract("python", BytesIO(source), keywords=KEYWORDS, options={}):
        if text and text != "":
            yield text, name, line, context


def template() -> Catalog:
    """All texts, without translations."""
    catalog = Catalog(charset="utf-8", project="Hookline", fuzzy=False)
    for text, name, _line, context in found():
        known = catalog.get(_key(text), context)
        if known is None or isinstance(known.id, type(text)):  # one text can't have a plural here and none there
            catalog.add(text, locations=[(name, 0)], context=context)
    return catalog


def read(language: str) -> Catalog:
    """The language's catalogue as it is kept; an empty one if there is none."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language, charset="utf-8", project="Hookline", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def missing(language: str) -> list[Any]:
    """The texts that have no translation, or whose translation lacks a placeholder or has one too many."""
    kept = read(language)
    return [
        message.id
        for message in template()
        if message.id and not _is_translated(kept.get(_key(message.id), message.context), message)
    ]


def _key(text: Any) -> Any:
    return text[0] if isinstance(text, tuple) else text


def _is_translated(kept: Any, message: Any) -> bool:
    """Whether there is a text with the same placeholders; of two forms, those of the plural."""
    if kept is None or kept.fuzzy:
        return False
    source = message.id[-1] if isinstance(message.id, tuple) else message.id
    texts = kept.string if isinstance(kept.string, tuple | list) else (kept.string,)
    return all(text and sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(source)) for text in texts)


def update(language: str) -> Catalog:
    """Bring the catalogue up to date with the texts, save it, and compile it."""
    kept, catalog = read(language), template()
    kept.update(catalog, no_fuzzy_matching=True)
    kept.obsolete.clear()
    save(language, kept)
    return kept


def save(language: str, catalog: Catalog) -> None:
    """Write both files; without dates and line numbers, so that only changed texts make a difference."""
    path = path_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = BytesIO()
    write_po(buffer, catalog, width=120, sort_output=True, include_lineno=False, omit_header=False)
    lines = [line for line in buffer.getvalue().decode().splitlines() if not line.startswith(('"POT-', '"PO-Rev'))]
    path.write_text("\n".join(lines).rstrip() + "\n")
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, read(language))
