"""Steps that work with data tables: their config, the form that follows from a table, what is wrong before they run."""
