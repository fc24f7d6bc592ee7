"""What passes between the processes of one house."""
