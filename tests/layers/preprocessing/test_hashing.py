from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasish.layers import HashedCrossing, Hashing
from kerasish.layers.preprocessing.fingerprint import hash_numbers, hash_strings, modulo


def unsigned(hashes):
    return [value % 2**64 for value in hashes.tolist()]


def test_published_values():
    assert unsigned(hash_strings([b""])) == [0x9AE16A3B2F90404F]
    key = int.from_bytes(bytes(range(8)), "little"), int.from_bytes(bytes(range(8, 16)), "little")
    assert unsigned(hash_strings([bytes(range(15))], key)) == [0xA129CA6149BE45E5]  # appendix A of the paper


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20), st.booleans())
@settings(max_examples=30, deadline=None)
def test_numbers_are_hashed_as_their_digits(numbers, salted):
    salt = (5, 2**40) if salted else None
    digits = [str(number).encode() for number in numbers]
    assert torch.equal(hash_numbers(torch.tensor(numbers), salt), hash_strings(digits, salt))


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_each_string_is_hashed_by_itself(strings):
    for salt in (None, (1, 2)):
        together = hash_strings(strings, salt)
        assert torch.equal(together, torch.cat([hash_strings([string], salt) for string in strings]))


@given(st.integers(0, 2**64 - 1), st.integers(1, 2**61))
def test_remainder_of_unsigned_numbers(value, divisor):
    held = torch.tensor(value - 2**64 if value >= 2**63 else value)
    assert modulo(held, divisor).item() == value % divisor


def test_mask_has_a_bin_of_its_own():
    bins = Hashing(4, mask_value="")([["", "a", "b"], ["c", "d", ""]])
    assert (bins == 0).tolist() == [[True, False, False], [False, False, True]]
    assert Hashing(1, mask_value="a")(["a", "b"]).tolist() == [0, 0]


@pytest.mark.parametrize("dtype", ["int8", "int32", "float32", "bool"])
def test_numbers_of_all_types(dtype):
    x = np.array([0, 1, 1]).astype(dtype)
    assert torch.equal(Hashing(100)(x), Hashing(100)([0, 1, 1]))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Hashing(0), ValueError, r"`num_bins` of layer .* must be a positive integer"),
        (lambda: Hashing(None), ValueError, r"`num_bins` of layer"),
        (lambda: HashedCrossing(-1), ValueError, r"`num_bins` of layer"),
        (lambda: Hashing(3, salt=[1]), ValueError, r"`salt` must be an integer, or a list or tuple of two"),
        (lambda: Hashing(3, output_mode="tf_idf"), ValueError, r"`output_mode` of layer"),
        (lambda: Hashing(3, dtype="float16"), ValueError, r"the dtype must be one of integers"),
        (lambda: Hashing(3, output_mode="count", sparse=True), ValueError, r"sparse tensors are not supported"),
        (lambda: Hashing(3, mask_value="a")([1, 2]), TypeError, r"has the mask value 'a': it takes strings"),
        (lambda: HashedCrossing(3, output_mode="count"), ValueError, r"`output_mode` of layer"),
        (lambda: HashedCrossing(3)((["a"],)), ValueError, r"at least two features"),
        (lambda: HashedCrossing(3)(np.array(["a", "b"])), ValueError, r"at least two features"),
        (lambda: HashedCrossing(3)((["a"], ["a", "b"])), ValueError, r"equal shapes. Received: \(1,\), \(2,\)"),
        (lambda: HashedCrossing(3)(([["a", "b"]], [[1, 2]])), ValueError, r"shape \(\), \(B,\) or \(B, 1\)"),
        (lambda: HashedCrossing(3)(([1.5], [1])), ValueError, r"for floats take `Discretization` first"),
    ],
)  # fmt: skip
def test_mistakes(make, error, message):
    with pytest.raises(error, match=message):
        make()
