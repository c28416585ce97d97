# SPDX-License-Identifier: Apache-2.0
"""Notices and the addresses they go to follow the newest key."""

from pathlib import Path

import msgspec

from citybrain.kernel import sql
from citybrain.kernel.cases.notices import CONTENT, address_place
from citybrain.kernel.crypto import KeyRing
from citybrain.kernel.db import Database
from citybrain.kernel.privacy import Kept, kept_rows


class Sql(msgspec.Struct, frozen=True):
    """The queries of this module."""

    notices_stale: str
    notice_renew: str
    addresses_stale: str
    address_renew: str


SQL = sql.load(Path(__file__).with_name("queries_notice_keys.sql"), Sql)


def kept_notices(db: Database, keys: KeyRing) -> list[Kept]:
    """What was written to people, and where they are reached."""
    written = kept_rows(
        "notices", db, keys, stale=SQL.notices_stale, renew=SQL.notice_renew, place=lambda _key: CONTENT
    )
    reached = kept_rows(
        "notice_addresses",
        db,
        keys,
        stale=SQL.addresses_stale,
        renew=SQL.address_renew,
        place=lambda key: address_place(*key),
    )
    return [written, reached]
