"""What exists at a moment: documents, scenarios, sessions, started runs, credits, lists."""
