"""Programs that work on files of strangers, each in a process of its own, where it is killed at its limits. They import
nothing else of FlowForge."""
