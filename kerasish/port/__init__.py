"""Scripts written for Keras and tf.keras, run as they are; models and weights to PyTorch and back."""

from kerasish.port.aliases import install_aliases as install_aliases
from kerasish.port.aliases import load_ipython_extension as load_ipython_extension
from kerasish.port.aliases import uninstall_aliases as uninstall_aliases
from kerasish.port.aliases import unload_ipython_extension as unload_ipython_extension
from kerasish.port.pytorch import from_pytorch as from_pytorch
from kerasish.port.pytorch import to_pytorch as to_pytorch
