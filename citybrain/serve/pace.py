# SPDX-License-Identifier: Apache-2.0
"""How fast a simulated city goes."""

import asyncio

from citybrain.kernel.clock import monotonic_s


class Pace:
    """Keeps city time at `speed` × wall time; None is as fast as the machine can."""

    def __init__(self, speed: float | None) -> None:
        self.speed = speed
        self._due_s = monotonic_s()

    def change(self, speed: float | None) -> None:
        """Go on at another speed from now."""
        self.speed = speed
        self._due_s = monotonic_s()

    async def wait(self, city_s: float) -> None:
        """Wait until `city_s` more seconds of city time are due; what is late is not caught up in a rush."""
        if self.speed is None:
            await asyncio.sleep(0)
            return
        self._due_s += city_s / self.speed
        late_s = monotonic_s() - self._due_s
        if late_s > 1.0:
            self._due_s = monotonic_s()
        await asyncio.sleep(max(-late_s, 0.0))
