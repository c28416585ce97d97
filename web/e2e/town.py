# SPDX-License-Identifier: Apache-2.0
"""What a citizen's day needs: a mail server that keeps letters, a picture, a page, somebody at the city."""

import struct
import zlib
from email import message_from_bytes
from email.message import Message
from typing import Any

import httpx
from aiosmtpd.smtp import Envelope
from playwright.sync_api import Page, expect

from tests.scenarios.city import RunningCity


class Postbox:
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.letters: list[Message] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 aiosmtpd's name
        assert isinstance(envelope.content, bytes)
        self.letters.append(message_from_bytes(envelope.content))
        return "250 OK"

    def text_of(self, words: str) -> str | None:
        """The newest letter in which some words stand."""
        for letter in reversed(self.letters):
            payload = letter.get_payload(decode=True)
            text = payload.decode() if isinstance(payload, bytes) else ""
            if words in text:
                return text
        return None


def go(page: Page, town: RunningCity, path: str) -> None:
    page.goto(f"{town.url}/citizen{path}")
    page.wait_for_selector("html[data-citizen=ready]", state="attached")
    expect(page.locator("main h1")).to_be_visible()


PICTURE_SIDE_PX = 60


def picture(side: int = PICTURE_SIDE_PX) -> bytes:
    """A small red picture."""
    rows = b"".join(b"\0" + bytes((200, 30, 30)) * side for _ in range(side))

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")


def act(clerk: httpx.Client, number: str, **what: Any) -> None:
    id = clerk.get(f"/api/cases/by-number/{number}").json()["id"]
    answer = clerk.post(f"/api/cases/{id}/acts", json=what)
    assert answer.status_code == 200, answer.text
