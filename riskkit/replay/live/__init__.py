"""Live: one event at a time with the decisions of the replay; journal, snapshots and recovery."""
