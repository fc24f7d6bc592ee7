"""Arrivals: who waits in the queue of the telephone system, before there is any sound."""
