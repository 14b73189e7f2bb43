"""Content Blocks, catalogs, promotion codes and credentials in the admin."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.factories import TeamFactory
from webhooks import catalogs, promotions
from webhooks.models import Catalog, CatalogItem, Content, ContentBlock, ContentOverride, Promotion
from workspace.models import Credential
from workspace.secrets import unseal

pytestmark = pytest.mark.django_db

NO_SELECTIONS = {"selections-TOTAL_FORMS": 0, "selections-INITIAL_FORMS": 0}


def post(client: Client, model: str, pk: int | None = None, /, **fields: Any) -> Any:
    url = reverse(f"admin:{model}_change", args=[pk]) if pk else reverse(f"admin:{model}_add")
    return client.post(url, fields, follow=True)


def problems(answer: Any) -> list[str]:
    """The errors shown on fields; empty when the form was saved."""
    form = answer.context.get("adminform")
    return [text for errors in form.errors.values() for text in errors] if form else []


def csv(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("file.csv", text.encode(), "text/csv")


def block(client: Client, content: str, pk: int | None = None, **fields: Any) -> list[str]:
    given = {"name": "footer", "description": "", "content": content, "state": "active"} | fields
    return problems(post(client, "webhooks_contentblock", pk, **given))


def test_a_block_is_made_and_its_tag_shown(admin_client: Client) -> None:
    assert block(admin_client, "Sent by {{custom_attribute.${brand} | default: 'ACME'}}") == []
    made = ContentBlock.objects.get()
    page = admin_client.get(reverse("admin:webhooks_contentblock_change", args=[made.pk]))
    assert "{{content_blocks.${footer}}}" in page.content.decode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{{ nope | nosuch }}", "Content, line 1, column 11: there is no filter 'nosuch'"),
        ("{{content_blocks.${gone}}}", "there is no Content Block 'gone'"),
        ("{% promotion('gone') %}", "there is no list of promotion codes 'gone'"),
        ("{{credentials.${gone}}}", "there is no credential 'gone'"),
        ("{% catalog_items Gone 1 %}", "there is no catalog 'Gone'"),
        ("{% connected_content https://a.test :basic_auth gone %}", "there is no credential 'gone' for Connected"),
        ("x" * 51_201, "at most 51200 characters"),
    ],
)
def test_what_a_block_cannot_print_is_refused_at_its_place(admin_client: Client, content: str, words: str) -> None:
    (problem,) = block(admin_client, content)
    assert words in problem
    assert not ContentBlock.objects.exists()


def test_blocks_cannot_go_in_a_circle(admin_client: Client) -> None:
    footer = ContentBlock.objects.create(name="footer", content="x")
    ContentBlock.objects.create(name="legal", content="{{content_blocks.${footer}}}")
    assert "footer → footer" in block(admin_client, "{{content_blocks.${footer}}}", footer.pk)[0]
    assert "footer → legal → footer" in block(admin_client, "{% render 'legal' %}", footer.pk)[0]


def test_a_block_in_use_is_not_archived_and_never_renamed(admin_client: Client) -> None:
    footer = ContentBlock.objects.create(name="footer", content="x")
    content = Content.objects.create(name="Welcome", headers=[{"name": "X", "value": "{{content_blocks.${footer}}}"}])
    other = Content.objects.create(name="Other", pairs=[{"key": "footer", "value": "no block"}])
    ContentOverride.objects.create(content=other, language="de", pairs=[{"key": "k", "value": "{% render 'footer' %}"}])
    (problem,) = block(admin_client, "x", footer.pk, state="archived")
    assert "“Welcome”, “Other”" in problem
    content.delete()
    other.delete()
    assert block(admin_client, "y", footer.pk, state="archived", name="renamed") == []
    footer.refresh_from_db()
    assert (footer.name, footer.state, footer.content) == ("footer", "archived", "y")


def test_blocks_of_other_teams_are_not_seen(client: Client) -> None:
    user = User.objects.create_user("ada", is_staff=True)
    user.user_permissions.add(*_permissions("contentblock"))
    theirs = ContentBlock.objects.create(name="theirs", content="x")
    theirs.teams.add(TeamFactory())
    ContentBlock.objects.create(name="ours", content="<b>x</b>")
    client.force_login(user)
    page = client.get(reverse("admin:webhooks_contentblock_changelist")).content.decode()
    assert ("ours" in page, "theirs" in page) == (True, False)


def _permissions(model: str) -> Any:
    from django.contrib.auth.models import Permission

    return Permission.objects.filter(content_type__model=model)


def test_items_come_from_csv_with_their_types(admin_client: Client) -> None:
    table = csv("id,title,price\n1,Chess,5\n2,Go,7.5\n")
    answer = post(admin_client, "webhooks_catalog", name="Games", description="", file=table, **NO_SELECTIONS)
    assert problems(answer) == []
    assert "2 items were imported." in answer.content.decode()
    games = Catalog.objects.get()
    assert games.fields == [
        {"name": "id", "type": "string"},
        {"name": "title", "type": "string"},
        {"name": "price", "type": "number"},
    ]
    assert catalogs.items(games.pk, ["2"]) == {"2": {"id": "2", "title": "Go", "price": 7.5}}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("title,id\nx,1\n", "first column must be called id"),
        ("id,a,a\n1,2,3\n", "needs a name of its own"),
        ("id,a b\n1,2\n", "can't be a column's name"),
        ("id,a\nx y,2\n", "can't be an id"),
        ("", "empty"),
    ],
)
def test_a_table_that_cannot_be_items_is_refused(admin_client: Client, table: str, words: str) -> None:
    answer = post(admin_client, "webhooks_catalog", name="Games", description="", file=csv(table), **NO_SELECTIONS)
    assert words in problems(answer)[0]


def test_a_selection_with_a_bad_condition_is_refused_beside_it(admin_client: Client) -> None:
    games = Catalog.objects.create(name="Games")
    fields = {"selections-TOTAL_FORMS": 1, "selections-INITIAL_FORMS": 0, "selections-0-name": "cheap"}
    fields |= {"selections-0-limit": 50, "selections-0-conditions": "price ~ 3"}
    answer = post(admin_client, "webhooks_catalog", games.pk, description="", **fields)
    assert "“price ~ 3” is no condition" in answer.content.decode()
    fields["selections-0-conditions"] = "price < 6"
    post(admin_client, "webhooks_catalog", games.pk, description="", **fields)
    assert games.selections.get().conditions == "price < 6"


def test_an_item_changed_by_hand_is_a_new_version(admin_client: Client) -> None:
    games = Catalog.objects.create(name="Games")
    catalogs.store(games, [{"id": "1", "title": "Chess"}])
    before = Catalog.objects.get().version
    item = CatalogItem.objects.get()
    page = admin_client.get(reverse("admin:webhooks_catalogitem_changelist") + f"?catalog__id__exact={games.pk}")
    assert "title: Chess" in page.content.decode()
    post(admin_client, "webhooks_catalogitem", item.pk, catalog=games.pk, item_id="1", values='{"title": "Go"}')
    assert Catalog.objects.get().version == before + 1


def test_codes_come_from_csv_once_and_are_counted(admin_client: Client) -> None:
    answer = post(admin_client, "webhooks_promotion", name="spring", description="", file=csv("A\nB\n\nC\n"))
    assert problems(answer) == []
    spring = Promotion.objects.get()
    promotions.take("spring", 7, spring.created_at)
    answer = post(admin_client, "webhooks_promotion", spring.pk, description="", file=csv("C\nD\n"))
    assert "1 codes were added; 1 were there already." in answer.content.decode()
    page = admin_client.get(reverse("admin:webhooks_promotion_changelist"))
    (row,) = page.context["cl"].result_list
    assert (row.left_count, row.sent_count) == (3, 1)


def test_an_empty_list_of_codes_counts_nothing(admin_client: Client) -> None:
    Promotion.objects.create(name="empty")
    (row,) = admin_client.get(reverse("admin:webhooks_promotion_changelist")).context["cl"].result_list
    assert (row.left_count, row.sent_count) == (0, 0)


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("text", "s3cret", "s3cret"),
        ("basic", "ada:pa:ss", "ada:pa:ss"),
        ("headers", "X-Key: k\r\nX-Other: a:b", '[["X-Key", "k"], ["X-Other", "a:b"]]'),
    ],
)
def test_a_credential_is_sealed_and_never_shown(admin_client: Client, kind: str, value: str, stored: str) -> None:
    fields = {"name": "api", "kind": kind, "domain": "api.example.com"}
    assert problems(post(admin_client, "workspace_credential", value=value, **fields)) == []
    made = Credential.objects.get()
    assert unseal(made.sealed_value) == stored
    page = admin_client.get(reverse("admin:workspace_credential_change", args=[made.pk])).content.decode()
    assert value.split(":")[0] not in page.replace("X-Key: k", "")  # no part of it
    assert problems(post(admin_client, "workspace_credential", made.pk, value="", **fields)) == []
    made.refresh_from_db()
    assert unseal(made.sealed_value) == stored


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "text", "value": ""}, "Enter the secret."),
        ({"kind": "basic", "value": "ada"}, "user:password"),
        ({"kind": "headers", "value": "X: y"}, "Say where these headers may go."),
        ({"kind": "headers", "value": "nonsense", "domain": "a.example"}, "one header a line"),
        ({"kind": "text", "value": "x", "domain": "https://a.example/"}, "Write the host alone"),
        ({"kind": "text", "value": "x", "name": "a b"}, "Use letters"),
    ],
)
def test_a_credential_that_cannot_be_used_is_refused(admin_client: Client, fields: Any, words: str) -> None:
    answer = post(admin_client, "workspace_credential", **({"name": "api", "domain": ""} | fields))
    assert words in problems(answer)[0]


@pytest.mark.parametrize("name", ["contentblock", "catalog", "catalogitem", "promotion"])
def test_pages_need_their_permission(client: Client, name: str) -> None:
    client.force_login(User.objects.create_user("ada", is_staff=True))
    assert client.get(reverse(f"admin:webhooks_{name}_changelist")).status_code == 403
