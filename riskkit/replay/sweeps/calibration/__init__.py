"""Choose thresholds by objectives, and evaluate the choice on other days."""
