"""Small files that admins edit, the same on every server of the house."""
