from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import kerasish
from kerasish.preprocessing.audio_dataset import read_samples
from kerasish.preprocessing.image_dataset import read_pixels

read_images = kerasish.utils.image_dataset_from_directory
read_texts = kerasish.utils.text_dataset_from_directory
read_sounds = kerasish.utils.audio_dataset_from_directory


def names(dataset):
    return [os.path.basename(path) for path in dataset.file_paths]


def test_order_labels_and_text(pictures, capsys):
    dataset = read_images(pictures, image_size=(6, 8), shuffle=False, batch_size=7)
    assert capsys.readouterr().out == "Found 16 files belonging to 3 classes.\n"
    assert dataset.class_names == ["birds", "cats", "dogs"] and len(dataset) == 3
    assert names(dataset)[:4] == ["birds0.png", "birds1.png", "birds3.png", "birds2.png"]
    x = torch.cat([x for x, _ in dataset])
    y = torch.cat([y for _, y in dataset])
    assert x.shape == (16, 6, 8, 3) and x.dtype == torch.float32 and y.dtype == torch.int32
    assert y.tolist() == [0] * 4 + [1] * 5 + [2] * 7
    torch.testing.assert_close(x[:, 0, 0, 0], 10.0 * y)
    assert x[:4, 3, 3, 1].tolist() == [0.0, 10.0, 30.0, 20.0]


def test_the_same_files_as_keras_for_a_seed(pictures, capsys):
    """The order that TensorFlow's data set had for this seed."""
    training, validation = read_images(pictures, seed=1, validation_split=0.3, subset="both")
    assert capsys.readouterr().out.splitlines()[1:] == [
        "Using 12 files for training.",
        "Using 4 files for validation.",
    ]
    order = np.random.RandomState(1).permutation(16)
    assert names(training)[:3] == ["birds2.png", names(training)[1], names(training)[2]]
    assert len(training.file_paths) == 12 and len(validation.file_paths) == 4
    everything = read_images(pictures, shuffle=False, verbose=False).file_paths
    assert training.file_paths + validation.file_paths == [everything[i] for i in order]
    for subset, expected in (("training", training), ("validation", validation)):
        alone = read_images(pictures, seed=1, validation_split=0.3, subset=subset, verbose=False)
        assert alone.file_paths == expected.file_paths


def test_shuffled_anew_each_epoch_by_the_seed(pictures):
    def epochs():
        dataset = read_images(pictures, image_size=(2, 2), batch_size=None, seed=5, verbose=False)
        return [[(int(x[0, 0, 1]), int(y)) for x, y in dataset] for _ in range(2)]

    first, second = epochs()
    assert first != second and sorted(first) == sorted(second)
    assert epochs() == [first, second]


@pytest.mark.parametrize(
    ("kwargs", "shape", "label"),
    [
        ({"label_mode": "categorical"}, (16, 4, 5, 3), [1.0, 0.0, 0.0]),
        ({"label_mode": "binary", "class_names": ["dogs", "cats"]}, (12, 4, 5, 3), [0.0]),
        ({"label_mode": None}, (16, 4, 5, 3), None),
        ({"labels": None}, (16, 4, 5, 3), None),
        ({"labels": list(range(16)), "color_mode": "grayscale"}, (16, 4, 5, 1), 0),
        ({"labels": np.arange(16) + 3, "color_mode": "rgba"}, (16, 4, 5, 4), 3),
        ({"data_format": "channels_first"}, (16, 3, 4, 5), 0),
    ],
)
def test_labels_and_layouts(pictures, kwargs, shape, label):
    batch = next(iter(read_images(pictures, image_size=(4, 5), shuffle=False, verbose=False, **kwargs)))
    x = batch if label is None else batch[0]
    assert x.shape == shape
    assert label is None or batch[1][0].tolist() == label


def test_single_pictures_and_attributes_without_labels(pictures, capsys):
    dataset = read_images(pictures, labels=None, batch_size=None, image_size=4)
    assert capsys.readouterr().out == "Found 16 files.\n"
    assert dataset.class_names is None and len(dataset) == 16 and next(iter(dataset)).shape == (4, 4, 3)


def test_proportions(pictures):
    def corners(**kwargs):
        x = next(
            iter(
                read_images(pictures, labels=None, image_size=(8, 8), shuffle=False, verbose=False, **kwargs)
            )
        )
        return x[0, [0, 1, 6, 7], 0, 2].tolist()

    assert corners() == corners(crop_to_aspect_ratio=True) == [100.0] * 4
    assert corners(pad_to_aspect_ratio=True) == [0.0, 100.0, 0.0, 0.0]


def test_links(pictures, tmp_path):
    (tmp_path / "cats").mkdir()
    shutil.copy(pictures / "cats" / "cats0.png", tmp_path / "cats")
    os.symlink(pictures / "dogs", tmp_path / "cats" / "link")
    assert len(read_images(tmp_path, verbose=False).file_paths) == 1
    assert len(read_images(tmp_path, verbose=False, follow_links=True).file_paths) == 8


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"label_mode": "binary"}, "needs exactly 2 classes. Received: .'birds', 'cats', 'dogs'"),
        ({"label_mode": "integer"}, "`label_mode` must be 'int', .* Did you mean 'int'"),
        ({"label_mode": "categorical", "labels": [7] * 16}, "needs labels from 0 to 0"),
        ({"labels": [1, 2]}, "16 files were found .* Received: 2 labels"),
        ({"labels": "guessed"}, "`labels` must be 'inferred'"),
        ({"labels": None, "class_names": ["cats"]}, "`class_names` goes with `labels='inferred'` only"),
        ({"class_names": ["cats", "cow"]}, r"which are \['birds', 'cats', 'dogs'\]"),
        ({"class_names": ["cats", "cats"]}, "must be different names"),
        ({"color_mode": "rgbb"}, "Did you mean 'rgb'"),
        ({"image_size": (8, 0)}, "`image_size` must be"),
        ({"interpolation": "bilinaer"}, "Did you mean 'bilinear'"),
        ({"format": "grain"}, "`format` must be 'tf'"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "Only one of"),
        ({"validation_split": 0.2}, "go together"),
        ({"subset": "training"}, "go together"),
        ({"subset": "test", "validation_split": 0.2}, "`subset` must be"),
        ({"subset": "both", "validation_split": 20}, "between 0 and 1"),
        ({"subset": "both", "validation_split": 0.2}, "needs a `seed`"),
        ({"subset": "both", "validation_split": 0.01, "seed": 1}, "leaves none for one of the subsets"),
        ({"batch_size": 0}, "`batch_size`"),
    ],
)
def test_bad_arguments(pictures, kwargs, message):
    with pytest.raises(ValueError, match=message):
        read_images(pictures, verbose=False, **kwargs)


def test_bad_directories(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no directory 'nowhere'"):
        read_images("nowhere")
    with pytest.raises(TypeError, match="`directory` must be a path"):
        read_images(3)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"No file with an ending \('.bmp', .* was found"):
        read_images(tmp_path, verbose=False)


def test_a_broken_picture_is_named(pictures, tmp_path):
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "bad.png").write_bytes((pictures / "cats" / "cats0.png").read_bytes()[:45])
    with pytest.raises(ValueError, match=r"bad.png' cannot be read as a picture"):
        list(read_images(tmp_path, verbose=False))


@pytest.mark.parametrize("ending", ["png", "bmp", "gif", "jpg"])
def test_kinds_of_pictures(tmp_path, ending):
    path = tmp_path / f"picture.{ending}"
    Image.fromarray(np.full((6, 5, 3), (200, 100, 50), dtype="uint8")).save(path)
    assert np.abs(read_pixels(str(path), "RGB").astype(int) - [200, 100, 50]).max() <= 2
    assert read_pixels(str(path), "L").shape == (6, 5, 1)


def test_deep_pictures_keep_their_higher_bits(tmp_path):
    path = tmp_path / "deep.png"
    Image.fromarray(np.array([[0, 257 * 100, 65535]], dtype="uint16")).save(path)
    assert read_pixels(str(path), "L")[0, :, 0].tolist() == [0, 100, 255]


def test_training_on_a_directory(pictures):
    kerasish.utils.set_random_seed(0)
    training, validation = read_images(
        pictures, image_size=(2, 2), batch_size=4, seed=1, validation_split=0.3, subset="both", verbose=False
    )
    rescale = kerasish.layers.Rescaling(1 / 10)
    training = training.map(lambda x, y: (rescale(x), y)).cache().prefetch(1)
    validation = validation.map(lambda x, y: (rescale(x), y))
    model = kerasish.Sequential(
        [kerasish.Input((2, 2, 3)), kerasish.layers.Flatten(), kerasish.layers.Dense(3, activation="softmax")]
    )
    model.compile(kerasish.optimizers.Adam(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(training, validation_data=validation, epochs=40, verbose=0).history
    assert history["accuracy"][-1] == 1.0 and len(history["val_loss"]) == 40


def test_texts(texts):
    dataset = read_texts(texts, shuffle=False, verbose=False, batch_size=5)
    x, y = next(iter(dataset))
    assert x.dtype == object and x[0] == "neg číslo 0\nline" and y.tolist() == [0, 0, 0, 0, 1]
    assert dataset.class_names == ["neg", "pos"] and len(dataset) == 2
    short = read_texts(texts, label_mode="binary", max_length=5, shuffle=False, verbose=False)
    assert next(iter(short))[0].tolist() == ["neg č"] * 4 + ["pos č"] * 4
    lengths = dataset.map(lambda x, y: (torch.tensor([len(text) for text in x]), y))
    assert next(iter(lengths))[0].tolist() == [16] * 5
    with pytest.raises(ValueError, match="`max_length` must be a positive integer"):
        read_texts(texts, max_length=0)


def test_sounds(sounds):
    dataset = read_sounds(sounds, shuffle=False, verbose=False, batch_size=2)
    shapes = [tuple(x.shape) for x, _ in dataset]
    assert shapes == [(2, 110, 1), (2, 120, 1), (2, 120, 1)]
    first = next(iter(dataset))[0]
    assert first.dtype == torch.float32 and first[0, 100:].abs().max() == 0
    torch.testing.assert_close(first[0, :100, 0], 0.5 * torch.sin(torch.arange(100) * 0.5), atol=1e-4, rtol=0)
    exact = read_sounds(sounds, output_sequence_length=105, verbose=False)
    assert next(iter(exact))[0].shape == (6, 105, 1)


def test_resampled_sounds(sounds):
    path = str(sounds / "low" / "2.wav")
    once, twice = read_samples(path), read_samples(path, 16000)
    assert len(twice) == 2 * len(once)
    np.testing.assert_allclose(twice[20:-20:2], once[10:-10], atol=0.01)


@pytest.mark.parametrize(
    ("dtype", "factor"), [("int16", 2**15), ("int32", 2**31), ("uint8", None), ("float32", 1)]
)
def test_kinds_of_samples(tmp_path, dtype, factor):
    from scipy.io import wavfile

    values = np.array([[0.0, 0.5], [-0.5, 0.25]])
    raw = 128 + 128 * values if factor is None else values * factor
    wavfile.write(tmp_path / "a.wav", 8000, raw.astype(dtype))
    np.testing.assert_array_equal(read_samples(str(tmp_path / "a.wav")), values)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"ragged": True}, "no ragged tensors"),
        ({"sampling_rate": 4000.5}, "`sampling_rate` must be a positive integer"),
        ({"output_sequence_length": 0}, "`output_sequence_length` must be"),
    ],
)
def test_bad_arguments_of_sounds(sounds, kwargs, message):
    with pytest.raises(ValueError, match=message):
        read_sounds(sounds, **kwargs)


def test_a_broken_sound_is_named(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "bad.wav").write_bytes(b"no sound at all")
    with pytest.raises(ValueError, match=r"bad.wav' cannot be read as a WAV file"):
        list(read_sounds(tmp_path, verbose=False))
