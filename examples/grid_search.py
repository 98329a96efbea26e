"""The lecture's grid search: how many hidden layers, and of how many units, for Fashion MNIST."""

from __future__ import annotations

from sklearn.model_selection import GridSearchCV

import kerasish as keras
from kerasish.wrappers import KerasClassifier


def build_model(n_hidden: int = 1, n_neurons: int = 30) -> keras.Model:
    model = keras.models.Sequential([keras.layers.Flatten(input_shape=[28, 28])])
    for _ in range(n_hidden):
        model.add(keras.layers.Dense(n_neurons, activation="relu"))
    model.add(keras.layers.Dense(10, activation="softmax"))
    return model


def main(max_images: int = 10_000, epochs: int = 10, seed: int = 42) -> float:
    """Search, print the candidates from the best to the worst, and return the best mean accuracy of the folds."""
    (X, y), (X_test, y_test) = keras.datasets.fashion_mnist.load_data()
    X, y = X[:max_images] / 255.0, y[:max_images]
    keras_clf = KerasClassifier(
        build_model,
        loss="sparse_categorical_crossentropy",
        optimizer="sgd",
        optimizer__learning_rate=0.05,
        validation_split=0.1,
        callbacks=keras.callbacks.EarlyStopping,
        callbacks__patience=3,
        epochs=epochs,
        verbose=0,
        random_state=seed,
    )
    search = GridSearchCV(keras_clf, {"model__n_hidden": [1, 2], "model__n_neurons": [50, 100]}, cv=3)
    search.fit(X, y)

    results = search.cv_results_
    for i in results["rank_test_score"].argsort():
        print(f"{results['params'][i]}: accuracy {results['mean_test_score'][i]:.4f}")
    search.best_estimator_.model_.summary()
    print(f"accuracy on the test images: {search.score(X_test / 255.0, y_test):.4f}")
    return float(search.best_score_)


if __name__ == "__main__":
    main()
