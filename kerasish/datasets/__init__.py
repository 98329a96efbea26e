"""Small data sets for examples: each module has `load_data()`; see `python -m kerasish datasets`."""

from kerasish.datasets import boston_housing as boston_housing
from kerasish.datasets import california_housing as california_housing
from kerasish.datasets import cifar10 as cifar10
from kerasish.datasets import cifar100 as cifar100
from kerasish.datasets import fashion_mnist as fashion_mnist
from kerasish.datasets import imdb as imdb
from kerasish.datasets import mnist as mnist
from kerasish.datasets import reuters as reuters
