"""Early warning: which matters grow faster than the day, the hour and the season explain."""
