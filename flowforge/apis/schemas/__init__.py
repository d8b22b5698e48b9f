"""Schemas as descriptions have them, of three dialects and with many faults, become plain ones for forms."""
