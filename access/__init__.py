"""Who may come in: accounts, sessions, tokens, and the record of what they changed."""
