"""The dialect's tags, by family."""

from liquid.builtin.content import Literal
from liquid.builtin.tags.for_tag import BreakTag, ContinueTag
from liquid.tag import Tag

from .catalogs import CatalogItemsTag, CatalogSelectionTag
from .connected_content import ConnectedContentTag
from .flow import CaseTag, ForTag, IfTag, TablerowTag, UnlessTag
from .messages import AbortTag, MessageExtrasTag, PromotionTag, RenderTag, TranslationTag
from .output import EchoTag, IllegalTag, LiquidTag, OutputTag
from .variables import AssignTag, CaptureTag, CycleTag, DecrementTag, IfChangedTag, IncrementTag

FETCHING: tuple[type[Tag], ...] = (ConnectedContentTag, CatalogItemsTag, CatalogSelectionTag)
"""Tags that ask the outside for something. In text that is rendered again they stay text."""

TAGS: tuple[type[Tag], ...] = (
    Literal,
    OutputTag,
    IllegalTag,
    IfTag,
    UnlessTag,
    CaseTag,
    ForTag,
    BreakTag,
    ContinueTag,
    TablerowTag,
    AssignTag,
    CaptureTag,
    IncrementTag,
    DecrementTag,
    CycleTag,
    IfChangedTag,
    EchoTag,
    LiquidTag,
    RenderTag,
    AbortTag,
    PromotionTag,
    MessageExtrasTag,
    TranslationTag,
)
