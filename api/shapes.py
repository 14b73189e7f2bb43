"""What the objects inside requests look like, for the OpenAPI document and the page made from it.

They are not checked against these shapes: the apps read them one by one, so that a wrong one is named and the others
are taken.
"""

from typing import Annotated, Any

from pydantic import WithJsonSchema

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TIME: Schema = {"type": "string", "format": "date-time"}
FLAG: Schema = {"type": "boolean"}
ANY: Schema = {"type": "object", "additionalProperties": True}
ID: Schema = {"anyOf": [{"type": "string", "maxLength": 512}, {"type": "integer"}]}


def _object(required: str = "", /, **properties: Schema) -> Schema:
    """An object with these fields; others are ignored."""
    found: Schema = {"type": "object", "properties": properties, "additionalProperties": True}
    return found | {"required": required.split()} if required else found


def _list(item: Schema, most: int = 50) -> Schema:
    return {"type": "array", "items": item, "maxItems": most}


ALIAS = _object("alias_name alias_label", alias_name=TEXT, alias_label=TEXT)
PRIORITIES = _list({"enum": ["identified", "unidentified", "most_recently_updated", "least_recently_updated"]}, most=4)
WHO: Schema = {"external_id": ID, "braze_id": TEXT, "user_alias": ALIAS, "email": TEXT, "phone": TEXT}
TRACKED: Schema = {**WHO, "_update_existing_only": FLAG}
IDENTIFIER = _object(**WHO, prioritization=PRIORITIES)

ATTRIBUTES = _object(
    **TRACKED,
    _merge_objects=FLAG,
    first_name=TEXT,
    last_name=TEXT,
    country={"type": "string", "example": "KR"},
    language={"type": "string", "example": "ko"},
    time_zone={"type": "string", "example": "Asia/Seoul"},
    dob={"type": "string", "format": "date"},
    gender={"enum": ["M", "F", "O", "N", "P", None]},
    home_city=TEXT,
    email_subscribe={"enum": ["opted_in", "subscribed", "unsubscribed"]},
    push_subscribe={"enum": ["opted_in", "subscribed", "unsubscribed"]},
)
EVENT = _object("name time", **TRACKED, name=TEXT, time=TIME, properties=ANY, app_id=TEXT, event_id=TEXT)
PURCHASE = _object(
    "product_id currency price time",
    **TRACKED,
    product_id=ID,
    currency={"type": "string", "example": "EUR"},
    price={"type": "number"},
    quantity={"type": "integer", "minimum": 1, "maximum": 100},
    time=TIME,
    properties=ANY,
)
NEW_ALIAS = _object("alias_name alias_label", alias_name=TEXT, alias_label=TEXT, external_id=ID)
ALIAS_UPDATE = _object(
    "alias_label old_alias_name new_alias_name", alias_label=TEXT, old_alias_name=TEXT, new_alias_name=TEXT
)
IDENTIFY_ALIAS = _object("external_id user_alias", external_id=ID, user_alias=ALIAS)
IDENTIFY_EMAIL = _object("external_id email prioritization", external_id=ID, email=TEXT, prioritization=PRIORITIES)
IDENTIFY_PHONE = _object("external_id phone prioritization", external_id=ID, phone=TEXT, prioritization=PRIORITIES)
MERGE = _list(
    _object("identifier_to_merge identifier_to_keep", identifier_to_merge=IDENTIFIER, identifier_to_keep=IDENTIFIER)
)
RENAME = _object("current_external_id new_external_id", current_external_id=ID, new_external_id=ID)
EMAIL_TO_DELETE: Schema = {"anyOf": [TEXT, _object("email prioritization", email=TEXT, prioritization=PRIORITIES)]}
PHONE_TO_DELETE: Schema = {"anyOf": [TEXT, _object("phone prioritization", phone=TEXT, prioritization=PRIORITIES)]}

RECIPIENT: Schema = {
    "external_user_id": ID,
    "user_alias": ALIAS,
    "braze_id": TEXT,
    "email": TEXT,
    "prioritization": PRIORITIES,
    "send_to_existing_only": {**FLAG, "default": True},
    "attributes": ANY,
}
CAMPAIGN_RECIPIENT = _object(**RECIPIENT, trigger_properties=ANY)
CANVAS_RECIPIENT = _object(**RECIPIENT, context=ANY, canvas_entry_properties=ANY)
AUDIENCE: Schema = {
    **ANY,
    "description": "One filter, or AND or OR with a list of them.",
    "example": {
        "AND": [{"custom_attribute": {"custom_attribute_name": "plan", "comparison": "equals", "value": "pro"}}]
    },
}
SCHEDULE = _object("time", time=TIME, in_local_time={**FLAG, "default": False})
WEBHOOK = _object(
    "url request_method",
    url={"type": "string", "example": "https://example.com/hook"},
    request_method={"enum": ["POST", "PUT", "DELETE", "GET", "PATCH"]},
    request_headers={"type": "object", "additionalProperties": TEXT},
    body={"anyOf": [TEXT, ANY]},
    message_variation_id=TEXT,
)
MESSAGES = _object("webhook", webhook=WEBHOOK)
GROUP = _object(
    "subscription_group_id subscription_state",
    subscription_group_id=TEXT,
    subscription_state={"enum": ["subscribed", "unsubscribed"]},
    external_ids=_list(TEXT),
    emails=_list(TEXT),
    phones=_list(TEXT),
)
CATALOG = _object(
    "name fields",
    name=TEXT,
    description=TEXT,
    fields=_list(
        _object("name type", name=TEXT, type={"enum": ["string", "number", "boolean", "time", "object", "array"]}), 500
    ),
)

Attributes = Annotated[Any, WithJsonSchema(ATTRIBUTES)]
Event = Annotated[Any, WithJsonSchema(EVENT)]
Purchase = Annotated[Any, WithJsonSchema(PURCHASE)]
Alias = Annotated[Any, WithJsonSchema(ALIAS)]
NewAlias = Annotated[Any, WithJsonSchema(NEW_ALIAS)]
AliasUpdate = Annotated[Any, WithJsonSchema(ALIAS_UPDATE)]
IdentifyAlias = Annotated[Any, WithJsonSchema(IDENTIFY_ALIAS)]
IdentifyEmail = Annotated[Any, WithJsonSchema(IDENTIFY_EMAIL)]
IdentifyPhone = Annotated[Any, WithJsonSchema(IDENTIFY_PHONE)]
Merge = Annotated[Any, WithJsonSchema(MERGE)]
Rename = Annotated[Any, WithJsonSchema(RENAME)]
EmailToDelete = Annotated[Any, WithJsonSchema(EMAIL_TO_DELETE)]
PhoneToDelete = Annotated[Any, WithJsonSchema(PHONE_TO_DELETE)]
CampaignRecipient = Annotated[Any, WithJsonSchema(CAMPAIGN_RECIPIENT)]
CanvasRecipient = Annotated[Any, WithJsonSchema(CANVAS_RECIPIENT)]
Audience = Annotated[Any, WithJsonSchema(AUDIENCE)]
When = Annotated[Any, WithJsonSchema(SCHEDULE)]
Messages = Annotated[Any, WithJsonSchema(MESSAGES)]
Group = Annotated[Any, WithJsonSchema(GROUP)]
Catalogs = Annotated[Any, WithJsonSchema(_list(CATALOG, 1))]
Items = Annotated[Any, WithJsonSchema(_list(_object(id=TEXT)))]
