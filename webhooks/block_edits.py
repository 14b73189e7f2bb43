"""Makes and changes Content Blocks for other systems; what is wrong is said in the sentences that clients know."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from webhooks import blocks
from webhooks.content_check import liquid_problems
from webhooks.models import ContentBlock
from webhooks.models.library import PLAIN
from workspace.models import Tag

MOST = 1_000
State = ContentBlock.State
_SELF = "Content Block cannot be referenced within itself"


class UnusableBlock(ValueError):
    """The block can't be stored like this; the message says why."""


def create(values: Mapping[str, Any]) -> ContentBlock:
    """A new block of `name`, `content`, and what else is given. Raises UnusableBlock."""
    with transaction.atomic():
        if ContentBlock.objects.count() >= MOST:
            raise UnusableBlock(f"Content Block number limit exceeds maximum of {MOST}")
        block = ContentBlock(name=_name(values.get("name"), None))
        _fill(block, {"content": None, **values})
        block.state = _state(values.get("state"), block)
        block.save()
        _tag(block, values)
    return block


def update(block: ContentBlock, values: Mapping[str, Any]) -> ContentBlock:
    """Change what is given; the rest stays. Raises UnusableBlock."""
    with transaction.atomic():
        if values.get("name") not in (None, block.name):
            name = _name(values["name"], block)
            if block.state == State.ACTIVE:
                raise UnusableBlock("Content Block name cannot be updated for active Content Blocks")
            block.name = name
        _fill(block, values)
        block.state = _state(values.get("state"), block)
        block.updated_at = timezone.now()
        block.save()
        _tag(block, values)
    return block


def _fill(block: ContentBlock, values: Mapping[str, Any]) -> None:
    if "content" in values:
        block.content = _content(values["content"], block.name)
    if values.get("description") is not None:
        text = values["description"]
        if not isinstance(text, str) or len(text) >= 250:
            raise UnusableBlock("Content Block description must be shorter than 250 characters")
        block.description = text


def _name(value: Any, block: ContentBlock | None) -> str:
    if value in (None, ""):
        raise UnusableBlock("Content Block name cannot be blank")
    if not isinstance(value, str) or not PLAIN.search(value):
        raise UnusableBlock("Content Block name can only contain alphanumeric characters")
    if len(value) >= 100:
        raise UnusableBlock("Content Block name must be shorter than 100 characters")
    others = ContentBlock.objects.exclude(pk=block.pk) if block else ContentBlock.objects
    if others.filter(name=value).exists():
        raise UnusableBlock("Content Block with this name already exists")
    return value


def _content(value: Any, name: str) -> str:
    if value in (None, ""):
        raise UnusableBlock("Content cannot be blank")
    if not isinstance(value, str):
        raise UnusableBlock("Content must be a string")
    if len(value.encode("utf-8", "replace")) > ContentBlock.LARGEST:
        raise UnusableBlock("Content must be smaller than 50kb")
    if name in blocks.mentioned(value) or blocks.circle(name, value):
        raise UnusableBlock(_SELF)
    if any(True for _ in liquid_problems("content", "Content", value)):
        raise UnusableBlock("Content contains malformed liquid")
    return value


def _state(value: Any, block: ContentBlock) -> str:
    if value is None:
        return block.state
    if value not in (State.ACTIVE, State.DRAFT):
        raise UnusableBlock("Content Block state must be either active or draft")
    if block.pk and block.state == State.ACTIVE and value == State.DRAFT:
        raise UnusableBlock("Active Content Block can not be updated to Draft. Create a new Content Block.")
    return str(value)


def _tag(block: ContentBlock, values: Mapping[str, Any]) -> None:
    """Give the block exactly these tags, if any are said."""
    names = values.get("tags")
    if names is None:
        return
    if not isinstance(names, list):
        raise UnusableBlock("Tags must be an array")
    if not all(isinstance(name, str) for name in names):
        raise UnusableBlock("All tags must be strings")
    found = Tag.objects.filter(name__in=names)
    if len({tag.name for tag in found}) < len(set(names)):
        raise UnusableBlock("Some tags could not be found")
    block.tags.set(found)
