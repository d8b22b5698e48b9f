"""The workflow language: definitions, expressions, and the plan they compile to.

Pure: nothing here reads a file, a clock or the environment. What changes (time, data) arrives as an argument.
"""
