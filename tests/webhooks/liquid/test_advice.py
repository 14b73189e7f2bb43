"""What a template may hold but probably doesn't mean."""

import pytest

from webhooks.liquid import parse
from webhooks.liquid.advice import Kind, advice


def said(source: str, **options: bool) -> list[tuple[Kind, str, int, int]]:
    return [(found.kind, found.name, found.line, found.column) for found in advice(parse(source), **options)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("https://a.test/{{${user_id}}}", [(Kind.NO_DEFAULT, "${user_id}", 1, 18)]),
        ("https://a.test/\n?p={{custom_attribute.${plan}}}", [(Kind.NO_DEFAULT, "custom_attribute.${plan}", 2, 6)]),
        ("https://a.test/{{${user_id} | default: 'none'}}", []),
        ("https://a.test/{{${city} | downcase}}", [(Kind.NO_DEFAULT, "${city}", 1, 18)]),
        ("{% assign c = ${city} %}https://a.test/{{c}}", [(Kind.NO_DEFAULT, "${city}", 1, 42)]),
        ("{% assign c = ${city} | default: 'x' %}https://a.test/{{c}}", []),
        ("{% if ${city} == blank %}{% abort_message() %}{% endif %}https://a.test/{{${city}}}", []),
        ("https://a.test/{{campaign.${api_id}}}", []),
    ],
)
def test_a_personal_value_in_a_url_wants_a_default(source: str, expected: list[object]) -> None:
    assert said(source, is_url=True) == expected


def test_elsewhere_a_missing_value_is_no_concern() -> None:
    assert said("{{${user_id}}}") == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% assign language = 'de' %}", (Kind.SHADOWS, "language", 1, 4)),
        ("{% capture context %}{% endcapture %}", (Kind.SHADOWS, "context", 1, 4)),
        ("Hi ${first_name}", (Kind.BARE_ATTRIBUTE, "${first_name}", 1, 4)),
        ("Hi custom_attribute.${plan}", (Kind.BARE_ATTRIBUTE, "custom_attribute.${plan}", 1, 4)),
        ("Hi {( first_name )}", (Kind.ALMOST_LIQUID, "{(", 1, 4)),
        ("{% abort_message('no {{${city}}}') %}", (Kind.LIQUID_IN_REASON, "no {{${city}}}", 1, 4)),
        ("a <!-- {{${city}}} -->", (Kind.LIQUID_IN_COMMENT, "<!--", 1, 3)),
        ("{{card.${name}}}", (Kind.ALWAYS_BLANK, "card.${name}", 1, 3)),
        ("{{${most_recent_locale}}}", (Kind.ALWAYS_BLANK, "${most_recent_locale}", 1, 3)),
        (
            "{% connected_content https://a.test/?c={{${city}}} %}",
            (Kind.NOT_ESCAPED, "${city}", 1, 42),
        ),
    ],
)
def test_each_is_found_at_its_place(source: str, expected: object) -> None:
    assert said(source) == [expected]


@pytest.mark.parametrize(
    "source",
    [
        "{% raw %}${first_name}{% endraw %}",
        "<!-- plain --> {{${city}}}",
        "{% connected_content https://a.test/?c={{${city} | url_param_escape}} %}",
        "costs ${{custom_attribute.${price}}}",
        '{"a":{"n":{{custom_attribute.${points}}}}}',
    ],
)
def test_what_is_meant_is_left_alone(source: str) -> None:
    assert said(source) == []


def test_pairs_need_no_json_escape() -> None:
    assert said("{{${city} | json_escape}}", is_pair=True) == [(Kind.ESCAPED_TWICE, "json_escape", 1, 13)]
