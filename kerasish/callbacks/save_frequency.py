"""When a callback saves: at the end of every epoch, or every so many batches."""

from __future__ import annotations


def check_save_frequency(where: str, save_freq: int | str) -> None:
    """Raise unless `save_freq` is `"epoch"` or a positive integer."""
    is_count = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq > 0
    if save_freq != "epoch" and not is_count:
        raise ValueError(
            f"{where}: `save_freq` must be 'epoch' or a positive number of batches. "
            f"Received: save_freq={save_freq!r}"
        )


class BatchCounter:
    """Counts batches over the epochs, `steps_per_execution` of them at a time too, up to the next saving."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.reset()

    def reset(self) -> None:
        """Start again from 0."""
        self._since_saving = 0
        self._last_batch = -1

    def is_due(self, batch: int) -> bool:
        """Count up to and with `batch` and tell whether to save now."""
        is_new_epoch = batch <= self._last_batch
        self._since_saving += batch + 1 if is_new_epoch else batch - self._last_batch
        self._last_batch = batch
        if self._since_saving < self.every:
            return False
        self._since_saving = 0
        return True
