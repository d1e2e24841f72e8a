"""vectorbt: an order function under limits."""
