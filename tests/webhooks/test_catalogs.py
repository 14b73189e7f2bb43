"""Catalogs: items in, items found, selections."""

import pytest

from webhooks import catalogs
from webhooks.catalogs import BadCondition
from webhooks.models import Catalog, CatalogSelection

pytestmark = pytest.mark.django_db

GAMES = [
    {"id": "1", "title": "Chess", "price": 5, "old": True},
    {"id": "2", "title": "Go", "price": 7.5, "old": True},
    {"id": "3", "title": "Azul", "price": 30, "old": False},
    {"id": "4", "title": "Untitled", "price": None, "old": False},
]


@pytest.fixture
def games() -> Catalog:
    catalog = Catalog.objects.create(name="Games")
    catalogs.store(catalog, GAMES)
    return catalog


def test_what_is_stored_is_found_and_the_version_grows(games: Catalog) -> None:
    assert catalogs.items(games.pk, ["2", "nope"]) == {"2": GAMES[1]}
    before = Catalog.objects.get().version
    assert catalogs.store(games, [{"id": "2", "title": "Go 19×19"}, {"id": "9", "title": "New"}]) == 2
    assert catalogs.items(games.pk, ["2"]) == {"2": {"id": "2", "title": "Go 19×19"}}
    assert Catalog.objects.get().version == before + 1


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("", ["1", "2", "3", "4"]),
        ("price < 20", ["1", "2"]),
        ("price >= 7.5\nold = false", ["3"]),
        ("price > abc", []),
        ("title >= Go", ["2", "4"]),
        ("title contains GO", ["2"]),
        ("id = 4", ["4"]),
        ("old != true", ["3", "4"]),
        ("missing = 1", []),
    ],
)
def test_a_selection_keeps_what_its_conditions_say(games: Catalog, conditions: str, expected: list[str]) -> None:
    selection = CatalogSelection(catalog=games, name="s", conditions=conditions)
    assert [item["id"] for item in catalogs.selected(selection)] == expected


def test_a_selection_has_an_order_and_a_limit(games: Catalog) -> None:
    selection = CatalogSelection(catalog=games, name="s", sort_by="price", is_descending=True, limit=2)
    assert [item["title"] for item in catalogs.selected(selection)] == ["Azul", "Go"]


@pytest.mark.parametrize("line", ["price", "price ~ 3", "= 3", "a__b = 1"])
def test_a_line_that_is_no_condition_is_named(line: str) -> None:
    with pytest.raises(BadCondition, match=r"condition|name"):
        catalogs.conditions(line)


def test_values_of_unlike_types_are_not_compared(games: Catalog) -> None:
    catalogs.store(games, [{"id": "5", "title": 3, "price": "n/a"}, {"id": "6", "title": "Zen", "price": True}])
    below = CatalogSelection(catalog=games, name="s", conditions="price > 0")
    assert [item["id"] for item in catalogs.selected(below)] == ["1", "2", "3"]


def test_a_column_has_a_type_only_where_every_cell_has_it() -> None:
    rows = [["1", "5", "true", "[1]", "007"], ["2", "7.5", "no", "", "8"]]
    assert catalogs.typed(["id", "price", "old", "tags", "zip"], rows) == [
        {"id": "1", "price": 5, "old": "true", "tags": [1], "zip": "007"},
        {"id": "2", "price": 7.5, "old": "no", "tags": None, "zip": "8"},
    ]
