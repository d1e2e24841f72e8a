"""Run: one replay (`replay_log`), and several rule sets beside each other (`compare`)."""
