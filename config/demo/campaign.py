"""The demo's campaign: two variants, three languages, and an abort for those who should not get it."""

from audience.models import Profile
from campaigns.models import Campaign
from outreach import variants
from webhooks.models import Content, ContentOverride, Sender

NAME = "Spring offer"
ABORTS_WHEN = (
    "{% if {{custom_attribute.${loyalty_points}}} < 150 %}{% abort_message('fewer than 150 points') %}{% endif %}"
)
GREETING = {
    "": "{{${first_name} | default: 'there'}}, your {{custom_attribute.${favourite}}} are 10 % off",
    "fr": "{{${first_name} | default: 'Bonjour'}}, 10 % sur : {{custom_attribute.${favourite}}}",
    "ko": "{{${first_name} | default: '고객'}}님, {{custom_attribute.${favourite}}} 10% 할인",
}


def pairs(greeting: str, offer: str) -> list[dict[str, object]]:
    """The JSON body: typed values, nested data, and text that may hold any character."""
    rows = [
        ("customer", "{{${user_id}}}", "text"),
        ("message", ABORTS_WHEN + greeting, "text"),
        ("offer", offer, "text"),
        ("points", "{{custom_attribute.${loyalty_points} | default: 0}}", "number"),
        ("is_pro", "{% if {{custom_attribute.${plan}}} == 'pro' %}true{% else %}false{% endif %}", "boolean"),
        ("home", '{"city": {{${city} | as_json_string}}, "country": {{${country} | as_json_string}}}', "json"),
    ]
    return [{"key": key, "value": value, "type": kind, "omit_blank": False} for key, value, kind in rows]


def build(receiver_url: str) -> Campaign:
    """A draft campaign to everybody, ready to launch."""
    campaign = Campaign.objects.create(
        name=NAME,
        description="Ten per cent off what each customer likes best.",
        to_everyone=True,
        sender=Sender.objects.create(name=NAME),
    )
    first = variants.first_variant(campaign, "Ten per cent")
    compose(first.contents.get(), receiver_url, "10%")
    second = variants.add(campaign, "Free shipping", first)
    compose(second.contents.get(), receiver_url, "free-shipping")
    return campaign


def compose(content: Content, receiver_url: str, offer: str) -> None:
    """Fill a blank webhook in, with its languages."""
    content.url = f"{receiver_url}/offers/{{{{${{user_id}} | url_param_escape}}}}"
    content.pairs = pairs(GREETING[""], offer)
    content.headers = [{"name": "X-Offer", "value": offer, "is_secret": False}]
    content.version += 1
    content.save()
    content.overrides.all().delete()
    ContentOverride.objects.bulk_create(
        ContentOverride(content=content, language=language, pairs=pairs(greeting, offer))
        for language, greeting in GREETING.items()
        if language
    )


def expected_aborts() -> int:
    """How many profiles the abort rule applies to, counted from the data rather than from the send."""
    points = Profile.objects.values_list("custom_attributes__loyalty_points", flat=True)
    return sum(1 for value in points if (value or 0) < 150)
