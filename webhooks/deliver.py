"""The pump: claims what is due, renders it, keeps a window of requests in flight and records what came back.

Claiming, rendering and recording take turns with the network in one thread. No transaction is open while anything is
rendered or sent. A slow endpoint never holds a batch: the window is refilled as answers come.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http.client import UNAUTHORIZED

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from standardwebhooks import Webhook

from webhooks import activity, claims, health, hooks, identity, log, metrics, rates, recipients, signing
from webhooks.attempt import Attempt
from webhooks.claims import Claimed
from webhooks.compose import Composer
from webhooks.models import Lane, LogKind, MessageActivityLog, Outcome
from webhooks.record import record
from webhooks.rendering import Rendered, Renderer
from webhooks.request import Refusal, Request
from webhooks.transport import Transport
from webhooks.window import PumpSettings, Window
from workspace import queues
from workspace.models import Workspace

logger = logging.getLogger(__name__)

RECORDING_RESERVE = 5.0  # seconds of a lease that must be left, beyond the request's own time, for a request to start
BACK_OFF = 1.0  # seconds, where the database is away
LAST_TRIES = 15.0  # seconds a stopping worker goes on trying to record
LOOK_AGAIN = 0.1  # seconds between claims that found less than there is room for
LOOK_SOON = 0.01  # the same, where a limit may have held back more
LISTEN_EVERY = 0.02  # seconds between looks for a wake, while requests are under way and nothing was left to claim
DEAF_FOR = 5.0  # seconds, where Redis is away
START_WITHIN = 0.01  # seconds after its place that a request of a limited sender may start
RECORD_WITHIN = 0.1  # seconds an answer waits at most for others to be recorded with it
LULL = LISTEN_EVERY  # seconds without another one, after which it waits no more
_STALE = Refusal(
    Outcome.ABORTED, "rate_limited", "Waited 72 hours for its place: the speed limit is too low", LogKind.RATE_LIMITED
)


@dataclass(slots=True)
class Prepared:
    """A message with its request, waiting for its turn to start."""

    rendered: Rendered
    request: Request
    start: float = 0.0  # not before this moment of the monotonic clock: its place in the sender's rate
    began_at: datetime | None = None

    @property
    def message(self) -> Claimed:
        return self.rendered.message


class Pump:
    """Delivers until nothing is due. One for a process; not thread-safe."""

    def __init__(
        self, transport: Transport, composer: Composer, settings: PumpSettings, stopping: Callable[[], bool]
    ) -> None:
        self.transport, self.composer, self.settings, self.stopping = transport, composer, settings, stopping
        self.window = Window(transport, settings)
        self._renderer = Renderer(composer)
        self._places: dict[int, float] = {}
        self._signers: dict[int, list[Webhook]] = {}
        self._ready: dict[str, deque[Prepared]] = {}  # by host
        self._full: list[str] = []  # hosts that may have more for us, and had no room for it
        self._wakes: int | None = None  # how many were heard
        self._done: list[Attempt] = []
        self._notes: list[MessageActivityLog] = []
        self._oldest_done = self._latest_done = self._next_claim = self._next_listen = self._away_since = 0.0
        self._finished = 0

    def run(self) -> int:
        """Deliver what is due and return how many messages were finished. Returns when nothing is due or under way.

        When a stop is asked, nothing new is claimed, what has not started is given back, and what is in flight is
        waited for and recorded.
        """
        self._finished = 0
        self._workspace_key = Workspace.current().key
        while True:
            was_idle = not self._is_busy
            try:
                self._take_in(self._renderer.finished())
                found = self._refill()
                self._start_ready()
                self._collect()
                self._flush()
            except (OperationalError, InterfaceError) as error:
                if not self._back_off(error):
                    return self._finished
                continue
            self._away_since = 0.0
            if was_idle and not found and not self._is_busy:
                return self._finished

    @property
    def _is_busy(self) -> bool:
        return bool(self._under_way or self._done)

    @property
    def _ready_count(self) -> int:
        return sum(map(len, self._ready.values()))

    @property
    def _under_way(self) -> int:
        return self.transport.in_flight + self._ready_count + self._renderer.waiting

    def _refill(self) -> int:
        """Claim and prepare as much as there is room for; how many were claimed."""
        if self.stopping():
            self._give_back()
            return 0
        room = self.window.room(self._under_way)
        if self._is_busy and not (room and self._may_claim()):
            return 0
        rooms: dict[str, int] = {}

        def host_room(host: str) -> int:
            rooms[host] = self._host_room(host) if host else room
            return rooms[host]

        batch = claims.claim(room, host_room, self.settings.lease)
        taken = Counter(message.host for message in batch)
        full = [host for host, most in rooms.items() if host and taken[host] >= most]
        self._full = [host for host in full if self.window.places(host) is not None]
        if len(batch) < room:
            is_held_back = any(taken[host] for host in set(full).difference(self._full))
            is_held_back = is_held_back or any(message.is_limited for message in batch)
            self._next_claim = time.monotonic() + (LOOK_SOON if is_held_back else LOOK_AGAIN)
        if batch:
            self._prepare(batch)
        return len(batch)

    def _host_room(self, host: str) -> int:
        return self.window.host_room(host, len(self._ready.get(host, ())))

    def _may_claim(self) -> bool:
        """Whether to look for more: where the last look found too little, a moment later.

        At once where a host that was full has room again, and when there is a wake.
        """
        now = time.monotonic()
        if now >= self._next_claim or any(self._host_room(host) for host in self._full):
            return True
        if now < self._next_listen:
            return False
        before, self._wakes = self._wakes, queues.wakes("deliver")
        self._next_listen = now + (DEAF_FOR if self._wakes is None else LISTEN_EVERY)
        return self._wakes is not None and self._wakes != before

    def _prepare(self, batch: Sequence[Claimed]) -> None:
        """Check, then render: a few queries for the whole batch, and no transaction while rendering."""
        now = claims.database_now()
        profiles = recipients.load({message.profile_id for message in batch})
        batch = self._check(batch, profiles, now)
        batch = self._placed(batch, now)
        self._signers |= signing.signers({m.sender_id for m in batch}, now)
        self._take_in(self._renderer.render(batch, profiles, now))

    def _take_in(self, results: Iterable[Rendered]) -> None:
        for rendered in results:
            message = rendered.message
            start = self._places.pop(message.id, 0.0)
            self._notes += rendered.notes
            if isinstance(rendered.result, Refusal):
                refusal = rendered.result
                self._note(Attempt(message, refusal=refusal, secrets=rendered.secrets, extras=rendered.extras))
            else:
                queue = self._ready.setdefault(rendered.result.host, deque())
                queue.append(Prepared(rendered, rendered.result, start))

    def _placed(self, batch: Sequence[Claimed], now: datetime) -> Sequence[Claimed]:
        """Those that got a place in time from their rates; the others are given back."""
        limited = [message for message in batch if message.is_limited]
        if not limited:
            return batch
        stale = {m.id: _STALE for m in limited if not m.attempts and now - m.due_at >= rates.LONGEST_WAIT}
        batch = self._drop(batch, stale)
        limited = [message for message in limited if message.id not in stale]
        places = dict(zip((m.id for m in limited), rates.reserve([m.sender_id for m in limited], now), strict=True))
        lost = [message for message in limited if places[message.id] is None]
        claims.release(lost)
        clock = time.monotonic()
        self._places |= {id: clock + (at - now).total_seconds() for id, at in places.items() if at}
        return [message for message in batch if places.get(message.id, now) is not None]

    def _check(self, batch: Sequence[Claimed], profiles: Mapping[int, object], now: datetime) -> Sequence[Claimed]:
        """Those that may go now; the others are noted with their reason."""
        gone = Refusal(Outcome.SKIPPED, "profile_not_found", "The profile no longer exists")
        verdicts: Mapping[int, hooks.Verdict] = {m.id: gone for m in batch if m.profile_id not in profiles}
        batch = self._drop(batch, verdicts)
        for _, check in hooks.checks:
            batch = self._drop(batch, check(batch, now)) if batch else batch
        return batch

    def _drop(self, batch: Sequence[Claimed], verdicts: Mapping[int, hooks.Verdict]) -> Sequence[Claimed]:
        if not verdicts:
            return batch
        for message in batch:
            match verdicts.get(message.id):
                case Refusal() as refusal:
                    self._note(Attempt(message, refusal=refusal))
                case hooks.Hold(due_at):
                    self._note(Attempt(message, hold_until=due_at))
        return [message for message in batch if message.id not in verdicts]

    def _start_ready(self) -> None:
        """Start what fits its host's share of the window; give back what has too little of its lease left."""
        late: list[Prepared] = []
        for host, queue in self._ready.items():
            self._start_for(host, queue, late)
        self._ready = {host: queue for host, queue in self._ready.items() if queue}
        self._move_to_own_lane(late)

    def _start_for(self, host: str, queue: deque[Prepared], late: list[Prepared]) -> None:
        """Start what fits; into `late` goes what has too little of its lease left, and all of it where none may go."""
        now = time.monotonic()
        places = self.window.places(host)
        for _ in range(len(queue)):
            prepared = queue.popleft()
            left = prepared.message.deadline - now
            if left < self.transport.settings.timeout + RECORDING_RESERVE:
                late.append(prepared)
            elif prepared.start > now:
                queue.append(prepared)
            elif not (self.window.may_start(host) if places is None else places):
                queue.appendleft(prepared)
                return
            elif places is None and not self.window.is_open(host):
                late.append(prepared)
            else:
                places = places and places - 1
                prepared.began_at = timezone.now()
                self.transport.start(prepared, self._addressed(prepared))

    def _addressed(self, prepared: Prepared) -> Request:
        """The request with the headers that name us and the message."""
        request = prepared.request
        webhook_id = identity.webhook_id(self._workspace_key, prepared.message.id)
        ours = [("webhook-id", webhook_id)]
        if signers := self._signers.get(prepared.message.sender_id):
            ours += signing.headers(signers, webhook_id, request.body, timezone.now())
        if not any(name.lower() == "user-agent" for name, _ in request.headers):
            ours.append(("User-Agent", identity.USER_AGENT))
        return request.with_headers(ours)

    def _collect(self) -> None:
        wait = LISTEN_EVERY
        if self._done:
            left = self._latest_done + LULL - time.monotonic()
            wait = max(0.0, min(wait, left)) if self._under_way else 0.0
        if self._ready or self._renderer.waiting:
            wait = min(wait, START_WITHIN)
            if not self.transport.in_flight:
                time.sleep(wait)  # libcurl has nothing to wait for
        for key, answer in self.transport.poll(wait):
            assert isinstance(key, Prepared)
            self.window.pace.note(key.request.host)
            if key.rendered.condition and answer.is_received:
                answer = key.rendered.condition.judged(answer)
            attempt = Attempt(
                key.message,
                key.request,
                answer,
                began_at=key.began_at,
                secrets=key.rendered.secrets,
                extras=key.rendered.extras,
            )
            if answer.status == UNAUTHORIZED and self._renderer.renew(key.rendered):
                self._notes.append(activity.of_stale_token(attempt, timezone.now()))
            else:
                self._note(attempt)

    def _note(self, attempt: Attempt) -> None:
        self._latest_done = time.monotonic()
        if not self._done:
            self._oldest_done = self._latest_done
        self._done.append(attempt)

    def _flush(self) -> None:
        """Record once enough answers have come, none more comes, the oldest has waited long, or no request is left."""
        if not self._done:
            return
        now = time.monotonic()
        is_due = now - self._oldest_done >= RECORD_WITHIN or now - self._latest_done >= LULL
        if is_due or len(self._done) >= 2 * self.settings.window or not self._under_way:
            self._finished += record(self._done)
            answers = [(done.request.host, done.answer) for done in self._done if done.request and done.answer]
            self._done = []
            log.write(self._notes)
            self._notes = []
            metrics.note([answer for _, answer in answers])
            for host in health.note(answers):
                self.window.close(host)
                activity.note_halt(host)

    def _give_back(self) -> None:
        claims.release(prepared.message for queue in self._ready.values() for prepared in queue)
        self._ready.clear()

    def _move_to_own_lane(self, late: Iterable[Prepared]) -> None:
        """Give back what could not start, in the lane of the host that rendering showed."""
        for prepared in late:
            message = prepared.message
            lane, _ = Lane.objects.get_or_create(
                sender_id=message.sender_id, host=prepared.request.host, defaults={"is_open": True}
            )
            if lane.pk != message.lane_id:
                Lane.objects.filter(pk=lane.pk).update(is_open=True)
                claims.move_lane([message], lane.pk)
            claims.release([message])

    def _back_off(self, error: Exception) -> bool:
        """The database is away: keep what is done in memory, let requests go on, and try again in a moment.

        False once a stop was asked and it stays away: what is unrecorded goes out again after its lease.
        """
        logger.warning("database is away (%s); unrecorded=%s", type(error).__name__, len(self._done))
        connection.close()
        self._away_since = self._away_since or time.monotonic()
        if self.stopping() and time.monotonic() - self._away_since > LAST_TRIES:
            return False
        until = time.monotonic() + BACK_OFF
        while time.monotonic() < until:
            self._collect()
            time.sleep(0.02)
        return True
