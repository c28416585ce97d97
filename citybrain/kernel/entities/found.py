# SPDX-License-Identifier: Apache-2.0
"""What a search has found."""

import msgspec

from citybrain.kernel.entities.document import Document


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A page of entities in their order; `total` only if it was asked for; whether there are more after the page."""

    documents: tuple[Document, ...]
    total: int | None = None
    has_more: bool = False
