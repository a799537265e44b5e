"""A folder of wheels as an index that installers read over plain HTTP."""
