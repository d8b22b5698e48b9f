"""Programs that work on files of strangers, each in a process of its own, where it is killed at its limits. Of the rest
of FlowForge they import only what reads no settings and reaches nothing: charsets, the filters of expressions."""
