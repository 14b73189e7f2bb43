"""What can be written into a message: variables with sample values, filters and tags, for the editor and the picker."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

from audience.models import Attribute
from webhooks.liquid.context import STANDARD_ATTRIBUTES
from webhooks.liquid.env import environment
from webhooks.liquid.filters.registry import FILTERS
from webhooks.models import Catalog, ContentBlock, Promotion
from webhooks.services import usable_blocks
from webhooks.warnings import CAMPAIGN_NAMES, CANVAS_NAMES
from workspace.models import Credential

MOST = 500  # of one kind
LONGEST_SAMPLE = 60
HIDDEN_TAGS = {"content", "output", "illegal"}  # of the library's own machinery


@dataclass(frozen=True, slots=True)
class Name:
    """Something to insert. `sample` is what it comes to for the chosen profile, None where that is not known."""

    insert: str
    label: str
    group: str
    sample: str | None = None


def everything(values: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """All of it, as the editor wants it; `values` are the columns of the profile whose values serve as samples."""
    return {
        "inserts": [asdict(name) for name in names(values)],
        "standard": list(STANDARD_ATTRIBUTES),
        "custom": [name.label for name in _custom(values)],
        "filters": sorted(FILTERS),
        "tags": sorted(set(environment().tags) - HIDDEN_TAGS),
    }


def names(values: Mapping[str, Any] | None = None) -> list[Name]:
    """Every variable and ready-made tag, by group."""
    return [*_standard(values), *_custom(values), *_occasion(), *_stored(), *_tags()]


def _standard(values: Mapping[str, Any] | None) -> Iterator[Name]:
    for name, column in STANDARD_ATTRIBUTES.items():
        yield Name(f"{{{{${{{name}}}}}}}", name, _("Profile"), _sample(values, column))


def _custom(values: Mapping[str, Any] | None) -> Iterator[Name]:
    own = (values or {}).get("custom_attributes") or {}
    known = Attribute.objects.filter(is_blocked=False).order_by("name").values_list("name", flat=True)[:MOST]
    for name in known:
        sample = _sample(own, name) if values is not None else None
        yield Name(f"{{{{custom_attribute.${{{name}}}}}}}", name, _("Custom attributes"), sample)


def _occasion() -> Iterator[Name]:
    """What the reason to send brings along: names of properties are up to whoever sends them."""
    for space, label in (
        ("event_properties", _("property of the triggering event")),
        ("api_trigger_properties", _("property of the API call")),
        ("canvas_entry_properties", _("property of the entry into the Canvas")),
        ("context", _("variable of the Canvas")),
    ):
        yield Name(f"{{{{{space}.${{name}}}}}}", label, _("What set it off"))
    for space, own in (("campaign", CAMPAIGN_NAMES), ("canvas", CANVAS_NAMES)):
        for name in sorted(own):
            yield Name(f"{{{{{space}.${{{name}}}}}}}", f"{space} {name}", _("Campaign and Canvas"))


def _stored() -> Iterator[Name]:
    blocks = usable_blocks().exclude(state=ContentBlock.State.ARCHIVED).order_by("name")[:MOST]
    for block in blocks:
        yield Name(block.liquid_tag, block.name, _("Content Blocks"), block.content[:LONGEST_SAMPLE])
    for name in Credential.objects.filter(kind=Credential.Kind.TEXT).values_list("name", flat=True)[:MOST]:
        yield Name(f"{{{{credentials.${{{name}}}}}}}", name, _("Credentials"))
    for name in Promotion.objects.order_by("name").values_list("name", flat=True)[:MOST]:
        yield Name(f"{{% promotion('{name}') %}}", name, _("Promotion codes"))
    for name in Catalog.objects.order_by("name").values_list("name", flat=True)[:MOST]:
        yield Name(f"{{% catalog_items {name} ID %}}{{{{items[0].FIELD}}}}", name, _("Catalogs"))


def _tags() -> Iterator[Name]:
    group = _("Ready-made")
    yield Name("{% abort_message('reason') %}", _("do not send this message"), group)
    yield Name("{% if {{custom_attribute.${name}}} == 'value' %}…{% else %}…{% endif %}", _("only if"), group)
    yield Name("{{${first_name} | default: 'there'}}", _("with something instead when it is missing"), group)
    yield Name("{% connected_content https://example.com/ :save answer %}{{answer.field}}", _("fetch a value"), group)


def _sample(values: Mapping[str, Any] | None, name: str) -> str | None:
    if values is None:
        return None
    value = values.get(name)
    return "" if value is None else str(value)[:LONGEST_SAMPLE]
