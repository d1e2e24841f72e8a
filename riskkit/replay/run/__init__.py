"""Run: one replay (`replay_log`), or replays without and with limits side by side (`compare`)."""
