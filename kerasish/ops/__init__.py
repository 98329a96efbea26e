"""Keras's operations: plain functions over torch, for arrays, tensors and symbolic tensors."""
