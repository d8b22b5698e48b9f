"""Workflows: definitions, drafts, versions, bundles."""
