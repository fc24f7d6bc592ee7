"""The board of the hall: what the city calls about today, counted."""
