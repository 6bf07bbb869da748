"""Prints what measuring a process and all that are under it costs with psutil, in nanoseconds, as JSON.

usage: sampler.py PID REPETITIONS
"""

import json
import sys

import psutil
from timing import nanoseconds

root = psutil.Process(int(sys.argv[1]))


def sample(count):
    for _ in range(count):
        for process in [root] + root.children(recursive=True):
            process.cpu_percent()
            process.memory_info()


print(json.dumps({"psutil_tree": nanoseconds(sample, int(sys.argv[2]))}))
