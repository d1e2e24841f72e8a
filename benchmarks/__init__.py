"""Benchmarks: each asserts its answer first, then times it beside what a reader would otherwise use."""
