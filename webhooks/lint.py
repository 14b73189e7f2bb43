"""What is wrong in a text while it is being written, with its place: the squiggles of the editor."""

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

from audience.models import Attribute
from webhooks.liquid import LiquidSyntaxProblem, undeclared
from webhooks.liquid.check import check
from webhooks.liquid.undeclared import Undeclared
from webhooks.services import known
from webhooks.warnings import CAMPAIGN_NAMES, CANVAS_NAMES

MOST = 200  # texts at once
LONGEST = 100_000  # characters


@dataclass(frozen=True, slots=True)
class Finding:
    """`line` and `column` count from 1; `length` is how many characters it is about; `level` is error or warning."""

    line: int
    column: int
    length: int
    text: str
    level: str
    where: str  # line and column in words


def of_texts(texts: Collection[str]) -> list[list[dict[str, Any]]]:
    """The findings of each text, in the same order."""
    attributes = set(Attribute.objects.values_list("name", flat=True)) if any("{" in text for text in texts) else set()
    return [[asdict(finding) for finding in of_text(text, attributes)] for text in list(texts)[:MOST]]


def of_text(text: str, attributes: Collection[str]) -> Iterator[Finding]:
    """The first syntax error, or every name that nobody sets. Nothing is fetched."""
    if "{" not in text or len(text) > LONGEST:
        return
    try:
        template = check(text, known())
    except LiquidSyntaxProblem as problem:
        yield _finding(problem.line, problem.column, 1, problem.message, "error")
        return
    spaces = {"custom_attribute": attributes, "campaign": CAMPAIGN_NAMES, "canvas": CANVAS_NAMES}
    for name in undeclared(template, spaces):
        yield _finding(name.line, name.column, len(name.name), _sentence(name), "warning")


def _finding(line: int, column: int, length: int, text: str, level: str) -> Finding:
    where = _("line %(line)d, column %(column)d") % {"line": line, "column": column}
    return Finding(line, column, length, text, level, where)


def _sentence(name: Undeclared) -> str:
    text = _("Nothing is called “%s”: it stays blank.") % name.name
    return f"{text} {_('Did you mean “%s”?') % name.meant}" if name.meant else text
