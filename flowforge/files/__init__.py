"""Files: contents of any size, kept once in a store outside the database, read only by what refers to them."""
