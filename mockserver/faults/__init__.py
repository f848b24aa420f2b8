"""What a fault is and which faults make sense; pure, without service or session."""
