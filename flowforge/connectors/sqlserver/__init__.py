"""SQL Server: the way to it, and what its driver is given instead of a socket."""
