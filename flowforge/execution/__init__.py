"""The execution state machine: facts in, new state and commands out. Pure: time and chance arrive as arguments."""
