"""Documents of offices: PDF, calendars, archives."""
