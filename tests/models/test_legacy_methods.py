from __future__ import annotations

import numpy as np
import pytest

import kerasish
from kerasish import layers
from kerasish.utils import PyDataset

X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
Y = np.arange(12) % 2


class Batches(PyDataset):
    batch_size = 4
    seen: tuple = ()

    def __len__(self):
        return 3

    def __getitem__(self, index):
        self.seen = (self.workers, self.use_multiprocessing, self.max_queue_size)
        part = slice(4 * index, 4 * index + 4)
        return X[part], Y[part]


def make_model(units=2):
    kerasish.utils.set_random_seed(0)
    activation, loss = ("softmax", "sparse_categorical_crossentropy") if units > 1 else ("sigmoid", "mse")
    model = kerasish.Sequential([layers.Input((3,)), layers.Dense(units, activation=activation)])
    model.compile("sgd", loss, metrics=["accuracy"])
    return model


def forever():
    while True:
        for index in range(3):
            yield Batches()[index]


def test_fit_generator_is_fit():
    histories = []
    for method in ("fit_generator", "fit"):
        model = make_model()
        settings = {
            "epochs": 2,
            "verbose": 0,
            "validation_data": Batches(),
            "shuffle": False,
            "steps_per_epoch": 3,
        }
        histories.append(getattr(model, method)(Batches(), **settings).history)
    assert histories[0] == histories[1] and set(histories[0]) >= {"loss", "val_accuracy"}


def test_arguments_of_keras_1():
    model = make_model()
    history = model.fit_generator(
        Batches(), samples_per_epoch=12, nb_epoch=2, verbose=0, max_q_size=5, nb_worker=1, pickle_safe=False,
        validation_data=Batches(), nb_val_samples=8,
    )  # fmt: skip
    assert history.epoch == [0, 1]
    assert model.fit(X, Y, nb_epoch=3, verbose=0).epoch == [0, 1, 2]
    assert len(model.predict_generator(Batches(), val_samples=8)) == 8
    with pytest.raises(TypeError, match="give the number of batches"):
        model.fit_generator(forever(), samples_per_epoch=12, verbose=0)


def test_evaluate_and_predict_generator(capsys):
    model = make_model()
    assert model.evaluate_generator(Batches()) == model.evaluate(X, Y, batch_size=4, verbose=0)
    np.testing.assert_array_equal(model.predict_generator(forever(), steps=3), model.predict(X, 4, verbose=0))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_workers_apply_to_a_data_set_for_one_call(method):
    model, batches = make_model(), Batches()
    getattr(model, method)(batches, workers=2, max_queue_size=3, use_multiprocessing=False, verbose=0)
    assert batches.seen == (2, False, 3)
    assert (batches.workers, batches.use_multiprocessing, batches.max_queue_size) == (1, False, 10)


def test_generators_have_one_reader():
    with pytest.warns(UserWarning, match="reads a generator in one thread"):
        make_model().fit(forever(), steps_per_epoch=3, workers=4, verbose=0)


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_unknown_arguments_are_refused(method):
    with pytest.raises(TypeError, match=rf"`{method}` got unknown arguments \['wrkers'\]"):
        getattr(make_model(), method)(X, wrkers=2)


def test_predict_classes_and_proba():
    model = make_model()
    probabilities = model.predict_proba(X)
    np.testing.assert_array_equal(probabilities, model.predict(X, verbose=0))
    np.testing.assert_array_equal(model.predict_classes(X), probabilities.argmax(-1))
    binary = make_model(1)
    classes = binary.predict_classes(X, batch_size=5)
    assert classes.dtype == "int32" and classes.shape == (12, 1)
    np.testing.assert_array_equal(classes, binary.predict(X, verbose=0) > 0.5)


def test_to_yaml_says_what_to_use():
    with pytest.raises(RuntimeError, match=r"model.to_json\(\)"):
        make_model().to_yaml()
