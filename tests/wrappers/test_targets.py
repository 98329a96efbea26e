from __future__ import annotations

import numpy as np
import pytest
import torch

from kerasish import losses
from kerasish.training.objectives import TorchLoss
from kerasish.wrappers.targets import ClassEncoder, Head, ValueEncoder, log_odds

COLORS = np.array(["red", "green", "blue", "red"])
WEATHER = np.array(["rain", "sun", "sun", "rain"])


def encoder_for(y, units, loss, count=1):
    encoder = ClassEncoder().fit(y)
    encoder.match([Head.of((None, units), loss)] * count)
    return encoder


@pytest.mark.parametrize(
    ("y", "units", "loss", "expected"),
    [
        (COLORS, 3, losses.SparseCategoricalCrossentropy(), [2, 1, 0, 2]),
        (COLORS, 5, losses.SparseCategoricalCrossentropy(), [2, 1, 0, 2]),
        (COLORS, 3, TorchLoss(torch.nn.CrossEntropyLoss()), [2, 1, 0, 2]),
        (COLORS, 3, losses.CategoricalCrossentropy(), np.eye(3)[[2, 1, 0, 2]]),
        (COLORS, 4, losses.CategoricalCrossentropy(), np.eye(4)[[2, 1, 0, 2]]),
        (COLORS, 3, losses.MeanSquaredError(), np.eye(3)[[2, 1, 0, 2]]),
        (COLORS, 3, losses.Loss(), [2, 1, 0, 2]),
        (WEATHER, 1, losses.BinaryCrossentropy(), [0, 1, 1, 0]),
        (WEATHER, 2, losses.BinaryCrossentropy(), np.eye(2)[[0, 1, 1, 0]]),
        (np.eye(3)[[2, 0, 1]], 3, losses.CategoricalCrossentropy(), np.eye(3)[[2, 0, 1]]),
        (np.eye(3)[[2, 0, 1]], 3, losses.SparseCategoricalCrossentropy(), [2, 0, 1]),
        (np.array([[1, 1, 0], [0, 0, 1]]), 3, losses.BinaryCrossentropy(), [[1, 1, 0], [0, 0, 1]]),
    ],
)
def test_targets_that_the_loss_reads(y, units, loss, expected):
    targets = encoder_for(y, units, loss).transform(y)
    np.testing.assert_array_equal(targets, expected)
    assert targets.dtype == (
        np.int64 if isinstance(expected, list) and targets.ndim == 1 and units > 1 else np.float32
    )


LOGITS = np.array([[2.0, -1.0, 0.5], [-3.0, 1.0, 0.0]], np.float32)
SOFTMAX = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
SIGMOID = 1 / (1 + np.exp(-LOGITS))


@pytest.mark.parametrize(
    ("loss", "outputs", "expected"),
    [
        (losses.SparseCategoricalCrossentropy(), SOFTMAX, SOFTMAX),
        (losses.SparseCategoricalCrossentropy(from_logits=True), LOGITS, SOFTMAX),
        (losses.CategoricalCrossentropy(from_logits=True), LOGITS, SOFTMAX),
        (TorchLoss(torch.nn.CrossEntropyLoss()), LOGITS, SOFTMAX),
        (TorchLoss(torch.nn.NLLLoss()), np.log(SOFTMAX), SOFTMAX),
        (losses.BinaryCrossentropy(from_logits=True), LOGITS, SIGMOID / SIGMOID.sum(axis=1, keepdims=True)),
        (losses.BinaryCrossentropy(), SIGMOID, SIGMOID / SIGMOID.sum(axis=1, keepdims=True)),
    ],
)
def test_probabilities_labels_and_scores(loss, outputs, expected):
    encoder = encoder_for(COLORS, 3, loss)
    np.testing.assert_allclose(encoder.inverse_transform(outputs, return_proba=True), expected, rtol=1e-5)
    np.testing.assert_array_equal(encoder.inverse_transform(outputs), ["blue", "green"])
    np.testing.assert_allclose(encoder.scores(outputs), np.log(expected), rtol=1e-4)


def test_more_units_than_classes():
    encoder = encoder_for(WEATHER, 3, losses.SparseCategoricalCrossentropy())
    outputs = np.array([[0.1, 0.3, 0.6], [0.3, 0.2, 0.5]], np.float32)
    np.testing.assert_allclose(
        encoder.inverse_transform(outputs, return_proba=True), [[0.25, 0.75], [0.6, 0.4]]
    )
    np.testing.assert_array_equal(encoder.inverse_transform(outputs), ["sun", "rain"])


@pytest.mark.parametrize(
    ("loss", "outputs", "positive"),
    [
        (losses.BinaryCrossentropy(), [[0.2], [0.9]], [0.2, 0.9]),
        (losses.BinaryCrossentropy(from_logits=True), [[0.0], [1.0]], [0.5, 0.7310586]),
        (TorchLoss(torch.nn.BCEWithLogitsLoss()), [[-1.0], [1.0]], [0.2689414, 0.7310586]),
    ],
)
def test_one_sigmoid_unit(loss, outputs, positive):
    encoder = encoder_for(WEATHER, 1, loss)
    outputs, positive = np.array(outputs, np.float32), np.array(positive)
    expected = np.stack([1 - positive, positive], axis=1)
    np.testing.assert_allclose(encoder.inverse_transform(outputs, return_proba=True), expected, rtol=1e-6)
    np.testing.assert_array_equal(encoder.inverse_transform(outputs), ["rain", "sun"])
    np.testing.assert_allclose(encoder.scores(outputs), np.log(positive / (1 - positive)), atol=1e-6)


def test_hinge_has_margins_and_no_probabilities():
    encoder = encoder_for(WEATHER, 1, losses.Hinge())
    outputs = np.array([[-0.5], [0.25]], np.float32)
    np.testing.assert_array_equal(encoder.inverse_transform(outputs), ["rain", "sun"])
    np.testing.assert_array_equal(encoder.scores(outputs), np.array([-0.5, 0.25]), strict=True)
    with pytest.raises(AttributeError, match="CalibratedClassifierCV"):
        encoder.inverse_transform(outputs, return_proba=True)


def test_label_matrix():
    y = np.array([[1, 1, 0], [0, 0, 1]])
    encoder = encoder_for(y, 3, losses.BinaryCrossentropy(from_logits=True))
    np.testing.assert_array_equal(encoder.inverse_transform(LOGITS), [[1, 0, 1], [0, 1, 0]])
    np.testing.assert_allclose(encoder.inverse_transform(LOGITS, return_proba=True), SIGMOID, rtol=1e-6)
    np.testing.assert_allclose(encoder.scores(LOGITS), LOGITS, atol=1e-5)


def test_label_matrix_by_an_output_for_each_label():
    y = np.array([[1, 1], [0, 1]])
    encoder = encoder_for(y, 1, losses.BinaryCrossentropy(), count=2)
    first, second = encoder.transform(y)
    np.testing.assert_array_equal(first, [1, 0])
    np.testing.assert_array_equal(second, [1, 1])
    outputs = [np.array([[0.25], [0.75]]), np.array([[0.6], [0.4]])]
    np.testing.assert_array_equal(encoder.inverse_transform(outputs), [[0, 1], [1, 0]])
    np.testing.assert_allclose(
        encoder.inverse_transform(outputs, return_proba=True)[0], [[0.75, 0.25], [0.25, 0.75]]
    )
    assert encoder.scores(outputs).shape == (2, 2)


def test_one_hot_rows_come_back_as_one_hot_rows_of_the_same_type():
    encoder = encoder_for(np.eye(3)[[2, 0, 1]], 3, losses.CategoricalCrossentropy())
    labels = encoder.inverse_transform(SOFTMAX)
    np.testing.assert_array_equal(labels, [[1, 0, 0], [0, 1, 0]])
    assert labels.dtype == np.float64


def test_several_columns_of_classes():
    y = np.stack([COLORS, WEATHER], axis=1)
    encoder = ClassEncoder().fit(y)
    loss = losses.SparseCategoricalCrossentropy()
    encoder.match([Head.of((None, 3), loss), Head.of((None, 2), loss)])
    colors, weather = encoder.transform(y)
    np.testing.assert_array_equal(colors, [2, 1, 0, 2])
    np.testing.assert_array_equal(weather, [0, 1, 1, 0])
    outputs = [SOFTMAX, np.array([[0.25, 0.75], [0.5, 0.5]])]
    np.testing.assert_array_equal(encoder.inverse_transform(outputs), [["blue", "sun"], ["green", "rain"]])
    assert [p.shape for p in encoder.inverse_transform(outputs, return_proba=True)] == [(2, 3), (2, 2)]
    assert encoder.get_metadata()["n_classes_"] == [3, 2]


def test_all_classes_may_be_told_beforehand():
    encoder = ClassEncoder(classes=["blue", "green", "red", "white"]).fit(COLORS)
    assert encoder.get_metadata()["n_classes_"] == 4


@pytest.mark.parametrize(
    ("y", "heads", "message"),
    [
        (
            COLORS,
            [(None, 2)],
            "2 unit.s., but y has 3 classes: give its last layer 3 units and activation='softmax'.",
        ),
        (COLORS, [(None, 1)], "1 unit.s., but y has 3 classes"),
        (COLORS, [(None, 3), (None, 3)], "y has 1 target column.s. of classes, but the model has 2 output"),
        (np.array([[1, 1, 0], [0, 1, 1]]), [(None, 2)], "y has 3 columns of 0 and 1, but"),
    ],
)
def test_outputs_that_do_not_fit(y, heads, message):
    with pytest.raises(ValueError, match=message):
        ClassEncoder().fit(y).match(
            [Head.of(shape, losses.SparseCategoricalCrossentropy()) for shape in heads]
        )


def test_one_class_is_too_few():
    with pytest.raises(ValueError, match=r"only one class is present.*'rain'"):
        ClassEncoder().fit(WEATHER[:1])


def test_log_odds_are_finite():
    odds = log_odds(np.array([0.0, 0.5, 1.0], np.float32))
    assert np.isfinite(odds).all()
    assert odds[1] == 0


@pytest.mark.parametrize(("shape", "units"), [((4,), [1]), ((4, 1), [1]), ((4, 3), [3]), ((4, 3), [1, 1, 1])])
def test_numbers(shape, units):
    y = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    encoder = ValueEncoder().fit(y)
    encoder.match([Head.of((None, n), losses.MeanSquaredError()) for n in units])
    targets = encoder.transform(y)
    parts = targets if isinstance(targets, list) else [targets]
    predictions = encoder.inverse_transform([part.reshape(4, -1) for part in parts])
    np.testing.assert_array_equal(predictions, y)
    assert predictions.dtype == np.float32


def test_numbers_of_another_shape():
    encoder = ValueEncoder().fit(np.zeros((4, 3)))
    with pytest.raises(
        ValueError, match=r"outputs of \[2\] units: give it one output of 3 unit\(s\), or 3 outputs"
    ):
        encoder.match([Head.of((None, 2), losses.MeanSquaredError())])
    with pytest.raises(ValueError, match=r"must have 3 column\(s\).*\(4,\)"):
        encoder.transform(np.zeros(4))
