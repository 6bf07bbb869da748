"""Prints what the original's summary of many active operations costs as JSON, in nanoseconds, as JSON."""

import json

from original import Manager
from timing import nanoseconds

results = {}
for active in (100, 1000, 10_000):
    manager = Manager()
    manager.EVENTS_KEPT = 1
    for number in range(active):
        manager.start_operation("download", f"bench {number}", total_size_mb=1024.0)

    def summary(count):
        for _ in range(count):
            json.dumps(manager.summary())

    results[f"original_summary_{active}"] = nanoseconds(summary, max(1, 2000 // active))
print(json.dumps(results))
