"""The JSON faces of the wire contract, one blueprint a file."""
