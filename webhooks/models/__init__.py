"""What is sent and how: content, senders and lanes, messages, receipts, the Message Activity Log."""

from .content import BodyKind, Content, ContentOverride, Method, Template
from .log import LogKind, MessageActivityLog
from .message import FrozenRequest, Message, Outcome, Receipt
from .sender import Lane, Sender

__all__ = [
    "BodyKind",
    "Content",
    "ContentOverride",
    "FrozenRequest",
    "Lane",
    "LogKind",
    "Message",
    "MessageActivityLog",
    "Method",
    "Outcome",
    "Receipt",
    "Sender",
    "Template",
]
