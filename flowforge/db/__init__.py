"""PostgreSQL: the truth. `tables` are the models, `engine` makes connections, the other files hold the queries."""
