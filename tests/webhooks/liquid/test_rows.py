"""Every construct of the dialect, as rows of template and outcome."""

from pathlib import Path

import pytest

from webhooks.liquid import Aborted, LiquidSyntaxProblem, Postponed, RenderProblem
from webhooks.liquid.check import check

from .world import SERVICES, world


def rows() -> list[tuple[str, str, str]]:
    """(name, template, outcome) of every line of rows.txt."""
    text = (Path(__file__).parent / "rows.txt").read_text("utf-8")
    lines = [line for line in text.split("\n") if line and not line.startswith("#")]
    found = []
    for line in lines:
        name, _, rest = line.partition("  ")
        template, _, outcome = rest.partition(" ==> ")
        found.append((name, _typed(template), _typed(outcome)))
    return found


def _typed(shown: str) -> str:
    return shown.replace("⏎", "\n").replace("␣", " ").replace("∅", "")


def outcome(template: str) -> str:
    """What comes of saving and then sending this, as the rows write it."""
    try:
        return check(template, SERVICES).render(world())
    except LiquidSyntaxProblem as problem:
        return f"!refused: {problem.message}"
    except RenderProblem as problem:
        return f"!error: {problem.message}"
    except Aborted as abort:
        return f"!abort: {abort.reason}"
    except Postponed:
        return "!retry"


@pytest.mark.parametrize(("name", "template", "expected"), rows(), ids=[row[0] for row in rows()])
def test_a_row_of_the_requirement(name: str, template: str, expected: str) -> None:
    got = outcome(template)
    kind, _, words = expected.partition(": ")
    if expected.startswith(("!refused", "!error")):
        assert got.startswith(kind), got
        assert words in got
    else:
        assert got == expected
