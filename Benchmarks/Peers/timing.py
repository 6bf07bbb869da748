"""Times a function like the Swift side does: the median of nine runs, after one that isn't counted. What waits, or is beside what
does, by the clock on the wall, and everything else by the thread's own, which a busy machine doesn't make longer."""

import time


def nanoseconds(body, repetitions, clock=time.thread_time_ns):
    """The median cost of one of `repetitions` that `body(repetitions)` makes."""
    body(max(1, repetitions // 10))
    runs = []
    for _ in range(9):
        start = clock()
        body(repetitions)
        runs.append((clock() - start) / repetitions)
    return sorted(runs)[4]
