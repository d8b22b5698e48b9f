"""Texts made and compared: templates, differences, QR codes."""
