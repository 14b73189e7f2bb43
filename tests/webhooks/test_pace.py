"""What the pump may claim ahead follows how fast a host answers."""

from webhooks.pace import Pace


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_better_of_two_seconds_counts_and_silence_ends_it():
    clock = Clock()
    pace = Pace(clock)
    for _ in range(30):
        pace.note("quick.example")
    pace.note("slow.example")
    assert (pace.of("quick.example"), pace.of("slow.example"), pace.of("new.example")) == (30, 1, 0)
    clock.now += 1
    pace.note("quick.example")
    assert (pace.of("quick.example"), pace.total()) == (30, 31)
    clock.now += 1
    assert pace.of("quick.example") == 1
    clock.now += 5
    assert (pace.of("quick.example"), pace.total()) == (0, 0)
