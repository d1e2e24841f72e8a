"""Kernels: the int64 state of a replay (book, queues, order slots, covariance) and the plain functions that update it."""
