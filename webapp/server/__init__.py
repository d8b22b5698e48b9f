"""Hosting of the web application by gunicorn: buffered requests, and connections that are handed off."""
