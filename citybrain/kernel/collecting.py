# SPDX-License-Identifier: Apache-2.0
"""How often Python looks for circular garbage: seldom, as what the city makes is hardly ever circular."""

import gc

# Changing entities makes tens of thousands of objects a second that go by themselves; with Python's own thresholds
# (700) the search for cycles among them costs as much as the changes (measured: bench_pool_write).
NEW_OBJECTS = 50_000
YOUNG, OLD = 20, 20


def collect_seldom() -> None:
    """Set aside what is there now, as it stays for as long as the process lives, and collect the rest seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, YOUNG, OLD)
