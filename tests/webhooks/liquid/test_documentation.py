"""docs/liquid.md is true: each of its examples is run, and it names every filter and tag."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from webhooks.liquid import Aborted, LiquidSyntaxProblem, RenderData, RenderProblem, Services
from webhooks.liquid.check import check
from webhooks.liquid.context import STANDARD_ATTRIBUTES
from webhooks.liquid.filters import FILTERS
from webhooks.liquid.tags import FETCHING, TAGS

from .world import NOW, catalog_items, catalog_selection, server

PAGE = (Path(__file__).parents[3] / "docs" / "liquid.md").read_text("utf-8")
GIVEN = json.loads(re.findall(r"```json world\n(.*?)```", PAGE, re.DOTALL)[0])
BLOCKS = re.findall(r"```liquid\n(.*?)\n```\n```(result|aborted|refused|failed)\n(.*?)\n?```", PAGE, re.DOTALL)
_CELL = re.compile(r"(?<!\\)\|")
SERVICES = Services(
    content_block={"footer": "Sent by {{ brand | default: 'ACME' }}"}.get,
    connected_content=server,
    catalog_items=catalog_items,
    catalog_selection=catalog_selection,
    promotion={"spring": "SPR-1"}.get,
    translation=lambda id, language: {("greeting", "de"): "Hallo {{${first_name}}}!"}.get((id, language)),
)


def data() -> RenderData:
    profile = {STANDARD_ATTRIBUTES[name]: value for name, value in GIVEN["profile"].items()}
    profile |= {"date_of_birth": date.fromisoformat(profile["date_of_birth"])}
    wholes = {name: GIVEN[name] for name in ("event_properties", "context", "campaign")}
    return RenderData(profile | {"custom_attributes": GIVEN["custom_attribute"]}, now=NOW, services=SERVICES, **wholes)


def outcome(template: str) -> tuple[str, str]:
    try:
        return "result", check(template, SERVICES).render(data())
    except LiquidSyntaxProblem as problem:
        return "refused", problem.message
    except RenderProblem as problem:
        return "failed", problem.message
    except Aborted as abort:
        return "aborted", abort.reason


def rows(*columns: int) -> list[tuple[str, ...]]:
    """These cells, counted from 0, of every table row that has that many cells and code in the first of them."""
    found = []
    for line in PAGE.splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in _CELL.split(line)[1:-1]]
        if len(cells) == columns[-1] + 1 and cells[columns[0]].startswith("`"):
            found.append(tuple(cells[column] for column in columns))
    return found


def code(cell: str) -> str:
    return cell.removeprefix("`").removesuffix("`")


VALUES = [(code(value), code(printed)) for value, printed in rows(0, 1) if value.startswith("`{{")]
EXAMPLES = [(code(example), code(result)) for example, result in rows(1, 2)]
CONDITIONS = [(code(test), holds) for test, holds in rows(0, 1) if holds.split(":")[0] in ("yes", "no")]


@pytest.mark.parametrize(("template", "kind", "expected"), BLOCKS)
def test_an_example_does_what_the_page_says(template: str, kind: str, expected: str) -> None:
    got = outcome(template)
    assert got[0] == kind, got
    assert got[1] == expected if kind in ("result", "aborted") else expected in got[1]


@pytest.mark.parametrize(("template", "printed"), VALUES + EXAMPLES)
def test_a_row_prints_what_the_page_says(template: str, printed: str) -> None:
    assert outcome(template) == ("result", printed)


@pytest.mark.parametrize(("test", "holds"), CONDITIONS)
def test_a_condition_holds_as_the_page_says(test: str, holds: str) -> None:
    kind, text = outcome(f"{{% if {test} %}}yes{{% else %}}no{{% endif %}}")
    assert (kind, text) == ("result", holds.split(":")[0])


def test_the_page_has_examples_of_every_sort() -> None:
    assert {kind for _, kind, _ in BLOCKS} == {"result", "aborted", "refused", "failed"}
    assert PAGE.count("```liquid") == len(BLOCKS)
    assert len(VALUES) >= 8
    assert len(EXAMPLES) >= 40
    assert len(CONDITIONS) >= 12


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_the_page_names_every_filter_and_runs_it(name: str) -> None:
    assert f"`{name}`" in PAGE
    runs: list[Any] = [template for template, *_ in [*BLOCKS, *EXAMPLES]]
    others = {"hmac_sha1": "hmac_sha1_hex", "hmac_sha256": "hmac_sha256_hex", "sha256": "sha2"}
    assert any(re.search(rf"\|\s*{others.get(name, name)}\b", template) for template in runs)


@pytest.mark.parametrize("name", sorted({tag.name for tag in (*TAGS, *FETCHING)} - {"content", "illegal", "output"}))
def test_the_page_runs_every_tag(name: str) -> None:
    assert any(re.search(rf"(\{{%-?\s*|\n\s*){name}\b", template) for template, *_ in [*BLOCKS, *EXAMPLES])
