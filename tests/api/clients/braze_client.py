"""What braze-client does in a day, against the server in the environment. Ends with an error where anything fails."""

import os
from datetime import UTC, datetime, timedelta

from braze.client import BrazeClient, BrazeClientError

url, key = os.environ["API_URL"], os.environ["API_KEY"]
client = BrazeClient(api_key=key, api_url=url)

tracked = client.user_track(
    attributes=[{"external_id": "1", "first_name": "Ada", "email": "ada@example.com"}],
    events=[{"external_id": "1", "name": "visited", "time": "2026-03-01"}],
)
assert tracked["success"], tracked
assert tracked["attributes_processed"] == 1, tracked
partly = client.user_track(events=[{"external_id": "1", "name": "visited", "time": "2026-03-01"}, {"external_id": "1"}])
assert not partly["success"], partly
assert partly["errors"][0]["input_array"] == "events", partly
(user,) = client.user_export(external_ids=["1"], fields_to_export=["first_name"])["users"]
assert user == {"first_name": "Ada"}, user
assert client.user_export(email="nobody@example.com")["users"] == []
later = {"time": (datetime.now(UTC) + timedelta(hours=3)).isoformat(), "in_local_time": False}
scheduled = client.campaign_trigger_schedule_create(
    os.environ["CAMPAIGN"], later, recipients=[{"external_user_id": "1"}], broadcast=False
)
assert scheduled["schedule_id"], scheduled
assert client.user_delete(external_ids=["1"])["deleted"] == 1
for wrong in (BrazeClient("nonsense", url), client):
    try:
        wrong.user_export(external_ids=[])
        wrong.user_track(attributes=[{}])
    except BrazeClientError:
        continue
    raise AssertionError("an error was expected")
