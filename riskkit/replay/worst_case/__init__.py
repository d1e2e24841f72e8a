"""The most harm that a stream of orders can do inside the limits: a replayed lower bound and a proved upper bound."""
