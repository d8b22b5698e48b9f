"""Data tables of accounts, as people work with them: making, changing and deleting them, and what is in them."""
