"""Rules: parameters with units, rules, tiers, rule sets, the circuit breaker, and user-defined rules."""
