"""Tests of workflows as files: recorded outputs go in, and what the workflow does with them is compared."""
