"""Results: decisions in natural units, explanations, halts, profit curves, and the result of a replay."""
