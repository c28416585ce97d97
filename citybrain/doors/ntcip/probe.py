# SPDX-License-Identifier: Apache-2.0
"""What a controller says of itself, as JSON: `python -m citybrain.doors.ntcip.probe HOST`. It only reads."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

import msgspec

from citybrain.doors.ntcip.capability import Capability, Seen
from citybrain.doors.ntcip.controller import Controller
from citybrain.doors.ntcip.link import Address, open_link
from citybrain.doors.ntcip.mapping import VERSIONS
from citybrain.kernel.errors import Refusal
from citybrain.kernel.records import Facts


async def probe(address: Address) -> tuple[Capability, Seen]:
    """Ask a controller what it can do and what it shows."""
    controller = Controller(await open_link(address))
    try:
        return await controller.discover(), await controller.look()
    finally:
        controller.close()


def described(capability: Capability, seen: Seen) -> Facts:
    """Both as JSON has it; pairs of phases become words like `2-4`."""
    told: dict[str, object] = msgspec.structs.asdict(capability)
    told["conflicts"] = [f"{one}-{other}" for one, other in sorted(capability.conflicts) if one < other]
    told["intergreen_s"] = {f"{one}-{other}": seconds for (one, other), seconds in capability.intergreen_s.items()}
    return {"capability": told, "seen": seen}


def main(given: Sequence[str] | None = None) -> int:
    """The command line; 1 when the controller does not answer or cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m citybrain.doors.ntcip.probe", description=__doc__)
    parser.add_argument("host")
    parser.add_argument("--port", type=int, default=161)
    parser.add_argument("--community", default="public")
    parser.add_argument("--version", choices=sorted(VERSIONS), default="v1")
    wanted = parser.parse_args(given)
    address = Address(
        host=wanted.host, port=wanted.port, read_community=wanted.community, version=VERSIONS[wanted.version]
    )
    try:
        told = described(*asyncio.run(probe(address)))
    except Refusal as refusal:
        told = {"code": refusal.code, "facts": refusal.facts}
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(told, order="deterministic")) + b"\n")
    return int("code" in told)


if __name__ == "__main__":
    sys.exit(main())
