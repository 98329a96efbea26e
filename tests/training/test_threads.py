from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import kerasish as keras
from kerasish.training import threads
from kerasish.training.threads import CROWDED, SAMPLES, VALID_FOR, ThreadChoice


@pytest.fixture
def machine(monkeypatch):
    """A machine of four threads on which a step takes the time that `seconds` says for the number of threads."""
    machine = SimpleNamespace(count=4, clock=0.0, seconds={1: 1.0, 4: 0.5})
    monkeypatch.setattr(torch, "get_num_threads", lambda: machine.count)
    monkeypatch.setattr(torch, "set_num_threads", lambda count: setattr(machine, "count", count))
    monkeypatch.setattr(threads.time, "perf_counter", lambda: machine.clock)

    def step(ran):
        machine.clock += machine.seconds[machine.count]
        ran.append(machine.count)

    machine.step = step
    return machine


def run(choice, machine, steps):
    ran: list[int] = []
    for _ in range(steps):
        choice.run(machine.step, ran)
    return ran


def test_all_threads_where_they_are_faster(machine):
    ran = run(ThreadChoice(), machine, 3 * SAMPLES)
    assert ran == SAMPLES * [1] + 2 * SAMPLES * [4]


def test_one_thread_where_all_are_no_faster(machine):
    machine.seconds[4] = 1.0
    ran = run(ThreadChoice(), machine, 3 * SAMPLES)
    assert ran == SAMPLES * [1] + SAMPLES * [4] + SAMPLES * [1]


def test_few_steps_are_lost_where_other_programs_want_the_cores(machine):
    machine.seconds[4] = 30.0
    ran = run(ThreadChoice(), machine, 3 * SAMPLES)
    assert ran == SAMPLES * [1] + [4] + (2 * SAMPLES - 1) * [1]


def test_one_thread_after_several_slow_steps_in_a_row(machine):
    choice = ThreadChoice()
    run(choice, machine, 2 * SAMPLES)
    machine.seconds[4] = 0.5 * CROWDED + 0.1
    assert run(choice, machine, SAMPLES + 2) == SAMPLES * [4] + 2 * [1]


def test_the_number_is_restored_and_resumed(machine):
    choice = ThreadChoice()
    machine.seconds[4] = 30.0
    run(choice, machine, 2 * SAMPLES)
    choice.restore()
    assert machine.count == 4
    choice.resume()
    assert machine.count == 1
    choice.restore()
    assert ThreadChoice().all == 4


def test_an_old_choice_is_made_again(machine):
    choice = ThreadChoice()
    machine.seconds[4] = 30.0
    run(choice, machine, VALID_FOR + 1)
    choice.resume()
    machine.seconds[4] = 0.1
    assert run(choice, machine, 2 * SAMPLES + 1) == SAMPLES * [1] + (SAMPLES + 1) * [4]


def test_a_single_thread_is_not_timed(machine):
    machine.count = 1
    choice = ThreadChoice()
    run(choice, machine, 3)
    assert choice.chosen == 1
    assert choice.times == {1: []}


@pytest.mark.parametrize("method", ["train_on_batch", "test_on_batch"])
def test_single_batches_leave_the_number_as_it_was(method):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        model = keras.Sequential([keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        for _ in range(2 * SAMPLES + 3):
            getattr(model, method)(np.ones((2, 3)), np.ones(2))
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_steps_before_the_choice_run_with_one_thread_or_with_all(machine):
    choice = ThreadChoice()
    choice.begin(with_one=True)
    assert machine.count == 1
    choice.begin(with_one=False)
    assert machine.count == 4
    run(choice, machine, 2 * SAMPLES)
    choice.begin(with_one=True)
    assert machine.count == 4
