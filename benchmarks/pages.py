"""How long pages take on the server with a large audience and years of messages.

    python -m benchmarks.pages [--profiles 1000000] [--messages 5000000] [--database URL|sqlite]

Fills a database with profiles (at least 10,000), campaigns, messages, receipts, log entries and daily counts, asks for
each page six times and takes the median but for the first (which reads templates and fills caches). The last line is
JSON: `slowest_ms` of `slowest_page`, and `queries`, the most of one page.
"""

import argparse
import json
import logging
import statistics
import time
from collections.abc import Mapping
from typing import Any

from benchmarks import _servers
from benchmarks._filled import Fill
from benchmarks.audience import PRO

CAMPAIGNS = 40
TIMES = 6
MOST_LOG_ROWS = 500_000


class FillMessages(Fill):
    """Finished messages of many campaigns, with what they leave behind, and one campaign that is sending."""

    def __init__(self, connection: Any, profiles: int, messages: int, campaigns: list[Any]) -> None:
        super().__init__(connection, profiles)
        self.messages, self.campaigns = messages, campaigns

    def run(self) -> None:
        first = min(campaign.sender_id for campaign in self.campaigns)
        self.sender = f"({first} + s.n % {CAMPAIGNS})"
        self.profile = f"(1 + {self.draw(self.profiles, 40)})"
        for statement in (self.rows(), self.receipts(), self.log(), self.counts()):
            self.execute(statement)
        self.execute("VACUUM ANALYZE" if self.is_postgresql else "ANALYZE")

    def rows(self) -> str:
        """One in fifty still waits."""
        at, waits = self.ago(self.draw(30_000_000, 41)), "s.n % 50 = 0"
        return f"""
            INSERT INTO webhooks_message (sender_id, lane_id, content_id, profile_id, cause, slot, variant, due_at,
                attempts, lease, leased_until, first_attempt_at, finished_at, outcome, reason, last_status)
            SELECT {self.sender}, l.id, 1, {self.profile}, s.n, 0, 1, {at}, 1, s.n, NULL, {at},
                CASE WHEN {waits} THEN NULL ELSE {at} END, CASE WHEN {waits} THEN '' ELSE 'received' END, '', 200
            FROM {self.numbers(self.messages)} JOIN webhooks_lane l ON l.sender_id = {self.sender}
        """

    def receipts(self) -> str:
        at = self.ago(self.draw(30_000_000, 41))
        return f"""
            INSERT INTO webhooks_receipt (sender_id, profile_id, cause, variant, content_id, reserved_at, received_at,
                counts_for_caps)
            SELECT {self.sender}, {self.profile}, s.n, 1, 1, {at}, {at}, TRUE FROM {self.numbers(self.messages)}
        """

    def log(self) -> str:
        request = self.json("""'{"method": "POST", "url": "https://example.com", "headers": [], "body": "{}"}'""")
        at = "CURRENT_TIMESTAMP - s.n * interval '5 second'" if self.is_postgresql else self.ago("s.n")
        status = self.pick(("503", "404", "429", "599"), 42)
        return f"""
            INSERT INTO webhooks_messageactivitylog (at, kind, sender_id, profile_id, message_id, content_id, variant,
                host, text, status, attempt, is_final, duration_ms, request, covers)
            SELECT {at}, {self.pick(("webhook_error", "webhook_error", "test_send", "aborted"), 43)}, {self.sender},
                {self.profile}, s.n, 1, 1, {self.pick(("a.example.com", "b.example.com"), 44)}, 'Service Unavailable',
                CAST({status} AS smallint), 1, TRUE, 120, {request}, 1
            FROM {self.numbers(min(MOST_LOG_ROWS, self.messages // 5))}
        """

    def counts(self) -> str:
        """A year of totals by day, variant and reason."""
        first = min(campaign.pk for campaign in self.campaigns)
        day = (
            "CURRENT_DATE - s.n::int / 40 % 365"
            if self.is_postgresql
            else "date('now', '-' || (s.n / 40 % 365) || ' days')"
        )
        metrics = "(VALUES ('planned'), ('received'), ('errors'), ('failed'), ('converted')) AS m(metric)"
        if not self.is_postgresql:
            metrics = (
                "(SELECT 'planned' AS metric UNION SELECT 'received' UNION SELECT 'errors' "
                "UNION SELECT 'failed' UNION SELECT 'converted') AS m"
            )
        return f"""
            INSERT INTO outreach_dailycount (outreach_id, variant, step, day, metric, reason, count)
            SELECT {first} + s.n % 40, s.n / 14600, 0, {day}, m.metric, '', CASE m.metric WHEN 'planned' THEN 300
                WHEN 'received' THEN 290 ELSE 4 END
            FROM {self.numbers(4 * 14_600)} CROSS JOIN {metrics} ON CONFLICT DO NOTHING
        """


def furnish() -> tuple[list[Any], Mapping[str, str]]:
    """Campaigns, a Canvas and a segment; and the addresses of the pages, by name."""
    from django.contrib.auth.models import User
    from django.urls import reverse
    from django.utils import timezone

    from audience.models import Profile, Segment
    from campaigns.models import Campaign
    from canvas import presets
    from outreach import variants
    from outreach.models import Status
    from webhooks.models import Lane, Sender

    admin = User.objects.create_superuser("bench", "", "bench")
    now = timezone.now()
    campaigns = []
    for number in range(CAMPAIGNS):
        sender = Sender.objects.create(name=f"Campaign {number}", is_open=number < 5)
        Lane.objects.create(sender=sender, host="example.com")
        status = Status.ACTIVE if number < 5 else Status.STOPPED
        campaign = Campaign.objects.create(
            name=f"Campaign {number}", to_everyone=True, sender=sender, status=status, launched_at=now
        )
        variants.first_variant(campaign, "Variant 1")
        campaigns.append(campaign)
    segment = Segment.objects.create(name="Pro", filters={"all": [PRO]})
    draft = Campaign.objects.create(name="Draft", sender=Sender.objects.create(name="Draft"))
    content = variants.first_variant(draft, "Variant 1").contents.get()
    content.url = "https://example.com/{{${user_id}}}"
    content.save()
    draft.segments.add(segment)
    canvas = presets.make(str(presets.choices()[1][0]), "Welcome", admin)
    profile = Profile.objects.order_by("-pk").first()
    assert profile is not None

    def at(name: str, *args: Any, query: str = "") -> str:
        return reverse(f"admin:{name}", args=args) + query

    log = "webhooks_messageactivitylog_changelist"
    one = campaigns[0].pk
    return campaigns, {
        "home": at("index"),
        "sending": reverse("sending"),
        "calendar": reverse("calendar"),
        "campaigns": at("campaigns_campaign_changelist"),
        "campaigns searched": at("campaigns_campaign_changelist", query="?q=campaign&status__exact=active"),
        "campaign": at("campaigns_campaign_change", one),
        "campaign counts": at("campaigns_campaign_counts", one),
        "campaign audience": at("campaigns_campaign_change", draft.pk, query="?tab=audience"),
        "review": at("campaigns_campaign_launch", draft.pk),
        "results": at("campaigns_campaign_results", one),
        "why": at("campaigns_campaign_why", one, query=f"?profile={profile.external_id}"),
        "report": at("campaigns_campaign_report"),
        "composer": at("webhooks_content_change", content.pk),
        "names": at("webhooks_content_names"),
        "canvases": at("canvas_canvas_changelist"),
        "canvas": at("canvas_canvas_flow", canvas.pk),
        "canvas results": at("canvas_canvas_results", canvas.pk),
        "profiles": at("audience_profile_changelist"),
        "profiles searched": at("audience_profile_changelist", query="?q=user-77"),
        "profiles, a late page": at("audience_profile_changelist", query="?p=90"),
        "profile": at("audience_profile_change", profile.pk),
        "segments": at("audience_segment_changelist"),
        "segment": at("audience_segment_change", segment.pk),
        "imports": at("audience_import_changelist"),
        "templates": at("webhooks_template_changelist"),
        "log": at(log),
        "log filtered": at(log, query="?kind__exact=webhook_error&status=503"),
        "log searched": at(log, query="?q=unavailable"),
        "log searched in vain": at(log, query="?q=nothing-like-it"),
        "log of a campaign": at(log, query=f"?sender__id__exact={campaigns[0].sender_id}&is_final__exact=1"),
        "log, new entries": at("webhooks_messageactivitylog_newer", query="?after=10"),
        "hosts": at("webhooks_host_changelist"),
        "audit trail": at("admin_logentry_changelist"),
        "senders": at("webhooks_sender_changelist"),
        "search": at("search", query="?extended=1&s=user-77"),
        "settings": at("workspace_workspace_change", 1),
    }


def measure(pages: Mapping[str, str]) -> dict[str, Any]:
    """Each page's usual time, and its queries."""
    from django.contrib.auth.models import User
    from django.core.cache import cache
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client()
    client.force_login(User.objects.get(username="bench"))
    slowest: tuple[float, str] = (0.0, "")
    most = 0
    for name, url in pages.items():
        times = []
        for _ in range(TIMES):
            cache.clear()  # search results are kept
            with CaptureQueriesContext(connection) as captured:
                started = time.perf_counter()
                answer = client.get(url)
                answer.getvalue()
                times.append(1000 * (time.perf_counter() - started))
            if answer.status_code != 200:
                raise SystemExit(f"{name} ({url}) answered {answer.status_code}")
        found = statistics.median(times[1:])
        slowest, most = max(slowest, (found, name)), max(most, len(captured))
        database = 1000 * sum(float(query["time"]) for query in captured.captured_queries)
        print(f"{name:24} {found:6.0f} ms (first {times[0]:5.0f}), {len(captured):3} queries in {database:.0f} ms")
        if found > 300:
            worst = max(captured.captured_queries, key=lambda query: float(query["time"]))
            print(f"    {worst['time']} s: {worst['sql'][:600]}")
    return {"slowest_ms": round(slowest[0]), "slowest_page": slowest[1], "queries": most}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", type=int, default=20_000)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--database", default="", help="a database URL, or `sqlite`; default: a PostgreSQL of its own")
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # there is no Redis to wake
    with _servers.empty_tables(options.database) as connection:
        from django.conf import settings

        settings.ALLOWED_HOSTS = ["testserver"]
        settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
        started = time.perf_counter()
        Fill(connection, options.profiles).run()
        campaigns, pages = furnish()
        FillMessages(connection, options.profiles, options.messages, campaigns).run()
        filled = time.perf_counter() - started
        print(
            f"{options.profiles:,} profiles and {options.messages:,} messages on {connection.vendor} in {filled:.0f} s"
        )
        figures = {"profiles": options.profiles, "messages": options.messages, "database": connection.vendor}
        figures |= measure(pages)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
