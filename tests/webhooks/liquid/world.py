"""The world that the rows are rendered in: one profile, one event, Content Blocks, a catalog, a server, codes."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from webhooks.liquid import ConnectedContentAnswer, ConnectedContentCall, RenderData, Services

NOW = datetime(2026, 2, 26, 18, 30, 5, 123000, UTC)

CUSTOM = {
    "plan": "pro",
    "Loyalty Tier": "gold",
    "größe": "XL",
    "points": 1450,
    "balance": 17.8,
    "debt": "-12.50",
    "beta": True,
    "opted": False,
    "note": 'say "hi" \\ bye\nnow',
    "spaces": "   ",
    "empty": "",
    "nothing": None,
    "tags": ["red", "blue", "green"],
    "numbers": [3, 10, 2.5],
    "holes": ["x", None, "y"],
    "address": {"city": "Köln", "zip": "50667", "geo": {"lat": 50.94}},
    "cars": [{"make": "VW", "year": 2019}, {"make": "BMW", "year": 2023}],
    "signup": datetime(2024, 2, 29, 9, 0, 0, tzinfo=UTC),
    "renews": date(2026, 5, 31),
}

PROFILE = {
    "external_id": "u-7",
    "first_name": "Zoë",
    "email": "zoe+news@example.org",
    "language": "de",
    "time_zone": "Europe/Berlin",
    "date_of_birth": date(1990, 3, 9),
    "email_subscribe": "opted_in",
    "custom_attributes": CUSTOM,
}

BLOCKS = {
    "footer": "Sent by ACME",
    "part": "[{{partial}}]",
    "greet": "{% assign salute = 'Dear' %}{{salute}} {{${first_name}}},",
    "uses_who": "for {{who}}",
    "wrap": "[{{content_blocks.${footer}}}]",
    "deep": "({{content_blocks.${wrap}}})",
    "list": "one,two,three",
    "stop": "{% abort_message('stopped by block') %}",
    "loop": "[{{content_blocks.${loop}}}]",
}

GAMES = {
    "1": {"title": "Chess", "price": 5},
    "2": {"title": "Go", "price": 7.5},
    "3": {"title": "For {{${first_name}}}"},
}


def catalog_items(catalog: str, ids: Sequence[str]) -> Sequence[Mapping[str, object]] | None:
    return [GAMES[id] for id in ids if id in GAMES] if catalog == "Games" else None


def catalog_selection(catalog: str, selection: str) -> Sequence[Mapping[str, object]] | None:
    return catalog_items(catalog, ["1", "2"]) if selection == "cheap" else None


def server(call: ConnectedContentCall) -> ConnectedContentAnswer:
    """api.test: a few pages, and /echo, which answers with the request."""
    path = call.url.removeprefix("https://api.test").partition("?")[0]
    pages = {"/user": '{"name":"Kim","n":[1,2]}', "/list": '[{"id":9}]', "/text": "plain words"}
    if path == "/echo":
        return ConnectedContentAnswer(200, json.dumps(_seen(call)))
    if path == "/liquid":
        return ConnectedContentAnswer(200, "Hallo {{${first_name}}}")
    if path == "/missing":
        return ConnectedContentAnswer(404, "gone")
    if path == "/down":
        return ConnectedContentAnswer(599, failure="no answer")
    return ConnectedContentAnswer(200, pages[path])


def _seen(call: ConnectedContentCall) -> dict[str, Any]:
    return {
        "url": call.url,
        "method": call.method,
        "body": call.body,
        "content_type": call.content_type,
        "headers": dict(call.headers),
    }


SERVICES = Services(
    content_block=BLOCKS.get,
    connected_content=server,
    catalog_items=catalog_items,
    catalog_selection=catalog_selection,
    promotion={"spring": "SPR-1", "gone": ""}.get,
    translation=lambda id, language: {("greeting", "de"): "Hallo {{${first_name}}}!"}.get((id, language)),
    subscription={"email_global": "opted_in", "g-1": "subscribed"}.get,
)


def world(**changes: Any) -> RenderData:
    """A message's data in this world, fresh for each rendering."""
    given: dict[str, Any] = {
        "now": NOW,
        "event_name": "placed_order",
        "event_properties": {
            "item": "Desk lamp",
            "lines": [{"sku": "A-1", "qty": 2}, {"sku": "B-2", "qty": 1}],
            "at": "2026-03-01T08:15:30:250-0800",
            "notes": [],
        },
        "api_trigger_properties": {"code": "48-77"},
        "canvas_entry_properties": {"seat": "12A", "gate": None},
        "context": {"seat": "12A", "gate": None},
        "campaign": {"name": "Spring", "dispatch_id": "d-42"},
        "canvas": {"variant_name": "Variant 1"},
        "services": SERVICES,
    }
    return RenderData(changes.pop("profile", PROFILE), **(given | changes))
