"""Replay of recorded orders, fills and prices through rules and a circuit breaker."""
