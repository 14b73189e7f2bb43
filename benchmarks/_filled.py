"""Fills a database with profiles that have attributes, events and purchases, for benchmarks."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)
COUNTRIES = ("KR", "US", "DE", "FR", "JP", "BR", "IN", "GB", "ES", "NL")
PLANS = ("free", "basic", "pro", "team")
MULTIPLIERS = (48271, 69621, 16807, 39373, 742938285, 950706376, 1226874159, 62089911, 1343714438)


class Fill:
    """SQL that makes the rows, with numbers drawn from the row's own, on either database."""

    def __init__(self, connection: Any, profiles: int) -> None:
        self.connection, self.profiles = connection, profiles
        self.is_postgresql = connection.vendor == "postgresql"

    def run(self) -> None:
        for statement in (self.people(), self.events(), self.purchases(), *self.summaries()):
            self.execute(statement)
        if self.is_postgresql:
            self.execute("VACUUM ANALYZE")

    def execute(self, statement: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)

    def numbers(self, count: int) -> str:
        if self.is_postgresql:
            return f"(SELECT n FROM generate_series(1::bigint, {count}) AS n) AS s"
        series = f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count})"
        return f"({series} SELECT n FROM s) AS s"

    def draw(self, most: int, salt: int) -> str:
        """A number from 0 to most − 1 that looks random, for each salt another one."""
        mixed = f"((s.n * {MULTIPLIERS[salt % len(MULTIPLIERS)]} + {salt * 1013904223 % 2147483647}) % 2147483647)"
        return f"({mixed} * {mixed} % 2147483647 / 8 % {most})"

    def pick(self, values: tuple[str, ...], salt: int) -> str:
        whens = " ".join(f"WHEN {n} THEN '{value}'" for n, value in enumerate(values))
        return f"(CASE {self.draw(len(values), salt)} {whens} END)"

    def text(self, values: tuple[str, ...], salt: int) -> str:
        """One of the values as JSON."""
        return f"""'"' || {self.pick(values, salt)} || '"'"""

    def ago(self, seconds: str) -> str:
        if self.is_postgresql:
            return f"('{NOW:%Y-%m-%d %H:%M:%S}+00'::timestamptz - {seconds} * interval '1 second')"
        return f"datetime('{NOW:%Y-%m-%d %H:%M:%S}', '-' || {seconds} || ' seconds')"

    def moment_text(self, seconds: str) -> str:
        """A time as attributes keep it."""
        if self.is_postgresql:
            form = """'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'"""
            return f"to_char({self.ago(seconds)} AT TIME ZONE 'UTC', {form})"
        return f"strftime('%Y-%m-%dT%H:%M:%fZ', {self.ago(seconds)})"

    def json(self, text: str) -> str:
        return f"({text})::jsonb" if self.is_postgresql else f"({text})"

    def people(self) -> str:
        drawn = {
            "plan": self.text(PLANS, 1),
            "points": self.draw(10_000, 2),
            "vip": f"(CASE WHEN {self.draw(10, 3)} = 0 THEN 'true' ELSE 'false' END)",
            "last_order": f"""'"' || {self.moment_text(self.draw(20_000_000, 4))} || '"'""",
            "tags": f"""'["all", ' || {self.text(("sports", "music", "travel", "food"), 5)} || ']'""",
            "city": self.text(("Seoul", "Paris", "Rome"), 6),
            "address": f"""'{{"city": ' || {self.text(("Seoul", "Busan"), 7)} || '}}'""",
            "pets": f"""'[{{"kind": ' || {self.text(("dog", "cat"), 8)} || ', "age": ' || {self.draw(9, 9)} || '}}]'""",
        }
        attributes = " || ', ' || ".join(f"""'"{name}": ' || {value}""" for name, value in drawn.items())
        attributes = f"'{{' || {attributes} || '}}'"
        uuid = "gen_random_uuid()" if self.is_postgresql else "lower(hex(randomblob(16)))"
        days = self.draw(23_000, 10)
        birth = (
            f"({self.ago(days + ' * 86400')})::date"
            if self.is_postgresql
            else f"date('{NOW:%Y-%m-%d}', '-' || {days} || ' days')"
        )
        return f"""
            INSERT INTO audience_profile (braze_id, external_id, email, phone, unformatted_phone, first_name, last_name,
                gender, date_of_birth, country, home_city, language, time_zone, email_subscribe, push_subscribe,
                random_bucket, custom_attributes, other_attributes, created_at, updated_at)
            SELECT {uuid}, 'user-' || s.n, 'user' || s.n || '@example.' || {self.pick(("com", "org"), 11)}, '', '',
                {self.pick(("Ada", "Ben", "Eve", "Zoe"), 12)}, 'Kim', {self.pick(("M", "F", ""), 13)}, {birth},
                {self.pick(COUNTRIES, 14)}, 'Seoul', {self.pick(("ko", "en", "de", "fr"), 15)}, 'Asia/Seoul',
                'subscribed', 'subscribed', {self.draw(10_000, 16)}, {self.json(attributes)}, {self.json("'{}'")},
                {self.ago(self.draw(60_000_000, 17))}, {self.ago("0")}
            FROM {self.numbers(self.profiles)}
        """

    def events(self) -> str:
        """Two for each profile on average, over the last month."""
        name = self.pick(("visited", "visited", "searched", "liked"), 20)
        properties = self.json(f"""'{{"page": "' || {self.pick(("home", "cart"), 21)} || '"}}'""")
        return f"""
            INSERT INTO audience_customevent (profile_id, name, occurred_at, received_at, properties, app_id)
            SELECT p.id, {name}, {self.ago(self.draw(2_592_000, 22))}, {self.ago("0")}, {properties}, ''
            FROM {self.numbers(2 * self.profiles)} JOIN audience_profile p ON p.external_id =
                'user-' || ({self.draw(self.profiles, 23)} + 1)
        """

    def purchases(self) -> str:
        """One for every third profile on average."""
        return f"""
            INSERT INTO audience_purchase
                (profile_id, product_id, currency, price, quantity, occurred_at, received_at, properties, app_id)
            SELECT p.id, {self.pick(("shoes", "hat", "coat"), 30)}, 'USD', {self.draw(10_000, 31)} / 100.0,
                1 + {self.draw(2, 32)}, {self.ago(self.draw(2_592_000, 33))}, {self.ago("0")}, {self.json("'{}'")}, ''
            FROM {self.numbers(self.profiles // 3)} JOIN audience_profile p ON p.external_id =
                'user-' || ({self.draw(self.profiles, 34)} + 1)
        """

    def summaries(self) -> Iterator[str]:
        into = "INSERT INTO audience_eventsummary (profile_id, kind, name, count, amount, first_at, last_at)"
        times = "min(occurred_at), max(occurred_at)"
        yield f"{into} SELECT profile_id, 'event', name, count(*), 0, {times} FROM audience_customevent GROUP BY 1, 3"
        for kind, name in (("product", "product_id"), ("currency", "currency"), ("purchase", "''")):
            yield f"""{into} SELECT profile_id, '{kind}', {name}, sum(quantity), sum(quantity * price), {times}
                      FROM audience_purchase GROUP BY 1, 3"""
