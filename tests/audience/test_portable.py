"""Segments as files."""

import json

import pytest

from audience.models import Segment
from audience.portable import KIND
from tests.factories import SegmentFactory, TagFactory
from workspace import files

pytestmark = pytest.mark.django_db
SEOUL = {"filter": "home_city", "op": "any_of", "values": ["Seoul"]}


def imported(document: dict) -> files.Made:
    [made] = files.make(files.read(json.dumps(document).encode()))
    return made


def test_a_segment_comes_back_with_the_segments_it_is_built_from():
    inner = SegmentFactory(name="Seoul", filters=SEOUL)
    tree = {"all": [{"filter": "segment", "op": "not_in", "segments": [inner.pk]}], "name": "outside"}
    segment = SegmentFactory(name="Outside <b>", description="…", filters=tree, tracks_size=False)
    segment.tags.add(TagFactory(name="korea"))
    document = KIND.document(segment)
    assert document["filters"]["all"][0]["segments"] == ["Seoul"]
    Segment.objects.filter(pk=segment.pk).update(name="old")
    made = imported(document)
    assert KIND.document(made.row) == document
    assert (made.row.filters, made.is_old, made.lacking) == (tree, False, [])


def test_one_that_is_here_already_is_taken_as_it_is():
    segment = SegmentFactory(name="Seoul", filters=SEOUL)
    made = imported(KIND.document(segment))
    assert (made.row, made.is_old) == (segment, True)


def test_another_one_of_the_same_name_is_refused_and_stays():
    segment = SegmentFactory(name="Seoul", filters=SEOUL)
    with pytest.raises(files.BadFile, match=r"^name: There is another segment of this name here."):
        imported({**KIND.document(segment), "filters": {"filter": "everyone"}})
    segment.refresh_from_db()
    assert segment.filters == SEOUL


def test_what_others_are_built_from_is_made_first_wherever_it_stands():
    inner = SegmentFactory(name="Seoul", filters=SEOUL)
    outer = SegmentFactory(name="Outer", filters={"filter": "segment", "op": "in", "segments": [inner.pk]})
    data = files.write([KIND.document(inner), KIND.document(outer)])
    outer.delete()
    inner.delete()
    made = files.make(files.read(data))
    assert [each.lacking for each in made] == [[], []]


def test_a_segment_that_includes_itself_is_not_made_a_circle():
    itself = {"filter": "segment", "op": "in", "segments": ["A"]}
    made = imported({"hookline": 1, "kind": "segment", "name": "A", "filters": itself})
    assert made.row.filters["segments"] == []
    assert made.lacking == ["segment “A”: not here"]
