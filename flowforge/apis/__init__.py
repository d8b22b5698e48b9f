"""Descriptions of APIs (OpenAPI 2.0 to 3.1, Google Discovery): read into operations, from which forms are drawn and
requests built. It reads bytes and gives values: it knows no network, database or clock."""
