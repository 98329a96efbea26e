"""The loop that a competent PyTorch user writes by hand, with tensors in memory or with a DataLoader."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from workloads import Arrays, Workload


def build_net(name: str) -> nn.Sequential:
    if name == "mlp":
        net = nn.Sequential(
            nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10)
        )
    elif name == "regression":
        net = nn.Sequential(nn.Linear(8, 30), nn.ReLU(), nn.Linear(30, 1))
    else:
        net = nn.Sequential(
            *(
                nn.Linear(1024, 2048),
                nn.ReLU(),
                nn.BatchNorm1d(2048, eps=1e-3, momentum=0.01),
                nn.Dropout(0.5),
            ),
            *(
                nn.Linear(2048, 2048),
                nn.ReLU(),
                nn.BatchNorm1d(2048, eps=1e-3, momentum=0.01),
                nn.Dropout(0.5),
            ),
            nn.Linear(2048, 10),
        )
    # Keras's initial weights, so that the contenders' losses can be compared.
    for layer in net:
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


class TorchLoop:
    """Tensors in memory, gathered by a shuffled index."""

    def __init__(self, workload: Workload, arrays: Arrays, device: str):
        self.batch_size = workload.batch_size
        self.metric = workload.metric
        label_dtype = torch.float32 if workload.net == "regression" else torch.int64
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        self.x_train = tensors["x_train"].to(device)
        self.y_train = tensors["y_train"].to(device, label_dtype)
        self.x_valid = tensors["x_valid"].to(device)
        self.y_valid = tensors["y_valid"].to(device, label_dtype)
        self.row = arrays["x_train"][:1]
        self.device = device
        self.net = build_net(workload.net).to(device)
        self.loss = F.mse_loss if workload.net == "regression" else F.cross_entropy
        if workload.net == "wide":
            self.optimizer: torch.optim.Optimizer = torch.optim.Adam(self.net.parameters(), lr=1e-3, eps=1e-7)
        else:
            self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.01)

    def metric_sum(self, output: Tensor, y: Tensor) -> Tensor:
        if self.metric == "accuracy":
            return (output.argmax(dim=1) == y).sum()
        return (output - y).abs().sum()

    def train_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        for index in torch.randperm(len(self.x_train), device=self.device).split(self.batch_size):
            yield self.x_train[index], self.y_train[index]

    def valid_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        return zip(self.x_valid.split(self.batch_size), self.y_valid.split(self.batch_size), strict=True)

    def train_epoch(self) -> dict[str, float]:
        self.net.train()
        loss_sum = torch.zeros((), device=self.device)
        metric_sum = torch.zeros((), device=self.device)
        for x, y in self.train_batches():
            self.optimizer.zero_grad(set_to_none=True)
            output = self.net(x)
            loss = self.loss(output, y)
            loss.backward()
            self.optimizer.step()
            loss_sum += loss.detach() * len(x)
            metric_sum += self.metric_sum(output.detach(), y)
        rows = len(self.x_train)
        return {"loss": loss_sum.item() / rows, self.metric: metric_sum.item() / rows}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        self.net.eval()
        loss_sum = torch.zeros((), device=self.device)
        metric_sum = torch.zeros((), device=self.device)
        for x, y in self.valid_batches():
            output = self.net(x)
            loss_sum += self.loss(output, y) * len(x)
            metric_sum += self.metric_sum(output, y)
        rows = len(self.x_valid)
        return {"val_loss": loss_sum.item() / rows, f"val_{self.metric}": metric_sum.item() / rows}

    def train(self, epochs: int) -> dict[str, float]:
        for _ in range(epochs):
            logs = {**self.train_epoch(), **self.validate()}
        return logs

    def prepare_row(self) -> None:
        self.net.eval()
        self.row_tensor = torch.from_numpy(self.row).to(self.device)

    @torch.no_grad()
    def predict_row(self) -> np.ndarray:
        return self.net(torch.from_numpy(self.row).to(self.device)).cpu().numpy()

    @torch.no_grad()
    def call_row(self) -> Tensor:
        return self.net(self.row_tensor)


class TorchDataLoader(TorchLoop):
    """The same loop over a TensorDataset and a shuffling DataLoader."""

    def __init__(self, workload: Workload, arrays: Arrays, device: str):
        super().__init__(workload, arrays, device)
        train, valid = TensorDataset(self.x_train, self.y_train), TensorDataset(self.x_valid, self.y_valid)
        self.train_loader = DataLoader(train, batch_size=self.batch_size, shuffle=True)
        self.valid_loader = DataLoader(valid, batch_size=self.batch_size)

    def train_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        return iter(self.train_loader)

    def valid_batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        return iter(self.valid_loader)
