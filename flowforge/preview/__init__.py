"""What a workflow would do: dry runs, step tests, and the data its expressions would see."""
