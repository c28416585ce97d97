# SPDX-License-Identifier: Apache-2.0
"""What became of a notification that was carried by HTTP."""

import pytest

from citybrain.kernel.subscriptions.carriers import Carriers, Message
from citybrain.kernel.subscriptions.subscription import Endpoint
from tests.peer import peer

# fmt: off
SAID = [
    (b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n", "kernel.notify_answered",    False, "it may come back"),
    (b"HTTP/1.1 422 x\r\nContent-Length: 0\r\n\r\n", "kernel.notify_answered",    True,  "it will not have this one"),
    (b"HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n", "kernel.notify_answered",    False, "it has a fault of its own"),
    (b"garbage\r\n\r\n",                             "kernel.notify_unreachable", False, "it is something else"),
    (b"HTTP/1.1 ",                                   "kernel.notify_timeout",     False, "it does not finish"),
]
# fmt: on


@pytest.mark.parametrize(("answer", "code", "is_refused", "why"), SAID)
async def test_each_way_to_fail_has_its_code(answer: bytes, code: str, is_refused: bool, why: str) -> None:
    async with peer([answer]) as there, Carriers() as carriers:
        endpoint = Endpoint(uri=there.url, timeout_ms=300)
        carried = await carriers.carry(endpoint, Message(b"body", {}))
    assert carried.why is not None and carried.why.code == code
    assert carried.is_refused is is_refused, why


async def test_a_name_that_nobody_has_is_told_as_unreachable() -> None:
    async with Carriers() as carriers:
        carried = await carriers.carry(Endpoint(uri="http://nobody.invalid/x", timeout_ms=5000), Message(b"", {}))
    assert carried.why is not None and carried.why.code.startswith("kernel.notify_")
