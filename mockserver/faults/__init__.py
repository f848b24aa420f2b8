"""What a fault is and which faults are valid; independent of service and session."""
