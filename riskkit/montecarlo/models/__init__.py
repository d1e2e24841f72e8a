"""Return models: joint distributions of asset returns from which scenarios are drawn."""
