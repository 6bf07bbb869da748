"""Prints what reporting progress costs elsewhere, in nanoseconds, as JSON."""

import io
import json
from time import perf_counter_ns

from original import Manager
from rich.console import Console
from rich.progress import Progress
from timing import nanoseconds
from tqdm import tqdm

results = {}

with tqdm(total=10**12, file=io.StringIO()) as bar:

    def update_tqdm(count):
        for _ in range(count):
            bar.update(1)

    results["tqdm_update"] = nanoseconds(update_tqdm, 200_000)

with Progress(console=Console(file=io.StringIO()), auto_refresh=False) as progress:
    task = progress.add_task("bench", total=10**12)

    def update_rich(count):
        for number in range(count):
            progress.update(task, completed=number)

    results["rich_update"] = nanoseconds(update_rich, 20_000)

manager = Manager()
operation = manager.start_operation("download", "bench", total_size_mb=1000.0)


def update_original(count):
    for number in range(count):
        manager.update_operation(operation, downloaded_mb=float(number % 1000))


def start_and_complete_original(count):
    for _ in range(count):
        manager.complete_operation(manager.start_operation("download", "bench"))


results["original_update"] = nanoseconds(update_original, 100_000)
# So many that the event log is full, as it is in a server that has run for a while.
start_and_complete_original(Manager.EVENTS_KEPT // 2)
results["original_start_complete"] = nanoseconds(start_and_complete_original, 20, perf_counter_ns)

print(json.dumps(results))
