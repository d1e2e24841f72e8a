"""Many replays of one log, on threads or a cluster, and the metrics of each."""
