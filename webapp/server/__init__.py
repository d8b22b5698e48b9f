"""How gunicorn hosts the web application: request buffering, and connections that are handed off."""
