"""Every threshold of one limit from one pass over the log."""
