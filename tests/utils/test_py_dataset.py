from __future__ import annotations

import itertools

from kerasish.utils import PyDataset, Sequence


class Squares(PyDataset):
    def __init__(self, count, **kwargs):
        super().__init__(**kwargs)
        self.count = count

    @property
    def num_batches(self):
        return self.count

    def __getitem__(self, index):
        return index**2


def test_iteration():
    assert Sequence is PyDataset
    assert list(Squares(3)) == list(Squares(3, workers=2)) == [0, 1, 4]
    assert list(itertools.islice(Squares(None), 4)) == [0, 1, 4, 9]
