from __future__ import annotations

import pytest

from kerasish.callbacks.save_frequency import BatchCounter


@pytest.mark.parametrize(
    ("every", "ends", "due"),
    [
        (2, [0, 1, 2, 3, 4], [(0, 1), (0, 3), (1, 0), (1, 2), (1, 4)]),
        (7, [0, 1, 2, 3, 4], [(1, 1)]),
        (2, [1, 3, 4], [(0, 1), (0, 3), (1, 1), (1, 3)]),
        (3, [1, 3, 4], [(0, 3), (1, 1), (1, 4)]),
        (5, [4], [(0, 4), (1, 4)]),
    ],
)
def test_counts_over_epochs_and_over_several_steps_per_call(every, ends, due):
    """`ends` are the batches of an epoch after which a hook is called: not all with `steps_per_execution`."""
    counter = BatchCounter(every)
    assert [(epoch, batch) for epoch in range(2) for batch in ends if counter.is_due(batch)] == due
