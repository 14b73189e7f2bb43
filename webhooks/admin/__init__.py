"""The composer, the template gallery, what templates draw from, senders, and the Message Activity Log."""

from .content import ContentAdmin
from .host import HostAdmin
from .library import CatalogAdmin, CatalogItemAdmin, ContentBlockAdmin
from .log import MessageActivityLogAdmin
from .promotion import PromotionAdmin
from .sender import SenderAdmin
from .template import TemplateAdmin

__all__ = [
    "CatalogAdmin",
    "CatalogItemAdmin",
    "ContentAdmin",
    "ContentBlockAdmin",
    "HostAdmin",
    "MessageActivityLogAdmin",
    "PromotionAdmin",
    "SenderAdmin",
    "TemplateAdmin",
]
