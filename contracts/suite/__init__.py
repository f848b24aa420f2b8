"""The contract as a pytest suite: one test item for each rule, over one check of a server.

pytest --pyargs deadringer.contracts.suite --deadringer-url URL --deadringer-key KEY
"""
