"""A file's encoding is what its byte order mark says, else UTF-8 when all of it is, else the likeliest older one."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from app.core.datasets.errors import BadFile

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

CHUNK = 1 << 20
SAMPLE = 1 << 16
"""Bytes of the lines with other than ASCII characters that the encoding is guessed from."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with BOM"),
    (codecs.BOM_UTF32_LE, "", "UTF-32"),
    (codecs.BOM_UTF32_BE, "", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16 LE"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16 BE"),
)
_SIGNATURES = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook (.xlsx)"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls)"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"BZh", "a bzip2 archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
)
_LATIN = {"cp1252": "Windows-1252", "cp1250": "Windows-1250", "mac_roman": "Mac Roman"}
_OTHER_SCRIPTS = {
    "cp1251": "Windows-1251",
    "koi8_r": "KOI8-R",
    "cp1253": "Windows-1253",
    "cp1255": "Windows-1255",
    "cp1256": "Windows-1256",
    "cp932": "Shift JIS",
    "euc_jp": "EUC-JP",
    "gb18030": "GB 18030",
    "big5": "Big5",
    "euc_kr": "EUC-KR",
}
_WORD = re.compile(rb"[A-Za-z\x80-\xff]{2,}")
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\v\x1b\x1a\b")


@dataclass(frozen=True)
class Encoding:
    """codec: Python's name. title: what a person calls it. note: "" unless it had to be guessed."""

    codec: str
    title: str
    note: str = ""


def detect(stream: BinaryIO) -> Encoding:
    """The encoding of a seekable stream, which is left at its start.

    Raises: BadFile for an empty or binary file, and for UTF-8 with a damaged place.
    """
    head = _start(stream)
    if not head:
        raise BadFile("the file is empty")
    for signature, what in _SIGNATURES:
        if head.startswith(signature):
            raise BadFile(f"this is {what}, not a text file; save it as CSV (UTF-8) and import that")
    for mark, codec, title in _MARKS:
        if head.startswith(mark):
            if not codec:
                raise BadFile(f"the file is encoded as {title}; save it as UTF-8")
            return Encoding(codec, title)
    found = _without_mark(stream, head)
    stream.seek(0)
    return found


def _start(stream: BinaryIO) -> bytes:
    stream.seek(0)
    head = stream.read(4096)
    stream.seek(0)
    return head


def _without_mark(stream: BinaryIO, head: bytes) -> Encoding:
    if b"\0" in head and (wide := _wide(head)):
        return wide
    if sum(byte < 32 and byte not in _TEXT_CONTROLS for byte in head) > len(head) / 12:
        raise BadFile("this is a binary file, not text")
    if (nul := _find(stream, b"\0")) is not None:
        raise BadFile("there is a NUL byte, so this is no text file, or a damaged one", line=_line_of(stream, nul))
    bad = _first_bad_utf8(stream)
    if bad is None:
        return Encoding("utf-8", "UTF-8")
    sample = _sample(stream)
    _refuse_damaged(stream, sample, bad)
    return _guess(sample)


def _wide(head: bytes) -> Encoding | None:
    """UTF-16 without a mark: the zero bytes of its spaces and separators are all on the same side."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if even == 0 and odd > len(head) // 10:
        return Encoding("utf-16-le", "UTF-16 LE")
    if odd == 0 and even > len(head) // 10:
        return Encoding("utf-16-be", "UTF-16 BE")
    return None


def _chunks(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    stream.seek(0)
    position = 0
    while chunk := stream.read(CHUNK):
        yield position, chunk
        position += len(chunk)


def _find(stream: BinaryIO, wanted: bytes) -> int | None:
    return next((start + chunk.index(wanted) for start, chunk in _chunks(stream) if wanted in chunk), None)


def _first_bad_utf8(stream: BinaryIO) -> int | None:
    """Position of the first byte that cannot be UTF-8; None when all of it can."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    start = 0
    try:
        for start, chunk in _chunks(stream):  # noqa: B007 - used after the failure
            waiting = len(decoder.getstate()[0])
            decoder.decode(chunk)
        waiting, start = len(decoder.getstate()[0]), stream.tell()
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return start - waiting + error.start
    return None


def _line_of(stream: BinaryIO, position: int) -> int:
    return 1 + sum(chunk[: max(0, position - start)].count(b"\n") for start, chunk in _chunks(stream))


def _sample(stream: BinaryIO) -> bytes:
    """Lines with other than ASCII characters: the rest says nothing about the encoding."""
    picked = bytearray()
    for _, chunk in _chunks(stream):
        for line in [] if chunk.isascii() else chunk.splitlines(keepends=True):
            if not line.isascii():
                picked += line[:SAMPLE]
        if len(picked) >= SAMPLE:
            break
    return bytes(picked[:SAMPLE])


def _refuse_damaged(stream: BinaryIO, sample: bytes, bad: int) -> None:
    """Text that is nearly all UTF-8 is UTF-8 with a fault: reading it as anything else would garble every other line."""
    text = sample.decode("utf-8", errors="replace")
    wrong = text.count("\N{REPLACEMENT CHARACTER}")
    right = sum(not char.isascii() for char in text) - wrong
    if right > 5 * wrong:
        stream.seek(bad)
        byte = stream.read(1)[0]
        raise BadFile(f"byte 0x{byte:02X} is not UTF-8, as the rest of the file is", line=_line_of(stream, bad))


def _guess(sample: bytes) -> Encoding:
    """Windows-1252 for Latin script unless another encoding gives clearly more readable text."""
    if _is_latin(sample):
        western, other = _best(sample, ["cp1252"]), _best(sample, [*_LATIN][1:])
        clearer = other and (western is None or other.chaos < western.chaos - 0.02)
        codec = other.encoding if other and clearer else "cp1252"
    elif found := _best(sample, [*_OTHER_SCRIPTS]):
        codec = found.encoding
    else:
        raise BadFile("the encoding cannot be recognised; save the file as UTF-8")
    title = (_LATIN | _OTHER_SCRIPTS)[codec]
    return Encoding(codec, title, f"The file is not UTF-8; read as {title}. If letters look wrong, save it as UTF-8.")


def _best(sample: bytes, codecs_to_try: list[str]) -> CharsetMatch | None:
    from charset_normalizer import from_bytes

    return from_bytes(sample, cp_isolation=codecs_to_try, enable_fallback=False).best()


def _is_latin(sample: bytes) -> bool:
    """In Latin script the accented letters stand among plain ones; in others whole words are beyond ASCII."""
    words = [word for word in _WORD.findall(sample) if not word.isascii()]
    plain = sum(byte < 128 for word in words for byte in word)
    return not words or plain > sum(map(len, words)) / 3
