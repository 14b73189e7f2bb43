"""What every call passes before anything is done: path, method, key, address, permission, limit, size, JSON."""

import json
import logging
from datetime import timedelta

import pytest
import time_machine
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.utils import timezone

from api import keys, limits
from api.models import ApiKey
from audience.models import Profile
from tests.api.conftest import Caller, caller_with
from tests.conftest import NOON

pytestmark = pytest.mark.django_db
ADA = {"attributes": [{"external_id": "ada", "first_name": "Ada"}]}


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer nonsense", "Basic abc", "Token {key}", 'Bearer "{key}"', "{key}"],
)
def test_without_a_known_key_it_is_401_and_the_key_is_not_repeated(api, header):
    headers = {} if header is None else {"Authorization": header.format(key=api.token)}
    response = Client().post("/users/track", json.dumps(ADA), content_type="application/json", headers=headers)
    assert (response.status_code, response.json()) == (401, {"message": "Invalid API key"})
    assert "X-RateLimit-Limit" not in response
    assert not Profile.objects.exists()


def test_a_key_in_the_body_is_no_key(api):
    nobody = Caller("")
    assert nobody.post("/users/track", {"api_key": api.token, **ADA}, 401)
    assert nobody.get("/users/track?api_key=" + api.token, status=405)


def test_the_word_bearer_is_read_in_any_case(api):
    response = api.raw("/users/track", json.dumps(ADA), Authorization=f"bEARER {api.token}")
    assert response.status_code == 201


def test_a_key_without_the_permission_is_told_which_one_it_lacks():
    answer = caller_with("users.export.ids").post("/users/track", ADA, 403)
    assert answer["message"] == "Access Denied: the key lacks the permission users.track"
    assert not Profile.objects.exists()


def test_a_caller_from_elsewhere_is_refused():
    assert caller_with(networks=["10.0.0.0/8"]).post("/users/track", ADA, 403)["message"] == "Invalid whitelisted IPs"
    assert caller_with(networks=["127.0.0.1"]).post("/users/track", ADA)
    assert caller_with(networks=["::/0", "127.0.0.0/8"]).post("/users/track", ADA)


def test_behind_a_proxy_the_address_is_the_one_the_proxy_saw(settings):
    api = caller_with(networks=["192.0.2.7"])
    forwarded = {"X-Forwarded-For": "192.0.2.7"}
    assert api.post("/users/track", ADA, 403, **forwarded)
    settings.BEHIND_PROXY = True
    assert api.post("/users/track", ADA, **forwarded)
    assert api.post("/users/track", ADA, 403, **{"X-Forwarded-For": "192.0.2.7, 198.51.100.1"})


def test_a_revoked_key_and_one_of_yesterday_are_unknown(api):
    key = ApiKey.objects.get()
    newer = Caller(keys.rotate(key, timezone.now()))
    assert api.post("/users/track", ADA)
    assert newer.post("/users/track", ADA)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert api.post("/users/track", ADA, 401)
    keys.revoke(key, timezone.now())
    assert newer.post("/users/track", ADA, 401)


def test_only_a_digest_of_the_key_is_kept(api):
    row = ApiKey.objects.values().get()
    assert api.token not in str(row)
    assert row["prefix"] == api.token[:8]


def test_last_seen_is_written_at_most_once_a_minute(api, django_assert_num_queries):
    seen = []
    for seconds in (0, 59, 61):
        with time_machine.travel(NOON + timedelta(seconds=seconds), tick=False):
            api.post("/users/track", ADA)
            seen.append(ApiKey.objects.get().last_seen_at)
    assert seen == [NOON, NOON, NOON + timedelta(seconds=61)]


# --- paths and methods


@pytest.mark.parametrize("path", ["/users/tracks", "/push/send", "/users", "/nothing.php", "/users/track/x"])
def test_an_unknown_path_is_404_in_json(api, path):
    assert api.post(path, ADA, 404) == {"message": "Invalid URL"}


def test_a_slash_too_many_is_answered_like_the_plain_path(api):
    for path in ("/users/track/", "http://testserver//users/track", "/users/track/?x=1"):
        assert api.post(path, ADA)["attributes_processed"] == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_405_before_the_key_is_looked_at(method):
    response = Caller("").raw("/users/track", "{}", method)
    assert (response.status_code, response.json()) == (405, {"message": "Method Not Allowed"})


def test_the_admin_keeps_its_pages(client):
    assert client.get("/").url == "/admin/"
    assert client.get("/admin").status_code == 301
    assert client.get("/health/live").status_code == 200


# --- bodies


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("{", "JSON"),
        ("", "Valid data"),
        ("[]", "object"),
        ("null", "object"),
        ('"text"', "object"),
        ('{"events": NaN}', "NaN"),
        ('{"events": [{"external_id": "a", "name": "x", "time": "2026-01-01", "properties": {"x": 1e400}}]}', "large"),
        ('{"events": -Infinity}', "Infinity"),
        (b'{"attributes": "\xff"}', "UTF-8"),
        ("[" * 200_000, "deep"),
        ('{"a":' * 100_000, "deep"),
        ('{"attributes": ' + "9" * 5_000 + "}", "JSON"),
        ('{"attributes": {}}', "attributes"),
        ('{"attributes": "x"}', "attributes"),
    ],
)
def test_what_is_no_usable_json_is_400_with_the_reason(api, body, word):
    response = api.raw("/users/track", body)
    assert response.status_code == 400
    assert word in response.json()["message"]
    assert not Profile.objects.exists()


def test_a_body_over_4_mb_is_413_and_one_just_below_is_read(api):
    assert api.raw("/users/track", '{"x": "' + "a" * 10_000_000 + '"}').json() == {
        "message": "Request Entity Too Large"
    }
    below = json.dumps({"filler": "a" * 4_000_000, **ADA})
    assert api.raw("/users/track", below).status_code == 201


def test_of_a_name_given_twice_the_last_one_counts(api):
    body = '{"attributes": [{"external_id": "ada", "first_name": "X", "first_name": "Ada"}]}'
    assert api.raw("/users/track", body).status_code == 201
    assert Profile.objects.get().first_name == "Ada"


def test_the_content_type_does_not_matter(api):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/vnd.api+json; charset=utf-8"):
        response = api.client.generic("POST", "/users/track", json.dumps(ADA), content_type=kind, headers=api.headers())
        assert response.status_code == 201


def test_nul_and_lone_surrogates_are_replaced(api):
    body = '{"attributes": [{"external_id": "a", "first_name": "A\\u0000da", "note": "x\\ud800y"}]}'
    assert api.raw("/users/track", body).status_code == 201
    assert Profile.objects.get().first_name == "A\N{REPLACEMENT CHARACTER}da"


# --- limits


def test_limits_are_told_as_integers_and_kept(api, settings):
    settings.API_RATE_LIMITS = {**settings.API_RATE_LIMITS, "users.track": (2, 3_600)}
    with time_machine.travel(NOON, tick=False):
        remaining = []
        for _ in range(2):
            api.post("/users/track", ADA)
            remaining.append(api.last["X-RateLimit-Remaining"])
        refused = api.post("/users/track", ADA, 429)
    assert remaining == ["1", "0"]
    assert refused == {"message": "Rate Limited"}
    assert api.last["X-RateLimit-Limit"] == "2"
    assert api.last["X-RateLimit-Reset"] == str(int(NOON.timestamp()) + 3_600)
    assert api.last["Retry-After"] == "3600"
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        assert api.post("/users/track", ADA)


def test_a_refused_call_does_not_count(settings):
    settings.API_RATE_LIMITS = {**settings.API_RATE_LIMITS, "x": (1, 60)}
    standings = [limits.take("x", 1_000.0) for _ in range(5)]
    assert [s.is_refused for s in standings if s] == [False, True, True, True, True]
    assert limits.peek("x", 1_000.0) == limits.Standing(1, 0, 1_020)


def test_one_setting_turns_limits_off(api, settings):
    settings.API_RATE_LIMITS_ON = False
    api.post("/users/track", ADA)
    assert "X-RateLimit-Limit" not in api.last


def test_with_redis_away_calls_pass(api, settings, monkeypatch, caplog):
    monkeypatch.setattr(limits, "_away_until", 0.0)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    try:
        assert api.post("/users/track", ADA)
        assert api.last["X-RateLimit-Remaining"] == "3000"
    finally:
        limits._away_until = 0.0
    assert "rate limits are off" in caplog.text


# --- faults of ours


def test_a_fault_of_ours_has_an_id_that_stands_in_the_log_and_no_details(api, monkeypatch, caplog):
    def broken(**values):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("api.endpoints.users.track", broken)
    with caplog.at_level(logging.ERROR):
        answer = api.post("/users/track", ADA, 500)
    assert answer["message"] == "Internal Server Error"
    assert answer["request_id"] in caplog.text
    assert "secret" not in str(answer)


@pytest.mark.parametrize("fault", [OperationalError("gone"), InterfaceError("gone")])
def test_with_the_database_away_it_is_503(api, monkeypatch, fault):
    def away(**values):
        raise fault

    monkeypatch.setattr("api.endpoints.users.track", away)
    assert api.post("/users/track", ADA, 503) == {"message": "Service Unavailable"}
