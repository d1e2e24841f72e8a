"""All tests at once: of one forecast, of a panel of forecasts, and the power of the tests."""
