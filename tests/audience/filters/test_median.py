"""The median duration of sessions, asked without sorting anything: by how many are longer."""

import operator
import statistics

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audience.filters import compile_tree, sentence
from audience.models import CustomEvent, Profile
from tests.conftest import NOON
from tests.factories import ProfileFactory

pytestmark = pytest.mark.django_db
OPERATORS = {"more": operator.gt, "at_least": operator.ge, "less": operator.lt, "exactly": operator.eq}


@pytest.fixture
def ada():
    return ProfileFactory()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    durations=st.lists(st.sampled_from([0, 10, 20, 20.5, 30]), max_size=5),
    others=st.lists(st.sampled_from(["20", None, True, [30]]), max_size=2),
    op=st.sampled_from([*OPERATORS]),
    value=st.sampled_from([0, 10, 20, 25, 30]),
)
def test_it_is_the_lower_middle_of_the_numbers(ada, durations, others, op, value):
    CustomEvent.objects.filter(profile=ada).delete()
    CustomEvent.objects.bulk_create(
        CustomEvent(profile=ada, name="session_start", occurred_at=NOON, properties={"duration": each})
        for each in [*durations, *others]
    )
    asked = {"filter": "session_median", "op": op, "value": value}
    expected = bool(durations) and OPERATORS[op](statistics.median_low(durations), value)
    assert Profile.objects.filter(compile_tree(asked, NOON), pk=ada.pk).exists() == expected


def test_it_reads_well():
    asked = {"filter": "session_median", "op": "more", "value": 300}
    assert sentence(asked, NOON) == "median session duration in seconds is more than 300"
