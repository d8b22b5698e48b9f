"""JavaScript, in QuickJS compiled to WebAssembly: it has no way out but the functions that it is given."""
