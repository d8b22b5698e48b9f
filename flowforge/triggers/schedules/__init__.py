"""Schedules: when they fire, how that is said in words, and the firing itself."""
