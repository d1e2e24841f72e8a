"""What each rule is worth: utilization, effectiveness, and the fewest rules that reject the same."""
