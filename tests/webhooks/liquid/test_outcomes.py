"""What always holds, whatever the template and the data."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from webhooks.liquid import Aborted, LiquidSyntaxProblem, Postponed, RenderProblem, parse, render
from webhooks.liquid.filters import FILTERS
from webhooks.liquid.values import text

from .world import CUSTOM, PROFILE, world

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.datetimes(timezones=st.timezones())
    | st.dates(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)

WORDS = [
    *("{{", "}}", "{%", "%}", "${", "}", "|", ":", ",", ".", "[", "]", "(", ")", "..", "'", '"', "=", "==", "<", "-"),
    *("first_name", "custom_attribute.", "points", "tags", "cars", "x", "1", "-2.5", "10", "nil", "blank", "'a'"),
    *("if", "endif", "for", "in", "endfor", "assign", "capture", "endcapture", "case", "when", "else", "raw", "endraw"),
    *("and", "or", "contains", "limit:", "reversed", "cycle", "liquid", "comment", "endcomment", "render", "'loop'"),
    *("connected_content", "https://api.test/user", ":save", ":headers", ":body", "message_extras", "abort_message"),
    *("content_blocks.${loop}", "${first_name}", "custom_attribute.${tags}", "forloop.index", "\n", " ", "é"),
    *FILTERS,
]
JUMBLE = st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join) | st.lists(st.sampled_from(WORDS)).map("".join)

CALLS = st.builds(
    lambda name, args: name + (": " + ", ".join(args) if args else ""),
    st.sampled_from(sorted(FILTERS)),
    st.lists(st.sampled_from(["'a'", "2", "-1.5", "custom_attribute.${cars}", "nil", "'%s'", "(1..3)"]), max_size=2),
)
HEADS = [f"custom_attribute.${{{name}}}" for name in CUSTOM] + ["'now'", "7", "${date_of_birth}", "(1..4)", "missing"]
CHAINS = st.builds(
    lambda head, calls: "{{ " + " | ".join([head, *calls]) + " }}", st.sampled_from(HEADS), st.lists(CALLS, max_size=4)
)


OUTCOMES = {"refused", "failed", "aborted", "postponed", "text"}


def ends(template: str, **changes: Any) -> str:
    """The outcome's name. Anything but one of the four escapes and fails the test."""
    try:
        parse(template).render(world(**changes)).encode()
    except LiquidSyntaxProblem as problem:
        return "refused" if problem.line >= 1 <= problem.column else "without a place"
    except RenderProblem:
        return "failed"
    except Aborted:
        return "aborted"
    except Postponed:
        return "postponed"
    return "text"


@given(st.text(st.characters(exclude_categories=["Cs"])).filter(lambda text: "{{" not in text and "{%" not in text))
def test_text_without_liquid_comes_out_unchanged(source: str) -> None:
    template = parse(source)
    assert template.is_static
    assert template.render(world()) == source


@given(VALUES)
def test_any_value_through_json_escape_between_quotes_is_valid_json(value: object) -> None:
    profile = {"custom_attributes": {"v": value}}
    body = render('{"v": "{{custom_attribute.${v} | json_escape}}"}', world(profile=profile))
    assert json.loads(body) == {"v": text(value).encode("utf-8", "replace").decode()}


@given(VALUES)
def test_any_value_as_json_string_is_valid_json(value: object) -> None:
    profile = {"custom_attributes": {"v": value}}
    body = json.loads(render('{"v": {{custom_attribute.${v} | as_json_string}}}', world(profile=profile)))
    if value is None or isinstance(value, bool | int | float):
        assert body == {"v": value}
    assert body.keys() == {"v"}


@given(JUMBLE)
@settings(max_examples=300)
def test_any_jumble_ends_in_one_of_the_outcomes(source: str) -> None:
    assert ends(source) in OUTCOMES


@given(CHAINS)
@settings(max_examples=300)
def test_any_chain_of_filters_ends_in_one_of_the_outcomes(source: str) -> None:
    assert ends(source) in OUTCOMES


@given(VALUES, CHAINS)
def test_hostile_data_ends_in_one_of_the_outcomes(value: object, chain: str) -> None:
    assert ends(chain, profile={**PROFILE, "custom_attributes": dict.fromkeys(CUSTOM, value)}) in OUTCOMES


@given(st.text())
def test_any_text_between_braces_ends_in_one_of_the_outcomes(source: str) -> None:
    assert ends("{{" + source + "}}") in OUTCOMES
    assert ends("{% " + source + " %}") in OUTCOMES
