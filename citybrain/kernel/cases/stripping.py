# SPDX-License-Identifier: Apache-2.0
"""Takes out of a photo where it was taken and by whom, without touching the picture. Pure.

What says how the picture is to be shown stays: colours, and which side is up. Everything else goes, known or not.
"""

import struct
from collections.abc import Iterator
from io import BytesIO

from PIL import Image

from citybrain.kernel.errors import Invalid

ORIENTATION = 0x0112
JPEG_START, JPEG_END = b"\xff\xd8", b"\xff\xd9"
APP0, APP1, APP2, APP14, APP15, COMMENT, SCAN = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF, 0xFE, 0xDA
PNG_SIGN = b"\x89PNG\r\n\x1a\n"
# Of the PNG specification (third edition): what a picture needs, its colours and its motion.
PNG_NAMES = b"IHDR PLTE IDAT IEND tRNS cHRM gAMA iCCP sBIT sRGB cICP bKGD pHYs acTL fcTL fdAT"
PNG_KEPT = frozenset(PNG_NAMES.split())
WEBP_KEPT = frozenset([b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"ICCP"])
WEBP_EXIF_XMP = 0x08 | 0x04
SCALED_EDGE = 3_840
SCALED_QUALITY = 85
PIXELS_AT_MOST = 120_000_000  # more than any camera of a telephone; a file that says more is a trap


class PhotoBroken(Invalid):
    """The file says that it is a photo and is none that can be read."""


def strip(data: bytes, media_type: str) -> bytes:
    """The photo without position, author, comments or anything behind its end; refuses `PhotoBroken`."""
    try:
        return {"image/jpeg": _jpeg, "image/png": _png, "image/webp": _webp}[media_type](data)
    except (struct.error, IndexError, ValueError) as problem:
        raise PhotoBroken("kernel.photo_broken", {"type": media_type}) from problem


def scale(data: bytes) -> bytes:
    """A photo made smaller, as JPEG with the right side up, at most 3840 pixels wide and high."""
    try:
        with Image.open(BytesIO(data)) as image:
            if image.width * image.height > PIXELS_AT_MOST:
                raise PhotoBroken("kernel.photo_too_many_pixels", {"limit": PIXELS_AT_MOST})
            turned = _upright(image)
            turned.thumbnail((SCALED_EDGE, SCALED_EDGE))
            out = BytesIO()
            turned.convert("RGB").save(out, "JPEG", quality=SCALED_QUALITY)
    except (OSError, ValueError, SyntaxError) as problem:
        raise PhotoBroken("kernel.photo_broken", {"type": "image"}) from problem
    return out.getvalue()


def _upright(image: Image.Image) -> Image.Image:
    turns = {
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_270],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_90],
    }
    turned: Image.Image = image
    for turn in turns.get(image.getexif().get(ORIENTATION, 1), []):
        turned = turned.transpose(turn)
    return turned


def _jpeg(data: bytes) -> bytes:
    out = bytearray(JPEG_START)
    orientation = 1
    kept = bytearray()
    for marker, piece in _segments(data):
        if marker == APP1 and piece[4:10] == b"Exif\0\0":
            orientation = _orientation(piece[10:])
        if marker == SCAN or _is_kept(marker, piece):
            kept += piece
    if orientation != 1:
        out += _exif(orientation)
    return bytes(out + kept)


def _is_kept(marker: int, piece: bytes) -> bool:
    """Tables and frames stay; of what programs add only JFIF, colour profiles and Adobe's note on colours."""
    if marker == APP2:
        return piece[4:16] == b"ICC_PROFILE\0"
    if marker == APP0:
        return piece[4:9] == b"JFIF\0"
    return marker not in (*range(APP1, APP14), APP15, COMMENT)


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The segments of a JPEG (ISO/IEC 10918-1 annex B), each scan with its data; what lies behind the end is left."""
    if data[:2] != JPEG_START:
        raise ValueError(data[:2])
    at = 2
    while True:
        while data[at] == 0xFF and data[at + 1] == 0xFF:
            at += 1
        if data[at] != 0xFF:
            raise ValueError(at)
        marker = data[at + 1]
        if marker == JPEG_END[1]:
            yield marker, JPEG_END
            return
        end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
        if marker == SCAN:
            end = _scan_end(data, end)
        if end > len(data):
            raise ValueError(end)
        yield marker, data[at:end]
        at = end


def _scan_end(data: bytes, at: int) -> int:
    """Where the data of a scan end: at a marker that is neither an escaped 0xFF nor a restart."""
    while True:
        at = data.index(b"\xff", at)
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
            return at
        at += 2


def _orientation(tiff: bytes) -> int:
    """Which side is up, 1 when nothing readable says so."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    try:
        if order is None:
            return 1
        at = struct.unpack_from(f"{order}I", tiff, 4)[0]
        for number in range(struct.unpack_from(f"{order}H", tiff, at)[0]):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, at + 2 + 12 * number)
            if tag == ORIENTATION:
                return int(value) if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1


def _exif(orientation: int) -> bytes:
    """An EXIF segment that says which side is up and nothing else."""
    tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, ORIENTATION, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def _png(data: bytes) -> bytes:
    if data[:8] != PNG_SIGN:
        raise ValueError(data[:8])
    out = bytearray(PNG_SIGN)
    at = 8
    while True:
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise ValueError(end)
        if kind in PNG_KEPT:
            out += data[at:end]
        if kind == b"IEND":
            return bytes(out)
        at = end


def _webp(data: bytes) -> bytes:
    size = struct.unpack_from("<I", data, 4)[0]
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP" or size + 8 > len(data):
        raise ValueError(data[:12])
    out = bytearray(b"WEBP")
    at = 12
    while at < size + 8:
        kind, length = struct.unpack_from("<4sI", data, at)
        end = at + 8 + length + length % 2
        piece = bytearray(data[at:end])
        if kind == b"VP8X":
            piece[8] &= ~WEBP_EXIF_XMP & 0xFF
        if kind in WEBP_KEPT:
            out += piece
        at = end
    return b"RIFF" + struct.pack("<I", len(out)) + bytes(out)
