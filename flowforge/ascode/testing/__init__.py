"""Tests of workflows as files: recorded outputs go in, what the workflow does with them is looked at."""
