"""Promotion codes: each once, whoever asks and however often."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from tests.parallel import in_parallel
from webhooks import promotions
from webhooks.models import Promotion, PromotionCode

NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)


def filled(count: int, **fields: object) -> Promotion:
    promotion = Promotion.objects.create(name="spring", **fields)
    promotions.add(promotion, (f"SPR-{n:04}" for n in range(count)))
    return promotion


@pytest.mark.django_db
def test_a_message_gets_one_code_and_the_same_one_again() -> None:
    filled(3)
    assert [promotions.take("spring", message, NOW) for message in (7, 7, 8)] == ["SPR-0000", "SPR-0000", "SPR-0001"]


@pytest.mark.django_db
def test_nothing_left_unknown_or_expired_is_none() -> None:
    filled(1, expires_at=NOW + timedelta(hours=1))
    assert promotions.take("autumn", 1, NOW) is None
    assert promotions.take("spring", 1, NOW + timedelta(hours=1)) is None
    assert promotions.take("spring", 1, NOW) == "SPR-0000"
    assert promotions.take("spring", 2, NOW) is None


@pytest.mark.django_db
def test_codes_are_added_once() -> None:
    promotion = filled(2)
    promotions.take("spring", 1, NOW)
    assert promotions.add(promotion, ["SPR-0000", "SPR-0001", "NEW"]) == 1
    assert promotion.codes.filter(taken_at=None).count() == 2


@pytest.mark.django_db(transaction=True)
def test_many_at_once_get_different_codes_and_one_message_gets_one() -> None:
    filled(120)
    got: list[tuple[int, str | None]] = []

    def work() -> None:
        for message in range(1, 31):
            got.append((message, promotions.take("spring", message, NOW)))

    in_parallel([work] * 4)
    assert len(got) == 120
    by_message = {message: {code for asked, code in got if asked == message} for message, _ in got}
    assert all(len(codes) == 1 for codes in by_message.values())
    assert len({code for _, code in got}) == 30
    assert PromotionCode.objects.exclude(taken_at=None).count() == 30


@pytest.mark.django_db
def test_a_free_code_is_found_by_the_index_among_many_used(django_assert_max_num_queries) -> None:
    promotion = filled(2000)
    PromotionCode.objects.filter(code__lt="SPR-1990").update(taken_at=NOW)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    plan = PromotionCode.objects.filter(promotion=promotion, taken_at=None).order_by("id")[:1].explain()
    assert "promotion_code_left" in plan
