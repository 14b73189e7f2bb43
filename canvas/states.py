"""The states of a journey and what moves between them (Canvas specification, sections 6.1 and 6.2)."""

from enum import Enum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class State(TextChoices):
    ENTERING = "entering", _("entering")
    IN_STEP = "in_step", _("being processed")
    WAITING = "waiting", _("waiting")
    SENDING = "sending", _("sending")
    CONTROL = "control", _("in the control group")
    COMPLETED = "completed", _("completed")
    EXITED = "exited", _("exited")
    FAILED = "failed", _("failed")


class Move(Enum):
    PICK_UP = "a worker takes it to render something"
    WAIT = "the step says wait"
    SEND = "messages were made"
    COMPLETE = "there is no next step"
    EXIT = "an exit condition holds"
    FAIL = "the step could not be processed, after all retries"
    RETRY = "an operator tries again"
    END_CONTROL = "the last conversion window is over"


LIVE = (State.ENTERING, State.IN_STEP, State.WAITING, State.SENDING)
ENDED = (State.COMPLETED, State.EXITED)
MOVES: dict[Move, dict[State, State]] = {
    Move.PICK_UP: {State.WAITING: State.IN_STEP, State.IN_STEP: State.IN_STEP},
    Move.WAIT: dict.fromkeys(LIVE, State.WAITING),
    Move.SEND: dict.fromkeys(LIVE, State.SENDING),
    Move.COMPLETE: dict.fromkeys(LIVE, State.COMPLETED),
    Move.EXIT: dict.fromkeys((*LIVE, State.FAILED), State.EXITED),
    Move.FAIL: dict.fromkeys(LIVE, State.FAILED),
    Move.RETRY: {State.FAILED: State.WAITING},
    Move.END_CONTROL: {State.CONTROL: State.COMPLETED},
}


def after(state: str, move: Move) -> State:
    """The state after a move. Raises KeyError for a move that can't be made from this state."""
    return MOVES[move][State(state)]


class Waiting(TextChoices):
    """Why a journey is parked, with a time in `wake_at`."""

    DELAY = "delay", _("a delay")
    DATE = "date", _("a date or time of day")
    SCHEDULE = "step_schedule", _("the schedule of the step")
    SCHEDULE_DATE = "schedule_date", _("the date or time of day of the step")
    ACTIONS = "action_window", _("an action, or the end of the window")
    CONTROL_WINDOW = "control_window", _("the end of the experiment's tracking window")
    DELAY_GROUP = "delay_group", _("the winner of the experiment")
    OUTCOME = "outcome", _("the outcome of the first attempt")
    SENT = "advance_on_sent", _("the message to be received")
    TURN = "turn", _("its turn")
    RETRY = "retry_backoff", _("another try after an error")
    SKIP = "skip", _("the step to be skipped")


MOVED_BY_A_PAUSE = (Waiting.DELAY, Waiting.SCHEDULE, Waiting.ACTIONS, Waiting.CONTROL_WINDOW, Waiting.RETRY)
"""Timers that a pause stops; those of `DATE` and `SCHEDULE_DATE` stand for a time on the wall and go on."""


class Reason(TextChoices):
    """Why a journey was left early."""

    EXIT_EVENT = "exit_event", _("an exit event happened")
    EXIT_AUDIENCE = "exit_audience", _("matched the exit audience")
    EXCEPTION_EVENT = "exception_event", _("an exception event happened")
    VALIDATION = "delivery_validation_failed", _("no longer in the step audience when sending")
    STEP_AUDIENCE = "step_audience_not_matched", _("not in the step audience")
    DATE_PASSED = "delay_in_past", _("the date of the delay had passed")
    PERSONAL_DELAY = "personalized_delay_failed", _("the personal delay could not be read")
    ACTION_EXIT = "action_group_exit", _("took an action that ends the journey")
    STOPPED = "stopped_past_due", _("its time passed while the Canvas was stopped")
    ARCHIVED = "archived", _("the Canvas was archived")
    STEP_DELETED = "step_deleted", _("the step was deleted")
    VARIANT_DELETED = "variant_deleted", _("the variant was deleted")
    DEDUPLICATED = "deduplicated", _("another journey took the action")
    NOT_SENT = "not_sent", _("the message was never received")
    RENDERING = "personalisation_failed", _("personalisation failed")
    USER_DELETED = "user_deleted", _("the profile was deleted")
    USER_MERGED = "user_merged", _("the profile was merged")
    MANUAL = "manual", _("ended by hand")
    CONTROL_WINDOW_ENDED = "control_window_ended", _("the experiment's tracking window ended")
    UPDATE_FAILED = "update_failed", _("the profile could not be updated")
