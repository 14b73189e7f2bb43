from datetime import timedelta

import pytest
from django.utils import timezone

from tests.factories import ContentFactory, MessageFactory, SenderFactory
from webhooks import claims, lanes
from webhooks.models import Lane, Message

pytestmark = pytest.mark.django_db(transaction=True)


def messages(count: int, **kwargs) -> list[Message]:
    content, sender = kwargs.pop("content", None) or ContentFactory(), kwargs.pop("sender", None) or SenderFactory()
    return [MessageFactory(content=content, sender=sender, **kwargs) for _ in range(count)]


def plenty(host: str) -> int:
    return 1000


def test_a_claimed_message_is_not_claimed_again_until_its_lease_runs_out():
    messages(3)
    first = claims.claim(10, plenty, 30)
    assert len(first) == 3
    assert len({m.lease for m in first}) == 1
    assert claims.claim(10, plenty, 30) == []
    Message.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    again = claims.claim(10, plenty, 30)
    assert len(again) == 3
    assert again[0].lease != first[0].lease


def test_the_oldest_go_first():
    old, new = timezone.now() - timedelta(hours=1), timezone.now() - timedelta(minutes=1)
    sender, content = SenderFactory(), ContentFactory()
    late = MessageFactory(sender=sender, content=content, due_at=new)
    early = MessageFactory(sender=sender, content=content, due_at=old)
    assert [m.id for m in claims.claim(1, plenty, 30)] == [early.pk]
    assert [m.id for m in claims.claim(1, plenty, 30)] == [late.pk]


def test_every_lane_gets_its_turn():
    many = messages(50, due_at=timezone.now() - timedelta(hours=1))
    few = messages(2, content=ContentFactory(url="https://other.example/"))
    taken = {m.id for m in claims.claim(20, plenty, 30)}
    assert {m.pk for m in few} <= taken
    assert len(taken & {m.pk for m in many}) == 18


def test_a_host_without_room_is_passed_by():
    messages(5)
    other = messages(5, content=ContentFactory(url="https://other.example/"))
    taken = claims.claim(20, lambda host: 0 if host == "example.com" else 3, 30)
    assert {m.id for m in taken} < {m.pk for m in other}
    assert len(taken) == 3


def test_given_back_messages_are_claimable_at_once():
    messages(2)
    claims.release(claims.claim(10, plenty, 30))
    assert len(claims.claim(10, plenty, 30)) == 2


def test_a_late_release_does_not_touch_another_workers_lease():
    messages(1)
    lost = claims.claim(10, plenty, 30)
    Message.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert len(claims.claim(10, plenty, 30)) == 1
    claims.release(lost)
    assert claims.claim(10, plenty, 30) == []


def test_lanes_with_nothing_left_are_closed_and_opened_again():
    (message,) = messages(1)
    assert lanes.close_empty() == 0
    Message.objects.update(finished_at=timezone.now(), outcome="received")
    assert lanes.close_empty() == 1
    assert not Lane.objects.get().is_open
    lanes.open_lanes(message.sender, [message.content])
    assert Lane.objects.get().is_open


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.com/x", "example.com"),
        (" https://example.com", "example.com"),
        ("https://example.com/{{${user_id}}}", "example.com"),
        ("https://{{${country}}}.example.com/", ""),
        ("https://example.com{{path}}", ""),
        ("{% assign a = 1 %}https://example.com/", ""),
        ("https://müller.example/", "xn--mller-kva.example"),
        ("http://[::1]/", "::1"),
    ],
)
def test_the_host_of_a_template_is_known_where_it_is_literal(url, host):
    assert lanes.host_of(url) == host


def test_languages_with_hosts_of_their_own_share_a_lane_that_rendering_decides():
    content = ContentFactory()
    content.overrides.create(language="ko", url="https://kr.example.com/")
    assert lanes.host_of_content(content) == ""
