from __future__ import annotations

import numpy as np
import pytest

import kerasish
from kerasish.preprocessing.image import (
    DataFrameIterator,
    ImageDataGenerator,
    Iterator,
    apply_affine_transform,
    random_brightness,
    random_zoom,
)

pandas = pytest.importorskip("pandas")
PICTURES = (np.random.RandomState(1).rand(10, 6, 8, 3) * 255).astype("float32")


def test_rotation_by_right_angles():
    x = np.arange(9.0).reshape(1, 3, 3)
    np.testing.assert_allclose(apply_affine_transform(x, theta=90)[0], np.rot90(x[0]), atol=1e-9)
    np.testing.assert_allclose(apply_affine_transform(x, theta=180), x[:, ::-1, ::-1], atol=1e-9)
    assert apply_affine_transform(x) is x


def test_shifts_fill_up():
    x = np.arange(1.0, 10).reshape(1, 3, 3)
    shifted = apply_affine_transform(x, tx=1, fill_mode="constant", cval=-1)[0]
    assert shifted.tolist() == [[2, 3, -1], [5, 6, -1], [8, 9, -1]]
    shifted = apply_affine_transform(x, ty=1, fill_mode="nearest")[0]
    assert shifted.tolist() == [[4, 5, 6], [7, 8, 9], [7, 8, 9]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: apply_affine_transform(PICTURES, theta=3), "`x` must have rank 3"),
        (lambda: apply_affine_transform(PICTURES[0], theta=3, row_axis=0), "must be its three axes"),
        (lambda: random_zoom(PICTURES[0], 0.5), "`zoom_range` must be two numbers"),
        (lambda: random_brightness(PICTURES[0], [1]), "`brightness_range` must be two numbers"),
        (lambda: ImageDataGenerator(zoom_range=(1, 2, 3)), "`zoom_range` must be"),
        (lambda: ImageDataGenerator(brightness_range=0.3), "`brightness_range` must be"),
        (lambda: ImageDataGenerator(fill_mode="nearset"), "Did you mean 'nearest'"),
        (lambda: ImageDataGenerator(validation_split=1.5), "`validation_split` must be"),
        (lambda: ImageDataGenerator().flow(PICTURES, np.zeros(3)), "`y` must be as long as the pictures, 10"),
        (lambda: ImageDataGenerator().flow(PICTURES[0]), "must be an array of rank 4"),
        (lambda: ImageDataGenerator().flow(PICTURES, batch_size=0), "`batch_size` must be"),
        (lambda: ImageDataGenerator().flow(PICTURES, subset="test"), "`subset` must be"),
        (lambda: ImageDataGenerator().fit(PICTURES[0]), "pictures of rank 4"),
        (
            lambda: ImageDataGenerator(validation_split=0.2).flow(PICTURES, np.arange(10), subset="training"),
            "different classes after the split",
        ),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("kwargs", "attribute", "message"),
    [
        ({"zca_whitening": True}, "featurewise_center", "`zca_whitening` needs `featurewise_center=True`"),
        ({"featurewise_std_normalization": True}, "featurewise_center", "needs `featurewise_center=True`"),
        ({"samplewise_std_normalization": True}, "samplewise_center", "needs `samplewise_center=True`"),
    ],
)
def test_what_needs_centering_sets_it(kwargs, attribute, message):
    with pytest.warns(UserWarning, match=message):
        assert getattr(ImageDataGenerator(**kwargs), attribute)


def test_standardizing_before_fit_is_told():
    with pytest.warns(UserWarning, match=r"`featurewise_center` has no effect before `fit\(x\)`"):
        ImageDataGenerator(featurewise_center=True).standardize(PICTURES[0].copy())


def test_fit_learns_each_channel():
    generator = ImageDataGenerator(featurewise_center=True, featurewise_std_normalization=True)
    generator.fit(PICTURES)
    x = np.concatenate([next(generator.flow(PICTURES, batch_size=10))])
    np.testing.assert_allclose(x.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(x.std((0, 1, 2)), 1, atol=1e-5)


def test_whitened_pictures_are_uncorrelated():
    x = np.random.RandomState(0).randn(50, 2, 3, 1) @ np.ones((1, 1)) + np.random.RandomState(1).randn(
        50, 1, 1, 1
    )
    generator = ImageDataGenerator(featurewise_center=True, zca_whitening=True, dtype="float64")
    generator.fit(x)
    white = np.stack([generator.standardize(picture.copy()) for picture in x]).reshape(50, -1)
    covariance = np.linalg.svd(white - white.mean(0), compute_uv=False) ** 2 / 50
    np.testing.assert_allclose(covariance[1:], 1, atol=0.2)


def test_batches_go_on_without_end():
    flow = ImageDataGenerator().flow(PICTURES, np.arange(10), batch_size=4, shuffle=False)
    labels = [next(flow)[1].tolist() for _ in range(4)]
    assert labels == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9], [0, 1, 2, 3]]
    flow.reset()
    assert flow.next()[1].tolist() == [0, 1, 2, 3]
    assert iter(flow) is flow and len(flow) == 3
    with pytest.raises(IndexError, match=r"There are 3 batches\. Received: index 3"):
        flow[3]


def test_an_iterator_of_ones_own():
    class Squares(Iterator):
        def _get_batches_of_transformed_samples(self, index_array):
            return index_array**2

    squares = Squares(5, 2, shuffle=False, seed=None)
    assert [squares[i].tolist() for i in range(3)] == [[0, 1], [4, 9], [16]]
    with pytest.raises(NotImplementedError, match="must define `_get_batches_of_transformed_samples"):
        Iterator(5, 2, False, None)[0]


def test_fit_takes_iterators(pictures):
    kerasish.utils.set_random_seed(0)
    generator = ImageDataGenerator(rescale=1 / 255, horizontal_flip=True, validation_split=0.25)
    flows = [
        generator.flow_from_directory(pictures, target_size=(2, 2), batch_size=4, subset=subset)
        for subset in ("training", "validation")
    ]
    assert [flow.samples for flow in flows] == [13, 3]
    model = kerasish.Sequential(
        [kerasish.Input((2, 2, 3)), kerasish.layers.Flatten(), kerasish.layers.Dense(3, activation="softmax")]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(flows[0], validation_data=flows[1], epochs=2, verbose=0).history
    assert len(history["val_accuracy"]) == 2
    assert model.predict(flows[1], verbose=0).shape == (3, 3)


def test_directories(pictures, capsys):
    flow = ImageDataGenerator().flow_from_directory(pictures, classes=["dogs", "birds"], class_mode="binary")
    assert capsys.readouterr().out == "Found 11 images belonging to 2 classes.\n"
    assert flow.class_indices == {"dogs": 0, "birds": 1} and flow.sample_weight is None
    assert next(flow)[1].dtype == np.float32
    with pytest.raises(FileNotFoundError, match="There is no directory"):
        ImageDataGenerator().flow_from_directory("nowhere")
    with pytest.raises(ValueError, match="Did you mean 'sparse'"):
        ImageDataGenerator().flow_from_directory(pictures, class_mode="sparsed")
    with pytest.raises(ValueError, match="`interpolation` must be one of"):
        ImageDataGenerator().flow_from_directory(pictures, interpolation="cubic")


@pytest.fixture
def frame(pictures):
    files = sorted(str(path.relative_to(pictures)) for path in pictures.rglob("*.png"))
    return pandas.DataFrame(
        {"filename": files, "class": [f.split("/")[0] for f in files], "size": np.arange(len(files))}
    )


def test_data_frames(pictures, frame):
    flow = ImageDataGenerator().flow_from_dataframe(
        frame, pictures, class_mode="raw", y_col="size", shuffle=False, target_size=(2, 2)
    )
    x, y = next(flow)
    assert isinstance(flow, DataFrameIterator) and x.shape == (16, 2, 2, 3) and y.tolist() == list(range(16))
    with pytest.warns(UserWarning, match="1 of 17 file names in column 'filename' name no picture"):
        more = pandas.concat([frame, frame.assign(filename="missing.png").head(1)])
        assert ImageDataGenerator().flow_from_dataframe(more, pictures).samples == 16


@pytest.mark.parametrize(
    ("kwargs", "kind", "message"),
    [
        ({"x_col": "file"}, ValueError, "no column 'file'. Did you mean 'filename'"),
        ({"x_col": "size"}, TypeError, "must hold file names"),
        ({"y_col": "size", "class_mode": "sparse"}, TypeError, r"use .astype\(str\)"),
        ({"y_col": "size"}, TypeError, "needs class names, or lists of them"),
        ({"class_mode": "binary"}, ValueError, "needs exactly 2 classes"),
        ({"class_mode": "multi_output"}, TypeError, "needs a list of columns"),
        ({"weight_col": "class"}, TypeError, "must hold numbers"),
        ({"has_ext": True}, TypeError, "Unrecognized keyword arguments .*'has_ext'"),
    ],
)
def test_bad_data_frames(pictures, frame, kwargs, kind, message):
    with pytest.raises(kind, match=message):
        ImageDataGenerator().flow_from_dataframe(frame, pictures, **kwargs)
