# SPDX-License-Identifier: Apache-2.0
"""`citybrain keys`: which keys there are, new ones for what is new, and giving up those that are lost."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from citybrain.kernel.clock import utc_now
from citybrain.kernel.crypto import KeyRing, Use
from citybrain.kernel.db import Database
from citybrain.kernel.embedded import Claim
from citybrain.kernel.privacy import give_up as give_up_keys
from citybrain.kernel.settings import load_settings

app = typer.Typer(no_args_is_help=True, help=__doc__)
out = Console()


@app.command("list")
def list_keys() -> None:
    """Show number, use, algorithms and age of each key; never the keys."""
    settings = load_settings()
    _show(KeyRing.open(settings.key_file, now=utc_now(), family=settings.cipher))


@app.command()
def rotate(
    search: Annotated[
        bool, typer.Option("--search", help="Also the key of marks: who was marked before is then found by both.")
    ] = False,
) -> None:
    """Make new keys for what is new. The city must not run; older values are encrypted anew in the night after."""
    settings = load_settings()
    claim = Claim(settings.data)
    try:
        ring = KeyRing.open(settings.key_file, now=utc_now(), family=settings.cipher)
        ring.rotate(now=utc_now(), uses=tuple(Use) if search else (Use.DATA, Use.SEAL))
        _show(ring)
    finally:
        claim.release()


@app.command()
def give_up(numbers: Annotated[list[int], typer.Argument(help="Numbers of keys that are lost for good.")]) -> None:
    """Accept that what was encrypted with lost keys cannot be read any more, so that the city can start."""
    settings = load_settings()

    async def work() -> None:
        db = await Database.open(settings)
        try:
            await give_up_keys(db, numbers, now=utc_now())
        finally:
            await db.close()

    asyncio.run(work())


def _show(ring: KeyRing) -> None:
    table = Table("number", "use", "algorithms", "made")
    for key in ring.keys:
        table.add_row(str(key.number), key.use, key.family, key.made_at.isoformat(timespec="seconds"))
    out.print(table)
