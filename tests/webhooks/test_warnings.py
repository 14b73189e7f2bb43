"""The composer's second look at a webhook."""

import pytest
from django.urls import reverse

from audience.models import Attribute
from webhooks import promotions
from webhooks.models import BodyKind, Content, ContentBlock, ContentOverride, Promotion
from webhooks.warnings import warnings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _known_attributes() -> None:
    Attribute.objects.create(name="plan", type=Attribute.Type.TEXT)
    Attribute.objects.create(name="points", type=Attribute.Type.NUMBER)


def sentences(**fields: object) -> list[str]:
    return [problem.sentence for problem in warnings(Content(**fields), overrides=())]


def raw(body: str, **fields: object) -> list[str]:
    return sentences(url="https://a.test/", body_kind=BodyKind.RAW, raw_body=body, **fields)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("{{${frist_name}}}", "there is no attribute ${frist_name}, so it is blank. Did you mean “first_name”?"),
        ("{{custom_attribute.${plna}}}", "custom attribute “plna” yet, so it is blank. Did you mean “plan”?"),
        ("{{${plan}}}", "Was custom_attribute.${plan} meant?"),
        ("{{first_name}}", "nothing sets the variable first_name, so it is blank. Was {{${first_name}}} meant?"),
        ("{{user.frist_name}}", "nothing sets the variable user"),
        ("{( first_name )}", "“{(” is plain text. Liquid starts with {{ or {%."),
        ("{{campaign.${nmae}}}", "campaign has no “nmae”, so it is blank. Did you mean “name”?"),
    ],
)
def test_a_name_nobody_knows_gets_a_near_match(body: str, words: str) -> None:
    (sentence,) = raw(body)
    assert words in sentence
    assert sentence.startswith("Raw text, line 1, column ")


def test_a_personal_value_in_the_url_wants_a_default() -> None:
    (sentence,) = sentences(url="https://a.test/{{${user_id}}}")
    assert sentence.startswith("Webhook URL, line 1, column 18: ${user_id} may be missing")


def test_a_breaking_value_is_shown_with_the_filter_that_mends_it() -> None:
    body = '{"n": "{{custom_attribute.${plan}}}"}'
    assert raw(body) == [
        'Raw text stops being JSON where custom_attribute.${plan} is “say "hi"”. '
        "Write {{custom_attribute.${plan} | json_escape}} (line 1, column 8)."
    ]


def test_a_body_with_blocks_and_codes_is_tried_too_and_takes_no_code() -> None:
    promotion = Promotion.objects.create(name="spring")
    promotions.add(promotion, ["A"])
    ContentBlock.objects.create(name="footer", content="Bye")
    tags = "{% promotion('spring') %}{{content_blocks.${footer}}}"
    (sentence,) = raw('{"a": "' + tags + '", "n": "{{custom_attribute.${plan}}}"}')
    assert "Write {{custom_attribute.${plan} | json_escape}}" in sentence
    assert promotion.codes.filter(taken_at=None).count() == 1


def test_a_number_in_quotes_needs_no_escaping() -> None:
    assert raw('{"n": "{{custom_attribute.${points}}}"}') == []


def test_a_body_declared_as_json_that_is_none() -> None:
    (sentence,) = raw("message: x", headers=[{"name": "Content-Type", "value": "application/json"}])
    assert "does not parse as JSON" in sentence


def test_a_body_declared_as_something_else_is_not_judged_as_json() -> None:
    assert raw("[{{custom_attribute.${plan}}}]", headers=[{"name": "content-type", "value": "text/plain"}]) == []


def test_languages_are_named() -> None:
    content = Content(url="https://a.test/", body_kind=BodyKind.PAIRS)
    override = ContentOverride(language="de", pairs=[{"key": "k", "value": "{{${frist_name}}}"}])
    (problem,) = warnings(content, [override])
    assert (problem.field, problem.language) == ("pairs", "de")


def test_a_broken_template_is_not_warned_about() -> None:
    assert raw("{{ nope") == []


def test_the_composer_shows_them_when_opened_and_in_the_preview(admin_client) -> None:
    content = Content.objects.create(url="https://a.test/{{${user_id}}}")
    page = admin_client.get(reverse("admin:webhooks_content_change", args=[content.pk]))
    assert "${user_id} may be missing" in page.content.decode()
    form = {
        "name": "", "url": "https://a.test/{{${city}}}", "method": "POST", "body_kind": "pairs",
        "as_kind": "custom", "overrides-TOTAL_FORMS": "0", "overrides-INITIAL_FORMS": "0",
    }  # fmt: skip
    preview = admin_client.post(reverse("admin:webhooks_content_preview", args=[content.pk]), form)
    assert "${city} may be missing" in preview.content.decode()


def test_one_query_for_any_number_of_fields(django_assert_num_queries) -> None:
    pairs = [{"key": f"k{n}", "value": "{{custom_attribute.${plna}}}"} for n in range(5)]
    with django_assert_num_queries(1):
        warnings(Content(url="https://a.test/", pairs=pairs), overrides=())
