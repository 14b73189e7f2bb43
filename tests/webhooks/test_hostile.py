"""Raw JSON bodies under hostile values: what breaks them, and whether the filter named really mends them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.hostile import VALUES, judge
from webhooks.liquid import RenderData, render

from .liquid.world import NOW


def only(source: str, **options: object):
    verdict = judge(source, **options)
    assert verdict is not None
    assert verdict.is_json
    (broken,) = verdict.broken
    return broken


def test_text_in_quotes_breaks_at_a_quote_and_json_escape_mends_it() -> None:
    broken = only('{\n "n": "{{custom_attribute.${note}}}"}')
    assert (broken.name, broken.what, broken.value) == ("custom_attribute.${note}", "a quote", 'say "hi"')
    assert broken.mended == "{{custom_attribute.${note} | json_escape}}"
    assert (broken.line, broken.column) == (2, 8)


def test_a_bare_value_is_mended_as_json() -> None:
    assert only('{"n": {{- custom_attribute.${n} -}} }').mended == "{{- custom_attribute.${n} | as_json_string -}}"


def test_of_a_number_only_its_absence_is_tried() -> None:
    broken = only('{"n": {{custom_attribute.${points}}}, "m": "{{custom_attribute.${points}}}"}', never_text={"points"})
    assert (broken.what, broken.value) == ("no value", "")


@pytest.mark.parametrize(
    ("source", "mended"),
    [
        (
            '[{% for l in context.${rows} %}"{{l.sku}}"{% unless forloop.last %},{% endunless %}{% endfor %}]',
            "{{l.sku | json_escape}}",
        ),
        ('{% assign x = ${first_name} | upcase %}{"n": "{{ x }}"}', "{{ x | json_escape }}"),
        (
            '{% if custom_attribute.${plan} == \'pro\' %}{"n": "{{${city}}}"}{% else %}{}{% endif %}',
            "{{${city} | json_escape}}",
        ),
        ('{"c": "{{custom_attribute.${cars}[1].make}}"}', "{{custom_attribute.${cars}[1].make | json_escape}}"),
    ],
)
def test_values_are_followed_through_loops_variables_branches_and_paths(source: str, mended: str) -> None:
    assert only(source).mended == mended


def test_a_name_printed_twice_is_mended_in_both_places() -> None:
    assert only('{"a": "{{${city}}}", "b": {{${city}}}}').mended == "{{${city} | json_escape}}"


def test_what_holds_is_not_reported() -> None:
    source = """{"a": "{{${city} | json_escape}}", "b": {{${last_name} | as_json_string}},
                 "c": {{custom_attribute.${tags} | as_json_string}}, "d": "{{subscribed_state.${email_global}}}",
                 "e": "{{'now' | date: '%s'}}"}"""
    assert judge(source).broken == ()


def test_a_body_that_never_was_json_is_told_with_the_place() -> None:
    verdict = judge('{ message: "x" }')
    assert not verdict.is_json
    assert "line 1 column 3" in verdict.error


@pytest.mark.parametrize("source", ["{% abort_message('x') %}", "{{ 1 | divided_by: 0 }}"])
def test_what_ends_without_text_cannot_be_judged(source: str) -> None:
    assert judge(source) is None


NAMES = st.sampled_from(["note", "größe", "Loyalty Tier"])


@given(st.lists(NAMES, min_size=1, max_size=3, unique=True), st.sampled_from(sorted(VALUES)))
def test_every_mended_body_is_json_under_every_hostile_value(names: list[str], what: str) -> None:
    source = "{" + ", ".join(f'"{name}": "{{{{custom_attribute.${{{name}}}}}}}"' for name in names) + "}"
    for broken in judge(source).broken:
        source = source.replace(broken.mended.replace(" | json_escape", ""), broken.mended)
    profile = {"custom_attributes": dict.fromkeys(names, VALUES[what])}
    assert json.loads(render(source, RenderData(profile, now=NOW))) == dict.fromkeys(names, VALUES[what] or "")
