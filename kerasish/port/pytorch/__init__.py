"""Models as the source of plain PyTorch modules, and the weights of PyTorch modules in models."""

from kerasish.port.pytorch.reading import from_pytorch as from_pytorch
from kerasish.port.pytorch.writing import to_pytorch as to_pytorch
