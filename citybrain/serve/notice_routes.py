# SPDX-License-Identifier: Apache-2.0
"""The page by which whoever got a notice stops them: asked for by its link, done by one press (RFC 8058)."""

from html import escape
from typing import Any

from litestar import MediaType, Request, Response, get, post
from litestar.params import FromPath

from citybrain.kernel.cases.notices import Notices
from citybrain.kernel.clock import utc_now
from citybrain.kernel.i18n import LANGUAGES
from citybrain.kernel.store import Store
from citybrain.serve import contributions

PATH = "/notices/stop/{token:str}"


def _notices(request: Request[Any, Any, Any]) -> Notices:
    store: Store = request.app.state.store
    return store.casework.notices


def _page(code: str, *, button: bool) -> Response[str]:
    """A page in both languages, as it is not known who reads it. It needs no script."""
    words = contributions.words()
    said = [f'<p lang="{lang}">{escape(words.of(lang)[code])}</p>' for lang in LANGUAGES]
    name = escape(" / ".join(words.of(lang)["notice_stop.button"] for lang in LANGUAGES))
    form = f'<form method="post"><button>{name}</button></form>' if button else ""
    title = escape(words.of(LANGUAGES[0])["notice_stop.button"])
    body = (
        f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>{title}</title><main>{"".join(said)}{form}</main>'
    )
    return Response(body, media_type=MediaType.HTML, headers={"Cache-Control": "no-store"})


@get(PATH, opt={"permission": "case.notice_stop"}, include_in_schema=False, sync_to_thread=False)
def ask(token: FromPath[str]) -> Response[str]:
    """Asks whether to stop: programs that look at every link of a mail must not stop anything."""
    return _page("notice_stop.ask", button=True)


@post(PATH, opt={"permission": "case.notice_stop", "from_anywhere": True}, include_in_schema=False, status_code=200)
async def stop(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[str]:
    """Stops notices of the link's topic; a link that nobody was sent is 404."""
    await _notices(request).stop(token, now=utc_now())
    return _page("notice_stop.done", button=False)


ROUTES = (ask, stop)
