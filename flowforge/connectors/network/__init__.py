"""Which addresses may be reached, and until when: the ground of the HTTP client and of the mail transport."""
