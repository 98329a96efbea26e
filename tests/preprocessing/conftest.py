"""Small directories of pictures, texts and sounds."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """16 pictures of three classes, all of one color each: (10 · class, 10 · number, 100)."""
    image = pytest.importorskip("PIL.Image")
    root = tmp_path_factory.mktemp("pictures")
    for kind, (name, count) in enumerate([("birds", 4), ("cats", 5), ("dogs", 7)]):
        (root / name / "more").mkdir(parents=True)
        for i in range(count):
            pixels = np.full((8 + i, 12, 3), (10 * kind, 10 * i, 100), dtype="uint8")
            image.fromarray(pixels).save(root / name / ("more" if i == 2 else "") / f"{name}{i}.png")
    (root / "cats" / "notes.txt").write_text("no picture")
    (root / ".hidden").mkdir()
    return root


@pytest.fixture(scope="session")
def texts(tmp_path_factory):
    root = tmp_path_factory.mktemp("texts")
    for name in ("neg", "pos"):
        (root / name).mkdir()
        for i in range(4):
            (root / name / f"{i}.txt").write_text(f"{name} číslo {i}\nline", encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def sounds(tmp_path_factory):
    from scipy.io import wavfile

    root = tmp_path_factory.mktemp("sounds")
    for name in ("high", "low"):
        (root / name).mkdir()
        for i in range(3):
            wave = np.sin(np.arange(100 + 10 * i) * (0.5 if name == "high" else 0.1))
            wavfile.write(root / name / f"{i}.wav", 8000, (wave * 16384).astype("int16"))
    return root
