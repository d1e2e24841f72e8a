"""Worst case inside the limits: an adverse order stream as lower bound, and a proven upper bound."""
