"""Keras 2's `keras.optimizers.legacy`: the same classes, which take `lr` and `decay` too.

Differs: Keras 3 keeps the names and raises ImportError when one is used.
"""

from kerasish.optimizers._adadelta import Adadelta as Adadelta
from kerasish.optimizers._adagrad import Adagrad as Adagrad
from kerasish.optimizers._adam import Adam as Adam
from kerasish.optimizers._adamax import Adamax as Adamax
from kerasish.optimizers._ftrl import Ftrl as Ftrl
from kerasish.optimizers._nadam import Nadam as Nadam
from kerasish.optimizers._rmsprop import RMSprop as RMSprop
from kerasish.optimizers._sgd import SGD as SGD
from kerasish.optimizers.optimizer import Optimizer as Optimizer
