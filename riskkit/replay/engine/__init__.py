"""Engine: the loop that runs the rules of a set over a log, specialised and compiled, and the state that it changes."""
