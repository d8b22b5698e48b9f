"""Bodies of requests as they come in: received within bounds, forms taken apart, files kept."""
