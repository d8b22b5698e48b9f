"""The operator's command for the accounts of an instance."""
