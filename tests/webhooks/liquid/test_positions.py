"""Errors point at the author's own text, whatever stands before or around them."""

import pytest

from webhooks.liquid import LiquidSyntaxProblem, RenderProblem, Services, parse

from .world import world


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("{{ 'x' | nosuch }}", 1, 10),
        ("a\nb {{ 'x' | upcase: 1 }}", 2, 12),
        ("{{ ${first_name} }}\n\n  {% nosuch %}", 3, 6),
        ("é😀 {% if true %}\n{{ x }}", 1, 7),
        ("{% if a == 1 %}\n  {% for x in y %}\n{% endif %}", 3, 4),
        ("{% for x in y %}\n  {% if a %}\n{% endfor %}", 3, 4),
        ("{% case a %}{% when 1 %}b", 1, 4),
        ("{% raw %}\n{{ x }}", 1, 4),
        ("x\n{% comment %}", 2, 4),
        ("text {{ 'x'", 1, 6),
        ("text {{ ${x", 1, 6),
        ("{% assign x = {{ 2 | plus: {{ 3 | nosuch }} }} %}", 1, 35),
        ("{% if {{custom_attribute.${points} > 2 %}x{% endif %}", 1, 7),
        ("{% liquid\n  assign x = 1\n  echo x | nosuch\n%}", 3, 12),
        ("{% connected_content https://a.test/?q={{ x | nosuch }} %}", 1, 47),
        ("{% connected_content https://a.test/\n  :sav x %}", 2, 3),
        ("{%- if a -%}\n{{- ‘x’ -}}{% endif %}", 2, 5),
        ("{{ x }}{{ custom_attribute.${a | upcase} }}", 1, 28),
        ("{{ x | upcase | }}", 1, 16),
        ("{{", 1, 1),
    ],
)
def test_a_syntax_error_names_line_and_column(source: str, line: int, column: int) -> None:
    with pytest.raises(LiquidSyntaxProblem) as refused:
        parse(source)
    assert (refused.value.line, refused.value.column) == (line, column), refused.value.message


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("ok\n  {{ 1 | divided_by: 0 }}", 2, 10),
        ("{% if true %}\n{% for i in (1..2) %}\n{{ 'x' | concat: i }}{% endfor %}{% endif %}", 3, 10),
        ("{% assign a = 2 | plus: {{ 1 | modulo: 0 }} %}", 1, 32),
        ("\n{% if custom_attribute.${plan} > 5 %}{% endif %}", 2, 32),
        ("x {{content_blocks.${vanished}}}", 1, 5),
        ("{% break %}", 1, 4),
        ("a\n{% for i in (1..100001) %}{% endfor %}", 2, 4),
    ],
)
def test_a_fault_while_rendering_names_line_and_column(source: str, line: int, column: int) -> None:
    with pytest.raises(RenderProblem) as failed:
        parse(source).render(world())
    assert (failed.value.line, failed.value.column) == (line, column), failed.value.message


def test_a_fault_in_a_content_block_points_at_its_use_and_names_the_block() -> None:
    services = Services(content_block={"sums": "one\n{{ 1 | divided_by: 0 }}"}.get)
    with pytest.raises(RenderProblem) as failed:
        parse("\n {{content_blocks.${sums}}}").render(world(services=services))
    assert (failed.value.line, failed.value.column) == (2, 4)
    assert failed.value.message == "a number cannot be divided by 0, in the Content Block 'sums', line 2"
