"""Types of columns that differ between the databases.

In: nothing. Out: types for the versions.
Not known here: which tables there are.
"""

import sqlalchemy as sa

LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""An integer that may go beyond 2³¹; SQLite's own integer does, and only that one numbers rows by itself."""
