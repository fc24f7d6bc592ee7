"""Alembic's door: runs the versions on the connection that `migrate` already holds.

In: `config.attributes["connection"]`.
Out: the versions applied, inside the caller's transaction.
Not known here: URLs, files, offline SQL.
"""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
