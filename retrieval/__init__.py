"""Matches: the segments of a call become a query, the query matches, the matches a suggestion."""
