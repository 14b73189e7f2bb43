"""The smallest valid rows. A test names only what matters to it."""

import factory
from factory.django import DjangoModelFactory

from audience.models import CustomEvent, Profile, Segment


class ProfileFactory(DjangoModelFactory):
    class Meta:
        model = Profile

    external_id = factory.Sequence(lambda n: f"customer-{n}")
    first_name = "Ada"


class CustomEventFactory(DjangoModelFactory):
    class Meta:
        model = CustomEvent

    profile = factory.SubFactory(ProfileFactory)
    name = "visited"


class SegmentFactory(DjangoModelFactory):
    class Meta:
        model = Segment

    name = factory.Sequence(lambda n: f"segment {n}")
    filters = factory.LazyFunction(lambda: {"all": []})
