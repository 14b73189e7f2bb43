"""A plain model of campaigns, written from the specification alone: it walks through the same moments as the product,
looks at one profile at a time, and uses nothing of it. It says which messages must arrive when.

Where several messages compete for the last place under a cap, any of them may win: the model is told who did, and
checks that nobody went over the cap and that whoever lost had no place left.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

MISSED_AFTER = timedelta(hours=1)


@dataclass
class Plan:
    """One campaign. `days` are the local dates of its runs, for scheduled ones; `trigger` is what sets others off."""

    name: str
    days: frozenset = frozenset()
    at: time = time()
    is_local: bool = False
    trigger: str = ""
    follows: str = ""
    delay: timedelta = timedelta()
    exception: str = ""
    again: timedelta | None = None
    quiet: tuple[time, time] | None = None
    portion: tuple[time, time] | None = None
    countries: frozenset = frozenset()
    control: int = 0
    pk: int = 0
    obeys_caps: bool = True
    per_run: int | None = None
    ends_at: datetime | None = None
    launched_at: datetime | None = None
    status: str = "active"


@dataclass
class Person:
    pk: int
    zone: ZoneInfo
    country: str
    is_broken: bool = False  # the endpoint refuses this one's messages


@dataclass
class Waiting:
    plan: Plan
    person: Person
    due: datetime
    triggered: datetime


@dataclass
class Model:
    people: list[Person]
    plans: dict[str, Plan]
    cap: int
    company: ZoneInfo
    waiting: list[Waiting] = field(default_factory=list)
    receipts: list[tuple[str, int, datetime]] = field(default_factory=list)
    held: list[tuple[str, int, datetime]] = field(default_factory=list)
    reasons: Counter = field(default_factory=Counter)
    planned_runs: set = field(default_factory=set)

    # --- what happens at a moment

    def event(self, person: Person, name: str, at: datetime) -> None:
        for plan in self.plans.values():
            if plan.exception == name and plan.status in ("active", "paused"):
                gone = [w for w in self.waiting if w.plan is plan and w.person is person and w.triggered < at]
                self.reasons[plan.name, "exception_event"] += len(gone)
                self.waiting = [w for w in self.waiting if w not in gone]
        for plan in self.plans.values():
            if plan.trigger == name and plan.status == "active" and (plan.ends_at is None or at <= plan.ends_at):
                self._trigger(plan, person, at)

    def _trigger(self, plan: Plan, person: Person, at: datetime) -> None:
        due = at + plan.delay
        if plan.portion and not _inside(plan.portion, due, person.zone):
            due = _next(plan.portion[0], due, person.zone)
        self.consider(plan, person, at, due)

    def consider(self, plan: Plan, person: Person, now: datetime, due: datetime) -> None:
        if reason := self._against(plan, person, now):
            self.reasons[plan.name, reason] += 1
        elif plan.ends_at and due > plan.ends_at:
            self.reasons[plan.name, "outside_duration"] += 1
        else:
            self.waiting.append(Waiting(plan, person, max(due, now), now))

    def _against(self, plan: Plan, person: Person, now: datetime) -> str:
        last = self._last(plan, person)
        if last and plan.again is None:
            return "already_received"
        if plan.again != timedelta() and any(w.plan is plan and w.person is person for w in self.waiting):
            return "already_pending"
        if last and plan.again is not None and now < last + plan.again:
            return "not_yet_reeligible"
        return ""

    def _last(self, plan: Plan, person: Person) -> datetime | None:
        times = [at for name, pk, at in (*self.receipts, *self.held) if (name, pk) == (plan.name, person.pk)]
        return max(times, default=None)

    def runs(self, now: datetime) -> list[tuple[Plan, list[Person]]]:
        """Plan the runs that are due; those with a limit of recipients come back with everybody it may choose from."""
        limited = []
        for plan in self.plans.values():
            for day in sorted(plan.days):
                start = self._start(plan, day)
                at_home = datetime.combine(day, plan.at, self.company)
                if (plan.name, day) in self.planned_runs or start > now or at_home < plan.launched_at:
                    continue
                if plan.status == "active":
                    self.planned_runs.add((plan.name, day))
                    if plan.is_local or now - start <= MISSED_AFTER:
                        limited += self._run(plan, day, now)
        return limited

    def _start(self, plan: Plan, day) -> datetime:
        zone = ZoneInfo("Pacific/Apia") if plan.is_local else self.company
        return datetime.combine(day, plan.at, zone)

    def _run(self, plan: Plan, day, now: datetime) -> list[tuple[Plan, list[Person]]]:
        audience = [p for p in self.people if not plan.countries or p.country in plan.countries]
        if plan.per_run is not None:
            return [(plan, [p for p in audience if not self._against(plan, p, now)])]
        for person in audience:
            local = datetime.combine(day, plan.at, person.zone)
            if plan.is_local and now - local > MISSED_AFTER:
                self.reasons[plan.name, "local_time_passed"] += 1
                continue
            self.consider(plan, person, now, local if plan.is_local else self._start(plan, day))
        return []

    # --- what arrives

    def deliver(self, now: datetime, arrived: Counter) -> Counter:
        """What must arrive now, given what did: they differ only where a cap lets one of several through."""
        due = [w for w in self.waiting if w.due <= now and w.plan.status == "active"]
        self.waiting = [w for w in self.waiting if w not in due]
        expected: Counter = Counter()
        competing: list[Waiting] = []
        losers: list[Waiting] = []
        for each in due:
            if self._passes(each, now):
                if each.plan.control and _slot(each.person.pk, each.plan.pk) < each.plan.control:
                    self.held.append((each.plan.name, each.person.pk, now))
                elif each.person.is_broken:
                    self.reasons[each.plan.name, "failed"] += 1
                else:
                    competing.append(each)
        for each in competing:
            key = (each.plan.name, each.person.pk)
            if not each.plan.obeys_caps or expected[key] < arrived[key]:
                expected[key] += 1
                self.receipts.append((*key, now))
            else:
                losers.append(each)
        for each in losers:
            assert self._places(each.person, now) >= self.cap, f"{each.plan.name} should have reached {each.person.pk}"
            self.reasons[each.plan.name, "frequency_cap"] += 1
        for each in competing:
            assert self._places(each.person, now) <= self.cap, f"{each.person.pk} is over the cap at {now}"
            for follower in self.plans.values():
                if follower.follows == each.plan.name and expected[each.plan.name, each.person.pk]:
                    self._trigger(follower, each.person, now)
        return expected

    def _passes(self, each: Waiting, now: datetime) -> bool:
        plan, zone = each.plan, each.person.zone
        if plan.ends_at and now > plan.ends_at:
            self.reasons[plan.name, "outside_duration"] += 1
            return False
        if plan.portion and not _inside(plan.portion, now, zone):
            self.waiting.append(Waiting(plan, each.person, _next(plan.portion[0], now, zone), each.triggered))
            return False
        last = self._last(plan, each.person)
        if last and plan.again != timedelta() and (plan.again is None or now < last + plan.again):
            self.reasons[plan.name, "already_received"] += 1
            return False
        if plan.quiet and _inside(plan.quiet, now, zone):
            end = _next(plan.quiet[1], now, zone) + timedelta(minutes=5)
            self.waiting.append(Waiting(plan, each.person, end, each.triggered))
            return False
        return True

    def _places(self, person: Person, now: datetime) -> int:
        """Places taken today, on this person's clock."""
        today = now.astimezone(person.zone).date()
        return sum(
            pk == person.pk and self.plans[name].obeys_caps and at.astimezone(person.zone).date() == today
            for name, pk, at in self.receipts
        )


def _slot(profile: int, campaign: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{profile}:{campaign}".encode()).digest()[:4], "big") % 100


def _inside(window: tuple[time, time], moment: datetime, zone: ZoneInfo) -> bool:
    at, (start, end) = moment.astimezone(zone).time(), window
    return start <= at < end if start <= end else at >= start or at < end


def _next(at: time, after: datetime, zone: ZoneInfo) -> datetime:
    day = after.astimezone(zone).date()
    today = datetime.combine(day, at, zone)
    return today if today.timestamp() > after.timestamp() else datetime.combine(day + timedelta(days=1), at, zone)
