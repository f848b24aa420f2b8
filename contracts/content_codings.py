"""Undo the content codings of bodies, within a limit of memory (RFC 9110, 8.4)."""

import zlib
from typing import NamedTuple

_GZIP, _ZLIB, _RAW = zlib.MAX_WBITS | 16, zlib.MAX_WBITS, -zlib.MAX_WBITS
_WINDOWS = {"gzip": (_GZIP,), "x-gzip": (_GZIP,), "deflate": (_ZLIB, _RAW)}
"""What to try for each coding: some servers send deflate without its zlib header."""
STREAMED_CODINGS = frozenset(_WINDOWS)
"""Codings that can be undone piece by piece."""
CODINGS = STREAMED_CODINGS | {"zstd", "br"}
"""Codings that can be undone."""


class ContentCodingError(ValueError):
    """A body is not in its content coding, or the coding cannot be undone."""


class Inflater:
    """Decompresses a stream; ignores what follows its end, as browsers do."""

    def __init__(self, coding: str) -> None:
        """Begin with one of STREAMED_CODINGS."""
        self._windows = _WINDOWS[coding]
        self._stream = zlib.decompressobj(self._windows[0])
        self._is_new = True

    @property
    def is_over(self) -> bool:
        """Whether the stream has ended."""
        return self._stream.eof

    def inflated(self, chunk: bytes, most: int) -> bytes:
        """Return what a chunk expands to, at most `most` bytes (from 1).

        Raises:
            ContentCodingError: if it is not in the coding.
        """
        if self._stream.eof:
            return b""
        try:
            data = self._stream.decompress(chunk, most)
        except zlib.error as error:
            if not self._is_new or len(self._windows) == 1:
                raise ContentCodingError(f"wrong content coding: {error}") from error
            self._stream, self._windows = zlib.decompressobj(self._windows[1]), self._windows[1:]
            return self.inflated(chunk, most)
        self._is_new = False
        return data


class Decoded(NamedTuple):
    """A body without its coding; unless `is_whole`, it ends early or goes on beyond the limit."""

    content: bytes
    is_whole: bool


def undo_coding(body: bytes, coding: str, limit: int) -> Decoded:
    """Return a body without one content coding of CODINGS, at most `limit` bytes of it.

    Raises:
        ContentCodingError: if it is not in the coding, or that is none of CODINGS.
    """
    if coding in STREAMED_CODINGS:
        inflater = Inflater(coding)
        content = inflater.inflated(body, limit + 1)
        is_over = inflater.is_over
    elif coding == "zstd":
        content, is_over = _from_zstd(body, limit + 1), True
    elif coding == "br":
        content, is_over = _from_brotli(body, limit + 1)
    else:
        raise ContentCodingError(f"Content-Encoding {coding!r} is not supported")
    return Decoded(content[:limit], is_over and len(content) <= limit)


def _from_zstd(body: bytes, most: int) -> bytes:
    import zstandard  # few responses have it

    try:
        with zstandard.ZstdDecompressor().stream_reader(body) as stream:
            return stream.read(most)
    except zstandard.ZstdError as error:
        raise ContentCodingError(f"wrong content coding: {error}") from error


def _from_brotli(body: bytes, most: int) -> tuple[bytes, bool]:
    try:
        import brotli  # type: ignore[import-untyped] # few responses have it
    except ImportError as error:  # not CPython
        raise ContentCodingError("Content-Encoding 'br' is not supported") from error
    stream = brotli.Decompressor()
    try:
        content: bytes = stream.process(body, output_buffer_limit=most)
    except brotli.error as error:
        raise ContentCodingError(f"wrong content coding: {error}") from error
    return content, stream.is_finished()
