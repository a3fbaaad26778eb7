"""A person's review of a result: decisions and measurements, kept as a record, and what follows from them."""
