"""`/content_blocks/…`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import Field

from api.answers import Failure, moment
from api.endpoints.campaigns import tags_of
from api.errors import BadRequest
from api.fields import ApiId, QueryBoolean, QueryTime
from api.gate import BearerKey
from campaigns.told import uses_of_content as campaign_uses
from canvas.told import uses_of_content as canvas_uses
from webhooks import block_edits, blocks
from webhooks.block_edits import UnusableBlock
from webhooks.models import Content, ContentBlock

router = Router(tags=["Content Blocks"])
Offset = Annotated[int, Field(ge=0, le=1_000_000)]
Limit = Annotated[int, Field(ge=1, le=1_000)]


class ListQuery(Schema):
    modified_after: QueryTime | None = None
    modified_before: QueryTime | None = None
    limit: Limit = 100
    offset: Offset = 0


class ListedBlock(Schema):
    content_block_id: str
    name: str
    content_type: str
    liquid_tag: str
    inclusion_count: int
    created_at: str
    last_edited: str
    tags: list[str]


class BlockList(Schema):
    message: str
    count: int
    content_blocks: list[ListedBlock]


@router.get("/content_blocks/list", auth=BearerKey("content_blocks.list"), response={200: BlockList, 400: Failure})
def content_blocks_list(request: HttpRequest, query: Query[ListQuery]) -> Any:
    """All Content Blocks that are not archived."""
    first, last = query.modified_after, query.modified_before
    if first and last and first > last:
        raise BadRequest("Modified after time must be earlier than or the same as modified before time.")
    rows = ContentBlock.objects.exclude(state=ContentBlock.State.ARCHIVED).order_by("created_at", "pk")
    rows = rows.filter(updated_at__gte=first) if first else rows
    rows = rows.filter(updated_at__lte=last) if last else rows
    page = rows.prefetch_related("tags")[query.offset : query.offset + query.limit]
    found = [_listed(block) for block in page]
    return {"message": "success", "count": len(found), "content_blocks": found}


def _listed(block: ContentBlock) -> dict[str, Any]:
    return {
        "content_block_id": str(block.key),
        "name": block.name,
        "content_type": "html" if "</" in block.content else "text",
        "liquid_tag": block.liquid_tag,
        "inclusion_count": sum(1 for _ in blocks.users(block)),
        "created_at": moment(block.created_at),
        "last_edited": moment(block.updated_at),
        "tags": tags_of(block),
    }


class InfoQuery(Schema):
    content_block_id: ApiId = None
    include_inclusion_data: QueryBoolean = False


class BlockInfo(ListedBlock):
    message: str
    content: str
    description: str
    inclusion_data: list[dict[str, str]] | None = None


@router.get(
    "/content_blocks/info",
    auth=BearerKey("content_blocks.info"),
    response={200: BlockInfo, 400: Failure},
    exclude_none=True,
)
def content_blocks_info(request: HttpRequest, query: Query[InfoQuery]) -> Any:
    """One Content Block; on request with the messages that print it."""
    block = _block(query.content_block_id)
    info = {"message": "success", **_listed(block), "content": block.content, "description": block.description}
    if not query.include_inclusion_data:
        return info
    contents = [user for user in blocks.users(block) if isinstance(user, Content)]
    return info | {"inclusion_data": [use for content in contents for use in _uses(content)]}


def _uses(content: Content) -> Iterator[dict[str, str]]:
    yield from campaign_uses(content)
    yield from canvas_uses(content)


class NewBlock(Schema):
    name: Any = None
    content: Any = None
    description: Any = None
    state: Any = None
    tags: Any = None


class ChangedBlock(NewBlock):
    content_block_id: ApiId = None


class BlockMade(Schema):
    message: str
    content_block_id: str
    liquid_tag: str
    created_at: str
    updated_at: str


@router.post("/content_blocks/create", auth=BearerKey("content_blocks.create"), response={201: BlockMade, 400: Failure})
def content_blocks_create(request: HttpRequest, data: NewBlock) -> Any:
    """Make a Content Block."""
    with _told():
        return _made(block_edits.create(data.dict(exclude_none=True)))


@router.post("/content_blocks/update", auth=BearerKey("content_blocks.update"), response={201: BlockMade, 400: Failure})
def content_blocks_update(request: HttpRequest, data: ChangedBlock) -> Any:
    """Change a Content Block; what is left out stays, and an empty list of tags takes them all away."""
    block = _block(data.content_block_id)
    with _told():
        return _made(block_edits.update(block, data.dict(exclude_none=True, exclude={"content_block_id"})))


def _made(block: ContentBlock) -> Any:
    return Status(
        201,
        {
            "message": "success",
            "content_block_id": str(block.key),
            "liquid_tag": block.liquid_tag,
            "created_at": moment(block.created_at),
            "updated_at": moment(block.updated_at or timezone.now()),
        },
    )


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except UnusableBlock as error:
        raise BadRequest(str(error)) from error


def _block(value: Any) -> ContentBlock:
    if value in (None, ""):
        raise BadRequest("Content Block ID cannot be blank")
    try:
        key = UUID(value) if isinstance(value, str) else None
    except ValueError:
        key = None
    block = ContentBlock.objects.exclude(state=ContentBlock.State.ARCHIVED).filter(key=key).first() if key else None
    if block is None:
        raise BadRequest("Content Block ID is invalid for this workspace")
    return block
