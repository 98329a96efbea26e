"""FarmHash64 and SipHash of strings and of the decimal digits of integers, on tensors of 64-bit integers.

Sources: Pike and Alakuijala, 2014, *FarmHash* (`Fingerprint64`); Aumasson and Bernstein, 2012, *SipHash: a fast
short-input PRF* (SipHash-2-4). An unsigned number is held as the int64 with the same bits; arithmetic wraps around.
"""

# N records, W bytes of the longest one

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

LONGEST_NUMBER = 20  # "-9223372036854775808"


def signed(value: int) -> int:
    """The int64 with the bits of an unsigned number."""
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


K0, K1, K2 = signed(0xC3A5C85C97CB3127), signed(0xB492B66FBE98F273), signed(0x9AE16A3B2F90404F)
CROSS = signed(0xC6A4A7935BD1E995)
SIP_START = tuple(
    map(signed, (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573))
)


class Records:
    """Byte strings: their bytes (N, W), zero after their end, and their lengths (N,), all as int64."""

    def __init__(self, data: Tensor, length: Tensor) -> None:
        self.data = data
        self.length = length

    def word(self, offset: int | Tensor, size: int = 8) -> Tensor:
        """The little-endian number in `size` bytes from `offset` on."""
        places = torch.arange(size, device=self.data.device)
        if isinstance(offset, int):
            found = self.data[:, offset : offset + size]
        else:
            places_in = (offset.clamp(min=0).unsqueeze(-1) + places).expand(len(self.data), size)
            found = self.data.gather(1, places_in)
        return (found << (8 * places[: found.shape[1]])).sum(dim=1)

    def from_end(self, back: int, size: int = 8) -> Tensor:
        """The number in `size` bytes from the last but `back` on."""
        return self.word(self.length - back, size)


def shifted(x: Tensor, by: int) -> Tensor:
    """`x >> by` of the unsigned number."""
    return (x >> by) & (2 ** (64 - by) - 1)


def rotated_right(x: Tensor, by: int) -> Tensor:
    return shifted(x, by) | (x << (64 - by))


def mixed(x: Tensor) -> Tensor:
    return x ^ shifted(x, 47)


def modulo(x: Tensor, divisor: int) -> Tensor:
    """The remainder of the unsigned number."""
    return (shifted(x, 1) % divisor * 2 + (x & 1)) % divisor


def fingerprint_cat(a: Tensor, b: Tensor) -> Tensor:
    """The fingerprint of a pair of fingerprints, as TensorFlow joins them."""
    result = a ^ CROSS
    result = (result ^ (mixed(b * CROSS) * CROSS)) * CROSS
    return mixed(mixed(result) * CROSS)


# FarmHash ---------------------------------------------------------------------------------------------------------


def _joined(u: Tensor, v: Tensor, factor: Tensor) -> Tensor:
    a = mixed((u ^ v) * factor)
    return mixed((v ^ a) * factor) * factor


def _farm_1_to_3(r: Records) -> Tensor:
    first, middle, last = r.word(0, 1), r.word(r.length >> 1, 1), r.from_end(1, 1)
    return mixed((first + (middle << 8)) * K2 ^ (r.length + (last << 2)) * K0) * K2


def _farm_4_to_7(r: Records) -> Tensor:
    return _joined(r.length + (r.word(0, 4) << 3), r.from_end(4, 4), K2 + r.length * 2)


def _farm_8_to_16(r: Records) -> Tensor:
    factor = K2 + r.length * 2
    a, b = r.word(0) + K2, r.from_end(8)
    return _joined(rotated_right(b, 37) * factor + a, (rotated_right(a, 25) + b) * factor, factor)


def _farm_17_to_32(r: Records) -> Tensor:
    factor = K2 + r.length * 2
    a, b, c, d = r.word(0) * K1, r.word(8), r.from_end(8) * factor, r.from_end(16) * K2
    u = rotated_right(a + b, 43) + rotated_right(c, 30) + d
    return _joined(u, a + rotated_right(b + K2, 18) + c, factor)


def _farm_33_to_64(r: Records) -> Tensor:
    factor = K2 + r.length * 2
    a, b, c, d = r.word(0) * K2, r.word(8), r.from_end(8) * factor, r.from_end(16) * K2
    y = rotated_right(a + b, 43) + rotated_right(c, 30) + d
    z = _joined(y, a + rotated_right(b + K2, 18) + c, factor)
    e, f = r.word(16) * factor, r.word(24)
    g, h = (y + r.from_end(32)) * factor, (z + r.from_end(24)) * factor
    u = rotated_right(e + f, 43) + rotated_right(g, 30) + h
    return _joined(u, e + rotated_right(f + a, 18) + g, factor)


def _weak(r: Records, at: int, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    w, x, y, z = (r.word(at + step) for step in (0, 8, 16, 24))
    a = a + w
    b = rotated_right(b + a + z, 21)
    total = a + x + y
    return total + z, b + rotated_right(total, 44) + a


def _farm_round(
    r: Records, at: int, state: tuple, factor: Tensor | int, times: int
) -> tuple[Tensor, Tensor, Tensor, tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Take 64 bytes into the state (x, y, z, v, w)."""
    x, y, z, v, w = state
    x = rotated_right(x + y + v[0] + r.word(at + 8), 37) * factor ^ w[1] * times
    y = rotated_right(y + v[1] + r.word(at + 48), 42) * factor + v[0] * times + r.word(at + 40)
    z = rotated_right(z + w[0], 33) * factor
    v = _weak(r, at, v[1] * factor, x + w[0])
    w = _weak(r, at + 32, z + w[1], y + r.word(at + 16))
    return z, y, x, v, w


def _farm_over_64(r: Records, length: int) -> Tensor:
    x = r.word(0) + signed(81 * K2)
    y = torch.full_like(x, signed(81 * K1 + 113))
    zero = torch.zeros_like(x)
    state = (x, y, mixed(y * K2 + 113) * K2, (zero, zero), (zero, zero))
    for at in range(0, (length - 1) // 64 * 64, 64):
        state = _farm_round(r, at, state, K1, 1)
    x, y, z, v, w = state
    factor = K1 + ((z & 0xFF) << 1)
    first = w[0] + ((length - 1) & 63)
    v = (v[0] + first, v[1])
    w = (first + v[0], w[1])
    x, y, z, v, w = _farm_round(r, length - 64, (x, y, z, v, w), factor, 9)
    u = _joined(v[0], w[0], factor) + mixed(y) * K0 + z
    return _joined(u, _joined(v[1], w[1], factor) + x, factor)


def _farm(r: Records, length: int) -> Tensor:
    """FarmHash of records that all have this length."""
    if length == 0:
        return torch.full((len(r.data),), K2, dtype=torch.int64, device=r.data.device)
    for longest, hashed in ((3, _farm_1_to_3), (7, _farm_4_to_7), (16, _farm_8_to_16), (32, _farm_17_to_32)):
        if length <= longest:
            return hashed(r)
    return _farm_33_to_64(r) if length <= 64 else _farm_over_64(r, length)


# SipHash ----------------------------------------------------------------------------------------------------------


def _sip(r: Records, words: int, salt: tuple[int, int]) -> Tensor:
    """SipHash-2-4 of records of fewer than `8 · words` bytes."""
    keys = (signed(salt[0]), signed(salt[1]))
    a, b, c, d = (
        torch.full_like(r.data[:, 0], start ^ key) for start, key in zip(SIP_START, keys * 2, strict=True)
    )
    for i in range(words):
        is_last = r.length >> 3 == i
        word = r.word(8 * i) | torch.where(is_last, r.length << 56, 0)
        after = _sip_rounds(a, b, c, d ^ word, 2)
        is_taken = r.length >> 3 >= i
        a, b, c, d = (
            torch.where(is_taken, new, old)
            for new, old in zip((after[0] ^ word, *after[1:]), (a, b, c, d), strict=True)
        )
    a, b, c, d = _sip_rounds(a, b, c ^ 0xFF, d, 4)
    return a ^ b ^ c ^ d


def _sip_rounds(
    a: Tensor, b: Tensor, c: Tensor, d: Tensor, count: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    for _ in range(count):
        a, c = a + b, c + d
        b, d = rotated_right(b, 64 - 13) ^ a, rotated_right(d, 64 - 16) ^ c
        a = rotated_right(a, 32)
        a, c = a + d, c + b
        b, d = rotated_right(b, 64 - 17) ^ c, rotated_right(d, 64 - 21) ^ a
        c = rotated_right(c, 32)
    return a, b, c, d


# Of strings and numbers -------------------------------------------------------------------------------------------


def hash_strings(strings: list[bytes], salt: tuple[int, int] | None = None) -> Tensor:
    """FarmHash64, or with a salt SipHash, of each byte string; computed for all strings of a length at once."""
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    hashes = torch.empty(len(strings), dtype=torch.int64)
    for length in np.unique(lengths).tolist():
        places = np.flatnonzero(lengths == length)
        text = b"".join(strings[i] for i in places.tolist())
        data = torch.zeros((len(places), length // 8 * 8 + 8), dtype=torch.int64)
        data[:, :length] = (
            torch.frombuffer(bytearray(text), dtype=torch.uint8).reshape(-1, length) if length else 0
        )
        records = Records(data, torch.full((len(places),), length))
        found = _farm(records, length) if salt is None else _sip(records, length // 8 + 1, salt)
        hashes[torch.from_numpy(places)] = found
    return hashes


def hash_numbers(numbers: Tensor, salt: tuple[int, int] | None = None) -> Tensor:
    """The hash of the decimal digits of each integer, by tensor operations alone."""
    flat = numbers.to(torch.int64).reshape(-1)
    records = _decimal(flat)
    if salt is not None:
        return _sip(records, 3, salt).reshape(numbers.shape)
    hashes = _farm_17_to_32(records)
    for longest, hashed in ((16, _farm_8_to_16), (7, _farm_4_to_7), (3, _farm_1_to_3)):
        hashes = torch.where(records.length <= longest, hashed(records), hashes)
    return hashes.reshape(numbers.shape)


def _decimal(numbers: Tensor) -> Records:
    """The digits of integers as text, with the sign of negative ones."""
    powers = torch.tensor([10**i for i in range(19)], device=numbers.device)
    quotients = torch.div(numbers.unsqueeze(-1), powers, rounding_mode="trunc")
    digits = quotients.fmod(10).abs()
    is_negative = numbers < 0
    count = (quotients[:, 1:] != 0).sum(dim=1) + 1
    length = count + is_negative
    places = length.unsqueeze(-1) - 1 - torch.arange(LONGEST_NUMBER + 8, device=numbers.device)
    text = digits.gather(1, places.clamp(0, 18)) + ord("0")
    text = torch.where(places < count.unsqueeze(-1), text, ord("-"))
    return Records(torch.where(places >= 0, text, 0), length)
