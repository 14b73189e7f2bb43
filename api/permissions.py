"""What a key may be allowed to do: the names clients know, in the groups the admin shows."""

from collections.abc import Iterator, Mapping, Sequence

from django.utils.translation import gettext_lazy as _

GROUPS: Mapping[object, Sequence[str]] = {
    _("People"): (
        "users.track",
        "users.export.ids",
        "users.identify",
        "users.alias.new",
        "users.alias.update",
        "users.merge",
        "users.delete",
        "users.external_ids.rename",
        "users.external_ids.remove",
    ),
    _("Campaigns"): (
        "campaigns.trigger.send",
        "campaigns.trigger.schedule.create",
        "campaigns.trigger.schedule.update",
        "campaigns.trigger.schedule.delete",
        "campaigns.list",
        "campaigns.details",
        "campaigns.data_series",
        "sends.id.create",
        "sends.data_series",
    ),
    _("Canvas"): (
        "canvas.trigger.send",
        "canvas.trigger.schedule.create",
        "canvas.trigger.schedule.update",
        "canvas.trigger.schedule.delete",
        "canvas.list",
        "canvas.details",
        "canvas.data_series",
        "canvas.data_summary",
    ),
    _("Messages"): (
        "messages.send",
        "messages.schedule.create",
        "messages.schedule.update",
        "messages.schedule.delete",
        "messages.schedule_broadcasts",
    ),
    _("Segments, events, attributes"): (
        "segments.list",
        "segments.details",
        "segments.data_series",
        "events.list",
        "events.get",
        "events.data_series",
        "purchases.product_list",
        "purchases.quantity_series",
        "purchases.revenue_series",
        "custom_attributes.get",
    ),
    _("Content Blocks"): (
        "content_blocks.list",
        "content_blocks.info",
        "content_blocks.create",
        "content_blocks.update",
    ),
    _("Subscription groups"): (
        "subscription.status.set",
        "subscription.status.get",
        "subscription.groups.get",
        "email.status",
        "email.unsubscribe",
    ),
    _("Catalogs"): (
        "catalogs.get",
        "catalogs.create",
        "catalogs.delete",
        "catalogs.get_items",
        "catalogs.add_items",
        "catalogs.update_items",
        "catalogs.replace_items",
        "catalogs.delete_items",
        "catalogs.get_item",
        "catalogs.create_item",
        "catalogs.update_item",
        "catalogs.replace_item",
        "catalogs.delete_item",
    ),
    _("Server"): ("addresses.get",),
}


def every() -> Iterator[str]:
    """All names."""
    for names in GROUPS.values():
        yield from names
