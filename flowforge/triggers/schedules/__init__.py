"""Schedules: their times, their description in words, and the firing itself."""
