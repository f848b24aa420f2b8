"""The contract as a pytest suite: one test item for each promise, over one check of a server.

pytest --pyargs contracts.suite --deadringer-url http://127.0.0.1:4010 --deadringer-key KEY
"""
