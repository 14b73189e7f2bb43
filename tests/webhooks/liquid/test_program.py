"""What is written out as one function prints what nodes print by themselves, and fails at the same place."""

import gc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhooks.liquid import Aborted, RenderProblem, parse, program, template
from webhooks.liquid.env import bound

from .world import world

PROFILE = {
    "external_id": "u-1",
    "first_name": "Zoë",
    "custom_attributes": {
        "rows": [{"name": "a", "parts": [1, 2]}, {"name": None, "parts": []}, "text", None, 3],
        "n": 3,
        "long": "x" * 600,
        "at": {"$time": "2026-03-01T09:30:00.000Z"},
        "deep": {"one": {"two": "found"}},
    },
}
PIECES = st.sampled_from(
    [
        *("text ", "{{${first_name}}}", "{{${last_name} | default: 'friend'}}", "{{custom_attribute.${long}}}"),
        *("{{custom_attribute.${at}}}", "{{custom_attribute.${deep}.one.two}}", "{{custom_attribute.${rows}}}"),
        *("{{row}}", "{{row.name}}", "{{row.name.size}}", "{{row.parts[0]}}", "{{row | upcase}}", "{{set}}"),
        *("{{forloop.index}}", "{{forloop.parentloop.index}}", "{{forloop}}", "{{row | divided_by: 0}}"),
        *(
            "{% assign row = 'own' %}",
            "{% assign set = row %}",
            "{% break %}",
            "{% continue %}",
            "{% cycle 'a', 'b' %}",
        ),
        *("{% increment row %}", "{% abort_message('enough') %}", "{% echo row.name %}"),
    ]
)
WRAPS = st.sampled_from(
    [
        "{%% for row in custom_attribute.${rows} %%}%s{%% else %%}none{%% endfor %%}",
        "{%% for row in (1..2) %%}%s{%% endfor %%}",
        "{%% for forloop in (1..2) %%}%s{%% endfor %%}",
        "{%% for other in custom_attribute.${rows} limit: 1 offset: continue %%}%s{%% endfor %%}",
        "{%% for row in row.parts %%}%s{%% else %%}no parts{%% endfor %%}",
        "{%% if row %%}%s{%% elsif row.name == 'a' %%}a{%% else %%}neither{%% endif %%}",
        "{%% unless custom_attribute.${n} > 2 %%}many{%% else %%}%s{%% endunless %%}",
        "{%% if forloop.first %%}%s{%% endif %%}",
        "{%% case forloop.index %%}{%% when 1 %%}%s{%% else %%}other{%% endcase %%}",
        "{%% capture set %%}%s{%% endcapture %%}",
    ]
)
TEMPLATES = st.recursive(
    PIECES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.tuples(WRAPS, inner).map(lambda pair: pair[0] % pair[1]),
    ),
    max_leaves=12,
)


def outcome(source: str, longest: int) -> str:
    """What is printed or said, with functions for what has so many nodes beside each other at most."""
    bound.cache_clear()
    template._parse.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "LONGEST", longest)
        try:
            return parse(source).render(world(profile=PROFILE))
        except RenderProblem as problem:
            return f"{problem.message} at {problem.line}:{problem.column}"
        except Aborted as abort:
            return f"aborted: {abort.reason}"


@settings(max_examples=150, deadline=None)
@given(TEMPLATES)
def test_a_function_prints_what_its_nodes_print(source):
    padded = f"{source}{{{{1}}}}{{{{2}}}}"
    assert outcome(padded, longest=1_000) == outcome(padded, longest=1)


def test_functions_end_where_python_does():
    depth = 9
    source = "{% for a in (1..1) %}{% if a %}" * depth + "{{ forloop.index }}" + "{% endif %}{% endfor %}" * depth
    assert parse(source).render(world()) == "1"


def test_what_an_author_wrote_is_never_part_of_the_function():
    nasty = "\"\"\"'''\\\n{{ x | default: '\\\"); raise SystemExit #' }}"
    assert parse(nasty).render(world()) == '"""\'\'\'\\\n\\"); raise SystemExit #'


def test_making_the_function_costs_no_message_its_time():
    source = "{{ ${user_id} }}" * 900
    first = parse(source)
    data = world(profile={"external_id": "u"})
    left = data.budget.left
    assert first.render(data) == "u" * 900
    assert left - data.budget.left < 0.15


def test_a_rendering_leaves_nothing_to_the_garbage_collector():
    """Looking for things that hold each other was a tenth of a message."""
    template = parse(
        "{{${first_name}}} {% assign n = custom_attribute.${n} %}{% for row in custom_attribute.${rows} %}{{row.name}}"
        "{% if n > 2 %}{{forloop.index}}{% endif %}{% endfor %}{% capture c %}{{n}}{% endcapture %}{% cycle 'a', 'b' %}"
    )
    template.render(world(profile=PROFILE))
    gc.collect()
    gc.disable()
    try:
        for _ in range(50):
            template.render(world(profile=PROFILE))
        assert gc.collect() < 50
    finally:
        gc.enable()
