"""Connexion's mock of a specification. Run: python connexion_mock.py SPECIFICATION PORT."""

import sys

import connexion
import uvicorn
from connexion.mock import MockResolver

app = connexion.AsyncApp("mock")
app.add_api(sys.argv[1], resolver=MockResolver(mock_all=True))
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error", access_log=False)
