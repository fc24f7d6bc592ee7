"""The one history of the installation's database, for every package that keeps something there.

In: a connection handed over by `knowledge_base.database.migrate`.
Out: a schema.
Not known here: any current table definition; each version writes out what it creates.
"""
