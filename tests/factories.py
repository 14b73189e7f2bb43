"""The smallest valid rows. A test names only what matters to it."""

import itertools

import factory
from django.contrib.auth.models import User
from django.utils import timezone
from factory.django import DjangoModelFactory

from audience.models import CustomEvent, Profile, Purchase, Segment
from campaigns.models import Campaign
from outreach import variants
from outreach.models import Dispatch, Variant
from webhooks.lanes import host_of
from webhooks.models import BodyKind, Content, Lane, Message, Sender, Template
from workspace.models import Tag, Team


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


class PurchaseFactory(DjangoModelFactory):
    class Meta:
        model = Purchase

    profile = factory.SubFactory(ProfileFactory)
    product_id = "shoes"
    currency = "USD"
    price = 10


class SegmentFactory(DjangoModelFactory):
    class Meta:
        model = Segment

    name = factory.Sequence(lambda n: f"segment {n}")
    filters = factory.LazyFunction(lambda: {"filter": "everyone"})


class TeamFactory(DjangoModelFactory):
    class Meta:
        model = Team

    name = factory.Sequence(lambda n: f"team {n}")


class TagFactory(DjangoModelFactory):
    class Meta:
        model = Tag

    name = factory.Sequence(lambda n: f"tag {n}")


class ContentFactory(DjangoModelFactory):
    class Meta:
        model = Content

    url = "https://example.com/hook"
    pairs = factory.LazyFunction(lambda: [pair("name", "{{${first_name}}}")])


class TemplateFactory(DjangoModelFactory):
    class Meta:
        model = Template

    name = factory.Sequence(lambda n: f"template {n}")
    content = factory.SubFactory(ContentFactory)


class SenderFactory(DjangoModelFactory):
    class Meta:
        model = Sender

    name = factory.Sequence(lambda n: f"sender {n}")
    is_open = True


_causes = itertools.count(1_000_000)


class MessageFactory(DjangoModelFactory):
    class Meta:
        model = Message

    sender = factory.SubFactory(SenderFactory)
    content = factory.SubFactory(ContentFactory)
    profile = factory.SubFactory(ProfileFactory)
    lane = factory.LazyAttribute(lambda o: Lane.objects.get_or_create(sender=o.sender, host=host_of(o.content.url))[0])
    cause = factory.LazyFunction(lambda: next(_causes))
    due_at = factory.LazyFunction(timezone.now)


class CampaignFactory(DjangoModelFactory):
    """A draft to everybody with one variant; `url` goes into its webhook."""

    class Meta:
        model = Campaign
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"campaign {n}")
    to_everyone = True
    sender = factory.SubFactory(SenderFactory, is_open=False)

    @factory.post_generation
    def url(self, create: bool, extracted: str | None, **kwargs: object) -> None:
        variant = variants.first_variant(self, "Variant 1")
        content = variant.contents.get()
        content.url, content.pairs = extracted or "https://example.com/hook", [pair("name", "{{${first_name}}}")]
        content.save()


class DispatchFactory(DjangoModelFactory):
    class Meta:
        model = Dispatch

    outreach = factory.SubFactory(CampaignFactory)
    kind = Dispatch.Kind.API
    source = factory.Sequence(lambda n: f"call {n}")


class AdminFactory(DjangoModelFactory):
    """A superuser with the password `secret`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"admin{n}")
    is_staff = is_superuser = True

    @factory.post_generation
    def password(self, create: bool, extracted: str | None, **kwargs: object) -> None:
        self.set_password(extracted or "secret")
        self.save()


def pair(key: str, value: str, kind: str = "text", *, omit_blank: bool = False) -> dict[str, object]:
    """A row of a content's JSON body."""
    return {"key": key, "value": value, "type": kind, "omit_blank": omit_blank}


def content_of(campaign: Campaign) -> Content:
    """The webhook of a campaign's first sending variant."""
    return Variant.objects.filter(outreach=campaign, is_control=False).first().contents.first()


RAW = BodyKind.RAW
