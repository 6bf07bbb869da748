"""Times a function like the Swift side does: the median of nine runs, after one that isn't counted."""

import time


def nanoseconds(body, repetitions):
    """The median cost of one of `repetitions` that `body(repetitions)` makes."""
    body(max(1, repetitions // 10))
    runs = []
    for _ in range(9):
        start = time.perf_counter_ns()
        body(repetitions)
        runs.append((time.perf_counter_ns() - start) / repetitions)
    return sorted(runs)[4]
