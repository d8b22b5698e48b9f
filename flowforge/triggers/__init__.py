"""What starts workflows: webhooks, schedules, mailboxes."""
