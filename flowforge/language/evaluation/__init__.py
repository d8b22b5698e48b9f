"""What expressions compute with: values, operators, lookups, and the meter that bounds their work."""
