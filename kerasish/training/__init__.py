"""The loop behind `fit`, `evaluate` and `predict`."""
