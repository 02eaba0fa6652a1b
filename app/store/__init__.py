"""PostgreSQL: the tables, every SQL statement, and the migrations."""
