"""The campaign pages: set up, compose, launch, follow, compare."""

from .campaign import CampaignAdmin
from .rules import FrequencyRuleAdmin

__all__ = ["CampaignAdmin", "FrequencyRuleAdmin"]
