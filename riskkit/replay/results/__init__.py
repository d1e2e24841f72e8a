"""Results: decisions in people's units, explanations, halts, profit curves, and the result of a replay."""
