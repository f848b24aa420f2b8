"""The generated pages of the documentation: one module for each source that they follow."""
