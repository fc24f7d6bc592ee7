"""Shows: facts of the other packages become events on the screens of the people at work."""
