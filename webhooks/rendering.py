"""Renders a batch of claimed messages: at once, or on threads where Connected Content makes them wait."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from webhooks import calls, frozen, hooks
from webhooks.claims import Claimed
from webhooks.compose import Compiled, Composer, secrets_of, waits
from webhooks.liquid import LiquidSyntaxProblem, RenderData, Services
from webhooks.models import LogKind, MessageActivityLog, Outcome
from webhooks.request import Refusal, Request

THREADS = 32


@dataclass(frozen=True, slots=True)
class Rendered:
    """What became of a message: its request, or why there is none. `secrets` are masked wherever it is shown."""

    message: Claimed
    result: Request | Refusal
    secrets: tuple[str, ...] = ()
    notes: tuple[MessageActivityLog, ...] = ()  # unsaved rows of calls that brought nothing


class Renderer:
    """One for a process; called from one thread."""

    def __init__(self, composer: Composer) -> None:
        self._composer = composer
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="render")
        self._waiting: dict[Future[Rendered], Claimed] = {}

    @property
    def waiting(self) -> int:
        """Messages whose rendering waits for an answer."""
        return len(self._waiting)

    def render(
        self, batch: Sequence[Claimed], profiles: Mapping[int, Mapping[str, object]], now: datetime
    ) -> list[Rendered]:
        """What is rendered at once; the others come out of `finished`. A few queries for the whole batch."""
        kept = frozen.load(m.id for m in batch if m.attempts)
        contents = self._composer.compiled(m.content_id for m in batch)
        services = self._composer.services(batch, contents, now)
        extra: dict[int, Mapping[str, object]] = {}
        for source in hooks.context_sources:
            extra.update(source(batch))
        done: list[Rendered] = []
        for message in batch:
            compiled = contents.get(message.content_id)
            asks = services.get(message.id)
            if request := kept.get(message.id):
                done.append(Rendered(message, request, _secrets(compiled, asks)))
                continue
            data = RenderData(profiles[message.profile_id], now=now, services=asks, **extra.get(message.id, {}))  # type: ignore[arg-type]
            if asks and isinstance(compiled, Compiled) and waits(compiled, asks):
                self._begin(message, compiled, data)
            else:
                done.append(self._render(message, compiled, data))
        return done

    def finished(self) -> list[Rendered]:
        """Those that waited and are rendered now."""
        done = [future for future in self._waiting if future.done()]
        return [_result(future, self._waiting.pop(future)) for future in done]

    def _begin(self, message: Claimed, compiled: Compiled, data: RenderData) -> None:
        self._waiting[self._threads.submit(self._render_apart, message, compiled, data)] = message

    def _render_apart(self, message: Claimed, compiled: Compiled, data: RenderData) -> Rendered:
        try:
            return self._render(message, compiled, data)
        finally:
            connection.close()  # this thread's own

    def _render(self, message: Claimed, compiled: Compiled | LiquidSyntaxProblem | None, data: RenderData) -> Rendered:
        result = self._composer.request(compiled, data, str(data.profile["language"]))
        secrets = (*_secrets(compiled, None), *data.secrets)
        return Rendered(message, result, secrets, tuple(calls.failures(message, data.calls, data.now, secrets)))


def _secrets(compiled: Compiled | LiquidSyntaxProblem | None, services: Services | None) -> tuple[str, ...]:
    return secrets_of(compiled, services) if isinstance(compiled, Compiled) else ()


def _result(future: "Future[Rendered]", message: Claimed) -> Rendered:
    """A fault on a thread ends its message only."""
    error = future.exception()
    if error is None:
        return future.result()
    text = f"{type(error).__name__}: {error}"[:500]
    return Rendered(message, Refusal(Outcome.FAILED, "render_error", text, LogKind.LIQUID_ERROR))
