"""Everything under `/__mock/`: the control API, the pages, and the viewer of `deadringer view`."""
