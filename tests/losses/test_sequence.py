import itertools

import numpy as np
import pytest
import torch

from kerasish import losses

rng = np.random.default_rng(0)
logits = rng.normal(size=(2, 4, 3))


def by_hand(row, target):
    """Sum over all paths of T steps that collapse to the target."""
    probability = np.exp(row) / np.exp(row).sum(-1, keepdims=True)
    total = 0.0
    for path in itertools.product(range(3), repeat=4):
        collapsed = [symbol for symbol, _ in itertools.groupby(path) if symbol != 0]
        if collapsed == target:
            total += np.prod(probability[range(4), path])
    return -np.log(total)


def test_formula():
    expected = [by_hand(logits[0], [1, 2]), by_hand(logits[1], [2, 2])]
    np.testing.assert_allclose(losses.ctc(np.array([[1, 2, 0], [2, 2, 0]]), logits), expected)
    np.testing.assert_allclose(
        losses.CTC(dtype="float64")(np.array([[1, 2], [2, 2]]), logits), np.mean(expected)
    )


def test_equals_torch():
    labels, lengths = torch.tensor([[1, 2], [2, 1]]), torch.tensor([2, 2])
    log_probabilities = torch.tensor(logits).log_softmax(-1).transpose(0, 1)
    expected = torch.nn.functional.ctc_loss(
        log_probabilities, labels, torch.tensor([4, 4]), lengths, reduction="none"
    )
    torch.testing.assert_close(losses.ctc(labels, logits), expected)


def test_wrong_ranks():
    with pytest.raises(ValueError, match=r"ctc expects .*Received: shapes \(2,\) and \(2, 4, 3\)"):
        losses.ctc(np.array([1, 2]), logits)
