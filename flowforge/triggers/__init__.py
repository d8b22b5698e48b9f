"""Triggers, which start workflows: webhooks, schedules, mailboxes, forms."""
