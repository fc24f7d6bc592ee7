"""Reports: what a day, a week, a month or one matter was like, computed from the tables."""
