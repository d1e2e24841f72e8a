"""Ingest: frames, live events and vectorbt portfolios become integer columns and rows, or are refused as a whole."""
