"""WAV files in a directory as a data set."""

# T samples in time, C channels

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from kerasish.preprocessing.directory import dataset_of_files


def audio_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """A data set of the `.wav` files in a directory, with values from −1 to 1.

    Args:
        directory: its subdirectories are the classes, in alphabetical order.
        sampling_rate: samples per second to resample to; as in the files by default.
        output_sequence_length: samples to which every file is cut, or filled up with zeros; by default the files of
            a batch are filled up to the longest of them.
        ragged: has to be False: there are no ragged tensors here.
        labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links, verbose:
            as in `image_dataset_from_directory`.

    Shapes:
        batches of sounds `(B, T, C)`, float32, with labels.

    Raises:
        ValueError: an argument is wrong, or there is no sound.

    Differs: Keras resamples with tensorflow-io, this with a polyphase filter (`scipy.signal.resample_poly`).
    """
    for name, value in (("sampling_rate", sampling_rate), ("output_sequence_length", output_sequence_length)):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
    if ragged:
        raise ValueError(
            "There are no ragged tensors here: leave `ragged` out, and the sounds of a batch are filled up with zeros, "
            "or take single sounds with `batch_size=None`."
        )

    def load(path: str) -> torch.Tensor:
        samples = read_samples(path, sampling_rate)
        if output_sequence_length is not None:
            samples = samples[:output_sequence_length]
            samples = np.pad(samples, ((0, output_sequence_length - len(samples)), (0, 0)))
        return torch.from_numpy(samples)

    return dataset_of_files(
        directory,
        load,
        (".wav",),
        labels,
        label_mode,
        class_names,
        batch_size,
        shuffle,
        seed,
        validation_split,
        subset,
        follow_links,
        verbose,
        is_padded=output_sequence_length is None,
    )


def read_samples(path: str, sampling_rate: int | None = None) -> np.ndarray:
    """The samples `(T, C)`, float32 from −1 to 1, of a WAV file.

    Raises:
        ValueError: the file is no WAV file.
    """
    from scipy.io import wavfile

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # parts of a file that hold no samples
            rate, samples = wavfile.read(path)
    except ValueError as error:
        raise ValueError(f"{path!r} cannot be read as a WAV file: {error}") from error
    if samples.dtype == np.uint8:
        samples = (samples.astype(np.float32) - 128) / 128
    elif samples.dtype.kind == "i":
        samples = samples.astype(np.float64) / 2.0 ** (8 * samples.dtype.itemsize - 1)
    samples = samples.reshape(len(samples), -1)
    if sampling_rate is not None and sampling_rate != rate:
        from scipy.signal import resample_poly

        common = math.gcd(sampling_rate, rate)
        samples = resample_poly(samples, sampling_rate // common, rate // common)
    return np.ascontiguousarray(samples, dtype=np.float32)
