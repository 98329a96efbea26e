"""A kerasish model in a plain PyTorch loop: `parameters()`, `torch.optim`, a `DataLoader`, `state_dict()`."""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

import kerasish as keras


def main(epochs: int = 20, seed: int = 42) -> float:
    """Train without `compile` and `fit`, and return the test accuracy."""
    keras.utils.set_random_seed(seed)
    device = keras.config.get_device()
    X, y = load_digits(return_X_y=True)
    parts = train_test_split(X / 16, y, test_size=0.2, random_state=seed)
    X_train, X_test = (torch.tensor(part, dtype=torch.float32, device=device) for part in parts[:2])
    y_train, y_test = (torch.tensor(part, device=device) for part in parts[2:])

    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(100, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10),
        ]
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.002)

    for epoch in range(1, epochs + 1):
        model.train()
        for x, labels in DataLoader(TensorDataset(X_train, y_train), batch_size=32, shuffle=True):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), labels)
            loss.backward()
            optimizer.step()

        model.eval()
        with torch.no_grad():
            accuracy = (model(X_test).argmax(dim=1) == y_test).float().mean().item()
        print(f"epoch {epoch:>2}: test accuracy {accuracy:.1%}")

    print("state_dict:", {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()})
    return accuracy


if __name__ == "__main__":
    main()
