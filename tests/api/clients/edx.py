"""What edx-braze-client does in a day, against the server in the environment. Ends with an error if anything fails."""

import os

from braze.client import BrazeClient
from braze.exceptions import BrazeBadRequestError, BrazeUnauthorizedError

url, key = os.environ["API_URL"], os.environ["API_KEY"]
client = BrazeClient(api_key=key, api_url=url, app_id="app")
NOW = "2026-03-01T09:30:00Z"

client.create_braze_alias(["ada@example.com", "bob@example.com"], "Enterprise")
client.track_user(
    attributes=[{"external_id": f"user-{n}", "email": f"user-{n}@example.com"} for n in range(80)],
)
client.track_user(
    events=[{"external_id": "user-1", "name": "visited", "time": NOW}],
    purchases=[{"external_id": "user-1", "product_id": 7, "currency": "USD", "price": 1.5, "time": NOW}],
)
assert client.get_braze_external_id("user-79@example.com") == "user-79"
assert client.get_braze_external_id("nobody@example.com") is None
recipients = client.create_recipients("Enterprise", {"ada@example.com": 123, "new@example.com": 124})
sent = client.send_campaign_message(
    os.environ["CAMPAIGN"], recipients=[*recipients.values()], trigger_properties={"code": 7}
)
assert sent["message"] == "success", sent
assert "errors" not in sent, sent
entered = client.send_canvas_message(
    os.environ["CANVAS"], emails=["user-1@example.com"], canvas_entry_properties={"shop": "A"}
)
assert entered["dispatch_id"], entered
assert client.get_braze_external_id("new@example.com") == "124"
for call, expected in (
    (lambda: client.send_campaign_message("nonsense", emails=["user-1@example.com"]), BrazeBadRequestError),
    (lambda: BrazeClient("nonsense", url, "app").get_braze_external_id("a@b.c"), BrazeUnauthorizedError),
):
    try:
        call()
    except expected:
        continue
    raise AssertionError(f"{expected.__name__} was expected")
