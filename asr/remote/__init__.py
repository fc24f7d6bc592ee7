"""Live calls recognised on other machines: actors of Ray that decode, and how their work is shared out."""
