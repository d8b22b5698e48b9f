"""What LIST does with the members of a list: each file declares an operation, its form and its work."""
