"""kerasish: the Keras API on PyTorch, directly."""
