"""Tests of the number of hits, and the Basel traffic light."""
