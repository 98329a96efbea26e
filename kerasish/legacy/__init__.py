"""What Keras 1 and 2 had and Keras 3 has not: names and what replaces them."""

from kerasish.legacy import saving as saving
