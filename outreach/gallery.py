"""Ready-made webhooks: address, method, headers and shape of the body of well-known receivers, from their public docs.

What only the user knows is a placeholder such as `<WORKFLOW_HOST>`, which blocks a launch until it is filled in;
secrets are credentials, stored under the name that the note gives. An address that is a secret itself holds one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from webhooks.models import BodyKind, Content, Method

Pairs = Sequence[tuple[str, str, str]]
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
FIRST_NAME = "{{${first_name} | default: 'there'}}"


@dataclass(frozen=True)
class Entry:
    """One receiver. `pairs` are (key, value, type) of a JSON body, `raw` one as text; `note` says what to prepare."""

    key: str
    name: str
    group: Any
    url: str
    note: Any
    docs: str
    method: str = "POST"
    headers: Sequence[tuple[str, str]] = ()
    pairs: Pairs = ()
    raw: str = ""
    needs: Sequence[str] = field(default_factory=tuple)  # profile values without which nothing is sent

    def fill(self, content: Content | None = None) -> Content:
        """A webhook of this kind, saved: a new one unless given."""
        made = content or Content()
        made.name, made.url, made.method, made.made_from = self.name[:100], self.url, Method(self.method), self.name
        made.headers = [{"name": name, "value": value, "is_secret": False} for name, value in self.headers]
        made.pairs = [{"key": k, "value": v, "type": kind, "omit_blank": False} for k, v, kind in self.pairs]
        made.body_kind = BodyKind.RAW if self.raw else BodyKind.PAIRS
        made.raw_body = self.raw
        made.save()
        return made


CHAT, MAIL, SALES, ADS, OWN = (
    _("Chat"),
    _("Post and SMS"),
    _("Sales and automation"),
    _("Advertising"),
    _("This product"),
)


def _form(*parts: tuple[str, str]) -> str:
    """A url-encoded body; values are Liquid outputs that encode themselves, or plain words."""
    return "&".join(f"{name}={value}" for name, value in parts)


def _encoded(name: str) -> str:
    return f"{{{{custom_attribute.${{{name}}} | url_param_escape}}}}"


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "slack",
        "Slack incoming webhook",
        CHAT,
        "https://hooks.slack.com/services/{{credentials.${slack}}}",
        _(
            "Add an incoming webhook to a Slack app; store what follows /services/ in its address as the credential "
            "“slack”."
        ),
        "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
        pairs=(("text", f"{FIRST_NAME} ({{{{${{user_id}}}}}}) is waiting for a call.", "text"),),
    ),
    Entry(
        "discord",
        "Discord webhook",
        CHAT,
        "https://discord.com/api/webhooks/{{credentials.${discord}}}",
        _(
            "Create a webhook in the channel's settings; store what follows /webhooks/ in its address as the "
            "credential “discord”. Mentions are switched off, whatever a name holds."
        ),
        "https://discord.com/developers/docs/resources/webhook",
        pairs=(("content", f"Welcome {FIRST_NAME}!", "text"), ("allowed_mentions", '{"parse": []}', "json")),
    ),
    Entry(
        "teams",
        "Microsoft Teams workflow",
        CHAT,
        "https://<WORKFLOW_HOST>/workflows/<WORKFLOW_ID>/triggers/manual/paths/invoke?{{credentials.${teams}}}",
        _(
            "Make a workflow “when a Teams webhook request is received” and paste its address; store what follows the "
            "question mark as the credential “teams”."
        ),
        "https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using",
        pairs=(
            ("type", "message", "text"),
            (
                "attachments",
                '[{"contentType": "application/vnd.microsoft.card.adaptive", "content": {"type": "AdaptiveCard", '
                '"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "version": "1.4", "body": '
                '[{"type": "TextBlock", "wrap": true, '
                '"text": {{${first_name} | default: "Somebody" | as_json_string}}}]}}]',
                "json",
            ),
        ),
    ),
    Entry(
        "line",
        "LINE push message",
        CHAT,
        "https://api.line.me/v2/bot/message/push",
        _("Store the channel access token as the credential “line”. Profiles need the attribute line_id."),
        "https://developers.line.biz/en/reference/messaging-api/#send-push-message",
        headers=(("Authorization", "Bearer {{credentials.${line}}}"),),
        pairs=(
            ("to", "{{custom_attribute.${line_id}}}", "text"),
            (
                "messages",
                '[{"type": "text", "text": {{${first_name} | default: "Hello" | as_json_string}}}]',
                "json",
            ),
        ),
        needs=("line_id",),
    ),
    Entry(
        "messenger",
        "Facebook Messenger",
        CHAT,
        "https://graph.facebook.com/v21.0/me/messages",
        _("Store the page access token as the credential “messenger”. Profiles need messenger_id (page-scoped)."),
        "https://developers.facebook.com/docs/messenger-platform/reference/send-api",
        headers=(("Authorization", "Bearer {{credentials.${messenger}}}"),),
        pairs=(
            ("recipient", '{"id": {{custom_attribute.${messenger_id} | as_json_string}}}', "json"),
            ("messaging_type", "UPDATE", "text"),
            ("message", '{"text": {{${first_name} | default: "Hello" | as_json_string}}}', "json"),
        ),
        needs=("messenger_id",),
    ),
    Entry(
        "whatsapp",
        "WhatsApp Cloud API",
        CHAT,
        "https://graph.facebook.com/v21.0/<PHONE_NUMBER_ID>/messages",
        _("Store the access token as the credential “whatsapp”, and name an approved message template."),
        "https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-message-templates",
        headers=(("Authorization", "Bearer {{credentials.${whatsapp}}}"),),
        pairs=(
            ("messaging_product", "whatsapp", "text"),
            ("to", "{{${phone_number} | remove: '+'}}", "text"),
            ("type", "template", "text"),
            ("template", '{"name": "<TEMPLATE_NAME>", "language": {"code": "en_US"}}', "json"),
        ),
    ),
    Entry(
        "kakao",
        "KakaoTalk message to a friend",
        CHAT,
        "https://kapi.kakao.com/v1/api/talk/friends/message/default/send",
        _("Store the sender's access token as the credential “kakao”. Profiles need the attribute kakao_uuid."),
        "https://developers.kakao.com/docs/latest/en/kakaotalk-message/rest-api",
        headers=(("Authorization", "Bearer {{credentials.${kakao}}}"), ("Content-Type", FORM)),
        raw="{% capture uuids %}[{{custom_attribute.${kakao_uuid} | as_json_string}}]{% endcapture %}"
        '{% capture card %}{"object_type": "text", "text": {{${first_name} | default: "Hello" | as_json_string}}, '
        '"link": {"web_url": "https://<YOUR_SITE>"}}{% endcapture %}'
        + _form(("receiver_uuids", "{{uuids | url_param_escape}}"), ("template_object", "{{card | url_param_escape}}")),
        needs=("kakao_uuid",),
    ),
    Entry(
        "twilio",
        "Twilio SMS",
        MAIL,
        "https://api.twilio.com/2010-04-01/Accounts/<ACCOUNT_SID>/Messages.json",
        _("Store “account SID:auth token” as the credential “twilio”."),
        "https://www.twilio.com/docs/messaging/api/message-resource",
        headers=(("Authorization", "Basic {{credentials.${twilio} | base64_encode}}"), ("Content-Type", FORM)),
        raw=_form(
            ("To", "{{${phone_number} | url_param_escape}}"),
            ("From", "%2B<SENDER_NUMBER>"),
            ("Body", "{{${first_name} | default: 'Hello' | url_param_escape}}"),
        ),
    ),
    Entry(
        "lob",
        "Lob postcard",
        MAIL,
        "https://api.lob.com/v1/postcards",
        _("Store “API key:” (with the colon) as the credential “lob”. Profiles need an address in their attributes."),
        "https://docs.lob.com/#tag/Postcards/operation/postcard_create",
        headers=(("Authorization", "Basic {{credentials.${lob} | base64_encode}}"), ("Content-Type", FORM)),
        raw=_form(
            ("to[name]", "{{${first_name} | append: ' ' | append: {{${last_name}}} | url_param_escape}}"),
            ("to[address_line1]", _encoded("address_line1")),
            ("to[address_city]", _encoded("address_city")),
            ("to[address_state]", _encoded("address_state")),
            ("to[address_zip]", _encoded("address_zip")),
            ("to[address_country]", "{{${country} | url_param_escape}}"),
            ("from", "<YOUR_ADDRESS_ID>"),
            ("front", "<FRONT_TEMPLATE_ID>"),
            ("back", "<BACK_TEMPLATE_ID>"),
            ("use_type", "marketing"),
        ),
        needs=("address_line1", "address_city", "address_state", "address_zip"),
    ),
    Entry(
        "zapier",
        "Zapier catch hook",
        SALES,
        "https://hooks.zapier.com/hooks/catch/{{credentials.${zapier}}}/",
        _("Start a Zap with “Catch Hook”; store what follows /catch/ in its address as the credential “zapier”."),
        "https://help.zapier.com/hc/en-us/articles/8496288690317",
        pairs=(
            ("user_id", "{{${user_id}}}", "text"),
            ("email", "{{${email_address}}}", "text"),
            ("first_name", "{{${first_name}}}", "text"),
        ),
    ),
    Entry(
        "salesforce",
        "Salesforce lead",
        SALES,
        "https://<YOUR_DOMAIN>.my.salesforce.com/services/data/v61.0/sobjects/Lead",
        _("Store an access token as the credential “salesforce”. Last name and company are required there."),
        "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_sobject_create.htm",
        headers=(("Authorization", "Bearer {{credentials.${salesforce}}}"),),
        pairs=(
            ("FirstName", "{{${first_name}}}", "text"),
            ("LastName", "{{${last_name} | default: 'unknown'}}", "text"),
            ("Company", "{{custom_attribute.${company} | default: 'unknown'}}", "text"),
            ("Email", "{{${email_address}}}", "text"),
            ("LeadSource", "Web", "text"),
        ),
    ),
    Entry(
        "marketo",
        "Marketo lead",
        SALES,
        "https://<MUNCHKIN_ID>.mktorest.com/rest/v1/leads.json",
        _("Store an access token as the credential “marketo”. An existing lead of that email is updated."),
        "https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/lead-database/leads",
        headers=(("Authorization", "Bearer {{credentials.${marketo}}}"),),
        pairs=(
            ("action", "createOrUpdate", "text"),
            ("lookupField", "email", "text"),
            (
                "input",
                '[{"email": {{${email_address} | as_json_string}}, "firstName": {{${first_name} | as_json_string}}, '
                '"lastName": {{${last_name} | as_json_string}}}]',
                "json",
            ),
        ),
    ),
    Entry(
        "remerge",
        "Remerge event",
        ADS,
        '{% capture data %}{"name": "<EVENT_NAME>", "active": true}{% endcapture %}'
        "https://remerge.events/event?partner=braze&app_id=<APP_ID>&key=<REMERGE_KEY>&ts={{'now' | date: '%s'}}"
        "&aaid={{custom_attribute.${aaid} | url_param_escape}}&event=<EVENT_NAME>&non_app_event=true"
        "&data={{data | url_param_escape}}",
        _("Remerge gives you the key. Profiles need the advertising identifier in the attribute aaid."),
        "https://www.braze.com/docs/partners/message_orchestration/retargeting/remerge",
        method="GET",
        needs=("aaid",),
    ),
    Entry(
        "own_event",
        "Record an event here",
        OWN,
        "https://<THIS_HOST>/users/track",
        _("Make an API key with the right to track, and store it as the credential “own_api”."),
        "",
        headers=(("Authorization", "Bearer {{credentials.${own_api}}}"),),
        pairs=(
            (
                "events",
                '[{"external_id": {{${user_id} | as_json_string}}, "name": "<EVENT_NAME>", '
                "\"time\": \"{{'now' | date: '%Y-%m-%dT%H:%M:%SZ'}}\"}]",
                "json",
            ),
        ),
    ),
    Entry(
        "own_attribute",
        "Set an attribute here",
        OWN,
        "https://<THIS_HOST>/users/track",
        _("Make an API key with the right to track, and store it as the credential “own_api”."),
        "",
        headers=(("Authorization", "Bearer {{credentials.${own_api}}}"),),
        pairs=(
            (
                "attributes",
                '[{"external_id": {{${user_id} | as_json_string}}, "<ATTRIBUTE_NAME>": true}]',
                "json",
            ),
        ),
    ),
)
BY_KEY = {entry.key: entry for entry in ENTRIES}
