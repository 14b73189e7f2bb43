"""How a profile's columns and a message's data become the dialect's names."""

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from webhooks.liquid import RenderData, RenderProblem, Scope, Services, parse, render, undeclared

from .world import NOW, PROFILE, world

KEY = uuid.UUID(int=7)
COLUMNS: dict[str, Any] = {
    "braze_id": KEY,
    "external_id": "u-7",
    "email": "a@b.test",
    "phone": "+49170",
    "first_name": "Zoë",
    "last_name": "",
    "gender": "F",
    "date_of_birth": date(1990, 3, 9),
    "country": "DE",
    "home_city": "Köln",
    "language": "pt-BR",
    "time_zone": "Europe/Berlin",
    "email_subscribe": "unsubscribed",
    "random_bucket": 42,
    "custom_attributes": {},
    "last_session_at": datetime(2026, 2, 1, 8, tzinfo=UTC),
}


def test_a_profiles_columns_have_the_originals_names() -> None:
    names = "user_id braze_id email_address phone_number gender country city random_bucket_number last_used_app_date"
    source = "|".join(f"{{{{${{{name}}}}}}}" for name in names.split())
    shown = render(source, RenderData(COLUMNS, now=NOW))
    assert shown == f"u-7|{KEY}|a@b.test|+49170|F|DE|Köln|42|2026-02-01 08:00:00 UTC"


def test_an_empty_column_is_nil() -> None:
    source = "{% if ${last_name} == nil %}nil{% endif %}{{${last_name} | default: '-'}}{{${most_recent_locale}}}"
    assert render(source, RenderData(COLUMNS, now=NOW)) == "nil-"


def test_what_the_message_has_not_is_blank() -> None:
    source = "[{{event_properties.${a}}}{{canvas.${name}}}{{context}}{{credentials.${x}}}{{event_name}}]"
    assert render(source, RenderData({}, now=NOW)) == "[]"


def test_the_state_of_the_email_subscription_needs_no_service() -> None:
    data = RenderData(COLUMNS, now=NOW)
    assert render("{{subscribed_state.${email_global}}}[{{subscribed_state.${g-1}}}]", data) == "unsubscribed[]"


def test_a_nested_time_is_a_time_wherever_it_stands() -> None:
    attributes = {"o": {"at": {"$time": "2026-05-28"}, "list": [{"$time": "2026-05-28T10:00:00Z"}]}}
    data = world(profile={"custom_attributes": attributes})
    assert render("{{custom_attribute.${o}.at}}", data) == "2026-05-28"
    assert render("{{custom_attribute.${o}.at | date: '%d.%m.'}}", data) == "28.05."
    assert render("{{custom_attribute.${o}.list | first | date: '%H'}}", data) == "10"
    assert render("{% for t in custom_attribute.${o}.list %}{{t}}{% endfor %}", data) == "2026-05-28 10:00:00 UTC"


def test_an_object_whose_time_says_none_stays_an_object() -> None:
    data = world(profile={"custom_attributes": {"o": {"$time": None}}})
    assert render("{{custom_attribute.${o}}}", data) == '{"$time": null}'


def test_decimals_of_the_database_are_numbers() -> None:
    data = world(event_properties={"price": Decimal("19.90")})
    assert render("{{event_properties.${price}}} {{event_properties.${price} | plus: 1}}", data) == "19.90 20.9"
    assert render("{% if event_properties.${price} == 19.9 %}same{% endif %}", data) == "same"


def test_an_attribute_is_looked_up_only_when_it_is_read() -> None:
    asked: list[str] = []

    def subscription(group: str) -> str:
        asked.append(group)
        return "subscribed"

    data = world(services=Services(subscription=subscription))
    render("{% if false %}{{subscribed_state.${g-1}}}{% endif %}{{${first_name}}}", data)
    assert asked == []
    render("{{subscribed_state.${g-2}}}", data)
    assert asked == ["g-2"]


def test_the_names_a_template_uses_are_known_without_rendering() -> None:
    template = parse(
        "{{${first_name}}} {% if custom_attribute.${a b} > 1 %}{{context.seat}}{% endif %}"
        "{% connected_content https://a.test/{{subscribed_state.${g-1}}} :save x %}{{ x | plus: custom_attribute.${c}}}"
    )
    assert template.uses.of("") == {"first_name"}
    assert template.uses.of("custom_attribute") == {"a b", "c"}
    assert template.uses.of("context") == {"seat"}
    assert template.uses.of("subscribed_state") == {"g-1"}
    assert template.uses.filters == {"plus"}
    assert parse("{{ context | as_json_string }}").uses.wholes == {"context"}


def test_secrets_that_were_used_are_noted_for_masking() -> None:
    data = world(services=Services(credential={"key": "s3cret", "other": "unused"}.get))
    assert render("{{credentials.${key}}}", data) == "s3cret"
    assert data.secrets == {"s3cret"}


def test_a_lone_surrogate_never_reaches_the_wire() -> None:
    data = world(profile={"custom_attributes": {"bad": "a\ud800b"}})
    assert render("{{custom_attribute.${bad}}}é", data) == "a?bé"


def test_variables_of_one_rendering_are_gone_in_the_next_unless_they_share_a_scope() -> None:
    data, scope = world(), Scope()
    first, second = parse("{% assign t = 1 %}{% increment n %}"), parse("[{{t}}]{% increment n %}")
    first.render(data)
    assert second.render(data) == "[]0"
    first.render(data, scope=scope)
    assert second.render(data, scope=scope) == "[1]1"


def test_in_text_that_is_serialised_afterwards_json_escape_changes_nothing() -> None:
    scope = Scope()
    scope.is_serialised = True
    note = parse("{{custom_attribute.${note} | json_escape}}")
    assert note.render(world(), scope=scope) == 'say "hi" \\ bye\nnow'
    scope.is_serialised = False
    assert note.render(world(), scope=scope) == 'say \\"hi\\" \\\\ bye\\nnow'


def test_message_extras_are_kept_once_and_cut() -> None:
    data = world()
    render(
        "{% message_extras :key plan :value {{custom_attribute.${plan}}} %}{% message_extras :key plan :value later %}"
        "{% message_extras :key long :value {{ (1..900) | join: ' ' }} %}{% message_extras :key more :value x %}",
        data,
    )
    assert data.extras["plan"] == "pro"
    assert sum(len(key) + len(value) for key, value in data.extras.items()) == 1024


def test_a_promotion_code_is_taken_once_a_message_and_only_where_it_is_reached() -> None:
    taken: list[str] = []

    def promotion(name: str) -> str:
        taken.append(name)
        return f"{name}-{len(taken)}"

    data = world(services=Services(promotion=promotion))
    assert render("{% if false %}{% promotion('b') %}{% endif %}{% promotion('a') %}", data) == "a-1"
    assert render("{% promotion('a') %}", data) == "a-1"
    assert taken == ["a"]


def test_translations_are_looked_for_by_locale_then_language() -> None:
    asked: list[str] = []

    def translation(id: str, language: str) -> str | None:
        asked.append(language)
        return "Olá {{${first_name}}}" if language == "pt" else None

    profile = {**PROFILE, "language": "pt_BR"}
    data = world(profile=profile, services=Services(translation=translation))
    assert render("{% translation hi %}Hi{% endtranslation %}", data) == "Olá Zoë"
    assert asked == ["pt-br", "pt"]


def test_a_template_is_slow_where_it_may_wait_for_an_answer() -> None:
    blocks = {"quick": "x", "slow": "{% connected_content https://a.test %}", "outer": "{{content_blocks.${slow}}}"}
    assert not parse("{{${first_name}}}").is_slow
    assert parse(blocks["slow"]).is_slow
    assert parse("{{content_blocks.${quick}}}").is_slow  # nobody said what is in it
    assert not parse("{{content_blocks.${quick}}}", blocks.get).is_slow
    assert parse("{{content_blocks.${outer}}}", blocks.get).is_slow
    assert parse("{% render 'slow' %}", blocks.get).is_slow
    assert not parse("{{content_blocks.${gone}}}", blocks.get).is_slow


def test_names_nobody_sets_are_found_with_what_was_meant() -> None:
    template = parse("{{${frist_name}}}\n{{custom_attribute.${plam}}} {% assign x = 1 %}{{ x }}{{ y }}{{ now }}")
    found = undeclared(template, {"custom_attribute": {"plan", "points"}})
    assert [(name.name, name.meant, name.line) for name in found] == [
        ("frist_name", "first_name", 1),
        ("plam", "plan", 2),
        ("y", None, 2),
    ]


def test_a_service_that_breaks_fails_the_message_and_no_more() -> None:
    def broken(name: str) -> str:
        raise ZeroDivisionError("oops")

    with pytest.raises(RenderProblem, match="cannot be rendered: oops"):
        render("{{credentials.${x}}}", world(services=Services(credential=broken)))


def test_conditions_read_from_the_right() -> None:
    assert render("{% if true and false or true %}yes{% endif %}", world()) == "yes"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% case 1 %}text{% when 1, 2 %}a{% when 2 or 1 %}b{% else %}c{% endcase %}", "ab"),
        ("{% case 9 %}{% when 1 %}a{% endcase %}.", "."),
        ("{% tablerow i in (1..2) cols:1 %}{{i}}{% endtablerow %}", None),
        ("{% cycle 'g': 'a', 'b' %}{% cycle 'g': 'a', 'b' %}{% cycle 'h': 'a', 'b' %}", "aba"),
        ("{% liquid\n comment\n *** no Liquid\n endcomment\n # note\n echo 'x'\n%}", "x"),
        ("{% for i in (1..3) %}{{i}}{% endfor foo %}{% if true %}y{% endif if %}", "123y"),
        ("{{ 'a' | append: 'b' -}}  \n c", "abc"),
        ("{% raw -%}  {{ x }} {%- endraw %} y", "{{ x }} y"),
        ("{% doc %} {{ broken {% enddoc %}z", "z"),
        ("{% capture 'q' %}x{% endcapture %}{{q}}", "x"),
        ("{{ custom_attribute.${tags}[0] }}{{ custom_attribute.${address}[${language}] }}", "red"),
        ("{% assign i = 1 %}{{ custom_attribute.${tags}[{{ i | plus: 1 }}] }}", "green"),
        ("{{ 1e5 }}", ""),
        ("{{ item.limit }}{% assign limit = 2 %}{{ limit }}", "2"),
        ("{{ (1..3) }} {{ (1..3) | join }} {{ (3..1) | size }}", "1..3 1 2 3 0"),
    ],
)
def test_more_of_the_language(source: str, expected: str | None) -> None:
    shown = render(source, world())
    if expected is None:
        expected = '<tr class="row1">\n<td class="col1">1</td></tr>\n<tr class="row2"><td class="col1">2</td></tr>\n'
    assert shown == expected
