"""How gunicorn hosts the web application: buffered requests, and connections that are handed off."""
