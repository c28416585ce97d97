# SPDX-License-Identifier: Apache-2.0
"""Query parameters: which an operation knows, and those that mean the same everywhere (CIM 009 clause 6.3)."""

from collections.abc import Collection, Mapping
from urllib.parse import urlencode

import msgspec

from citybrain.doors.ngsild.answers import BadRequestData, InvalidRequest
from citybrain.kernel.asgi import Request

USUAL_LIMIT = 20
# A page of 1,000 entities is about a megabyte; whoever wants more follows the links.
HIGHEST_LIMIT = 1000

# What a query may hold as it is (RFC 3986 section 3.4), but for what means something in a form.
_STAYS = "!$'()*,:@/?~|"
# Their values are lists, so that one that comes twice is one longer list.
LISTS = frozenset({"id", "type", "attrs", "pick", "omit", "options", "datasetId", "orderBy", "containedBy"})
PAGING = frozenset({"limit", "offset", "count"})


class Paging(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a result is wanted, and whether its size is asked for."""

    limit: int = USUAL_LIMIT
    offset: int = 0
    count: bool = False


def read_params(request: Request, known: Collection[str]) -> dict[str, str]:
    """The parameters by name. One that is not known here, or one value that comes twice, is an InvalidRequest."""
    if not request.raw_query:
        return {}
    params: dict[str, str] = {}
    for name, value in request.query():
        if name not in known:
            raise InvalidRequest("ngsild.unknown_parameter", {"name": name, "path": request.path})
        if name in params and name in LISTS:
            value = f"{params[name]},{value}"
        elif name in params:
            raise InvalidRequest("ngsild.parameter_twice", {"name": name})
        params[name] = value
    return params


def flag(params: Mapping[str, str], name: str) -> bool:
    """A boolean parameter, false when absent."""
    said = params.get(name, "false")
    if said not in ("true", "false"):
        raise BadRequestData("ngsild.not_a_flag", {"name": name, "value": said})
    return said == "true"


def options(params: Mapping[str, str]) -> frozenset[str]:
    """The words of `options`."""
    return frozenset(word.strip() for word in params.get("options", "").split(",") if word.strip())


def paging(params: Mapping[str, str]) -> Paging:
    """Limit, offset and count; a limit of 0 makes sense only with a count (clause 6.3.10)."""
    limit = whole_number(params, "limit", USUAL_LIMIT)
    offset = whole_number(params, "offset", 0)
    count = flag(params, "count") or "count" in options(params)
    if limit == 0 and not count:
        raise BadRequestData("ngsild.limit_without_count", {})
    if limit > HIGHEST_LIMIT:
        raise BadRequestData("ngsild.limit_too_high", {"limit": limit, "highest": HIGHEST_LIMIT})
    return Paging(limit=limit, offset=offset, count=count)


def whole_number(params: Mapping[str, str], name: str, usual: int) -> int:
    """A parameter that is a number from 0 up."""
    said = params.get(name)
    if said is None:
        return usual
    if not (said.isascii() and said.isdecimal() and len(said) < 16):
        raise BadRequestData("ngsild.not_a_number", {"name": name, "value": said})
    return int(said)


def page_links(
    request: Request, page: Paging, *, more: bool, media: str = "application/json", by_name: bool = True
) -> list[tuple[bytes, bytes]]:
    """Link headers to the page before and the page after (clause 6.3.10); a limit of 0 has neither.

    Parameters stand in the order of their names, or as they came with limit and offset last.
    """
    if not page.limit:
        return []
    kept = [(name, value) for name, value in request.query() if name not in ("offset", "limit")]

    def link(offset: int, rel: str) -> tuple[bytes, bytes]:
        asked = [*kept, ("limit", str(page.limit)), ("offset", str(offset))]
        query = urlencode(sorted(asked) if by_name else asked, safe=_STAYS)
        said = f'<{request.root}{request.path}?{query}>; rel="{rel}";type="{media}"'
        return b"link", said.encode("latin-1", "replace")

    links: list[tuple[bytes, bytes]] = []
    if more:
        links.append(link(page.offset + page.limit, "next"))
    if page.offset:
        links.append(link(max(page.offset - page.limit, 0), "prev"))
    return links
