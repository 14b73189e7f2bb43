"""For random profiles and trees the one SQL query says the same as a plain evaluator, on whichever database runs."""

import os
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audience.filters import InvalidFilter, compile_tree, sentence, validate
from audience.ingest import history, items
from audience.models import Alias, CurrencyRate, CustomEvent, Profile, Purchase, SubscriptionGroup, SubscriptionState
from tests.audience.filters import strategies as some
from tests.audience.filters.oracle import World, matches
from workspace.models import Workspace

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("FILTER_EXAMPLES", "200"))  # of a profile and six trees each; thousands to search deeply
RATES = {"USD": Decimal(1), "EUR": Decimal("1.5")}


def store(person: dict) -> Profile:
    profile = Profile.objects.create(custom_attributes=person["custom"], **person["columns"])
    who = items.Identifier(items.By.BRAZE_ID, "")
    events = [
        items.EventItem(who, False, n, event["name"], event["time"], event["properties"])
        for n, event in enumerate(person["events"])
    ]
    bought = [
        items.PurchaseItem(
            who, False, n, p["product"], p["currency"], p["price"], p["quantity"], p["time"], p["properties"]
        )
        for n, p in enumerate(person["purchases"])
    ]
    history.store_events([(event, profile.pk) for event in events], some.NOW)
    history.store_purchases([(purchase, profile.pk) for purchase in bought], some.NOW)
    SubscriptionState.objects.bulk_create(
        SubscriptionState(profile=profile, group_id=group, state=state) for group, state in person["groups"].items()
    )
    return profile


def world(person: dict, zone: str) -> World:
    return World(now=some.NOW, zone=zone, rates=RATES, **person)


def prepare(zone: str) -> None:
    Workspace.objects.update_or_create(pk=1, defaults={"time_zone": zone})
    CurrencyRate.objects.update_or_create(code="EUR", defaults={"rate": RATES["EUR"]})
    for key in (1, 2):
        SubscriptionGroup.objects.get_or_create(pk=key, defaults={"name": f"group {key}"})


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    person=some.people,
    trees=st.lists(some.trees, min_size=6, max_size=6),
    zone=st.sampled_from(some.ZONES),
)
def test_the_query_says_what_the_specification_says(person, trees, zone):
    with transaction.atomic():
        prepare(zone)
        profile = store(person)
        Alias.objects.bulk_create(Alias(profile=profile, label=a, name=b) for a, b in person["aliases"])
        for tree in trees:
            assert validate(tree) == []
            selected = Profile.objects.filter(compile_tree(tree, some.NOW), pk=profile.pk).exists()
            assert selected == matches(tree, world(person, zone)), (tree, sentence(tree), person)
        transaction.set_rollback(True)


@settings(max_examples=EXAMPLES // 2, deadline=None, suppress_health_check=list(HealthCheck))
@given(person=some.people, extra=some.people, trees=st.lists(some.leaves, min_size=6, max_size=6))
def test_events_being_reacted_to_are_not_seen(person, extra, trees):
    """What is unseen might as well not have happened; pruned history apart, which these are not."""
    from audience.filters import Unseen

    with transaction.atomic():
        prepare("UTC")
        both = person | {key: [*person[key], *extra[key]] for key in ("events", "purchases")}
        profile = store(both)
        Alias.objects.bulk_create(Alias(profile=profile, label=a, name=b) for a, b in person["aliases"])
        rows = [
            [*model.objects.filter(profile=profile).order_by("pk").values_list("pk", flat=True)][len(person[key]) :]
            for model, key in ((CustomEvent, "events"), (Purchase, "purchases"))
        ]
        unseen = Unseen(*map(frozenset, rows))
        for tree in trees:
            if tree["filter"] in ("last_active", "custom_event_first", "purchase_first", "session_first"):
                continue  # told from summaries, in which an unseen event may be the first
            selected = Profile.objects.filter(compile_tree(tree, some.NOW, unseen), pk=profile.pk).exists()
            assert selected == matches(tree, world(person, "UTC")), (tree, both)
        transaction.set_rollback(True)


@given(
    junk=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | some.leaves,
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(["all", "any", "not", "filter", "op", "values", "name"]), inner, max_size=3
            )
        ),
        max_leaves=6,
    )
)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_is_either_refused_or_compiles(junk):
    if not isinstance(junk, dict):
        assert validate(junk) or not junk
        return
    prepare("UTC")
    if problems := validate(junk):
        assert all(problem.sentence for problem in problems)
        with pytest.raises(InvalidFilter):
            compile_tree(junk, some.NOW)
    else:
        Profile.objects.filter(compile_tree(junk, some.NOW)).exists()
