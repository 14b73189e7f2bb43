import pytest

from webhooks.liquid import Aborted, RenderProblem, parse
from webhooks.liquid.fields import Kind, Pair, render_header, render_pairs, render_url

from .world import world


def url(template: str) -> str:
    return render_url(parse(template), world())


def pairs(*rows: tuple[str, str, Kind]) -> dict[str, object]:
    return render_pairs([Pair(parse(key), parse(value), kind) for key, value, kind in rows], world())


def test_a_url_loses_the_white_space_that_assignments_leave() -> None:
    assert url("\n{% assign h = 'a' %}\nhttps://{{h}}.test/x\n") == "https://a.test/x"
    assert url("https://a.test/x\r\n\t?y=1") == "https://a.test/x?y=1"


def test_what_is_illegal_in_a_url_is_encoded_and_the_rest_stays() -> None:
    assert url("https://a.test/{{custom_attribute.${address}.city}}") == "https://a.test/K%C3%B6ln"
    assert url("https://a.test/a b?c=[1]&d=100%&e=%20#f") == "https://a.test/a%20b?c=[1]&d=100%25&e=%20#f"
    assert url("https://köln.test/ü") == "https://köln.test/%C3%BC"


def test_a_header_is_trimmed_and_stays_on_one_line() -> None:
    header = parse(" Basic {{ 'key:' | base64_encode }}\n")
    assert render_header("Authorization", header, world()) == "Basic a2V5Og=="
    with pytest.raises(RenderProblem, match="'X-Note' would contain a line break"):
        render_header("X-Note", parse("{{custom_attribute.${note}}}"), world())


@pytest.mark.parametrize("value", ["{{custom_attribute.${note}}}", "{{custom_attribute.${note} | json_escape}}"])
def test_a_text_pair_holds_the_value_as_it_is_escaped_by_hand_or_not(value: str) -> None:
    assert pairs(("note", value, "text")) == {"note": 'say "hi" \\ bye\nnow'}


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("{{custom_attribute.${points}}}", "number", 1450),
        (" {{custom_attribute.${balance}}} ", "number", 17.8),
        ("{{custom_attribute.${nothing}}}", "number", None),
        ("{{custom_attribute.${beta}}}", "boolean", True),
        ("", "boolean", None),
        ("null", "null", None),
        ("{{custom_attribute.${tags} | as_json_string}}", "json", ["red", "blue", "green"]),
        ('{"n": "{{custom_attribute.${note} | json_escape}}"}', "json", {"n": 'say "hi" \\ bye\nnow'}),
    ],
)
def test_a_typed_pair_holds_a_value_of_its_kind(value: str, kind: Kind, expected: object) -> None:
    assert pairs(("k", value, kind)) == {"k": expected}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("{{custom_attribute.${plan}}}", "number"),
        ("NaN", "number"),
        ("yes", "boolean"),
        ("x", "null"),
        ("{{custom_attribute.${plan}}}", "json"),
        ("[NaN]", "json"),
    ],
)
def test_a_value_that_is_not_of_its_kind_fails_the_message_and_names_the_key(value: str, kind: Kind) -> None:
    with pytest.raises(RenderProblem, match="the value of 'k' is not"):
        pairs(("k", value, kind))


def test_pairs_share_a_scope_in_order() -> None:
    assert pairs(("a", "{% assign t = 1 %}x", "text"), ("b", "{{t}}", "text")) == {"a": "x", "b": "1"}


def test_a_key_that_comes_twice_fails_the_message() -> None:
    with pytest.raises(RenderProblem, match="'pro' would be in the body twice"):
        pairs(("pro", "1", "text"), ("{{custom_attribute.${plan}}}", "2", "text"))


def test_a_blank_pair_can_be_left_out() -> None:
    blank, kept = parse("{{custom_attribute.${spaces}}}"), parse("x")
    rows = [Pair(parse("a"), blank, omits_blank=True), Pair(parse("b"), blank), Pair(parse("c"), kept)]
    assert render_pairs(rows, world()) == {"b": "   ", "c": "x"}


def test_a_variable_of_one_field_does_not_exist_in_another() -> None:
    data = world()
    assert render_url(parse("https://a.test/{% assign t = 1 %}{{t}}"), data) == "https://a.test/1"
    assert parse("[{{t}}]").render(data) == "[]"


def test_a_raw_body_goes_out_exactly_as_it_is_written() -> None:
    assert parse(' {"n":"{{custom_attribute.${note}}}"}\n').render(world()) == ' {"n":"say "hi" \\ bye\nnow"}\n'


def test_an_abort_in_the_body_is_an_abort_of_the_message() -> None:
    data = world()
    assert url("https://a.test/") == "https://a.test/"
    with pytest.raises(Aborted) as stopped:
        parse("{% abort_message('x') %}").render(data)
    assert stopped.value.reason == "x"
