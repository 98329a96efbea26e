"""A randomized search over the worker processes of a Dask cluster: `pip install "kerasish[dask]"`.

`Client("scheduler:8786")` takes a cluster of many machines in place of this one's processes. Ray does the same by
`ray.util.joblib.register_ray()` and `joblib.parallel_config("ray")`, with scikit-learn's own search.
"""

from __future__ import annotations

import joblib
from dask.distributed import Client, LocalCluster
from scipy.stats import loguniform
from sklearn.datasets import load_diabetes

import kerasish as keras
from kerasish.model_selection import RandomizedSearchCV
from kerasish.wrappers import KerasRegressor


def build_model(hidden: int = 16, rate: float = 0.0) -> keras.Model:
    layers = keras.layers
    return keras.Sequential([layers.Dense(hidden, "relu"), layers.Dropout(rate), layers.Dense(1)])


def main(candidates: int = 20, epochs: int = 40, workers: int = 2, seed: int = 0) -> float:
    """Search, print the best candidate, and return its mean R² over the folds."""
    X, y = load_diabetes(return_X_y=True)
    X, y = X * 20, (y - y.mean()) / y.std()
    reg = KerasRegressor(
        build_model, loss="mse", optimizer="adam", batch_size=32, epochs=epochs, verbose=0, random_state=seed
    )
    distributions = {
        "model__hidden": [8, 16, 32],
        "model__rate": [0.0, 0.2],
        "optimizer__learning_rate": loguniform(1e-3, 3e-2),
    }
    search = RandomizedSearchCV(reg, distributions, n_iter=candidates, cv=5, random_state=seed)
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
        joblib.parallel_config("dask"),
    ):
        search.fit(X, y)
    print(f"best of {candidates}: {search.best_params_}, R² {search.best_score_:.3f}")
    return float(search.best_score_)


if __name__ == "__main__":
    main()
