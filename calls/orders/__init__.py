"""Work orders: what a citizen needs, on its way to a department and back."""
