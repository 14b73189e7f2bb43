"""The filters `date` and `time_zone`."""

from datetime import datetime, tzinfo

from webhooks.liquid.context import Context
from webhooks.liquid.strftime import strftime
from webhooks.liquid.times import Moment, as_time, at_zone, find_zone, read
from webhooks.liquid.values import text

from .registry import register


@register("date")
def date(value: object, form: object = None, *, context: Context) -> object:
    """The time written in this form, in UTC unless it came out of `time_zone`; what is no time comes back unchanged."""
    written = text(form)
    moment = read(value, context.data.now)
    if moment is None or not written:
        return value
    return strftime(as_time(moment), written)


@register("time_zone")
def time_zone(value: object, zone: object, form: object = None, *, context: Context) -> object:
    """The time in that zone; written at once where a form is given."""
    target: tzinfo = find_zone(zone)
    moment: Moment | None = read(value, context.data.now)
    if moment is None:
        return value
    there: datetime = at_zone(moment, target)
    return strftime(there, text(form)) if form is not None else there
