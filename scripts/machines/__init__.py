"""Several machines on one: network namespaces, each with its own address and its own processes."""
