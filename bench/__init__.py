"""Yardsticks: `make bench`. Everything runs on loopback and ends by itself."""
