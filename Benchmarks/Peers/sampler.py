"""Prints what psutil takes, in nanoseconds, as JSON: to tell whether the machine is overloaded as the original did, and to
measure a process and all that are under it.

usage: sampler.py PID REPETITIONS
"""

import json
import sys
from time import perf_counter_ns

import psutil
from timing import nanoseconds

root = psutil.Process(int(sys.argv[1]))


def check_overload(count):
    for _ in range(count):
        if psutil.cpu_percent() > 80 or psutil.virtual_memory().used > 4000 << 20:
            pass


def sample(count):
    for _ in range(count):
        for process in [root] + root.children(recursive=True):
            process.cpu_percent()
            process.memory_info()


print(
    json.dumps(
        {
            "psutil_overload_check": nanoseconds(check_overload, 2000, perf_counter_ns),
            "psutil_tree": nanoseconds(sample, max(1, int(sys.argv[2]) // 5), perf_counter_ns),
        }
    )
)
