"""A look over an HDF5 file before it is opened: HDF5 itself never comes back from some damaged heaps of texts."""

from __future__ import annotations

import os
import struct
from typing import Any, BinaryIO

SIGNATURE = b"GCOL\x01"  # with the version; three bytes without meaning follow, and the size of the heap
HEADER, OBJECT = struct.Struct("<8xQ"), struct.Struct("<HHIQ")  # OBJECT: number, references, nothing, size
CHUNK = 2**20


def refuse_endless_heaps(source: Any) -> None:
    """Raise where an object of a heap takes no room, over which HDF5 would stay for ever.

    Raises:
        ValueError: the file has such a heap.
    """
    if isinstance(source, (str, os.PathLike)):
        if not os.path.isfile(source):
            return
        with open(source, "rb") as file:
            _look_through(file)
        return
    _look_through(source)
    source.seek(0)


def _look_through(file: BinaryIO) -> None:
    start, tail = 0, b""
    file.seek(0)
    while chunk := file.read(CHUNK):
        text = tail + chunk
        place = text.find(SIGNATURE)
        while place >= 0:
            back = file.tell()
            if _is_endless(file, start - len(tail) + place):
                raise ValueError("The file is damaged: an object of a heap of texts has no size.")
            file.seek(back)
            place = text.find(SIGNATURE, place + 1)
        start += len(chunk)
        tail = text[-len(SIGNATURE) + 1 :]


def _is_endless(file: BinaryIO, place: int) -> bool:
    file.seek(place)
    header = file.read(HEADER.size)
    if len(header) < HEADER.size:
        return False
    (size,) = HEADER.unpack(header)
    if size > CHUNK * 64:
        return False
    heap = file.read(size - HEADER.size) if size > HEADER.size else b""
    position = 0
    while position + OBJECT.size <= len(heap):
        number, _, _, length = OBJECT.unpack_from(heap, position)
        taken = length if number == 0 else OBJECT.size + -(-length // 8) * 8
        if taken == 0:
            return True
        position += taken
    return False
