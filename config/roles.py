"""The roles that come with the product, as sets of permissions. Groups of people's own can be made beside them."""

from typing import Any

VIEWED = {
    "campaigns": ("campaign", "historicalcampaign"),
    "canvas": ("canvas", "canvasversion", "step", "journey"),
    "outreach": (
        "outreach",
        "variant",
        "variantcontent",
        "conversionevent",
        "frequencyrule",
        "approval",
        "scheduledcall",
        "directsend",
    ),
    "webhooks": ("content", "contentoverride", "template", "contentblock", "catalog", "messageactivitylog"),
    "audience": (
        "profile",
        "segment",
        "customevent",
        "purchase",
        "subscriptiongroup",
        "suppressionlist",
        "globalcontrol",
    ),
    "workspace": ("workspace", "team", "tag"),
}
EDITED = {
    "campaigns": ("campaign",),
    "canvas": ("canvas", "canvasversion", "step", "steprevision", "path", "stepcontent"),
    "outreach": ("outreach", "variant", "variantcontent", "conversionevent"),
    "webhooks": ("content", "contentoverride", "template", "contentblock"),
    "audience": ("segment",),
    "workspace": ("tag",),
}
LAUNCHED = {
    "campaigns": ("launch_campaign", "approve_campaign"),
    "canvas": ("launch_canvas", "approve_canvas"),
    "outreach": ("add_frequencyrule", "change_frequencyrule", "delete_frequencyrule"),
}
ROLES = ("Viewer", "Editor", "Launcher", "Admin")


def belongs(role: str, app: str, codename: str) -> bool:
    """Whether a role has a permission. Each role has those of the one before it; Admin has all."""
    if role == "Admin":
        return True
    level = ROLES.index(role)
    verb, _, model = codename.partition("_")
    return (
        (verb == "view" and model in VIEWED.get(app, ()))
        or (level >= 1 and verb in ("add", "change") and model in EDITED.get(app, ()))
        or (level >= 1 and codename in ("delete_campaign", "delete_canvas"))
        or (level >= 2 and codename in LAUNCHED.get(app, ()))
    )


def make(groups: Any, permissions: Any) -> None:
    """Make the roles as groups, given the two models. A group of a role's name that exists already is left alone."""
    every = list(permissions.objects.values_list("pk", "content_type__app_label", "codename"))
    for role in ROLES:
        group, is_new = groups.objects.get_or_create(name=role)
        if is_new:
            group.permissions.set([pk for pk, app, codename in every if belongs(role, app, codename)])
