"""HTTP for the check: one client with deadlines, paced by the rate limit."""
