"""Preprocessing beside the real Keras: the same values, and the same draws from the same seeds."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from PIL import Image

import kerasish

keras = pytest.importorskip("keras")
old_image = pytest.importorskip("keras._tf_keras.keras.preprocessing.image")
old_sequence = pytest.importorskip("keras._tf_keras.keras.preprocessing.sequence")
old_text = pytest.importorskip("keras._tf_keras.keras.preprocessing.text")
dataset_utils = pytest.importorskip("keras.src.utils.dataset_utils")

pytestmark = pytest.mark.filterwarnings(  # Keras's own calls
    "ignore:Please import `affine_transform`:DeprecationWarning",
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
)

image = kerasish.preprocessing.image
sequence = kerasish.preprocessing.sequence
text = kerasish.preprocessing.text
PICTURE = (np.random.RandomState(0).rand(3, 14, 17) * 255).astype("float32")
PICTURES = (np.random.RandomState(1).rand(11, 12, 16, 3) * 255).astype("float32")


def outcome(function, *args, **kwargs):
    """The result, or the kind of error."""
    try:
        return function(*args, **kwargs)
    except (ValueError, TypeError) as error:
        return type(error)


def assert_equal(ours, theirs):
    if isinstance(theirs, (list, tuple)):
        assert type(ours) is type(theirs) and len(ours) == len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            assert_equal(mine, other)
    elif isinstance(theirs, np.ndarray):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    else:
        assert ours == theirs


def drawn(module, name, *args, **kwargs):
    np.random.seed(5)
    return getattr(module, name)(*args, **kwargs)


LAST = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"fill_mode": "constant", "cval": 3.0},
        {"fill_mode": "reflect", "interpolation_order": 3},
        {"fill_mode": "wrap", "interpolation_order": 0},
        LAST,
    ],
)
@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("random_rotation", (30,)),
        ("random_shift", (0.2, 0.3)),
        ("random_shear", (20,)),
        ("random_zoom", ((0.5, 1.5),)),
        ("random_zoom", ((1, 1),)),
    ],
)
def test_random_affine_changes(name, args, more):
    x = PICTURE.transpose(1, 2, 0) if more is LAST else PICTURE
    assert_equal(drawn(image, name, x, *args, **more), drawn(old_image, name, x, *args, **more))


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("random_channel_shift", (60,), {"channel_axis": 2}),
        ("random_brightness", ((0.5, 1.5),), {}),
        ("random_brightness", ((0.5, 1.5),), {"scale": False}),
        ("random_brightness", ([1],), {}),
        ("apply_brightness_shift", (0.7,), {}),
        ("apply_channel_shift", (-30.0,), {}),
        (
            "apply_affine_transform",
            (10, 2, -1, 5, 1.2, 0.8),
            LAST,
        ),
        ("apply_affine_transform", (), LAST),
    ],
)
@pytest.mark.parametrize("stretch", [(1, 0), (2, -100), (0.004, 0)])
def test_other_changes(name, args, kwargs, stretch):
    x = PICTURE.transpose(1, 2, 0) * stretch[0] + stretch[1]
    ours, theirs = (outcome(drawn, module, name, x, *args, **kwargs) for module in (image, old_image))
    assert_equal(ours, theirs)


GENERATORS = [
    {},
    {"rotation_range": 30, "horizontal_flip": True},
    {"width_shift_range": 0.2, "height_shift_range": 0.3, "fill_mode": "constant", "cval": 7.0},
    {"width_shift_range": 3, "height_shift_range": [1, 2, 4], "fill_mode": "reflect"},
    {"shear_range": 20, "zoom_range": 0.3, "vertical_flip": True, "interpolation_order": 0},
    {"zoom_range": (0.7, 1.0), "brightness_range": (0.5, 1.5), "channel_shift_range": 40.0},
    {"rescale": 1 / 255, "samplewise_center": True, "samplewise_std_normalization": True},
    {"featurewise_center": True, "featurewise_std_normalization": True, "rotation_range": 10},
    {"preprocessing_function": lambda x: x[::-1] + 1, "rescale": 2.0, "dtype": "float64"},
    {
        "data_format": "channels_first",
        "rotation_range": 10,
        "horizontal_flip": True,
        "height_shift_range": 0.2,
    },
]


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("kwargs", GENERATORS)
def test_generator(kwargs, seed):
    def batches(module):
        generator = module.ImageDataGenerator(**kwargs)
        x = PICTURES.transpose(0, 3, 1, 2) if "data_format" in kwargs else PICTURES
        np.random.seed(0)
        generator.fit(x, augment=True, rounds=2, seed=seed)
        flow = generator.flow(x, np.arange(11), batch_size=4, seed=seed, sample_weight=np.arange(11) / 2)
        found = [next(flow) for _ in range(5)]
        found += [flow[i] for i in (2, 0, 1)]
        flow.on_epoch_end()
        return [*found, flow[0], generator.random_transform(x[0], seed=4), len(flow)]

    assert_equal(batches(image), batches(old_image))


def test_whitening():
    def whitened(module):
        generator = module.ImageDataGenerator(featurewise_center=True, zca_whitening=True, zca_epsilon=1e-3)
        generator.fit(PICTURES[:, :4, :5])
        return generator.standardize(PICTURES[0, :4, :5].copy())

    np.testing.assert_allclose(whitened(image), whitened(old_image), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("subset", ["training", "validation"])
def test_flow_subsets(subset):
    def batch(module):
        flow = module.ImageDataGenerator(validation_split=0.3).flow(
            (PICTURES, [np.arange(11)]),
            np.arange(11) % 2,
            subset=subset,
            shuffle=False,
            ignore_class_split=True,
        )
        return next(flow)

    assert_equal(batch(image), batch(old_image))


@pytest.mark.parametrize(
    "kwargs",
    [
        {"zoom_range": (1, 2, 3)},
        {"brightness_range": 0.5},
        {"validation_split": 1.0},
        {"data_format": "last"},
    ],
)
def test_generator_refuses(kwargs):
    assert outcome(image.ImageDataGenerator, **kwargs) is outcome(old_image.ImageDataGenerator, **kwargs)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Pictures of three classes, some in directories of their own."""
    root = tmp_path_factory.mktemp("pictures")
    draws = np.random.RandomState(0)
    for name, count in (("cats", 5), ("dogs", 6), ("birds", 4)):
        (root / name / "more").mkdir(parents=True)
        for i in range(count):
            pixels = draws.randint(0, 256, (*draws.randint(9, 20, 2), 3)).astype("uint8")
            Image.fromarray(pixels).save(root / name / ("more" if i == 2 else "") / f"{name}{i}.png")
    (root / "cats" / "notes.txt").write_text("no picture")
    return root


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"class_mode": "sparse", "color_mode": "grayscale", "seed": 3},
        {"class_mode": "binary", "classes": ["dogs", "cats"], "shuffle": False, "subset": "validation"},
        {"class_mode": "input", "interpolation": "bilinear", "keep_aspect_ratio": True, "subset": "training"},
        {"class_mode": None, "color_mode": "rgba", "interpolation": "lanczos"},
    ],
)
def test_directory_iterator(directory, kwargs, capsys):
    def batches(module):
        np.random.seed(1)
        generator = module.ImageDataGenerator(rotation_range=20, validation_split=0.4)
        flow = generator.flow_from_directory(str(directory), target_size=(8, 10), batch_size=3, **kwargs)
        printed = capsys.readouterr().out
        facts = [
            flow.class_indices,
            flow.filenames,
            flow.filepaths,
            flow.samples,
            flow.num_classes,
            len(flow),
        ]
        return [
            printed.strip(),
            *facts,
            flow.labels,
            flow.image_shape,
            *(next(flow) for _ in range(6)),
            flow[1],
        ]

    assert_equal(batches(image), batches(old_image))


def test_pictures_are_written_under_the_same_names(directory, tmp_path):
    def names(module, place):
        place.mkdir()
        np.random.seed(2)
        generator = module.ImageDataGenerator(rotation_range=20)
        next(
            generator.flow(PICTURES, batch_size=3, save_to_dir=str(place), save_prefix="a", save_format="bmp")
        )
        next(generator.flow_from_directory(str(directory), batch_size=3, save_to_dir=str(place)))
        return {path.name: path.read_bytes() for path in place.iterdir()}

    assert names(image, tmp_path / "ours") == names(old_image, tmp_path / "theirs")


pandas = pytest.importorskip("pandas")


@pytest.mark.filterwarnings("ignore:Found 1 invalid image", "ignore:1 of ")
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"class_mode": "sparse", "weight_col": "weight", "subset": "training"},
        {"class_mode": "binary", "classes": ["cats", "dogs"]},
        {"class_mode": "raw", "y_col": "weight"},
        {"class_mode": "raw", "y_col": ["weight", "age"], "shuffle": False},
        {"class_mode": "multi_output", "y_col": ["weight", "age"], "subset": "validation"},
        {"class_mode": "categorical", "y_col": "tags", "seed": 2},
        {"class_mode": "categorical", "y_col": "tags", "classes": ["b", "c"]},
        {"class_mode": "input"},
        {"class_mode": None},
        {"class_mode": "sparse", "y_col": "age"},
        {"class_mode": "nonsense"},
        {"x_col": "age"},
    ],
)
def test_data_frame_iterator(directory, kwargs, capsys):
    paths = sorted(str(path.relative_to(directory)) for path in directory.rglob("*.png"))
    frame = pandas.DataFrame({"filename": [*paths, "missing.png"]})
    frame["class"] = [name.split("/")[0] for name in paths] + ["cats"]
    frame["weight"] = np.arange(len(frame)) / 2
    frame["age"] = np.arange(len(frame))
    frame["tags"] = [["a", "b"], "c", ["b"], "a"] * (len(frame) // 4)

    def batches(module):
        np.random.seed(1)
        generator = module.ImageDataGenerator(horizontal_flip=True, validation_split=0.25)
        flow = generator.flow_from_dataframe(
            frame, str(directory), target_size=(6, 5), batch_size=4, **kwargs
        )
        return [capsys.readouterr().out.strip(), flow.filenames, *(next(flow) for _ in range(5)), flow[0]]

    assert_equal(outcome(batches, image), outcome(batches, old_image))


@pytest.mark.parametrize("color_mode", ["grayscale", "rgb", "rgba"])
@pytest.mark.parametrize("more", [{}, {"keep_aspect_ratio": True}, {"interpolation": "bicubic"}])
def test_load_img(directory, color_mode, more):
    path = next(directory.rglob("dogs0.png"))
    ours, theirs = (
        module.load_img(path, color_mode=color_mode, target_size=(7, 12), **more)
        for module in (kerasish.utils, keras.utils)
    )
    assert_equal(np.asarray(ours), np.asarray(theirs))
    assert ours.mode == theirs.mode


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("scale", [True, False])
def test_arrays_and_pictures(channels, data_format, scale):
    x = np.random.RandomState(0).uniform(0, 255, (7, 9, channels))
    x = x if data_format == "channels_last" else x.transpose(2, 0, 1)
    ours, theirs = (
        module.array_to_img(x, data_format, scale=scale) for module in (kerasish.utils, keras.utils)
    )
    assert ours.mode == theirs.mode
    assert_equal(np.asarray(ours), np.asarray(theirs))
    assert_equal(
        kerasish.utils.img_to_array(ours, data_format), keras.utils.img_to_array(theirs, data_format)
    )


@pytest.mark.parametrize(
    "x", [np.full((3, 4, 1), 1000.0), np.zeros((3, 4, 1)), np.zeros((3, 4, 2)), np.zeros((3, 4))]
)
def test_odd_arrays(x):
    ours, theirs = (
        outcome(lambda m=module: np.asarray(m.array_to_img(x, scale=False)))
        for module in (kerasish.utils, keras.utils)
    )
    if isinstance(theirs, type):
        assert ours is theirs
    else:
        assert_equal(ours, theirs)


@pytest.mark.parametrize("size", [(5, 5), (30, 12), (12, 40), (14, 17)])
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
@pytest.mark.parametrize("shape", [(14, 17, 3), (2, 14, 17, 3), (17, 9, 1)])
def test_smart_resize(shape, size, interpolation):
    x = np.random.RandomState(0).rand(*shape).astype("float32")
    ours, theirs = (
        module.preprocessing.image.smart_resize(x, size, interpolation=interpolation)
        for module in (kerasish, keras)
    )
    np.testing.assert_allclose(ours, np.asarray(theirs), atol=1e-6)


SEQUENCES = [[1], [2, 3], [4, 5, 6], []]


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize("maxlen", [None, 2, 5])
@pytest.mark.parametrize(
    ("sequences", "dtype", "value"),
    [
        (SEQUENCES, "int32", 0.0),
        (SEQUENCES, "float32", -1.5),
        ([["a"], ["b", "c"]], object, "pad"),
        ([np.ones((2, 3)), np.zeros((4, 3))], "float64", 7),
    ],
)
def test_pad_sequences(sequences, dtype, value, maxlen, padding, truncating):
    ours, theirs = (
        module.utils.pad_sequences(sequences, maxlen, dtype, padding, truncating, value)
        for module in (kerasish, keras)
    )
    assert_equal(ours, theirs)


@pytest.mark.parametrize(
    "kwargs",
    [{"sequences": 3}, {"sequences": [1, 2]}, {"sequences": [["a"]], "value": "x"}, {"padding": "both"}],
)
def test_pad_sequences_refuses(kwargs):
    kwargs = {"sequences": SEQUENCES, **kwargs}
    ours, theirs = (outcome(module.utils.pad_sequences, **kwargs) for module in (kerasish, keras))
    assert isinstance(ours, type) and isinstance(theirs, type)


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"sampling_rate": 2, "stride": 3},
        {"start_index": 2, "end_index": 15, "reverse": True, "batch_size": 4},
        {"shuffle": True, "batch_size": 5},
    ],
)
def test_timeseries_generator(kwargs):
    def batches(module):
        np.random.seed(0)
        data = np.arange(40.0).reshape(20, 2)
        windows = module.TimeseriesGenerator(data, data + 1, length=4, **kwargs)
        return [len(windows), *(windows[i] for i in range(len(windows)))]

    assert_equal(batches(sequence), batches(old_sequence))


def test_sampling_table():
    np.testing.assert_allclose(sequence.make_sampling_table(50), old_sequence.make_sampling_table(50))


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"window_size": 1, "negative_samples": 0},
        {"categorical": True, "negative_samples": 2.5, "shuffle": False},
        {"sampling_table": np.linspace(0.1, 1, 20)},
    ],
)
def test_skipgrams(kwargs):
    def pairs(module):
        random.seed(0)
        return module.skipgrams([1, 5, 0, 7, 3, 19, 2], 20, seed=4, **kwargs)

    assert_equal(pairs(sequence), pairs(old_sequence))


TEXTS = ["The cat sat on the mat!", "A dog; the cat\tand Mr. Smith's dog", "", "žluťoučký kůň, the the"]


@pytest.mark.parametrize("mode", ["binary", "count", "freq", "tfidf"])
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"num_words": 4},
        {"num_words": 4, "oov_token": "<unk>"},
        {"oov_token": "the", "lower": False},
        {"char_level": True, "filters": ""},
        {"split": "a"},
        {"analyzer": lambda words: words.split("t")},
    ],
)
def test_tokenizer(kwargs, mode):
    def results(module):
        tokenizer = module.Tokenizer(**kwargs)
        tokenizer.fit_on_texts(TEXTS)
        unseen = [*TEXTS[1:], "the unknown cat", ["the", "Cat"]]
        numbers = tokenizer.texts_to_sequences(unseen)
        again = module.tokenizer_from_json(tokenizer.to_json())
        return [
            numbers,
            tokenizer.sequences_to_texts([*numbers, [0, 1, 3, 999]]),
            tokenizer.texts_to_matrix(unseen, mode),
            tokenizer.to_json(sort_keys=True),
            again.to_json(sort_keys=True),
            dict(tokenizer.word_index),
            dict(tokenizer.index_docs),
            again.sequences_to_texts(numbers),
        ]

    assert_equal(results(text), results(old_text))


def test_tokenizer_of_sequences():
    def results(module):
        tokenizer = module.Tokenizer(num_words=6)
        tokenizer.fit_on_sequences([[1, 2, 2], [2, 5]])
        return tokenizer.sequences_to_matrix([[1, 2, 5, 9], [2, 2]], mode="tfidf")

    assert_equal(results(text), results(old_text))


@pytest.mark.parametrize("kwargs", [{}, {"lower": False}, {"filters": "at"}, {"split": "e"}])
def test_words_and_hashes(kwargs):
    for line in TEXTS:
        assert_equal(
            text.text_to_word_sequence(line, **kwargs), old_text.text_to_word_sequence(line, **kwargs)
        )
        for function in ("one_hot", "hashing_trick"):
            ours, theirs = (getattr(module, function)(line, 50, **kwargs) for module in (text, old_text))
            assert_equal(ours, theirs)
        assert_equal(
            text.hashing_trick(line, 50, "md5", **kwargs), old_text.hashing_trick(line, 50, "md5", **kwargs)
        )


@pytest.mark.parametrize("seed", [1, 337])
@pytest.mark.parametrize("shuffle", [True, False])
def test_files_of_a_directory_are_those_of_keras(directory, seed, shuffle):
    """Keras needs TensorFlow for the data set itself; the files, their order and their labels come before that."""
    paths, labels, names = dataset_utils.index_directory(
        str(directory), "inferred", formats=(".png",), shuffle=shuffle, seed=seed, verbose=False
    )
    labels = [int(label) for label in labels]
    validation, _ = dataset_utils.get_training_or_validation_split(paths, labels, 0.3, "validation")
    datasets = kerasish.utils.image_dataset_from_directory(
        directory,
        image_size=(4, 4),
        shuffle=shuffle,
        seed=seed,
        validation_split=0.3,
        subset="both",
        verbose=False,
    )
    assert datasets[0].class_names == names
    assert datasets[0].file_paths + datasets[1].file_paths == paths
    assert datasets[1].file_paths == validation
    found = torch.cat([y for _, y in datasets[1]]).tolist()
    assert found == labels[-len(validation) :]


SIZES = [
    {"left_size": 0.8},
    {"right_size": 2},
    {"left_size": 8, "right_size": 2},
    {"left_size": 0.55},
    {"right_size": 0.33},
    {"left_size": 0.7, "right_size": 3},
    {},
    {"left_size": 1.5},
    {"left_size": 0.5, "right_size": 0.6},
    {"left_size": 20},
    {"left_size": -1},
    {"left_size": "a"},
    {"left_size": 0},
    {"left_size": 0.01},
]


@pytest.mark.parametrize("kwargs", SIZES)
def test_split_sizes(kwargs):
    def sizes(module, **more):
        return [len(part) for part in module.utils.split_dataset(np.arange(10), **kwargs, **more)]

    assert_equal(outcome(sizes, kerasish), outcome(sizes, keras, preferred_backend="torch"))
