"""Files that all servers of a house share: in a folder, or in a store that speaks S3."""
