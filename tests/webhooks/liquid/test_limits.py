"""A template cannot hold a worker: each limit ends that message only, and soon."""

import time
from contextlib import suppress

import pytest

from webhooks.liquid import LiquidSyntaxProblem, RenderProblem, Services, parse
from webhooks.liquid.limits import LIMITS, Budget, configure

from .world import world

SELF_INCLUDING = {"me": "{% for i in (1..9) %}{{content_blocks.${me}}}{% endfor %}"}


def fails(template: str, **changes: object) -> str:
    started = time.thread_time()
    with pytest.raises(RenderProblem) as failed:
        parse(template).render(world(**changes))
    assert time.thread_time() - started < 1
    return failed.value.message


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{% for i in (1..100000000) %}x{% endfor %}", "too many loop iterations"),
        ("{% for i in (1..100000000) reversed %}{% endfor %}", "too many loop iterations"),
        ("{% tablerow i in (1..100000000) %}{% endtablerow %}", "too many loop iterations"),
        ("{% for i in (1..6000) %}{% endfor %}{% for i in (1..6000) %}{% endfor %}", "too many loop iterations"),
        ("{{ (1..1000000000000000000000) | size }}", "range is too long"),
        ("{% assign s = (1..90000) | join: 'xxxxx' %}{{ s }}{{ s }}", "output is too long"),
        (
            "{% capture s %}{% for i in (1..9000) %}" + "0123456789abc" * 10 + "{% endfor %}{% endcapture %}",
            "captured text is too long",
        ),
        ("{% for i in (1..40) %}{% assign s = s | append: 'x' | replace: 'x', 'xxxx' %}{% endfor %}", "too long"),
        (
            "{% assign l = 'a,a' | split: ',' %}{% for i in (1..40) %}{% assign l = l | concat: l %}{% endfor %}",
            "too long",
        ),
        ("{{ custom_attribute.${wide} | as_json_string }}", "too long"),
        ("{{ custom_attribute.${wide} | join }}", "too long"),
        ("{{ custom_attribute.${wide} }}", "too long"),
        ("{% assign a = 9 | times: 1000000000000000 | times: 1000000000000000000 %}", "too large"),
        ("{{ '1' | append: '0000000000000000000000000000000000000000' | plus: 0 }}", "too large"),
    ],
)
def test_what_grows_is_stopped(template: str, words: str) -> None:
    wide = ["x" * 1000] * 90_000  # one text, many times: cheap to hold, 90 MB to write
    assert words in fails(template, profile={"custom_attributes": {"wide": wide}})


def test_variables_are_bounded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LIMITS, "seconds", 5)  # so that a slow machine does not run out of time before
    names = "".join(f"{{% assign v{n} = (1..90000) | join: 'xxxx' %}}" for n in range(9))
    assert "the variables are too large" in fails(names)


def test_a_block_that_holds_itself_is_bounded() -> None:
    data = world(services=Services(content_block=SELF_INCLUDING.get))
    assert parse("{{content_blocks.${me}}}").render(data) == ""


def test_work_that_neither_grows_nor_loops_much_is_stopped_by_the_clock() -> None:
    chain = " | replace: 'a', 'b' | replace: 'b', 'a'" * 40
    template = "{% assign s = (1..90000) | join: 'aaaaaa' %}{% for i in (1..5000) %}{{ s" + chain + " | slice: 0, 1 }}"
    assert "took longer than 0.2 s" in fails(template + "{% endfor %}")


def test_the_time_of_one_message_is_shared_by_its_fields() -> None:
    data = world()
    busy = parse(
        "{% assign s = (1..90000) | join: 'a' %}{% for i in (1..9000) %}{% assign t = s | upcase %}{% endfor %}"
    )
    for _ in range(2):
        with pytest.raises(RenderProblem, match="took longer"):
            busy.render(data)
    assert data.budget.left == 0


def test_waiting_costs_no_time() -> None:
    budget = Budget(0.05)
    budget.start()
    time.sleep(0.1)
    budget.check()
    budget.stop()
    assert budget.left > 0


def test_a_limit_is_met_exactly() -> None:
    assert parse("{% for i in (1..10000) %}{% endfor %}done").render(world()) == "done"
    assert "iterations" in fails("{% for i in (1..10000) %}{% endfor %}{% for i in (1..1) %}{% endfor %}")


def test_templates_are_bounded_when_read() -> None:
    deep = 60
    for source in (
        "x" * (LIMITS.source + 1),
        "{% if true %}" * deep + "{% endif %}" * deep,
        "{{ " * deep + "1" + " }}" * deep,
        "{{ a" + "[a" * deep + "]" * deep + " }}",
        "{% if " + "a and " * 300 + "a %}{% endif %}",
        "{{ " + "9" * 40 + " }}",
        "{{ ${" + "n" * 400 + "} }}",
        "{{ x" + " | size" * 100_000,
        "{{ " + "(" * 5000,
    ):
        started = time.thread_time()
        with pytest.raises(LiquidSyntaxProblem):
            parse(source)
        assert time.thread_time() - started < 2


def test_long_templates_are_read_in_linear_time() -> None:
    for piece in ("{{'}}", "{{\"}}{{'}}", "{{${a", "{% comment %}", "{% raw %}", "${" + " " * 50, "{{ a }}<script"):
        source = piece * (250_000 // len(piece))
        started = time.thread_time()
        with suppress(LiquidSyntaxProblem, RenderProblem):
            parse(source).render(world())
        assert time.thread_time() - started < 2, piece


def test_markup_is_removed_in_linear_time() -> None:
    started = time.thread_time()
    parse("{{ custom_attribute.${h} | strip_html | size }}").render(
        world(profile={"custom_attributes": {"h": "<script" * 100_000 + "<!--" * 50_000 + "</style>"}})
    )
    assert time.thread_time() - started < 1


def test_a_template_may_nest_as_deep_as_the_limit() -> None:
    loops = "{% for i in (1..1) %}" * 50 + "x" + "{% endfor %}" * 50
    assert parse(loops).render(world()) == "x"


def test_limits_can_be_set_and_an_unknown_one_is_refused() -> None:
    usual = LIMITS.iterations
    configure(iterations=3)
    try:
        assert "at most 3 are" in fails("{% for i in (1..4) %}{% endfor %}")
    finally:
        configure(iterations=usual)
    with pytest.raises(AttributeError):
        configure(iteration=1)
