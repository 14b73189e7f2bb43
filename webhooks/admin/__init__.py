"""The composer, the template gallery and the Message Activity Log."""

from .content import ContentAdmin
from .log import MessageActivityLogAdmin
from .template import TemplateAdmin

__all__ = ["ContentAdmin", "MessageActivityLogAdmin", "TemplateAdmin"]
