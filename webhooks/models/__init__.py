"""What is sent and how: content, senders and lanes, messages, receipts, the Message Activity Log."""

from .content import BodyKind, Content, ContentOverride, Method, Template
from .library import Catalog, CatalogItem, CatalogSelection, ContentBlock
from .log import ErrorCount, LogHour, LogKind, MessageActivityLog
from .message import FrozenRequest, Message, Outcome, Receipt
from .promotion import Promotion, PromotionCode
from .sender import Host, Lane, Sender

__all__ = [
    "BodyKind",
    "Catalog",
    "CatalogItem",
    "CatalogSelection",
    "Content",
    "ContentBlock",
    "ContentOverride",
    "ErrorCount",
    "FrozenRequest",
    "Host",
    "Lane",
    "LogHour",
    "LogKind",
    "Message",
    "MessageActivityLog",
    "Method",
    "Outcome",
    "Promotion",
    "PromotionCode",
    "Receipt",
    "Sender",
    "Template",
]
