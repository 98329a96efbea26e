"""kerasish's loss, optimizer, schedule and metrics in a hand-written loop over a plain `nn.Module`."""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import kerasish as keras


def main(epochs: int = 20, seed: int = 42, batch_size: int = 32) -> float:
    """Train an `nn.Module` and return the test accuracy."""
    keras.utils.set_random_seed(seed)
    X, y = load_digits(return_X_y=True)
    parts = train_test_split(X / 16, y, test_size=0.2, random_state=seed)
    X_train, X_test = (torch.tensor(part, dtype=torch.float32) for part in parts[:2])
    y_train, y_test = (torch.tensor(part) for part in parts[2:])
    steps = -(-len(X_train) // batch_size)

    with keras.device("cpu"):
        model = torch.nn.Sequential(torch.nn.Linear(64, 100), torch.nn.ReLU(), torch.nn.Linear(100, 10))
        loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        optimizer = keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(0.005, decay_steps=epochs * steps), clipnorm=1.0
        )
        optimizer.build(list(model.parameters()))
        mean_loss = keras.metrics.Mean(name="loss")
        accuracy = keras.metrics.SparseCategoricalAccuracy()

        for epoch in range(1, epochs + 1):
            mean_loss.reset_state()
            for batch in torch.randperm(len(X_train)).split(batch_size):
                loss = loss_function(y_train[batch], model(X_train[batch]))
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
                mean_loss.update_state(loss, sample_weight=len(batch))

            accuracy.reset_state()
            with torch.no_grad():
                accuracy.update_state(y_test, model(X_test))
            print(
                f"epoch {epoch:>2}: learning rate {float(optimizer.learning_rate):.5f}, "
                f"loss {float(mean_loss.result()):.4f}, test accuracy {float(accuracy.result()):.1%}"
            )
    return float(accuracy.result())


if __name__ == "__main__":
    main()
