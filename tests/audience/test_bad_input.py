"""What clients and files really send, and what becomes of it: nothing crashes, nothing is silent."""

import json
import time
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audience import filters, segments
from audience.filters import patterns
from audience.ingest import track
from audience.models import Attribute, CustomEvent, EventSummary, PendingEvent, Profile
from tests.conftest import NOON
from tests.factories import ProfileFactory, SegmentFactory

pytestmark = pytest.mark.django_db
texts = st.text(st.characters(), max_size=8)


def send(*attributes, **lists):
    return track(attributes=list(attributes), now=NOON, **lists)


def stored(external_id: str = "a") -> dict:
    return Profile.objects.get(external_id=external_id).custom_attributes


def errors(batch) -> list[str]:
    return [error.type for error in batch.errors]


class TestMixedTypes:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("pro", 5),
            (5, "5"),
            (True, 1),
            (1, True),
            ("pro", ["pro"]),
            (["x"], "x"),
            ({"a": 1}, [1]),
            ([{"a": 1}], [1]),
        ],
    )
    def test_the_first_value_decides_and_another_type_is_refused_and_named(self, first, second):
        send({"external_id": "a", "x": first, "other": 1})
        batch = send({"external_id": "a", "x": second, "other": 2}, {"external_id": "b", "x": second})
        kind = Attribute.objects.get(name="x").type
        assert errors(batch) == [f"'x' must be of type {kind}"] * 2
        assert stored() == {"x": first, "other": 2}
        assert stored("b") == {}

    def test_the_first_value_decides_within_one_request_too(self):
        batch = send({"external_id": "a", "x": 1}, {"external_id": "b", "x": "one"}, {"external_id": "c", "x": 3})
        assert [(error.index, error.type) for error in batch.errors] == [(1, "'x' must be of type number")]
        assert (stored("a"), stored("b"), stored("c")) == ({"x": 1}, {}, {"x": 3})

    def test_a_text_that_looks_like_a_time_stays_text_where_texts_are_kept(self):
        send({"external_id": "a", "note": "hello"}, {"external_id": "b", "seen": "2026-05-06"})
        batch = send({"external_id": "a", "note": "2026-05-06"}, {"external_id": "b", "seen": "yesterday"})
        assert stored()["note"] == "2026-05-06"
        assert stored("b")["seen"] == "2026-05-06T00:00:00.000Z"
        assert errors(batch) == ["'seen' must be of type time"]

    def test_an_attribute_that_is_emptied_keeps_its_type(self):
        send({"external_id": "a", "x": 1, "pets": [{"kind": "dog"}]})
        assert errors(send({"external_id": "a", "x": None, "pets": []})) == []
        assert stored() == {"pets": []}
        assert errors(send({"external_id": "a", "x": "one"})) == ["'x' must be of type number"]

    def test_filters_on_mixed_values_that_got_in_all_the_same_answer_alike(self):
        for number, value in enumerate(["5", 5, 5.0, True, None, [5], {"a": 5}, "", "five"]):
            ProfileFactory(external_id=f"p{number}", custom_attributes={"x": value})
        leaf = {"filter": "custom_attribute", "name": "x"}
        chosen = {
            "text": leaf | {"type": "text", "op": "any_of", "values": ["5"]},
            "number": leaf | {"type": "number", "op": "at_least", "value": 5},
            "list": leaf | {"type": "list", "op": "any_of", "values": [5]},
            "boolean": leaf | {"type": "boolean", "op": "true"},
        }
        found = {
            kind: [
                *Profile.objects.filter(filters.compile_tree(tree, NOON))
                .order_by("pk")
                .values_list("external_id", flat=True)
            ]
            for kind, tree in chosen.items()
        }
        assert found == {"text": ["p0"], "number": ["p1", "p2"], "list": ["p5"], "boolean": ["p3"]}


class TestSize:
    def test_ten_thousand_keys_are_refused_as_a_whole_with_the_limit_named(self):
        batch = send({"external_id": "a"} | {f"k{n}": n for n in range(10_000)}, {"external_id": "b", "k": 1})
        assert errors(batch) == ["'attributes' has 10,001 keys; at most 1,000 can be set at once"]
        assert [*Profile.objects.values_list("external_id", flat=True)] == ["b"]

    def test_a_profile_holds_a_thousand_attributes_and_the_next_is_named(self):
        for start in (0, 900):
            batch = send({"external_id": "a"} | {f"k{n}": n for n in range(start, start + 900)})
        assert len(stored()) == 1_000
        assert set(errors(batch)) == {
            f"'k{n}' is not stored: a profile has at most 1,000 custom attributes" for n in range(1_000, 1_800)
        }
        assert errors(send({"external_id": "a", "k5": "six", "k7": None})) == ["'k5' must be of type number"]

    @pytest.mark.parametrize(
        ("value", "complaint"),
        [
            ("x" * 256, "is longer than 255 characters"),
            ({"a": "x" * 255, **{f"k{n}": "y" * 250 for n in range(500)}}, "is larger than 100 KB"),
            (2**63, "is not valid"),
            (float("inf"), "is not valid"),
            ({"$bad": 1}, "is not valid"),
            (json.loads("[" * 40 + "]" * 40), "is not valid"),
        ],
    )
    def test_values_that_are_too_large_or_odd_are_left_out_and_named(self, value, complaint):
        batch = send({"external_id": "a", "x": value, "ok": 1})
        assert errors(batch) == [f"'x' {complaint}"]
        assert stored() == {"ok": 1}

    def test_a_list_keeps_its_newest_five_hundred(self):
        send({"external_id": "a", "x": list(range(700))})
        assert stored()["x"] == list(range(200, 700))


class TestIdentity:
    def test_of_the_same_external_id_in_one_batch_the_last_value_wins_in_order(self):
        batch = send(
            {"external_id": "a", "plan": "free", "first_name": "Ada", "n": {"inc": 1}},
            {"external_id": "b", "plan": "x"},
            {"external_id": "a", "plan": "pro", "n": {"inc": 2}},
            {"external_id": "a", "plan": None, "city": "Seoul", "n": {"inc": 3}},
            {"external_id": "a", "plan": "team"},
        )
        assert batch.errors == []
        assert Profile.objects.count() == 2
        assert stored() == {"plan": "team", "city": "Seoul", "n": 6}
        assert Profile.objects.get(external_id="a").first_name == "Ada"

    def test_external_ids_differ_by_case_blanks_and_accents(self):
        ids = ["a", "A", " a", "a ", "á", "ａ"]
        send(*({"external_id": each, "n": number} for number, each in enumerate(ids)))
        assert {key: stored(key)["n"] for key in ids} == {key: number for number, key in enumerate(ids)}

    @pytest.mark.parametrize("value", [None, "", [], {}, True, 1.5, "x" * 513])
    def test_what_is_no_identifier_is_refused(self, value):
        assert len(send({"external_id": value, "x": 1}).errors) == 1
        assert not Profile.objects.exists()


class TestUnstorable:
    def test_nul_and_lone_surrogates_are_replaced_everywhere(self):
        bad = "a\0b\ud800c"
        good = "a\ufffdb\ufffdc"
        event = {"external_id": bad, "name": bad, "time": "2026-05-01", "properties": {bad: [bad], "o": {"k": bad}}}
        bought = {"external_id": bad, "product_id": bad, "currency": "USD", "price": 1, "time": "2026-05-01"}
        attributes = {"external_id": bad, "first_name": bad, "note": bad, "list": [bad], "o": {"k": {"d": bad}}, bad: 1}
        batch = track([attributes], [event | {"event_id": bad}], [bought | {"properties": {"p": bad}}], now=NOON)
        assert batch.errors == []
        profile = Profile.objects.get(external_id=good)
        assert profile.first_name == good
        expected = {"note": good, "list": [good], "o": {"k": {"d": good}}, good: 1}
        assert profile.custom_attributes == expected
        assert CustomEvent.objects.get().properties == {good: [good], "o": {"k": good}}
        assert EventSummary.objects.filter(name=good).count() == 2

    def test_in_a_filter_they_are_refused_with_a_sentence(self):
        leaf = {"filter": "first_name", "op": "any_of", "values": ["a\0"]}
        assert "can't be stored" in filters.validate(leaf)[0].sentence
        name = {"filter": "custom_attribute", "name": "\ud800", "type": "text", "op": "blank"}
        assert "can't be stored" in filters.validate(name)[0].sentence

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        junk=st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=3)
            ),
            max_leaves=8,
        ),
        key=st.sampled_from(["external_id", "email", "dob", "time_zone", "user_alias", "x", "gender", "phone"]),
    )
    def test_whatever_is_sent_is_stored_or_named(self, junk, key):
        send({"external_id": "a", key: junk}, junk, events=[junk, {"external_id": "a", "name": junk, "time": junk}])
        track(
            purchases=[{"external_id": "a", "product_id": "p", "price": junk, "currency": junk, "time": junk}], now=NOON
        )


class TestTime:
    @pytest.mark.parametrize("zone", ["Mars/Base", "", "utc+9", "Asia/seoul", 9, ["Asia/Seoul"]])
    def test_an_unknown_time_zone_leaves_the_one_there_was_and_the_rest_goes_in(self, zone):
        send({"external_id": "a", "time_zone": "Asia/Seoul"})
        send({"external_id": "a", "time_zone": zone, "first_name": "Ada"})
        profile = Profile.objects.get()
        assert (profile.time_zone, profile.first_name) == ("Asia/Seoul", "Ada")

    def test_an_event_in_the_future_happens_now(self):
        track(events=[{"external_id": "a", "name": "x", "time": "2999-01-01T00:00:00Z"}], now=NOON)
        assert CustomEvent.objects.get().occurred_at == NOON

    @pytest.mark.parametrize("moment", ["1969-07-20T20:17:40Z", "0001-01-01T00:00:00Z", "1800-02-28"])
    def test_an_event_before_1970_keeps_its_time_and_is_filtered_by_it(self, moment):
        track(events=[{"external_id": "a", "name": "x", "time": moment}], now=NOON)
        event = CustomEvent.objects.get()
        assert event.occurred_at.year == int(moment[:4])
        assert EventSummary.objects.get().first_at == event.occurred_at
        for op, expected in (("before", True), ("after", False)):
            leaf = {"filter": "custom_event_first", "name": "x", "op": op, "date": "1990-01-01"}
            assert Profile.objects.filter(filters.compile_tree(leaf, NOON)).exists() is expected

    @pytest.mark.parametrize("moment", ["0000-01-01", "9999-01-01", "2026-02-30", "25:00", 1767225600, None, "now"])
    def test_what_is_no_time_is_refused(self, moment):
        batch = track(events=[{"external_id": "a", "name": "x", "time": moment}], now=NOON)
        assert len(batch.errors) == 1
        assert not CustomEvent.objects.exists()


class TestRepeats:
    def test_the_same_event_id_counts_once_however_late_it_comes_again(self, reacting):
        event = {"external_id": "a", "name": "x", "time": "2026-05-01", "event_id": "e-1"}
        track(events=[event], now=NOON)
        again = track(events=[event, event | {"time": "2026-05-02"}], now=NOON + timedelta(days=2))
        assert again.errors == []
        assert CustomEvent.objects.count() == PendingEvent.objects.filter(kind="event").count() == 1
        assert EventSummary.objects.get().count == 1

    def test_an_equal_event_a_second_later_is_a_client_that_tries_again(self, reacting):
        event = {"external_id": "a", "name": "x", "time": "2026-05-01T10:00:00Z", "properties": {"n": 1}}
        track(events=[event], now=NOON)
        track(events=[event, event | {"properties": {"n": 2}}], now=NOON + timedelta(seconds=1))
        assert CustomEvent.objects.count() == PendingEvent.objects.filter(kind="event").count() == 2
        track(events=[event], now=NOON + timedelta(minutes=11))
        assert CustomEvent.objects.count() == 3


class TestExpressions:
    @pytest.mark.parametrize(
        "pattern", ["(a+)+$", "(a|a)*b", "(.*)*x", "(a{1,30}){1,30}", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$"]
    )
    def test_an_expression_that_would_explode_answers_at_once_or_is_refused(self, pattern):
        ProfileFactory.create_batch(20, first_name="a" * 250, custom_attributes={"x": "a" * 255})
        for leaf in ({"filter": "first_name"}, {"filter": "custom_attribute", "name": "x", "type": "text"}):
            tree = leaf | {"op": "matches", "pattern": pattern}
            started = time.perf_counter()
            if filters.validate(tree) == []:
                Profile.objects.filter(filters.compile_tree(tree, NOON)).count()
            assert time.perf_counter() - started < 2

    @pytest.mark.parametrize(
        ("pattern", "complaint"),
        [
            ("a{1,1000}", "more than 255 times"),
            ("(a{200}){200}", "too large"),
            ("(", "position"),
            (r"(a)\1", "back references"),
            ("(?=a)", "Look-around"),
            ("a" * 40_000, "longer than"),
            ("(" * 5_000 + ")" * 5_000, "can't be read"),
        ],
    )
    def test_an_expression_that_cannot_be_used_is_refused_with_the_reason(self, pattern, complaint):
        with pytest.raises(patterns.InvalidPattern, match=complaint):
            patterns.portable(pattern)


class TestAudiences:
    @pytest.mark.parametrize("tree", [{}, {"all": []}, {"any": []}, {"not": {}}, {"all": [{}]}, [], None])
    def test_an_empty_audience_is_nobody_never_everybody(self, tree):
        ProfileFactory.create_batch(3)
        assert not segments.members([], tree or {}, timezone.now()).exists()
        segment = SegmentFactory(filters=tree if tree is not None else {})
        assert not segments.members([segment], {}, timezone.now()).exists()
        assert segments.problems([segment], {}, timezone.now())

    def test_a_segment_that_is_gone_leaves_nobody(self):
        ProfileFactory.create_batch(3)
        gone, there = SegmentFactory.create_batch(2)
        gone_tree = {"filter": "segment", "op": "not_in", "segments": [gone.pk]}
        gone.delete()
        assert not segments.members([there], gone_tree, timezone.now()).exists()

    def test_segments_that_overlap_count_each_profile_once(self):
        ProfileFactory.create_batch(3)
        a, b = SegmentFactory.create_batch(2)
        either = {"filter": "segment", "op": "in", "segments": [a.pk, b.pk, a.pk]}
        assert segments.members([a, a, b], either, timezone.now()).count() == 3
