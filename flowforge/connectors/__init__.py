"""Connectors: the actions that steps run, and the credentials they run with.

`actions/` has a file for each connector, `connection_kinds/` one for each kind of connection: both are declared with
`sdk`, and found by `catalog`. Their tools are the HTTP client, the mail transport and, below both, the guarded network.
"""
