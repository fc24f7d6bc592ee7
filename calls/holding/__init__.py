"""Which process of the house holds which call, and which of them does what one alone must do."""
