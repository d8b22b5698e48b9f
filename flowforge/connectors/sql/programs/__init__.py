"""Programs that run SQL over files, each in a process of its own: they import nothing else of FlowForge, and are killed
at their limits."""
