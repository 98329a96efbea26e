"""The loop that a competent PyTorch user writes by hand, with tensors in memory or with a DataLoader."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from workloads import TRANSFORMER_VOCABULARY, VOCABULARY, Arrays, Workload

LOSSES = {"regression": F.mse_loss, "lstm": F.binary_cross_entropy_with_logits}


class LastOutput(nn.LSTM):
    """The last output of an LSTM."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x)[1][0][0]


class EncoderBlock(nn.Module):
    """Self-attention and two dense layers, each with a residual connection and a layer normalization."""

    def __init__(self, width: int, heads: int, hidden: int):
        super().__init__()
        self.heads = heads
        self.projections = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.attention_norm = nn.LayerNorm(width, eps=1e-3)
        self.hidden = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))
        self.hidden_norm = nn.LayerNorm(width, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        qkv = self.projections(x).view(batch, length, 3, self.heads, width // self.heads)
        attended = F.scaled_dot_product_attention(*qkv.permute(2, 0, 3, 1, 4))
        x = self.attention_norm(x + self.output(attended.transpose(1, 2).flatten(2)))
        return self.hidden_norm(x + self.hidden(x))


class TransformerNet(nn.Module):
    """Token vectors, one encoder block, the mean over the tokens, two classes."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(TRANSFORMER_VOCABULARY, 64)
        self.block = EncoderBlock(64, 4, 128)
        self.classes = nn.Linear(64, 2)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.classes(self.block(self.embedding(tokens)).mean(dim=1))


def build_net(name: str) -> nn.Module:
    net: nn.Module
    if name == "mlp":
        net = nn.Sequential(
            nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10)
        )
    elif name == "regression":
        net = nn.Sequential(nn.Linear(8, 30), nn.ReLU(), nn.Linear(30, 1))
    elif name == "convnet":
        net = nn.Sequential(
            *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Flatten(), nn.Linear(1600, 10)),
        ).to(memory_format=torch.channels_last)
    elif name == "transformer":
        net = TransformerNet()
        nn.init.uniform_(net.embedding.weight, -0.05, 0.05)
    elif name == "lstm":
        text = nn.Embedding(VOCABULARY, 128), LastOutput(128, 128, batch_first=True)
        net = nn.Sequential(*text, nn.Linear(128, 1), nn.Flatten(0))
        nn.init.uniform_(net[0].weight, -0.05, 0.05)
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
    for layer in net.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


class TorchLoop:
    """Tensors in memory, gathered by a shuffled index."""

    def __init__(self, workload: Workload, arrays: Arrays, device: str):
        self.batch_size = workload.batch_size
        self.metric = workload.metric
        label_dtype = torch.float32 if workload.net in LOSSES else torch.int64
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        if workload.net == "convnet":
            tensors["x_train"], tensors["x_valid"] = (
                tensors[name].movedim(-1, 1).contiguous(memory_format=torch.channels_last)
                for name in ("x_train", "x_valid")
            )
        self.x_train = tensors["x_train"].to(device)
        self.y_train = tensors["y_train"].to(device, label_dtype)
        self.x_valid = tensors["x_valid"].to(device)
        self.y_valid = tensors["y_valid"].to(device, label_dtype)
        self.row = tensors["x_train"][:1].numpy()
        self.device = device
        self.net = build_net(workload.net).to(device)
        self.loss = LOSSES.get(workload.net, F.cross_entropy)
        if workload.net in ("wide", "convnet", "lstm"):
            self.optimizer: torch.optim.Optimizer = torch.optim.Adam(self.net.parameters(), lr=1e-3, eps=1e-7)
        elif workload.net == "transformer":
            self.optimizer = torch.optim.Adam(self.net.parameters(), lr=1e-3, eps=1e-7, fused=True)
        else:
            self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.01)

    def metric_sum(self, output: Tensor, y: Tensor) -> Tensor:
        if self.metric == "accuracy":
            return (output.argmax(dim=1) == y).sum()
        if self.metric == "binary_accuracy":
            return ((output > 0) == (y > 0)).sum()
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
