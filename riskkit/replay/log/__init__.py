"""Log: `EventLog`, its files, its storage, and event logs made from trade prints."""
