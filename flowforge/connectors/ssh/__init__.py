"""Commands on servers of SSH: how they are written, and how they run."""
