"""Forms of the campaign pages, one for each tab."""

from .audience import AudienceForm
from .compose import AddVariantForm, ComposeForm, NewCampaignForm, VariantFormSet
from .conversions import ConversionForm, ConversionFormSet
from .delivery import DeliveryForm

__all__ = [
    "AddVariantForm",
    "AudienceForm",
    "ComposeForm",
    "ConversionForm",
    "ConversionFormSet",
    "DeliveryForm",
    "NewCampaignForm",
    "VariantFormSet",
]
