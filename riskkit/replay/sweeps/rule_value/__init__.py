"""Value of each rule: utilization, effectiveness, and the smallest rule set that rejects the same."""
