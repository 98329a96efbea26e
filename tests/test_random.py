"""Seeds and draws."""

from __future__ import annotations

import copy
import pickle
import random as python_random

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish import random

DRAWS = {
    "normal": lambda seed: random.normal((500,), 1.0, 2.0, seed=seed),
    "uniform": lambda seed: random.uniform((500,), -1.0, 3.0, seed=seed),
    "truncated_normal": lambda seed: random.truncated_normal((500,), 1.0, 2.0, seed=seed),
    "randint": lambda seed: random.randint((500,), 2, 7, seed=seed),
    "categorical": lambda seed: random.categorical(torch.zeros(2, 3), 250, seed=seed),
    "gamma": lambda seed: random.gamma((500,), 2.0, seed=seed),
    "beta": lambda seed: random.beta((500,), 2.0, 2.0, seed=seed),
    "binomial": lambda seed: random.binomial((500,), 10.0, 0.5, seed=seed),
    "shuffle": lambda seed: random.shuffle(torch.arange(500), seed=seed),
    "dropout": lambda seed: random.dropout(torch.ones(500), 0.3, seed=seed),
}
MEANS = {
    "normal": 1.0, "uniform": 1.0, "truncated_normal": 1.0, "randint": 4.0, "categorical": 1.0, "gamma": 2.0,
    "beta": 0.5, "binomial": 5.0, "shuffle": 249.5, "dropout": 1.0,
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWS)
def test_seeds(name):
    draw = DRAWS[name]
    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))
    first, second = random.SeedGenerator(1), random.SeedGenerator(1)
    one = draw(first)
    assert torch.equal(one, draw(second))
    assert not torch.equal(one, draw(first))
    torch.manual_seed(0)
    one = draw(None)
    torch.manual_seed(0)
    assert torch.equal(one, draw(None))


@pytest.mark.parametrize("name", DRAWS)
def test_means(name):
    draws = DRAWS[name](0).double()
    assert draws.mean().item() == pytest.approx(MEANS[name], abs=4 * draws.std().item() / 500**0.5 + 1e-9)


def test_ranges():
    assert set(DRAWS["randint"](0).tolist()) == {2, 3, 4, 5, 6}
    assert DRAWS["randint"](0).dtype is torch.int32
    assert DRAWS["truncated_normal"](0).sub(1).abs().max() <= 4
    assert sorted(DRAWS["shuffle"](0).tolist()) == list(range(500))
    assert {round(value, 4) for value in DRAWS["dropout"](0).tolist()} == {0.0, 1.4286}
    assert DRAWS["categorical"](0).shape == (2, 250)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: random.SeedGenerator("a"), r"`seed` must be an integer or None\. Received: seed='a'"),
        (lambda: random.SeedGenerator(-1), r"must not be negative"),
        (lambda: random.SeedGenerator(1, colour=2), r"Unrecognized keyword arguments.*colour"),
        (lambda: random.normal((2,), seed="a"), r"must be an integer, a SeedGenerator or None"),
        (lambda: random.uniform((2,), dtype="int32"), r"use `randint` for integers"),
        (lambda: random.randint((2,), 0, 3, dtype="float32"), r"`randint` draws integers"),
        (lambda: keras.utils.set_random_seed("a"), r"`seed` must be an integer"),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_go_on_where_the_original_is(copied):
    generator = random.SeedGenerator(3)
    random.normal((2,), seed=generator)
    twin = copied(generator)
    assert torch.equal(random.normal((2,), seed=generator), random.normal((2,), seed=twin))
    assert generator.next() == twin.next()


def test_config_of_a_seed_generator():
    generator = random.SeedGenerator.from_config(random.SeedGenerator(7).get_config())
    assert torch.equal(random.normal((3,), seed=generator), random.normal((3,), seed=random.SeedGenerator(7)))


def test_one_seed_for_all_sources():
    def draw():
        keras.utils.set_random_seed(5)
        return python_random.random(), np.random.rand(), torch.rand(1).item()

    assert draw() == draw()
