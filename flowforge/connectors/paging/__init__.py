"""Paging: a list that an API gives page by page, read as a step's config declares how."""
