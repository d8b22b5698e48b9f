"""Address guard and deadlines, the ground of the HTTP client and of the mail transport."""
