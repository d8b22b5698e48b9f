"""Forms: their fields, what people answer, and how the page shows both."""
