"""What a campaign and a Canvas share: arms, who was enrolled, planned runs, reasons to send, and the counts."""

from .calls import DirectSend, ScheduledCall, SendName
from .conversions import Conversion, ConversionEvent, Revenue
from .counts import DailyCount, HourlyCount, Metric
from .outreach import Optimisation, Outreach, Quiet, Status, Subscribed
from .rules import Approval, FrequencyRule
from .runs import Dispatch, Occurrence
from .schedule import Recurrence, Scheduled
from .stream import OutgoingEvent, Shipment
from .variants import ControlEntry, Enrolment, Recalculation, Variant, VariantContent

__all__ = [
    "Approval",
    "ControlEntry",
    "Conversion",
    "ConversionEvent",
    "DailyCount",
    "DirectSend",
    "Dispatch",
    "Enrolment",
    "FrequencyRule",
    "HourlyCount",
    "Metric",
    "Occurrence",
    "Optimisation",
    "OutgoingEvent",
    "Outreach",
    "Quiet",
    "Recalculation",
    "Recurrence",
    "Revenue",
    "Scheduled",
    "ScheduledCall",
    "SendName",
    "Shipment",
    "Status",
    "Subscribed",
    "Variant",
    "VariantContent",
]
