"""What templates may ask for, from real rows, a real cache and a real endpoint."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from redis import Redis

from audience.models import SubscriptionGroup, SubscriptionState
from config.demo.receiver import Received, Receiver, Reply, always
from tests.factories import ProfileFactory
from webhooks import catalogs, promotions
from webhooks.claims import Claimed
from webhooks.compose import Composer, secrets_of, the_guard, waits
from webhooks.liquid import RenderData
from webhooks.models import BodyKind, Catalog, CatalogSelection, Content, ContentBlock, Promotion
from webhooks.request import Refusal
from workspace.models import Credential
from workspace.secrets import seal

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)


def content(body: str, **fields: Any) -> Content:
    return Content.objects.create(url="https://a.test/", body_kind=BodyKind.RAW, raw_body=body, **fields)


def claimed(content_id: int, message: int = 1, profile: int = 0) -> Claimed:
    return Claimed(message, 1, 1, content_id, profile, 1, 0, 0, NOW, 0, None, None)


def sent(made: Content, message: int = 1, composer: Composer | None = None, **profile: Any) -> Any:
    """The body of one message, or the refusal."""
    composer = composer or Composer(the_guard())
    one = claimed(made.pk, message, profile.get("id", 0))
    contents = composer.compiled([made.pk])
    services = composer.services([one], contents, NOW)
    data = RenderData({"language": "", **profile}, now=NOW, services=services.get(one.id))
    result = composer.request(contents[made.pk], data, str(profile.get("language", "")))
    return result if isinstance(result, Refusal) else (result.body or b"").decode()


def test_blocks_in_blocks_and_what_they_need() -> None:
    ContentBlock.objects.create(name="outer", content="<{{content_blocks.${inner}}}>")
    ContentBlock.objects.create(name="inner", content="{{credentials.${token}}}")
    Credential.objects.create(name="token", sealed_value=seal("s3cret"))
    assert sent(content("{{content_blocks.${outer}}}")) == "<s3cret>"


def test_a_changed_block_shows_at_once_and_a_draft_does_not() -> None:
    made, composer = content("{{content_blocks.${b}}}"), Composer(the_guard())
    block = ContentBlock.objects.create(name="b", content="old")
    assert sent(made, composer=composer) == "old"
    block.content = "new"
    block.save()
    assert sent(made, composer=composer) == "new"
    ContentBlock.objects.update(state=ContentBlock.State.DRAFT)
    assert "there is no Content Block 'b'" in sent(made, composer=composer).text
    ContentBlock.objects.update(state=ContentBlock.State.ARCHIVED)
    assert sent(made, composer=composer) == "new"


def test_credentials_are_named_for_whoever_masks() -> None:
    Credential.objects.create(name="token", sealed_value=seal("s3cret"))
    composer, made = Composer(the_guard()), content("{{credentials.${token}}}")
    contents = composer.compiled([made.pk])
    data = RenderData({}, now=NOW, services=composer.services([claimed(made.pk)], contents, NOW)[1])
    composer.request(contents[made.pk], data)
    assert data.secrets == {"s3cret"}


def test_secrets_are_known_without_rendering() -> None:
    Credential.objects.create(name="token", sealed_value=seal("s3cret"))
    made = content("{{credentials.${token}}}", headers=[{"name": "X", "value": seal("h1dden"), "is_secret": True}])
    composer = Composer(the_guard())
    compiled: Any = composer.compiled([made.pk])[made.pk]
    services = composer.services([claimed(made.pk)], {made.pk: compiled}, NOW)
    assert secrets_of(compiled, services[1]) == ("h1dden", "s3cret")
    assert secrets_of(compiled, None) == ("h1dden",)


def test_catalogs_are_looked_up_once_by_version(django_assert_num_queries) -> None:
    games = Catalog.objects.create(name="Games")
    catalogs.store(games, [{"id": "1", "title": "Chess"}, {"id": "2", "title": "Go"}])
    CatalogSelection.objects.create(catalog=games, name="all", sort_by="title")
    made, composer = content("{% catalog_items Games 2 9 %}{{items[0].title}}{{items.size}}"), Composer(the_guard())
    assert sent(made, composer=composer) == "Go1"
    with django_assert_num_queries(2):  # the content's version, the catalogs' versions
        assert sent(made, composer=composer) == "Go1"
    catalogs.store(games, [{"id": "2", "title": "Baduk"}])
    assert sent(made, composer=composer) == "Baduk1"
    assert sent(content("{% catalog_selection_items Games all %}{{items | map: 'title' | join}}")) == "Baduk Chess"
    assert "catalog 'Nope'" in sent(content("{% catalog_items Nope 1 %}")).text


def test_a_code_belongs_to_its_message() -> None:
    promotions.add(Promotion.objects.create(name="spring"), ["A", "B"])
    made = content("{% promotion('spring') %}{% if false %}{% promotion('spring') %}{% endif %}")
    assert [sent(made, message) for message in (1, 1, 2)] == ["A", "A", "B"]
    refusal = sent(made, 3)
    assert (refusal.outcome, refusal.text) == ("aborted", "no promotion code left in 'spring'")


def test_no_code_is_taken_where_the_tag_is_not_reached() -> None:
    promotion = Promotion.objects.create(name="spring")
    promotions.add(promotion, ["A"])
    assert sent(content("{% if false %}{% promotion('spring') %}{% endif %}-")) == "-"
    assert promotion.codes.filter(taken_at=None).count() == 1


def test_translations_follow_the_language() -> None:
    made = content(
        "{% translation hi %}Hi{% endtranslation %} {{${first_name}}}",
        translations={"de": {"hi": "Hallo"}, "pt-BR": {"hi": "Oi"}},
    )
    bodies = [sent(made, language=language, first_name="Zoë") for language in ("de-AT", "pt_br", "fr", "")]
    assert bodies == ["Hallo Zoë", "Oi Zoë", "Hi Zoë", "Hi Zoë"]


def test_subscription_states_are_the_profiles() -> None:
    group = SubscriptionGroup.objects.create(name="news")
    one, two = ProfileFactory(), ProfileFactory()
    SubscriptionState.objects.create(profile=one, group=group, state="subscribed")
    source = f"[{{{{subscribed_state.${{{group.key}}}}}}}] {{{{subscribed_state.${{email_global}}}}}}"
    made = content(source)
    assert sent(made, id=one.pk, email_subscribe="opted_in") == "[subscribed] opted_in"
    assert sent(made, id=two.pk, email_subscribe="unsubscribed") == "[] unsubscribed"


def test_a_batch_costs_a_few_queries_whatever_its_size(django_assert_num_queries) -> None:
    ContentBlock.objects.create(name="b", content="x")
    Credential.objects.create(name="token", sealed_value=seal("s3cret"))
    made, composer = content("{{content_blocks.${b}}}{{credentials.${token}}}"), Composer(the_guard())
    contents = composer.compiled([made.pk])
    batch = [claimed(made.pk, message) for message in range(1, 101)]
    with django_assert_num_queries(2):
        services = composer.services(batch, contents, NOW)
        for message in batch:
            composer.request(contents[made.pk], RenderData({}, now=NOW, services=services[message.id]))


def test_plain_contents_cost_nothing(django_assert_num_queries) -> None:
    made, composer = content("{{${first_name}}}"), Composer(the_guard())
    contents = composer.compiled([made.pk])
    with django_assert_num_queries(0):
        assert composer.services([claimed(made.pk)], contents, NOW) == {}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{{${first_name}}}", False),
        ("{% connected_content https://a.test/ %}", True),
        ("{{content_blocks.${plain}}}", False),
        ("{{content_blocks.${fetching}}}", True),
        ("{{content_blocks.${outer}}}", True),
    ],
)
def test_a_content_that_may_wait_is_known(body: str, expected: bool) -> None:
    ContentBlock.objects.create(name="plain", content="x")
    ContentBlock.objects.create(name="fetching", content="{% connected_content https://a.test/ %}")
    ContentBlock.objects.create(name="outer", content="{{content_blocks.${fetching}}}")
    made, composer = content(body), Composer(the_guard())
    contents = composer.compiled([made.pk])
    services = composer.services([claimed(made.pk)], contents, NOW)
    compiled: Any = contents[made.pk]
    assert waits(compiled, services.get(1) or RenderData({}, now=NOW).services) is expected


# --- Connected Content ---


@pytest.fixture
def api(sink: Receiver, settings: Any) -> Receiver:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    return sink


def test_answers_are_shared_through_redis(api: Receiver, valkey: Redis) -> None:
    api.script = always(Reply(body=b'{"name": "Kim"}'))
    made = content(f"{{% connected_content {api.url} :save u :cache_max_age 600 %}}{{{{u.name}}}}")
    assert [sent(made, message) for message in (1, 2)] == ["Kim", "Kim"]  # each with a composer of its own
    assert len(api.received) == 1
    (key,) = valkey.keys("connected:*")
    assert 0 < valkey.ttl(key) <= 600


def test_without_redis_the_call_is_made(api: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    api.script = always(Reply(body=b'{"name": "Kim"}'))
    away = Redis.from_url("unix:///nonexistent.sock")
    monkeypatch.setattr("webhooks.services.queues.connection", lambda: away)
    assert sent(content(f"{{% connected_content {api.url} :save u %}}{{{{u.name}}}}")) == "Kim"


def test_the_guard_holds(sink: Receiver, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    assert sent(content(f"[{{% connected_content {sink.url} :save u %}}{{{{u}}}}]")) == "[]"
    assert sink.received == []


def test_stored_values_go_to_their_domain_only(api: Receiver) -> None:
    pairs = seal(json.dumps([["X-Token", "t0ken"]]))
    Credential.objects.create(name="here", kind="headers", domain="127.0.0.1", sealed_value=pairs)
    Credential.objects.create(name="there", kind="headers", domain="example.com", sealed_value=pairs)
    Credential.objects.create(name="user", kind="basic", sealed_value=seal("ada:pa:ss"))
    api.script = always(Reply(body=b"ok"))
    tag = "{{% connected_content {url} :{option} {name} :no_cache :save r %}}{{{{r}}}}"
    bodies = [
        sent(content(tag.format(url=api.url, option=option, name=name)))
        for option, name in [("auth_credentials", "here"), ("auth_credentials", "there"), ("basic_auth", "user")]
    ]
    assert bodies == ["ok", "", "ok"]
    assert [request.headers.get("x-token") for request in api.received] == ["t0ken", None]
    assert api.received[1].headers["authorization"] == "Basic YWRhOnBhOnNz"
    gone = sent(content(tag.format(url=api.url, option="basic_auth", name="gone")))
    assert (gone.outcome, "gone" in gone.text) == ("aborted", True)


def test_a_401_drops_the_cached_token_and_renders_again(api: Receiver) -> None:
    tokens = iter(["old", "new"])

    def reply(request: Received, nth: int) -> Reply:
        if request.target == "/token":
            return Reply(200, body=json.dumps({"t": next(tokens)}).encode())
        return Reply(200 if request.headers.get("x-token") == valid else 401, body=b'{"name": "Kim"}')

    api.script = reply
    base = api.url
    made = content(
        f"{{% connected_content {base}/token :save k %}}"
        f'{{% connected_content {base}/who :no_cache :headers {{"X-Token": "{{{{k.t}}}}"}} :save u %}}{{{{u.name}}}}'
    )
    valid = "old"
    assert sent(made) == "Kim"
    valid = "new"  # the token was revoked meanwhile
    assert sent(made, 2) == "Kim"
    assert [request.target.strip("/") for request in api.received] == "token who who token who".split()
    valid = "another"  # it stays refused: tried once more, then nil
    assert sent(made, 3) == ""
