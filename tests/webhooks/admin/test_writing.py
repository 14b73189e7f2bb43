import pytest
from django.urls import reverse

from audience.models import Attribute
from tests.factories import AdminFactory, ContentFactory, ProfileFactory
from webhooks.models import Content, ContentBlock, LogKind, MessageActivityLog
from workspace.models import Credential

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    client.force_login(AdminFactory())
    return client


def offered(client, **asked: str) -> dict:
    return client.get(reverse("admin:webhooks_content_names"), asked).json()


def findings(client, *texts: str) -> list:
    answer = client.post(reverse("admin:webhooks_content_findings"), list(texts), content_type="application/json")
    return answer.json()["findings"]


def test_names_come_with_the_values_of_a_profile(admin):
    Attribute.objects.create(name="Brands Viewed", type=Attribute.Type.TEXT)
    Attribute.objects.create(name="secret", type=Attribute.Type.TEXT, is_blocked=True)
    ContentBlock.objects.create(name="footer", content="Sent by ACME", state=ContentBlock.State.ACTIVE)
    Credential.objects.create(name="own_api", sealed_value="x")
    ProfileFactory(external_id="ada", first_name="Ada <b>", custom_attributes={"Brands Viewed": ["Acme"]})
    found = offered(admin, as_id="ada")
    samples = {name["insert"]: name["sample"] for name in found["inserts"]}
    assert samples["{{${first_name}}}"] == "Ada <b>"
    assert samples["{{custom_attribute.${Brands Viewed}}}"] == "['Acme']"
    assert samples["{{content_blocks.${footer}}}"] == "Sent by ACME"
    assert samples["{{credentials.${own_api}}}"] is None
    assert "secret" not in found["custom"]
    assert {"upcase", "md5"} <= set(found["filters"])
    assert {"if", "abort_message", "connected_content"} <= set(found["tags"])
    assert found["person"] == "ada"


def test_without_that_profile_there_are_names_and_a_word_about_it(admin):
    found = offered(admin, as_id="nobody")
    assert "nobody" in found["problem"]
    assert found["inserts"]


def test_everything_that_is_offered_can_be_read(admin):
    """Nothing the picker inserts is refused, names of one's own aside."""
    inserts = [name["insert"] for name in offered(admin)["inserts"] if name["group"] != "Catalogs"]
    assert [found for found in findings(admin, *inserts) if any(f["level"] == "error" for f in found)] == []


def test_errors_and_unknown_names_have_a_place(admin):
    Attribute.objects.create(name="plan", type=Attribute.Type.TEXT)
    broken, unknown, fine = findings(
        admin, "Hi\n {{${first_name} | upcse}}", "{{custom_attribute.${plna}}}", "{{custom_attribute.${plan}}}"
    )
    assert broken[0] | {"text": ""} == {
        "line": 2, "column": 20, "length": 1, "text": "", "level": "error", "where": "line 2, column 20"
    }  # fmt: skip
    assert "upcase" in broken[0]["text"]
    assert (unknown[0]["level"], unknown[0]["length"]) == ("warning", 4)
    assert "Did you mean “plan”?" in unknown[0]["text"]
    assert fine == []


@pytest.mark.parametrize("body", ["", "{}", "[1]", "nonsense", '"text"'])
def test_what_is_no_list_of_texts_is_refused(admin, body):
    url = reverse("admin:webhooks_content_findings")
    assert admin.post(url, body, content_type="application/json").status_code == 400


def test_a_curl_command_comes_apart_into_fields(admin):
    url = reverse("admin:webhooks_content_curl")
    answer = admin.post(url, {"curl": "curl -X PUT https://a.example --json '{\"a\": 1}'"}).json()
    assert answer["fields"]["method"] == "PUT"
    assert "begins with curl" in admin.post(url, {"curl": "ls"}).json()["problem"]


@pytest.mark.parametrize("name", ["names", "findings", "curl"])
def test_it_is_for_those_who_may_see_webhooks(client, name):
    client.force_login(AdminFactory(is_superuser=False))
    assert client.get(reverse(f"admin:webhooks_content_{name}")).status_code == 403


def form(content: Content, **more: str) -> dict[str, str]:
    return {
        "url": content.url,
        "method": "POST",
        "body_kind": "pairs",
        "pairs-0-key": "name",
        "pairs-0-value": "{{${first_name}}}",
        "pairs-0-type": "text",
        "overrides-TOTAL_FORMS": "0",
    } | more


def test_a_preview_keeps_its_random_profile_and_offers_the_request_as_curl(admin):
    people = ProfileFactory.create_batch(8)
    content = ContentFactory()
    url = reverse("admin:webhooks_content_preview", args=[content.pk])
    answer = admin.post(url, form(content, as_kind="random", as_random=str(people[3].pk)))
    assert people[3].external_id in answer.text
    assert f'id="hl-as-random" value="{people[3].pk}"' in answer.text
    assert "curl -X POST https://example.com/hook" in answer.text


@pytest.mark.parametrize("text", ["{% connected_content https://a.example/ %}", "{{content_blocks.${footer}}}"])
def test_while_typing_nothing_is_fetched(admin, text):
    ProfileFactory()
    ContentBlock.objects.create(name="footer", content="Sent by ACME", state=ContentBlock.State.ACTIVE)
    content = ContentFactory()
    url = reverse("admin:webhooks_content_preview", args=[content.pk])
    typed = form(content, is_live="1") | {"pairs-0-value": text}
    assert admin.post(url, typed).status_code == 204


def test_earlier_tests_are_listed_beside_the_form(admin):
    content, profile = ContentFactory(), ProfileFactory(external_id="ada")
    for status in (200, 503):
        MessageActivityLog.objects.create(
            kind=LogKind.TEST_SEND, content_id=content.pk, profile=profile, text=f"[TEST SEND] {status}", status=status
        )
    MessageActivityLog.objects.create(kind=LogKind.TEST_SEND, content_id=content.pk + 1, text="[TEST SEND] 418")
    text = admin.get(reverse("admin:webhooks_content_change", args=[content.pk])).text
    assert text.index(">503<") < text.index(">200<")
    assert "418" not in text
