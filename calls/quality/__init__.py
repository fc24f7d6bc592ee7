"""Quality of service: how an operator led a call, by rules that anybody can check."""
