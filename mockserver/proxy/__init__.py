"""`deadringer proxy`: pass requests on to a real server, and validate what it returns."""
